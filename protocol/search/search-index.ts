// Finds shared files by words, by SHA-1 and by the root of their hash tree. Every word of the query must be a prefix of a word of the name, as in gtk-gnutella and LimeWire.
import { isOfMedia, wantedMedia } from '../wire/media-type.ts';
import type { Query } from '../wire/query.ts';
import { SHA1_BYTES, TIGER_BYTES } from '../wire/urn.ts';
import { FileTable } from './file-table.ts';
import { FileWords } from './file-words.ts';
import { HashTable } from './hash-table.ts';
import { type Dated, NewestFiles } from './newest-files.ts';
import { ROWS_END, UnionCursor } from './posting-cursor.ts';
import { PostingLists } from './posting-lists.ts';
import { type ContentFiles, fileOfUrn, type Searchable, type SharedFile } from './shared-file.ts';
import { nameWords, QUERY_WORDS_MAX, queryWords } from './tokenizer.ts';
import { WordList } from './word-list.ts';

/** Shorter query words (bytes of UTF-8) must be whole words of a name: gtk-gnutella's shortest word in a QRP table. */
const PREFIX_BYTES_MIN = 3;
/** Words of the library tried for one query word. */
const EXPANSIONS_MAX = 1024;
/**
 * Query words that begin at most that many words of the library are looked up in posting lists, which skips candidates; others in the
 * words of each candidate.
 */
const LISTS_MAX = 16;
/**
 * Bounds the work for one query, in searches of a posting list: about a millisecond. Frequent words that are rarely together reach it;
 * files after that are not found.
 */
const WORK_MAX = 100_000;
/** Cost of a look at the words of a candidate, and at its name, in searches of a posting list. */
const WORDS_WORK = 4;
const NAME_WORK = 16;
/** Most SharedFile objects kept for later queries. */
const MADE_MAX = 1024;

/** Value of the column for an unknown root. */
const NO_ROOT = Buffer.alloc(TIGER_BYTES);

export class SearchIndex implements Searchable, ContentFiles {
  readonly #table: FileTable;
  #count = 0;
  #bytes = 0;
  readonly #newest = new NewestFiles();
  readonly #words = new WordList();
  /** By word number. */
  readonly #filesOfWord = new PostingLists();
  /** Words of searchable files; the table may hold further files. */
  readonly #wordsOfFile: FileWords;
  readonly #bySha1: HashTable;
  /** Files whose hash tree is known. */
  readonly #byTigerRoot: HashTable;
  /** By word number: bits of the query words that it matches, of those looked up in the words of candidates; zero between queries. */
  #marks = new Uint32Array(256);
  /** Objects created last, by low bits of the row. */
  readonly #made: (SharedFile | undefined)[] = new Array(MADE_MAX).fill(undefined);
  #wanted: Uint8Array = new Uint8Array(0);
  readonly #isWanted = (row: number): boolean => this.#table.sha1s.equals(row, this.#wanted);
  readonly #isWantedRoot = (row: number): boolean => this.#table.tigerRoots.equals(row, this.#wanted);

