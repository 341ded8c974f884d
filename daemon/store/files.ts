// What is known of shared files across restarts: a SHA-1 for a path, good as long as size and modification time are the same; and which folders were added.
import { sep } from 'node:path';
import type { Log } from '../log.ts';
import type { Change, Table } from './table.ts';

export interface FileRecord {
  size: number;
  /** As stat gives it, with fractions of a millisecond. */
  mtimeMs: number;
  /** Base32, as in URNs. */
  sha1: string;
}

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

  /** Drops what is known of files below the folder that `isThere` denies. Gives how many. */
  async forgetGone(folder: string, isThere: (path: string) => boolean): Promise<number> {
    const start = folder.endsWith(sep) ? folder : folder + sep;
    const end = start.slice(0, -1) + String.fromCharCode(sep.charCodeAt(0) + 1);
    const gone: Change<FileRecord>[] = [];
    try {
      for await (const [key] of this.#files.entries({ gte: start, lt: end })) {
        if (!isThere(key)) gone.push({ type: 'del', key });
      }
      await this.#files.batch(gone);
    } catch (err) {
      this.#log.warn({ err }, 'hashes of files that are gone could not be dropped; trying again with the next scan');
      return 0;
    }
    return gone.length;
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
