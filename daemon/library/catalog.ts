// Holds shared files in memory by path and index. A file becomes searchable when its hash is known.
import { SearchIndex } from '../../protocol/search/search-index.ts';
import type { SharedFile } from '../../protocol/search/shared-file.ts';
import type { HashJob } from './hash-pool.ts';
import type { FoundFile } from './scanner.ts';
import type { SharedFolder } from './shared-folder.ts';

export interface CatalogEntry {
  /** Never reused while the servent runs. */
  readonly index: number;
  readonly path: string;
  readonly name: string;
  readonly folder: SharedFolder;
  readonly size: number;
  readonly mtimeMs: number;
  /** Device of its folder. */
  readonly dev: number;
  /** The file as searches and transfers use it; null while its hash is unknown. */
  file: SharedFile | null;
  /** Hashing failed. */
  failed: boolean;
  job: HashJob | null;
  /** Number of the latest scan of its folder that found it. */
  seen: number;
  /** Number of queries answered with it. */
  hits: number;
  /** Number of finished uploads. */
  uploads: number;
}

export class Catalog {
  readonly index = new SearchIndex();
  /** Bounded by FILES_MAX of the library. */
  readonly #byPath = new Map<string, CatalogEntry>();
  readonly #byIndex: (CatalogEntry | undefined)[] = [];
  #nextIndex = 1;
  /** Increases when an entry is added, removed or changed, except for its counters. */
  revision = 0;

  get size(): number {
    return this.#byPath.size;
  }

  byPath(path: string): CatalogEntry | null {
    return this.#byPath.get(path) ?? null;
  }

  byIndex(index: number): CatalogEntry | null {
    return this.#byIndex[index] ?? null;
  }

  /** Adds a file without a hash. The path must be new. */
  add(found: FoundFile, folder: SharedFolder): CatalogEntry {
    const { path, name, size, mtimeMs, dev } = found;
    const index = this.#nextIndex++;
    this.revision++;
    // One literal: V8 makes slow objects of spread ones.
    const entry: CatalogEntry = {
      index,
      path,
      name,
      folder,
      size,
      mtimeMs,
      dev,
      file: null,
      failed: false,
      job: null,
      seen: folder.generation,
      hits: 0,
      uploads: 0,
    };
    this.#byPath.set(path, entry);
    this.#byIndex[index] = entry;
    return entry;
  }

  /** Sets the hash of a file and makes it searchable. */
  share(entry: CatalogEntry, sha1: Buffer): SharedFile {
    const { index, name, size, mtimeMs, folder } = entry;
    const file: SharedFile = { index, name, size, sha1, modifiedAt: Math.trunc(mtimeMs) };
    entry.file = file;
    entry.job = null;
    this.#mend(entry);
    this.revision++;
    folder.files++;
    folder.bytes += size;
    this.index.add(file);
    return file;
  }

  /** Marks a file whose hashing failed with system error `code`. */
  fail(entry: CatalogEntry, code: string): void {
    entry.failed = true;
    this.revision++;
    entry.folder.failures.set(entry.path, code);
  }

  remove(entry: CatalogEntry): void {
    if (this.#byPath.get(entry.path) !== entry) return;
    this.#byPath.delete(entry.path);
    this.revision++;
    this.#byIndex[entry.index] = undefined;
    if (entry.job !== null) entry.job.cancelled = true;
    this.#mend(entry);
    if (entry.file === null) return;
    entry.folder.files--;
    entry.folder.bytes -= entry.size;
    this.index.remove(entry.index);
  }

  /** Entries of one folder, highest index first: the fastest order for removing them from the search index. */
  entriesOf(folder: SharedFolder): CatalogEntry[] {
    const entries: CatalogEntry[] = [];
    for (let index = this.#byIndex.length - 1; index > 0; index--) {
      const entry = this.#byIndex[index];
      if (entry?.folder === folder) entries.push(entry);
    }
    return entries;
  }

  /** At most `limit` entries with indices above `after`, in ascending order. */
  list(after: number, limit: number): CatalogEntry[] {
    const entries: CatalogEntry[] = [];
    for (let index = after + 1; index < this.#byIndex.length && entries.length < limit; index++) {
      const entry = this.#byIndex[index];
      if (entry !== undefined) entries.push(entry);
    }
    return entries;
  }

  /** Removes the file from the failures of its folder. */
  #mend(entry: CatalogEntry): void {
    if (entry.failed) entry.folder.failures.delete(entry.path);
    entry.failed = false;
  }
}