  /** `table` may be shared with a catalog, which adds and removes the files of it. */
  constructor(table = new FileTable()) {
    this.#table = table;
    this.#wordsOfFile = table.keep(new FileWords());
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
      if (this.#wordsOfFile.has(row)) yield { row, modifiedAt: Math.trunc(this.#table.times.get(row)) };
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
    const numbers: number[] = [];
    for (const word of nameWords(table.names.text(row))) {
      const number = this.#words.add(word);
      numbers.push(number);
      this.#filesOfWord.insert(number, row);
    }
    this.#wordsOfFile.set(row, numbers);
    if (this.#marks.length < this.#words.numbersEnd) this.#marks = new Uint32Array(1.5 * this.#words.numbersEnd);
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
    return this.#wordsOfFile.has(row);
  }

  /** Ends searches for a file. It stays in the table. */
  unshare(row: number): void {
    if (!this.#wordsOfFile.has(row)) return;
    this.#forget(row);
    this.#newest.remove(row);
    this.#bySha1.delete(row);
    if (this.hasTigerRoot(row)) this.#byTigerRoot.delete(row);
    for (const number of this.#wordsOfFile.of(row)) {
      this.#filesOfWord.delete(number, row);
      if (this.#filesOfWord.length(number) === 0) this.#words.delete(number);
    }
    this.#wordsOfFile.delete(row);
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
    return row >= 0 && this.#wordsOfFile.has(row) ? this.#file(row) : null;
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
    for (const urn of query.urns) {
      if (rows.length >= hitsMax) break;
      const file = fileOfUrn(this, urn);
      const row = file === null ? -1 : this.#table.rowOf(file.index);
      if (row >= 0 && !rows.includes(row) && this.#isOfMedia(row, media)) rows.push(row);
    }
    if (rows.length === 0 && hitsMax > 0) this.#matchWords(queryWords(query.text), media, hitsMax, rows);
    return rows.map(row => this.#file(row));
  }

  #isOfMedia(row: number, media: number): boolean {
    return media === 0 || isOfMedia(this.#table.names.text(row), media);
  }

  #matchWords(words: readonly string[], media: number, hitsMax: number, hits: number[]): void {
    if (words.length === 0 || words.length > QUERY_WORDS_MAX) return;
    const expansions: { numbers: number[]; files: number }[] = [];
    for (const word of words) {
      const numbers = this.#expand(word);
      let files = 0;
      for (const number of numbers) files += this.#filesOfWord.length(number);
      if (files === 0) return;
      expansions.push({ numbers, files });
    }
    expansions.sort((a, b) => a.files - b.files);
    const [rarest = [], ...others] = expansions.map(({ numbers }) => numbers);
    // Cursors start again for each list of the rarest word: with many of them that costs more than it skips.
    const listsMax = rarest.length > LISTS_MAX ? 0 : LISTS_MAX;
    const few = others.filter(({ length }) => length <= listsMax);
    const many = others.filter(({ length }) => length > listsMax);
    const unions = few.map(numbers => new UnionCursor(numbers.map(number => this.#filesOfWord.cursor(number))));
    for (const [i, numbers] of many.entries()) {
      for (const number of numbers) this.#marks[number] = (this.#marks[number] ?? 0) | (1 << i);
    }
    this.#collect(rarest, unions, (1 << many.length) - 1, media, hitsMax, hits);
    for (const numbers of many) for (const number of numbers) this.#marks[number] = 0;
  }

  #expand(word: string): number[] {
    if (word.length >= PREFIX_BYTES_MIN || Buffer.byteLength(word) >= PREFIX_BYTES_MIN) {
      return this.#words.findPrefixed(word, EXPANSIONS_MAX);
    }
    const number = this.#words.find(word);
    return number < 0 ? [] : [number];
  }

  /** Appends the files with any of these words that are in all unions, whose words have all marks, of these media types. */
  #collect(
    numbers: readonly number[],
    unions: readonly UnionCursor[],
    allMarks: number,
    media: number,
    hitsMax: number,
    hits: number[],
  ): void {
    let work = WORK_MAX;
    for (const number of numbers) {
      for (const union of unions) union.rewind();
      const cursor = this.#filesOfWord.cursor(number);
      for (let { row } = cursor; row < ROWS_END && work > 0; ) {
        work--;
        let next = row;
        for (let i = 0; i < unions.length && next === row; i++) {
          const union = unions[i];
          if (union === undefined) break;
          next = union.seek(row);
          work -= union.lists;
        }
        if (next > row) {
          row = cursor.seek(next);
          continue;
        }
        if (allMarks !== 0) work -= WORDS_WORK;
        if (allMarks === 0 || this.#wordsOfFile.hasMarks(row, this.#marks, allMarks)) {
          if (media !== 0) work -= NAME_WORK;
          if (this.#isOfMedia(row, media) && (numbers.length === 1 || !hits.includes(row))) hits.push(row);
          if (hits.length >= hitsMax) return;
        }
        row = cursor.seek(row + 1);
      }
    }
  }
}

/** The first four bytes as a little-endian number, as BytesColumn.head gives them. */
function headOf(digest: Uint8Array): number {
  return (digest[0] ?? 0) | ((digest[1] ?? 0) << 8) | ((digest[2] ?? 0) << 16) | ((digest[3] ?? 0) << 24);
}
