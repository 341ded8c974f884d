// Gives the servent GUID of this installation: created at the first start and stored.
import type { Random } from '../../protocol/ports.ts';
import { formatGuid, parseGuid } from '../../protocol/wire/guid.ts';
import type { Table } from './table.ts';

const SERVENT_GUID = 'servent-guid';

export async function serventGuid(table: Table<string>, random: Random): Promise<Buffer> {
  const stored = await table.get(SERVENT_GUID);
  if (stored !== undefined && /^[0-9a-f]{32}$/.test(stored)) return parseGuid(stored);
  const guid = random.guid();
  await table.put(SERVENT_GUID, formatGuid(guid), { durable: true });
  return guid;
}
