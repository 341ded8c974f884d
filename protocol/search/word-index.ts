// Finds rows by words: every word of a query must be a prefix of a word of the row, as in gtk-gnutella and LimeWire.
import type { Paged } from './column.ts';
import { FileWords } from './file-words.ts';
import { ROWS_END, UnionCursor } from './posting-cursor.ts';
import { PostingLists } from './posting-lists.ts';
import { QUERY_WORDS_MAX } from './tokenizer.ts';
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
 * rows after that are not found.
 */
const WORK_MAX = 100_000;
/** Cost of a look at the words of a candidate, and of calling `accepts`, in searches of a posting list. */
const WORDS_WORK = 4;
const ACCEPT_WORK = 16;

export class WordIndex implements Paged {
  readonly #words = new WordList();
  /** By word number. */
  readonly #rowsOfWord = new PostingLists();
  readonly #wordsOfRow = new FileWords();
  /** By word number: bits of the query words that it matches, of those looked up in the words of candidates; zero between queries. */
  #marks = new Uint32Array(256);

  /** Every distinct word. */
  words(): IterableIterator<string> {
    return this.#words.words();
  }

  has(row: number): boolean {
    return this.#wordsOfRow.has(row);
  }

  /** The row must be new, and below 2^31 - 1. */
  add(row: number, words: Iterable<string>): void {
    const numbers: number[] = [];
    for (const word of words) {
      const number = this.#words.add(word);
      numbers.push(number);
      this.#rowsOfWord.insert(number, row);
    }
    this.#wordsOfRow.set(row, numbers);
    if (this.#marks.length < this.#words.numbersEnd) this.#marks = new Uint32Array(1.5 * this.#words.numbersEnd);
  }

  delete(row: number): void {
    for (const number of this.#wordsOfRow.of(row)) {
      this.#rowsOfWord.delete(number, row);
      if (this.#rowsOfWord.length(number) === 0) this.#words.delete(number);
    }
    this.#wordsOfRow.delete(row);
  }

  dropPage(page: number): void {
    this.#wordsOfRow.dropPage(page);
  }

  /** At most `rowsMax` rows that match all words and that `accepts`, if given, is true for; those with the rarest word whole come first. */
  match(words: readonly string[], rowsMax: number, accepts: ((row: number) => boolean) | null = null): number[] {
    if (words.length === 0 || words.length > QUERY_WORDS_MAX || rowsMax <= 0) return [];
    const expansions: { numbers: number[]; rows: number }[] = [];
    for (const word of words) {
      const numbers = this.#expand(word);
      let rows = 0;
      for (const number of numbers) rows += this.#rowsOfWord.length(number);
      if (rows === 0) return [];
      expansions.push({ numbers, rows });
    }
    expansions.sort((a, b) => a.rows - b.rows);
    const [rarest = [], ...others] = expansions.map(({ numbers }) => numbers);
    // Cursors start again for each list of the rarest word: with many of them that costs more than it skips.
    const listsMax = rarest.length > LISTS_MAX ? 0 : LISTS_MAX;
    const few = others.filter(({ length }) => length <= listsMax);
    const many = others.filter(({ length }) => length > listsMax);
    const unions = few.map(numbers => new UnionCursor(numbers.map(number => this.#rowsOfWord.cursor(number))));
    for (const [i, numbers] of many.entries()) {
      for (const number of numbers) this.#marks[number] = (this.#marks[number] ?? 0) | (1 << i);
    }
    const rows = this.#collect(rarest, unions, (1 << many.length) - 1, accepts, rowsMax);
    for (const numbers of many) for (const number of numbers) this.#marks[number] = 0;
    return rows;
  }

  #expand(word: string): number[] {
    if (word.length >= PREFIX_BYTES_MIN || Buffer.byteLength(word) >= PREFIX_BYTES_MIN) {
      return this.#words.findPrefixed(word, EXPANSIONS_MAX);
    }
    const number = this.#words.find(word);
    return number < 0 ? [] : [number];
  }

  /** The rows with any of these words that are in all unions, whose words have all marks, and that are accepted. */
  #collect(
    numbers: readonly number[],
    unions: readonly UnionCursor[],
    allMarks: number,
    accepts: ((row: number) => boolean) | null,
    rowsMax: number,
  ): number[] {
    const rows: number[] = [];
    let work = WORK_MAX;
    for (const number of numbers) {
      for (const union of unions) union.rewind();
      const cursor = this.#rowsOfWord.cursor(number);
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
        if (allMarks === 0 || this.#wordsOfRow.hasMarks(row, this.#marks, allMarks)) {
          if (accepts !== null) work -= ACCEPT_WORK;
          const isNew = numbers.length === 1 || !rows.includes(row);
          if (isNew && (accepts === null || accepts(row))) rows.push(row);
          if (rows.length >= rowsMax) return rows;
        }
        row = cursor.seek(row + 1);
      }
    }
    return rows;
  }
}
