// Stores the hashes of shared files by path, valid while size and modification time are unchanged, and the folders added at run time.
import { TIGER_BYTES } from '../../protocol/wire/urn.ts';
import type { Log } from '../log.ts';
import type { Store } from './store.ts';
import type { Change, Table } from './table.ts';

export interface FileRecord {
  size: number;
  /** As stat returns it, with fractions of a millisecond. */
  mtimeMs: number;
  /** Time of its last change of any kind when its content was last known to be this one; absent in records of earlier versions. */
  ctimeMs?: number;
  /** By this it is known when it was renamed; absent where the file system does not tell it, and in records of earlier versions. */
  inode?: string;
  /** Base32, as in URNs; empty for a file that is never shared. */
  sha1: string;
  /** Root of the hash tree in base32; absent while the tree is still to be made, as in records of schema 1. */
  tiger?: string;
  /** A later check found another content with the same size and time; absent otherwise. */
  differs?: true;
  /** Version stamp of the rules that its first bytes were checked against; absent in records of earlier versions. */
  judged?: string;
  /** The rule that excludes it; absent for a shared file. */
  rule?: string;
  /** Device number of its folder at the latest scan; absent in records of earlier versions. */
  dev?: number;
  /** Time at which the file was first missing, milliseconds since 1970; absent while it exists. */
  awaySince?: number;
}

/** What to do with a record: keep it, keep it for a while because its file may return, or drop it. */
export type Fate = 'keep' | 'away' | 'gone';

/** Hashes of missing files, as on an unmounted disk, are dropped after this time. */
const AWAY_MS_MAX = 90 * 24 * 3600_000;
/** Above this number of missing files, further hashes are dropped at once, in order of paths. */
const AWAY_FILES_MAX = 1_000_000;
/** Records parsed at a time: all that is shared is swept after each scan, while queries are answered. */
const SWEEP_PAGE = 50;
/** Changes written in one batch. */
const SWEEP_SLICE = 1000;

/** Progress of the check of all files: paths up to `after` are checked; null: the check rests until the next round. */
export interface ScrubRound {
  after: string | null;
  /** Milliseconds since 1970. */
  startedAt: number;
}

/** A folder that was added at run time, or what was chosen for one of the configuration. */
export interface FolderRecord {
  /** Milliseconds since 1970; absent for a folder of the configuration. */
  addedAt?: number;
  /** gitignore patterns. */
  exclude?: readonly string[];
  force?: boolean;
  label?: string | null;
}

interface Pending {
  readonly record: FileRecord;
  readonly leaves: Uint8Array | null;
}

export class FileStore {
  readonly #files: Table<FileRecord>;
  readonly #folders: Table<FolderRecord>;
  /** Leaves of hash trees in base64, by path, at most 64 KiB. The tree of a small file is its root, and not stored. */
  readonly #trees: Table<string>;
  /** Paths by inode. */
  readonly #inodes: Table<string>;
  readonly #scrub: Table<ScrubRound>;
  readonly #log: Log;
  /** Records not written yet, by path. */
  readonly #pending = new Map<string, Pending>();
  /** Records of the batch that is being written. */
  #written: ReadonlyMap<string, Pending> = new Map();
  /** Paths by inode, of the records not written yet and of those that are being written. */
  #pendingPaths = new Map<string, string>();
  #writtenPaths: ReadonlyMap<string, string> = new Map();
  #writing: Promise<void> | null = null;
  #failing = false;

  constructor(store: Pick<Store, 'table'>, log: Log) {
    this.#files = store.table('files');
    this.#folders = store.table('folders');
    this.#trees = store.table('trees');
    this.#inodes = store.table('inodes');
    this.#scrub = store.table('scrub');
    this.#log = log;
  }

