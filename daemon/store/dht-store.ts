// Keeps over restarts what a node of the DHT needs: its KUID, made at the first start, and nodes to begin with.
import { formatKuid, parseKuid, randomKuid } from '../../protocol/dht/kuid.ts';
import type { TokenSecrets } from '../../protocol/dht/tokens.ts';
import type { Random } from '../../protocol/ports.ts';
import type { ServentDht } from '../../protocol/servent-dht.ts';
import type { DhtMemory } from '../../protocol/servent-dht-parts.ts';
import { endpointOrNull, formatEndpoint } from '../../protocol/wire/endpoint.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { PeriodicSave } from './periodic-save.ts';
import type { Table } from './table.ts';

const NODE = 'node';
const CONTACTS_MAX = 100;
/** A kill loses the nodes of this interval. */
const SAVE_INTERVAL_MS = 10_000;

export interface DhtRecord {
  /** 40 hex digits. */
  readonly kuid: string;
  /** HOST:PORT. */
  readonly contacts: readonly string[];
  /** What tokens are made with; absent in records of earlier versions. */
  readonly tokens?: TokenRecord;
}

interface TokenRecord {
  /** In hex. */
  readonly secret: string;
  readonly previous: string | null;
  /** Milliseconds since 1970. */
  readonly since: number;
}

/** Its times count from now. */
export async function dhtMemory(
  table: Table<DhtRecord>,
  random: Random,
  clock: Pick<Clock, 'wallTime'>,
): Promise<DhtMemory> {
  const stored = await table.get(NODE);
  if (isRecord(stored)) {
    const contacts = stored.contacts.slice(0, CONTACTS_MAX).flatMap(text => endpointOrNull(text) ?? []);
    return { kuid: parseKuid(stored.kuid), contacts, tokens: secretsIn(stored.tokens, clock.wallTime()) };
  }
  const kuid = randomKuid(random);
  await table.put(NODE, { kuid: formatKuid(kuid), contacts: [] }, { durable: true });
  return { kuid, contacts: [], tokens: null };
}

function isRecord(stored: unknown): stored is DhtRecord {
  if (typeof stored !== 'object' || stored === null) return false;
  const { kuid, contacts } = stored as Partial<DhtRecord>;
  const isText = (value: unknown): boolean => typeof value === 'string';
  return typeof kuid === 'string' && /^[0-9a-f]{40}$/.test(kuid) && Array.isArray(contacts) && contacts.every(isText);
}

/** Null for what cannot be used: no secrets, or those of the future after the clock was set back. */
function secretsIn(record: unknown, now: number): TokenSecrets | null {
  if (typeof record !== 'object' || record === null) return null;
  const { secret, previous, since } = record as Partial<TokenRecord>;
  if (typeof secret !== 'string' || typeof since !== 'number' || !(since <= now)) return null;
  const before = typeof previous === 'string' ? Buffer.from(previous, 'hex') : null;
  return { secret: Buffer.from(secret, 'hex'), previous: before, since: since - now };
}

export interface DhtStoreParts {
  readonly table: Table<DhtRecord>;
  readonly dht: ServentDht;
  readonly clock: Pick<Clock, 'now' | 'wallTime'>;
  readonly log: Log;
}

export class DhtStore {
  readonly #parts: DhtStoreParts;
  readonly saves = new PeriodicSave(SAVE_INTERVAL_MS, () => this.#save());
  #stored = '';
  #kuid = '';

  constructor(parts: DhtStoreParts) {
    this.#parts = parts;
  }

  /** Writes the nodes that are known. Those of the last run stay while there are none, such as when the DHT is off. */
  async #save(): Promise<void> {
    const { table, dht, clock, log } = this.#parts;
    const contacts = dht.contacts(CONTACTS_MAX).map(formatEndpoint).toSorted();
    const kuid = formatKuid(dht.node.kuid);
    const secrets = dht.node.tokenSecrets(clock.now());
    if (this.#kuid !== '' && kuid !== this.#kuid)
      log.warn(
        { kuid, before: this.#kuid },
        'another node of the DHT has the KUID of this one, which has taken a new one',
      );
    this.#kuid = kuid;
    const text = [kuid, secrets?.since, ...contacts].join();
    if (text === this.#stored) return;
    const tokens = secrets === null ? {} : { tokens: recordOf(secrets, clock.wallTime() - clock.now()) };
    try {
      const known = contacts.length > 0 ? contacts : ((await table.get(NODE))?.contacts ?? []);
      await table.put(NODE, { kuid, contacts: known, ...tokens });
      this.#stored = text;
    } catch (err) {
      log.warn({ err }, 'the nodes of the DHT could not be saved; trying again later');
    }
  }
}

/** `sinceMs`: from 1970 to the zero of the clock. */
function recordOf({ secret, previous, since }: TokenSecrets, sinceMs: number): TokenRecord {
  return {
    secret: secret.toString('hex'),
    previous: previous?.toString('hex') ?? null,
    since: Math.round(since + sinceMs),
  };
}
