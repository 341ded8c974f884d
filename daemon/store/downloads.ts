// Stores downloads by id: name, hash, sources, and the byte ranges that are safely on the disk.

import { TigerTree } from '../../protocol/digest/tiger-tree.ts';
import type { Batch } from '../../protocol/transfer/downloads/batch.ts';
import type { Source } from '../../protocol/transfer/downloads/source.ts';
import { RangeSet } from '../../protocol/transfer/range-set.ts';
import { base32OrNull, formatBase32, SHA1_BYTES, TIGER_BYTES } from '../../protocol/wire/urn.ts';
import type { Log } from '../log.ts';
import type { StoredDownload } from './stored-download.ts';
import type { Table } from './table.ts';

/** A file that was placed: no other has both its inode and its time of birth, and nobody can set its change time (ctime). Milliseconds. */
export interface PlacedFile {
  readonly inode: number;
  readonly bornAt: number;
  readonly changedAt: number;
}

export type StoredState = 'queued' | 'paused' | 'completed' | 'failed';

/** The stored part of a download. Times in milliseconds since 1970. */
export interface DownloadRecord {
  readonly id: string;
  readonly name: string;
  /** By which sources are searched for; null: by the name. */
  readonly words: string | null;
  /** 20 bytes. */
  readonly sha1: Buffer | null;
  readonly size: number | null;
  /** The size that hits or sources told; null where the user gave it. */
  readonly sizeTold: number | null;
  readonly state: StoredState;
  readonly priority: number;
  /** In the order of downloads of one priority. */
  readonly place: number;
  readonly category: string | null;
  readonly batch: Batch | null;
  readonly sources: readonly Source[];
  /** Only bytes that an fdatasync has put on the disk. */
  readonly ranges: RangeSet;
  /** Those of them that fitted the hash tree. */
  readonly verified: RangeSet;
  /** Root of the hash tree that the user gave. */
  readonly root: Buffer | null;
  /** The hash tree by which bytes are verified. */
  readonly tree: TigerTree | null;
  /** Keys of sources that sent wrong bytes. */
  readonly corrupt: readonly string[];
  /** How often the complete file had the wrong hash. */
  readonly mismatches: number;
  /** Fetched from the start to the end. */
  readonly sequential: boolean;
  readonly addedAt: number;
  readonly finishedAt: number | null;
  /** Path of the finished file. */
  readonly path: string | null;
  /** What was put there. Null: not known, as in records of before. */
  readonly placed: PlacedFile | null;
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
        records.push(fromStored(id, storedDownload.parse(value)));
      } catch (err) {
        log.error({ id, err }, 'a stored download is unreadable and was left out');
      }
    }
    return records.sort((a, b) => a.addedAt - b.addedAt);
  }

  /** `durable`: survives a power cut. Not needed for progress, as lost bytes are fetched again. */
  async save(record: DownloadRecord, durable: boolean): Promise<void> {
    await this.#table.put(record.id, toStored(record), { durable });
  }

  async remove(id: string): Promise<void> {
    await this.#table.delete(id, { durable: true });
  }
}

/** A record as JSON. */
export function toStored(record: DownloadRecord): StoredDownload {
  const { id: _, sha1, sources, ranges, verified, root, tree, corrupt, ...plain } = record;
  return {
    ...plain,
    sha1: sha1 === null ? null : formatBase32(sha1),
    ranges: ranges.toPairs(),
    verified: verified.toPairs(),
    root: root === null ? null : formatBase32(root),
    tree: tree === null ? null : { size: tree.size, depth: tree.depth, leaves: tree.leaves.toString('base64') },
    corrupt: [...corrupt],
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

/** Throws for a record that `toStored` could not have made. */
export function fromStored(id: string, value: StoredDownload): DownloadRecord {
  const {
    sha1,
    sources,
    ranges,
    verified,
    root,
    tree,
    corrupt,
    place,
    category = null,
    batch = null,
    sequential = false,
    sizeTold = null,
    words = null,
    placed = null,
    ...plain
  } = value;
  return {
    id,
    ...plain,
    place: place ?? value.addedAt,
    ...{ category, batch, placed },
    sha1: digestOf('a SHA-1', SHA1_BYTES, sha1),
    root: digestOf('a root of a hash tree', TIGER_BYTES, root ?? null),
    tree: tree == null ? null : new TigerTree(tree.size, tree.depth, Buffer.from(tree.leaves, 'base64')),
    ...{ sequential, sizeTold, words },
    ranges: RangeSet.fromPairs(ranges),
    verified: RangeSet.fromPairs(verified ?? []),
    corrupt: corrupt ?? [],
    sources: sources.map(({ host, port, servent, ...rest }) => ({
      endpoint: { host, port },
      serventGuid: servent === null ? null : Buffer.from(servent, 'hex'),
      ...rest,
    })),
  };
}

function digestOf(what: string, bytes: number, digits: string | null): Buffer | null {
  if (digits === null) return null;
  const digest = base32OrNull(digits);
  if (digest?.length !== bytes) throw new RangeError(`not ${what}: ${digits}`);
  return digest;
}