  /** Records in the order of `paths`; all undefined when the store fails. */
  async lookUp(paths: readonly string[]): Promise<(FileRecord | undefined)[]> {
    try {
      // Queued records are newer than stored ones.
      const pending = paths.map(path => this.#unwritten(path)?.record);
      const stored = await this.#files.getMany(paths);
      return stored.map((record, i) => pending[i] ?? record);
    } catch (err) {
      this.#log.error({ err }, 'stored hashes cannot be read: the files are hashed again');
      return [];
    }
  }

  /** Records and their paths in the order of `inodes`; all undefined when the store fails. */
  async lookUpInodes(inodes: readonly string[]): Promise<({ path: string; record: FileRecord } | undefined)[]> {
    try {
      const pending = inodes.map(inode => this.#pendingPaths.get(inode) ?? this.#writtenPaths.get(inode));
      const stored = await this.#inodes.getMany(inodes);
      const paths = stored.map((path, i) => pending[i] ?? path ?? '');
      const records = await this.lookUp(paths);
      return records.map((record, i) => (record === undefined ? undefined : { path: paths[i] ?? '', record }));
    } catch (err) {
      this.#log.error({ err }, 'stored hashes cannot be read: renamed files are hashed again');
      return [];
    }
  }

  /**
   * Queues a record for a batched write; a kill loses only the last few. A failing store is logged once: the files are shared
   * anyway and hashed again at the next start.
   */
  remember(path: string, record: FileRecord, leaves: Uint8Array | null = null): void {
    const kept = leaves !== null && leaves.length > TIGER_BYTES ? leaves : (this.#unwritten(path)?.leaves ?? null);
    const { inode } = this.#pending.get(path)?.record ?? {};
    if (inode !== undefined && this.#pendingPaths.get(inode) === path) this.#pendingPaths.delete(inode);
    this.#pending.set(path, { record, leaves: kept });
    if (record.inode !== undefined) this.#pendingPaths.set(record.inode, path);
    this.#writing ??= this.#write();
  }

  /** The leaves stored last for a path, whose file may have changed; null: none, or the store fails. */
  async leavesOf(path: string): Promise<Buffer | null> {
    const unwritten = this.#unwritten(path)?.leaves ?? null;
    if (unwritten !== null) return Buffer.from(unwritten);
    try {
      const text = await this.#trees.get(path);
      return text === undefined ? null : Buffer.from(text, 'base64');
    } catch (err) {
      this.#log.error({ err, path }, 'a stored hash tree cannot be read: it is made again');
      return null;
    }
  }

  /** At most `limit` records with paths after `path`, in order. Rejects with StoreError. */
  async recordsAfter(path: string, limit: number): Promise<[path: string, record: FileRecord][]> {
    const records: [string, FileRecord][] = [];
    for await (const entry of this.#files.entries({ gt: path, limit })) records.push(entry);
    return records;
  }

  /** Gives the SHA-1 of every record, in base32, also of files that are away. Rejects with StoreError. */
  async eachContent(take: (sha1: string) => void): Promise<void> {
    await this.flush();
    for await (const [, { sha1 }] of this.#files.entries()) take(sha1);
  }

  /** Rejects with StoreError. */
  async scrubRound(): Promise<ScrubRound | undefined> {
    return await this.#scrub.get('round');
  }

  /** Rejects with StoreError. */
  async saveScrubRound(round: ScrubRound): Promise<void> {
    await this.#scrub.put('round', round);
  }

  /** Resolves when all queued records are written or have failed. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  /** Calls `fateOf` for every record; drops those that are gone, or missing for too long. Resolves with the number dropped. */
  async sweep(
    fateOf: (path: string, record: FileRecord) => Fate,
    now: number,
    awayMax = AWAY_FILES_MAX,
  ): Promise<number> {
    let forgotten = 0;
    let away = 0;
    let changes: Change<FileRecord>[] = [];
    /** Inodes of dropped records. */
    let dropped = new Map<string, string>();
    const write = async (): Promise<void> => {
      // Records queued meanwhile are newer.
      const still = changes.filter(({ key }) => !this.#pending.has(key));
      changes = [];
      await this.#files.batch(still);
      await this.#trees.batch(still.flatMap(({ type, key }) => (type === 'del' ? [{ type, key }] : [])));
      await this.#forgetInodes(dropped);
      dropped = new Map();
      forgotten += still.filter(({ type }) => type === 'del').length;
    };
    try {
      for await (const [key, record] of this.#files.entries({ page: SWEEP_PAGE })) {
        const fate = fateOf(key, record);
        if (fate === 'keep') continue;
        const since = record.awaySince ?? now;
        if (fate === 'gone' || now - since > AWAY_MS_MAX || ++away > awayMax) {
          changes.push({ type: 'del', key });
          if (record.inode !== undefined) dropped.set(record.inode, key);
        } else if (record.awaySince === undefined)
          changes.push({ type: 'put', key, value: { ...record, awaySince: now } });
        if (changes.length >= SWEEP_SLICE) await write();
      }
      await write();
    } catch (err) {
      this.#log.warn({ err }, 'hashes of deleted files could not be dropped; trying again at the next scan');
    }
    return forgotten;
  }

  /** Drops inodes, but for those of files that were renamed. */
  async #forgetInodes(pathOf: ReadonlyMap<string, string>): Promise<void> {
    const isNew = (inode: string): boolean => this.#pendingPaths.has(inode) || this.#writtenPaths.has(inode);
    const inodes = [...pathOf.keys()].filter(inode => !isNew(inode));
    if (inodes.length === 0) return;
    const paths = await this.#inodes.getMany(inodes);
    const gone = inodes.filter((inode, i) => paths[i] === pathOf.get(inode) && !isNew(inode));
    await this.#inodes.batch(gone.map(key => ({ type: 'del', key })));
  }

  /** By path, in its order. */
  async folders(): Promise<Map<string, FolderRecord>> {
    const records = new Map<string, FolderRecord>();
    for await (const [path, record] of this.#folders.entries()) records.set(path, record);
    return records;
  }

  async keepFolder(path: string, record: FolderRecord): Promise<void> {
    await this.#folders.put(path, record);
  }

  async removeFolder(path: string): Promise<void> {
    await this.#folders.delete(path);
  }

  async #write(): Promise<void> {
    while (this.#pending.size > 0) {
      const changes = [...this.#pending];
      this.#written = new Map(changes);
      this.#pending.clear();
      this.#writtenPaths = this.#pendingPaths;
      this.#pendingPaths = new Map();
      const trees = changes.flatMap(([key, { leaves }]) =>
        leaves === null ? [] : [put(key, Buffer.from(leaves).toString('base64'))],
      );
      try {
        const replaced = await this.#replacedInodes(changes);
        // trees first: after a kill, a record with a root has its tree
        await this.#trees.batch(trees);
        await this.#files.batch(changes.map(([key, { record }]) => put(key, record)));
        await this.#inodes.batch([...this.#writtenPaths].map(([key, path]) => put(key, path)));
        await this.#forgetInodes(replaced);
        this.#failing = false;
      } catch (err) {
        if (!this.#failing)
          this.#log.error({ err }, 'hashes cannot be stored: the files are hashed again at the next start');
        this.#failing = true;
      }
    }
    this.#written = new Map();
    this.#writtenPaths = new Map();
    this.#writing = null;
  }

  /** Inodes that files at these paths had and have no more, with the paths: programs that save a file write a new one each time. */
  async #replacedInodes(changes: readonly [string, Pending][]): Promise<Map<string, string>> {
    const stored = await this.#files.getMany(changes.map(([path]) => path));
    return new Map(
      changes.flatMap(([path, { record }], i) => {
        const inode = stored[i]?.inode;
        return inode === undefined || inode === record.inode ? [] : [[inode, path] as const];
      }),
    );
  }

  #unwritten(path: string): Pending | undefined {
    return this.#pending.get(path) ?? this.#written.get(path);
  }
}

function put<V>(key: string, value: V): Change<V> {
  return { type: 'put', key, value };
}
