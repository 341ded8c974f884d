// Holds shared files in memory by path and index, in columns. A file becomes searchable when its hash is known. An entry is an object
// created on request; none is kept.
import { basename, dirname, join } from 'node:path';
import { Column } from '../../protocol/search/column.ts';
import { FileTable } from '../../protocol/search/file-table.ts';
import { HashTable } from '../../protocol/search/hash-table.ts';
import { SearchIndex } from '../../protocol/search/search-index.ts';
import type { SharedFile } from '../../protocol/search/shared-file.ts';
import { TextKey } from '../../protocol/search/text-key.ts';
import { type Place, Places } from './places.ts';
import type { FoundFile } from './scanner.ts';
import type { SharedFolder } from './shared-folder.ts';

/** Rows examined before yielding, about 0.1 ms. */
const SLICE_ROWS = 4096;

/** What is kept of a found file. */
export type ListedFile = Omit<FoundFile, 'ino' | 'birthtimeMs'>;

/** A snapshot of one file, except for its getters, which read the catalog. */
export class CatalogEntry {
  readonly #catalog: Catalog;
  /** Never reused while the servent runs. */
  readonly index: number;
  readonly path: string;
  readonly name: string;
  readonly folder: SharedFolder;
  readonly size: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  /** Device of its folder. */
  readonly dev: number;

  constructor(catalog: Catalog, index: number, { path, folder, dev }: Place, file: Omit<ListedFile, 'path' | 'dev'>) {
    this.#catalog = catalog;
    this.index = index;
    this.path = join(path, file.name);
    this.name = file.name;
    this.folder = folder;
    this.size = file.size;
    this.mtimeMs = file.mtimeMs;
    this.ctimeMs = file.ctimeMs;
    this.dev = dev;
  }

  /** The file as searches and transfers use it; null while its hash is unknown, and after its removal. */
  get file(): SharedFile | null {
    return this.#catalog.index.byIndex(this.index);
  }

  /** Hashing failed. */
  get failed(): boolean {
    return this.#catalog.isFailed(this.index);
  }

  /** Number of queries answered with it. */
  get hits(): number {
    return this.#catalog.hitsOf(this.index);
  }

  /** Number of finished uploads. */
  get uploads(): number {
    return this.#catalog.uploadsOf(this.index);
  }
}

/** Names of the content of a file. */
export interface KnownContent {
  readonly sha1: Buffer;
  /** Null: the hash tree is still to be made. */
  readonly tigerRoot: Buffer | null;
}

