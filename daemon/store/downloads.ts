// Stores downloads by id: name, hash, sources, and the byte ranges that are safely on the disk.

import type { Source } from '../../protocol/transfer/downloads/source.ts';
import { RangeSet } from '../../protocol/transfer/range-set.ts';
import { base32OrNull, formatBase32, SHA1_BYTES } from '../../protocol/wire/urn.ts';
import type { Log } from '../log.ts';
import type { StoredDownload } from './stored-download.ts';
import type { Table } from './table.ts';

export type StoredState = 'queued' | 'paused' | 'completed' | 'failed';

/** The stored part of a download. Times in milliseconds since 1970. */
export interface DownloadRecord {
  readonly id: string;
  readonly name: string;
  /** 20 bytes. */
  readonly sha1: Buffer | null;
  readonly size: number | null;
  readonly state: StoredState;
  readonly priority: number;
  readonly sources: readonly Source[];
  /** Only bytes that an fdatasync has put on the disk. */
  readonly ranges: RangeSet;
  /** How often the complete file had the wrong hash. */
  readonly mismatches: number;
  readonly addedAt: number;
  readonly finishedAt: number | null;
  /** Path of the finished file. */
  readonly path: string | null;
  readonly error: string | null;
}

export class DownloadStore {
  readonly #table: Table<StoredDownload>;

  constructor(table: Table<StoredDownload>) {
    this.#table = table;
  }

  /** In order of ids, which is the order of creation. An unreadable record is logged, skipped and kept in the store. */
  async all(log: Log): Promise<DownloadRecord[]> {
    const records: DownloadRecord[] = [];
    for await (const [id, value] of this.#table.entries()) {
      try {
        const { storedDownload } = await import('./stored-download.ts');
        records.push(read(id, storedDownload.parse(value)));
      } catch (err) {
        log.error({ id, err }, 'a stored download is unreadable and was left out');
      }
    }
    return records.sort((a, b) => a.addedAt - b.addedAt);
  }

  /** `durable`: survives a power cut. Not needed for progress, as lost bytes are fetched again. */
  async save(record: DownloadRecord, durable: boolean): Promise<void> {
    await this.#table.put(record.id, written(record), { durable });
  }

  async remove(id: string): Promise<void> {
    await this.#table.delete(id, { durable: true });
  }
}

function written(record: DownloadRecord): StoredDownload {
  const { id: _, sha1, sources, ranges, ...plain } = record;
  return {
    ...plain,
    sha1: sha1 === null ? null : formatBase32(sha1),
    ranges: ranges.toPairs(),
    sources: sources.map(({ endpoint, serventGuid, push, index, name, target }) => ({
      host: endpoint.host,
      port: endpoint.port,
      servent: serventGuid?.toString('hex') ?? null,
      push,
      index,
      name,
      target,
    })),
  };
}

/** Throws for a record that `written` could not have made. */
function read(id: string, value: StoredDownload): DownloadRecord {
  const { sha1: digits, sources, ranges, ...plain } = value;
  const sha1 = digits === null ? null : base32OrNull(digits);
  if (sha1?.length !== (digits === null ? undefined : SHA1_BYTES)) throw new RangeError(`not a SHA-1: ${digits}`);
  return {
    id,
    ...plain,
    sha1,
    ranges: RangeSet.fromPairs(ranges),
    sources: sources.map(({ host, port, servent, ...rest }) => ({
      endpoint: { host, port },
      serventGuid: servent === null ? null : Buffer.from(servent, 'hex'),
      ...rest,
    })),
  };
}
