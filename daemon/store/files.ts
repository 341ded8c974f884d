// What is known of shared files across restarts: a SHA-1 for a path, good as long as size and modification time are the same; and which folders were added.
import type { Log } from '../log.ts';
import type { Change, Table } from './table.ts';

export interface FileRecord {
  size: number;
  /** As stat gives it, with fractions of a millisecond. */
  mtimeMs: number;
  /** Base32, as in URNs; empty for a file that is never shared. */
  sha1: string;
  /** Stamp of the rules under which its first bytes were judged; absent in records of earlier versions. */
  judged?: string;
  /** By which of them it is never shared; absent for a file that is. */
  rule?: string;
  /** Device of the folder it lay in when it was seen last; absent in records of earlier versions. */
  dev?: number;
  /** The file was missed first then, milliseconds since 1970, and may come back. Absent while it is there. */
  awaySince?: number;
}

/** What becomes of a record: it stays, it stays for a while because its file may come back, or it goes. */
export type Fate = 'keep' | 'away' | 'gone';

/** Hashes of files that are away, as on a disk that is not mounted, are forgotten after this long. */
export const AWAY_MS_MAX = 90 * 24 * 3600_000;
/** And at once, in the order of their paths, when there are more of them than this. */
export const AWAY_FILES_MAX = 1_000_000;
/** Written in one go. */
const SWEEP_SLICE = 1000;

export interface FolderRecord {
  /** Milliseconds since 1970. */
  addedAt: number;
}

export class FileStore {
  readonly #files: Table<FileRecord>;
  readonly #folders: Table<FolderRecord>;
  readonly #log: Log;
  /** Not written yet, by path. Written as fast as the disk takes them, so a few at a time. */
  readonly #pending = new Map<string, FileRecord>();
  #writing: Promise<void> | null = null;
  #failing = false;

  constructor(files: Table<FileRecord>, folders: Table<FolderRecord>, log: Log) {
    this.#files = files;
    this.#folders = folders;
    this.#log = log;
  }

  /** Records in the order of the paths. From a store that fails: none. */
  async lookUp(paths: readonly string[]): Promise<(FileRecord | undefined)[]> {
    try {
      return await Promise.all(paths.map(path => this.#pending.get(path) ?? this.#files.get(path)));
    } catch (err) {
      this.#log.error({ err }, 'known hashes cannot be read: the files are hashed again');
      return [];
    }
  }

  /**
   * Written soon, many at a time; on the way to the disk before a kill can cost more than the last few. A store that
   * fails is said once: the files are shared all the same and hashed again at the next start.
   */
  remember(path: string, record: FileRecord): void {
    this.#pending.set(path, record);
    this.#writing ??= this.#write();
  }

  /** Until all that was remembered has been written, or given up. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  /** Lets `fateOf` judge every record, and forgets what is gone, or has been away for too long. Gives how many were forgotten. */
  async sweep(
    fateOf: (path: string, record: FileRecord) => Fate,
    now: number,
    awayMax = AWAY_FILES_MAX,
  ): Promise<number> {
    let forgotten = 0;
    let away = 0;
    let changes: Change<FileRecord>[] = [];
    const write = async (): Promise<void> => {
      // What was remembered meanwhile is newer.
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
      this.#log.warn({ err }, 'hashes of files that are gone could not be dropped; trying again with the next scan');
    }
    return forgotten;
  }

  /** Paths of the folders added at run time. */
  async folders(): Promise<string[]> {
    const paths: string[] = [];
    for await (const [path] of this.#folders.entries()) paths.push(path);
    return paths;
  }

  async addFolder(path: string, addedAt: number): Promise<void> {
    await this.#folders.put(path, { addedAt });
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
          this.#log.error({ err }, 'hashes cannot be kept and will be computed again at the next start');
        this.#failing = true;
      }
    }
    this.#writing = null;
  }
}