export class Catalog {
  /** Bounded by FILES_MAX of the library. */
  readonly #table = new FileTable();
  readonly index = new SearchIndex(this.#table);
  readonly #places = new Places();
  readonly #placeOf = this.#table.keep(new Column(Uint32Array));
  /** Change times in milliseconds since 1970, as they were found last. */
  readonly #ctimes = this.#table.keep(new Column(Float64Array));
  /** Number of the latest scan of its folder that found it. */
  readonly #seen = this.#table.keep(new Column(Uint32Array));
  readonly #hits = this.#table.keep(new Column(Uint32Array));
  readonly #uploads = this.#table.keep(new Column(Uint32Array));
  readonly #byPath = new HashTable(row => this.#table.names.hash(row, this.#placeOf.get(row)));
  readonly #key = new TextKey();
  #wantedPlace = 0;
  readonly #isWanted = (row: number): boolean =>
    this.#placeOf.get(row) === this.#wantedPlace && this.#table.names.equals(row, this.#key.bytes, this.#key.length);
  /** Indices of files whose hashing failed. */
  readonly #failed = new Set<number>();
  /** Indices of shared files whose content may have been replaced. Bounded by the files of the library. */
  readonly #suspects = new Set<number>();
  #nextIndex = 1;
  /** Increases when an entry is added, removed or changed, except for its counters. */
  revision = 0;
  #treeless = 0;

  /** Number of shared files whose hash tree is still to be made. */
  get treeless(): number {
    return this.#treeless;
  }

  get size(): number {
    return this.#table.count;
  }

  has(path: string): boolean {
    return this.#rowOf(path) >= 0;
  }

  byPath(path: string): CatalogEntry | null {
    const row = this.#rowOf(path);
    return row < 0 ? null : this.#entry(row);
  }

  byIndex(index: number): CatalogEntry | null {
    const row = this.#table.rowOf(index);
    return row < 0 ? null : this.#entry(row);
  }

  /**
   * Marks a file as found by the running scan of its folder. Returns its index, or -1 if the path is unknown or the file differs. A shared
   * file that differs by its change time alone becomes a suspect.
   */
  see({ path, size, mtimeMs, ctimeMs }: ListedFile, { generation }: SharedFolder): number {
    const row = this.#rowOf(path);
    if (row < 0 || this.#table.sizes.get(row) !== size || this.#table.times.get(row) !== mtimeMs) return -1;
    const index = this.#table.indexOf(row);
    if (this.#ctimes.get(row) !== ctimeMs) {
      if (!this.index.isShared(row)) return -1;
      this.#ctimes.set(row, ctimeMs);
      this.#suspects.add(index);
    }
    this.#seen.set(row, generation);
    return index;
  }

  /** Number of shared files whose content may have been replaced. */
  get suspects(): number {
    return this.#suspects.size;
  }

  /** The content of a shared file may have been replaced. */
  suspect(index: number): void {
    if (this.isShared(index)) this.#suspects.add(index);
  }

  /** The next suspect, which is none any more; null: there is none. */
  takeSuspect(): CatalogEntry | null {
    for (const index of this.#suspects) {
      this.#suspects.delete(index);
      const entry = this.byIndex(index);
      if (entry !== null) return entry;
    }
    return null;
  }

  /** A file was read while it had this change time. It becomes a suspect if it has been found with a later one since. */
  onRead(index: number, ctimeMs: number): void {
    const row = this.#table.rowOf(index);
    if (row < 0) return;
    if (this.#ctimes.get(row) <= ctimeMs) this.#ctimes.set(row, ctimeMs);
    else this.suspect(index);
  }

  /** Adds a file without a hash. The path must be new. */
  add(file: ListedFile, folder: SharedFolder): CatalogEntry {
    const { path, name, size, mtimeMs, ctimeMs, dev } = file;
    const place = this.#places.enter(dirname(path), folder, dev);
    const index = this.#nextIndex++;
    const row = this.#table.add(index, name, size, mtimeMs);
    this.revision++;
    this.#placeOf.set(row, place.number);
    this.#ctimes.set(row, ctimeMs);
    this.#seen.set(row, folder.generation);
    this.#hits.set(row, 0);
    this.#uploads.set(row, 0);
    this.#byPath.add(row);
    return new CatalogEntry(this, index, place, file);
  }

  /** Sets the hash of a file and makes it searchable. */
  share({ index, folder, size, path }: CatalogEntry, { sha1, tigerRoot }: KnownContent): void {
    const row = this.#table.rowOf(index);
    if (row < 0 || this.index.isShared(row)) return;
    this.#mend(index, folder, path);
    this.revision++;
    folder.files++;
    folder.bytes += size;
    this.index.share(row, sha1, tigerRoot);
    if (tigerRoot === null) this.#treeless++;
  }

  /** Sets the root of the hash tree of a shared file without one. */
  addTree({ index }: CatalogEntry, root: Buffer): void {
    const row = this.#table.rowOf(index);
    if (!this.#lacksTree(row)) return;
    this.index.addTigerRoot(row, root);
    this.#treeless--;
    this.revision++;
  }

  #lacksTree(row: number): boolean {
    return row >= 0 && this.index.isShared(row) && !this.index.hasTigerRoot(row);
  }

  /** The next shared file without a hash tree, with an index above `after`; null: none. */
  nextTreeless(after: number): CatalogEntry | null {
    for (let index = this.#table.indexFrom(after + 1); index >= 0; index = this.#table.indexFrom(index + 1)) {
      const row = this.#table.rowOf(index);
      if (this.#lacksTree(row)) return this.#entry(row);
    }
    return null;
  }

  /** Marks a file whose hashing failed with system error `code`. */
  fail({ index, folder, path }: CatalogEntry, code: string): void {
    this.#failed.add(index);
    this.revision++;
    folder.failures.set(path, code);
  }

  /** Returns whether the file was searchable; false if it was removed before. */
  remove({ index, folder, path, size }: CatalogEntry): boolean {
    const row = this.#table.rowOf(index);
    if (row < 0) return false;
    this.revision++;
    this.#mend(index, folder, path);
    const wasShared = this.index.isShared(row);
    if (wasShared) {
      folder.files--;
      folder.bytes -= size;
      if (this.#lacksTree(row)) this.#treeless--;
      this.#suspects.delete(index);
      this.index.unshare(row);
    }
    this.#byPath.delete(row);
    this.#places.leave(this.#places.get(this.#placeOf.get(row)));
    this.#table.remove(row);
    return wasShared;
  }

  /**
   * Yields indices of files in slices, which may be empty: those in places that `isIn` selects, and not found by scan `unseenBy` of their
   * shared folder or a later one. Files may be removed meanwhile.
   */
  *indicesIn(isIn: (place: Place) => boolean, unseenBy = Number.POSITIVE_INFINITY): IterableIterator<number[]> {
    const numbers = this.#places.numbersOf(isIn);
    if (numbers.size === 0) return;
    let indices: number[] = [];
    let looked = 0;
    for (const row of this.#table.rows()) {
      if (this.#seen.get(row) < unseenBy && numbers.has(this.#placeOf.get(row))) indices.push(this.#table.indexOf(row));
      if (++looked % SLICE_ROWS !== 0 && indices.length < SLICE_ROWS) continue;
      yield indices;
      indices = [];
    }
    yield indices;
  }

  /** At most `limit` entries with indices above `after`, in ascending order. */
  list(after: number, limit: number): CatalogEntry[] {
    const entries: CatalogEntry[] = [];
    for (let index = this.#table.indexFrom(after + 1); index >= 0 && entries.length < limit; ) {
      const entry = this.byIndex(index);
      if (entry !== null) entries.push(entry);
      index = this.#table.indexFrom(index + 1);
    }
    return entries;
  }

  /** Indices of all files in ascending order. */
  indices(): number[] {
    const indices: number[] = [];
    for (let index = this.#table.indexFrom(0); index >= 0; index = this.#table.indexFrom(index + 1))
      indices.push(index);
    return indices;
  }

  isFailed(index: number): boolean {
    return this.#failed.has(index);
  }

  isShared(index: number): boolean {
    const row = this.#table.rowOf(index);
    return row >= 0 && this.index.isShared(row);
  }

  /** '' for an index that is not in use. */
  nameOf(index: number): string {
    const row = this.#table.rowOf(index);
    return row < 0 ? '' : this.#table.names.text(row);
  }

  /** '' for an index that is not in use. */
  pathOf(index: number): string {
    const row = this.#table.rowOf(index);
    return row < 0 ? '' : join(this.#places.get(this.#placeOf.get(row)).path, this.#table.names.text(row));
  }

  folderOf(index: number): SharedFolder | null {
    const row = this.#table.rowOf(index);
    return row < 0 ? null : this.#places.get(this.#placeOf.get(row)).folder;
  }

  sizeOf(index: number): number {
    return this.#read(this.#table.sizes, index);
  }

  mtimeOf(index: number): number {
    return this.#read(this.#table.times, index);
  }

  hitsOf(index: number): number {
    return this.#read(this.#hits, index);
  }

  uploadsOf(index: number): number {
    return this.#read(this.#uploads, index);
  }

  countHit(index: number): void {
    const row = this.#table.rowOf(index);
    if (row >= 0) this.#hits.set(row, this.#hits.get(row) + 1);
  }

  countUpload(index: number): void {
    const row = this.#table.rowOf(index);
    if (row >= 0) this.#uploads.set(row, this.#uploads.get(row) + 1);
  }

  #read(column: Column, index: number): number {
    const row = this.#table.rowOf(index);
    return row < 0 ? 0 : column.get(row);
  }

  #entry(row: number): CatalogEntry {
    const { names, sizes, times } = this.#table;
    const place = this.#places.get(this.#placeOf.get(row));
    return new CatalogEntry(this, this.#table.indexOf(row), place, {
      name: names.text(row),
      size: sizes.get(row),
      mtimeMs: times.get(row),
      ctimeMs: this.#ctimes.get(row),
    });
  }

  #rowOf(path: string): number {
    const place = this.#places.find(dirname(path));
    if (place === null) return -1;
    this.#wantedPlace = place.number;
    return this.#byPath.find(this.#key.set(basename(path)).hash(place.number), this.#isWanted);
  }

  /** Removes the file from the failures of its folder. */
  #mend(index: number, folder: SharedFolder, path: string): void {
    if (this.#failed.delete(index)) folder.failures.delete(path);
  }
}
