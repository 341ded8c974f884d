// Finds shared files by words, by SHA-1 and by the root of their hash tree. Every word of the query must be a prefix of a word of the name, as in gtk-gnutella and LimeWire.
import { isOfMedia, wantedMedia } from '../wire/media-type.ts';
import type { Query } from '../wire/query.ts';
import { SHA1_BYTES, TIGER_BYTES } from '../wire/urn.ts';
import { FileTable } from './file-table.ts';
import { HashTable } from './hash-table.ts';
import { type Dated, NewestFiles } from './newest-files.ts';
import { type ContentFiles, fileOfUrn, type Searchable, type SharedFile } from './shared-file.ts';
import { nameWords, queryWords } from './tokenizer.ts';
import { WordIndex } from './word-index.ts';

/** Most SharedFile objects kept for later queries. */
const MADE_MAX = 1024;

/** Value of the column for an unknown root. */
const NO_ROOT = Buffer.alloc(TIGER_BYTES);

export class SearchIndex implements Searchable, ContentFiles {
  readonly #table: FileTable;
  #count = 0;
  #bytes = 0;
  readonly #newest = new NewestFiles();
  /** Of the names of searchable files; the table may hold further files. */
  readonly #words: WordIndex;
  readonly #bySha1: HashTable;
  /** Files whose hash tree is known. */
  readonly #byTigerRoot: HashTable;
  /** Objects created last, by low bits of the row. */
  readonly #made: (SharedFile | undefined)[] = new Array(MADE_MAX).fill(undefined);
  #wanted: Uint8Array = new Uint8Array(0);
  readonly #isWanted = (row: number): boolean => this.#table.sha1s.equals(row, this.#wanted);
  readonly #isWantedRoot = (row: number): boolean => this.#table.tigerRoots.equals(row, this.#wanted);

  /** `table` may be shared with a catalog, which adds and removes the files of it. */
  constructor(table = new FileTable()) {
    this.#table = table;
    this.#words = table.keep(new WordIndex());
    this.#bySha1 = new HashTable(row => table.sha1s.head(row));
    this.#byTigerRoot = new HashTable(row => table.tigerRoots.head(row));
  }

