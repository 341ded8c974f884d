// The files that are or will be shared, in memory: by path, by index, and searchable once their hash is known.
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
  /** What searches and transfers see; null while its hash is unknown. */
  file: SharedFile | null;
  /** The hash could not be computed. */
  failed: boolean;
  job: HashJob | null;
  /** The scan of its folder that saw it last. */
  seen: number;
  /** Queries it answered. */
  hits: number;
  /** Transfers finished. */
  uploads: number;
}

export class Catalog {
  readonly index = new SearchIndex();
  /** Bounded by FILES_MAX of the library. */
  readonly #byPath = new Map<string, CatalogEntry>();
  readonly #byIndex: (CatalogEntry | undefined)[] = [];
  #nextIndex = 1;
  /** Grows whenever an entry comes, goes or changes, but for what is counted. */
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

  /** A file without a hash yet. There must be none of that path. */
  add(found: FoundFile, folder: SharedFolder): CatalogEntry {
    const { path, name, size, mtimeMs, dev } = found;
    const index = this.#nextIndex++;
    this.revision++;
    // One literal: what is put together by spreading is slow to make, and slower to read, for as long as it lives.
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

  /** From now on it is found. */
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

  /** Its hash could not be computed; `code` is the system's. */
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

  /** Of one folder, highest index first: the order in which the index removes fastest. */
  entriesOf(folder: SharedFolder): CatalogEntry[] {
    const entries: CatalogEntry[] = [];
    for (let index = this.#byIndex.length - 1; index > 0; index--) {
      const entry = this.#byIndex[index];
      if (entry?.folder === folder) entries.push(entry);
    }
    return entries;
  }

  /** At most `limit` entries with indices above `after`, ascending. */
  list(after: number, limit: number): CatalogEntry[] {
    const entries: CatalogEntry[] = [];
    for (let index = after + 1; index < this.#byIndex.length && entries.length < limit; index++) {
      const entry = this.#byIndex[index];
      if (entry !== undefined) entries.push(entry);
    }
    return entries;
  }

  /** What could not be read is no trouble of the folder any more. */
  #mend(entry: CatalogEntry): void {
    if (entry.failed) entry.folder.failures.delete(entry.path);
    entry.failed = false;
  }
}
