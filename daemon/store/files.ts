// Stores the SHA-1 of shared files by path, valid while size and modification time are unchanged, and the folders added at run time.
import type { Log } from '../log.ts';
import type { Change, Table } from './table.ts';

export interface FileRecord {
  size: number;
  /** As stat returns it, with fractions of a millisecond. */
  mtimeMs: number;
  /** Base32, as in URNs; empty for a file that is never shared. */
  sha1: string;
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
export const AWAY_MS_MAX = 90 * 24 * 3600_000;
/** Above this number of missing files, further hashes are dropped at once, in order of paths. */
export const AWAY_FILES_MAX = 1_000_000;
/** Changes written in one batch. */
const SWEEP_SLICE = 1000;

/** A folder that was added at run time, or what was chosen for one of the configuration. */
export interface FolderRecord {
  /** Milliseconds since 1970; absent for a folder of the configuration. */
  addedAt?: number;
  /** gitignore patterns. */
  exclude?: readonly string[];
  force?: boolean;
  label?: string | null;
}

export class FileStore {
  readonly #files: Table<FileRecord>;
  readonly #folders: Table<FolderRecord>;
  readonly #log: Log;
  /** Records not written yet, by path. */
  readonly #pending = new Map<string, FileRecord>();
  #writing: Promise<void> | null = null;
  #failing = false;

  constructor(files: Table<FileRecord>, folders: Table<FolderRecord>, log: Log) {
    this.#files = files;
    this.#folders = folders;
    this.#log = log;
  }

  /** Records in the order of `paths`; all undefined when the store fails. */
  async lookUp(paths: readonly string[]): Promise<(FileRecord | undefined)[]> {
    try {
      // Queued records are newer than stored ones.
      const pending = paths.map(path => this.#pending.get(path));
      const stored = await this.#files.getMany(paths);
      return stored.map((record, i) => pending[i] ?? record);
    } catch (err) {
      this.#log.error({ err }, 'stored hashes cannot be read: the files are hashed again');
      return [];
    }
  }

  /**
   * Queues a record for a batched write; a kill loses only the last few. A failing store is logged once: the files are shared
   * anyway and hashed again at the next start.
   */
  remember(path: string, record: FileRecord): void {
    this.#pending.set(path, record);
    this.#writing ??= this.#write();
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
    const write = async (): Promise<void> => {
      // Records queued meanwhile are newer.
      const still = changes.filter(({ key }) => !this.#pending.has(key));
      changes = [];
      await this.#files.batch(still);
      forgotten += still.filter(({ type }) => type === 'del').length;
    };
    try {
      for await (const [key, record] of this.#files.entries()) {
        const fate = fateOf(key, record);
        if (fate === 'keep') continue;
        const since = record.awaySince ?? now;
        if (fate === 'gone' || now - since > AWAY_MS_MAX || ++away > awayMax) changes.push({ type: 'del', key });
        else if (record.awaySince === undefined)
          changes.push({ type: 'put', key, value: { ...record, awaySince: now } });
        if (changes.length >= SWEEP_SLICE) await write();
      }
      await write();
    } catch (err) {
      this.#log.warn({ err }, 'hashes of deleted files could not be dropped; trying again at the next scan');
    }
    return forgotten;
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
      const changes = [...this.#pending].map(([key, value]) => ({ type: 'put' as const, key, value }));
      this.#pending.clear();
      try {
        await this.#files.batch(changes);
        this.#failing = false;
      } catch (err) {
        if (!this.#failing)
          this.#log.error({ err }, 'hashes cannot be stored: the files are hashed again at the next start');
        this.#failing = true;
      }
    }
    this.#writing = null;
  }
}