  get files(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  newest(count: number, since: number): readonly SharedFile[] {
    const newest = this.#newest.take(count, () => this.#dated());
    return newest.filter(({ modifiedAt }) => modifiedAt >= since).map(({ row }) => this.#file(row));
  }

  *#dated(): IterableIterator<Dated> {
    for (const row of this.#table.rows()) {
      if (this.#words.has(row)) yield { row, modifiedAt: Math.trunc(this.#table.times.get(row)) };
    }
  }

  /** Every distinct word of every name, for QRP tables. */
  words(): IterableIterator<string> {
    return this.#words.words();
  }

  /** All files in order of index. Files may be added and removed meanwhile. */
  *shared(): IterableIterator<SharedFile> {
    for (let index = this.#table.indexFrom(0); index >= 0; index = this.#table.indexFrom(index + 1)) {
      const file = this.byIndex(index);
      if (file !== null) yield file;
    }
  }

  /** Adds a file to the table, or replaces that of the same index, and makes it searchable. */
  add({ index, name, size, sha1, tigerRoot, modifiedAt }: SharedFile): void {
    this.remove(index);
    this.share(this.#table.add(index, name, size, modifiedAt), sha1, tigerRoot);
  }

  remove(index: number): void {
    const row = this.#table.rowOf(index);
    if (row < 0) return;
    this.unshare(row);
    this.#table.remove(row);
  }

  /** Makes a file of the table searchable. */
  share(row: number, sha1: Uint8Array, tigerRoot: Uint8Array | null): void {
    const table = this.#table;
    table.sha1s.set(row, sha1);
    table.tigerRoots.set(row, tigerRoot ?? NO_ROOT);
    this.#count++;
    this.#bytes += table.sizes.get(row);
    this.#newest.add({ row, modifiedAt: Math.trunc(table.times.get(row)) });
    this.#bySha1.add(row);
    if (tigerRoot !== null) this.#byTigerRoot.add(row);
    this.#words.add(row, nameWords(table.names.text(row)));
  }

  /** Sets the root of the hash tree of a searchable file without one. */
  addTigerRoot(row: number, root: Uint8Array): void {
    this.#forget(row);
    this.#table.tigerRoots.set(row, root);
    this.#byTigerRoot.add(row);
  }

  hasTigerRoot(row: number): boolean {
    return !this.#table.tigerRoots.equals(row, NO_ROOT);
  }

  isShared(row: number): boolean {
    return this.#words.has(row);
  }

  /** Ends searches for a file. It stays in the table. */
  unshare(row: number): void {
    if (!this.#words.has(row)) return;
    this.#forget(row);
    this.#newest.remove(row);
    this.#bySha1.delete(row);
    if (this.hasTigerRoot(row)) this.#byTigerRoot.delete(row);
    this.#words.delete(row);
    this.#count--;
    this.#bytes -= this.#table.sizes.get(row);
  }

  /** Drops the object created for a file. */
  #forget(row: number): void {
    const made = row % MADE_MAX;
    if (this.#made[made]?.index === this.#table.indexOf(row)) this.#made[made] = undefined;
  }

  byIndex(index: number): SharedFile | null {
    const row = this.#table.rowOf(index);
    return row >= 0 && this.#words.has(row) ? this.#file(row) : null;
  }

  /** One of the files with that SHA-1. */
  bySha1(sha1: Uint8Array): SharedFile | null {
    if (sha1.length !== SHA1_BYTES) return null;
    this.#wanted = sha1;
    const row = this.#bySha1.find(headOf(sha1), this.#isWanted);
    return row < 0 ? null : this.#file(row);
  }

  /** One of the files with that root of their hash tree. */
  byTigerRoot(root: Uint8Array): SharedFile | null {
    if (root.length !== TIGER_BYTES) return null;
    this.#wanted = root;
    const row = this.#byTigerRoot.find(headOf(root), this.#isWantedRoot);
    return row < 0 ? null : this.#file(row);
  }

  /** The row must be searchable. */
  #file(row: number): SharedFile {
    const table = this.#table;
    const index = table.indexOf(row);
    const made = this.#made[row % MADE_MAX];
    if (made?.index === index) return made;
    const file = {
      index,
      name: table.names.text(row),
      size: table.sizes.get(row),
      sha1: table.sha1s.get(row),
      tigerRoot: this.hasTigerRoot(row) ? table.tigerRoots.get(row) : null,
      modifiedAt: Math.trunc(table.times.get(row)),
    };
    this.#made[row % MADE_MAX] = file;
    return file;
  }

  /**
   * Finds files of the media types in GGEP M by URN or, if none is found, by words; exact matches of the rarest word come
   * first.
   */
  match(query: Pick<Query, 'text' | 'urns'> & Partial<Query>, hitsMax: number): SharedFile[] {
    const rows: number[] = [];
    const media = wantedMedia(query.ggep ?? []);
    const accepts = media === 0 ? null : (row: number): boolean => this.#isOfMedia(row, media);
    for (const urn of query.urns) {
      if (rows.length >= hitsMax) break;
      const file = fileOfUrn(this, urn);
      const row = file === null ? -1 : this.#table.rowOf(file.index);
      if (row >= 0 && !rows.includes(row) && this.#isOfMedia(row, media)) rows.push(row);
    }
    const found = rows.length > 0 ? rows : this.#words.match(queryWords(query.text), hitsMax, accepts);
    return found.map(row => this.#file(row));
  }

  #isOfMedia(row: number, media: number): boolean {
    return media === 0 || isOfMedia(this.#table.names.text(row), media);
  }
}

/** The first four bytes as a little-endian number, as BytesColumn.head gives them. */
function headOf(digest: Uint8Array): number {
  return (digest[0] ?? 0) | ((digest[1] ?? 0) << 8) | ((digest[2] ?? 0) << 16) | ((digest[3] ?? 0) << 24);
}
