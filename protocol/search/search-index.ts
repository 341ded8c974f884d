// Finds shared files by words and by SHA-1. Every word of the query must be a prefix of a word of the name, as in gtk-gnutella and LimeWire.
import type { Query } from '../wire/query.ts';
import { FileWords } from './file-words.ts';
import { HashTable } from './hash-table.ts';
import { NewestFiles } from './newest-files.ts';
import { PostingLists } from './posting-lists.ts';
import type { Searchable, SharedFile } from './shared-file.ts';
import { nameWords, QUERY_WORDS_MAX, queryWords } from './tokenizer.ts';
import { WordList } from './word-list.ts';

/** Shorter query words (bytes of UTF-8) must be whole words of a name: gtk-gnutella's shortest word in a QRP table. */
const PREFIX_BYTES_MIN = 3;
/** Words of the library tried for one query word. */
const EXPANSIONS_MAX = 1024;
/** Candidate files tested for one query, about a millisecond; reached by frequent words that are never together. */
const CANDIDATES_MAX = 65_536;

export class SearchIndex implements Searchable {
  /** By index. */
  readonly #files: (SharedFile | undefined)[] = [];
  #count = 0;
  #bytes = 0;
  readonly #newest = new NewestFiles();
  readonly #words = new WordList();
  /** By word number. */
  readonly #filesOfWord = new PostingLists();
  readonly #wordsOfFile = new FileWords();
  readonly #bySha1 = new HashTable(index => this.#files[index]?.sha1);
  /** By word number: bits of the query words that it matches; zero between queries. */
  #marks = new Uint32Array(256);

  get files(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  newest(count: number, since: number): readonly SharedFile[] {
    return this.#newest.take(count, this.shared()).filter(({ modifiedAt }) => modifiedAt >= since);
  }

  /** Every distinct word of every name, for QRP tables. */
  words(): IterableIterator<string> {
    return this.#words.words();
  }

  *shared(): IterableIterator<SharedFile> {
    for (const file of this.#files) if (file !== undefined) yield file;
  }

  /** Adds a file or replaces that of the same index. Indices are small and dense, as they index arrays. */
  add(file: SharedFile): void {
    this.remove(file.index);
    this.#files[file.index] = file;
    this.#count++;
    this.#bytes += file.size;
    this.#newest.add(file);
    this.#bySha1.add(file.index, file.sha1);
    const numbers: number[] = [];
    for (const word of nameWords(file.name)) {
      const number = this.#words.add(word);
      numbers.push(number);
      this.#filesOfWord.insert(number, file.index);
    }
    this.#wordsOfFile.set(file.index, numbers);
    if (this.#marks.length < this.#words.numbersEnd) this.#marks = new Uint32Array(2 * this.#words.numbersEnd);
  }

  /** Removes a file. Many are removed fastest in descending order. */
  remove(index: number): void {
    const file = this.#files[index];
    if (file === undefined) return;
    this.#newest.remove(file);
    this.#bySha1.delete(index, file.sha1);
    for (const number of this.#wordsOfFile.of(index)) {
      this.#filesOfWord.delete(number, index);
      if (this.#filesOfWord.length(number) === 0) this.#words.delete(number);
    }
    this.#wordsOfFile.delete(index);
    this.#files[index] = undefined;
    this.#count--;
    this.#bytes -= file.size;
  }

  byIndex(index: number): SharedFile | null {
    return this.#files[index] ?? null;
  }

  /** One of the files with that SHA-1. */
  bySha1(sha1: Buffer): SharedFile | null {
    return sha1.length === 20 ? this.byIndex(this.#bySha1.find(sha1)) : null;
  }

  /** Finds files by URN or, if none is found, by words; exact matches of the rarest word come first. */
  match(query: Pick<Query, 'text' | 'urns'>, hitsMax: number): SharedFile[] {
    const hits: SharedFile[] = [];
    for (const sha1 of query.urns) {
      if (hits.length >= hitsMax) return hits;
      const file = this.bySha1(sha1);
      if (file !== null && !hits.includes(file)) hits.push(file);
    }
    if (hits.length === 0 && hitsMax > 0) this.#matchWords(queryWords(query.text), hitsMax, hits);
    return hits;
  }

  #matchWords(words: readonly string[], hitsMax: number, hits: SharedFile[]): void {
    if (words.length === 0 || words.length > QUERY_WORDS_MAX) return;
    const expansions: number[][] = [];
    let rarest: number[] = [];
    let fewest = Number.POSITIVE_INFINITY;
    for (const word of words) {
      const numbers = this.#expand(word);
      let files = 0;
      for (const number of numbers) files += this.#filesOfWord.length(number);
      if (files === 0) return;
      if (files < fewest) {
        fewest = files;
        rarest = numbers;
      }
      expansions.push(numbers);
    }
    for (let i = 0; i < expansions.length; i++) {
      for (const number of expansions[i] ?? []) this.#marks[number] = (this.#marks[number] ?? 0) | (1 << i);
    }
    this.#collect(rarest, (1 << words.length) - 1, hitsMax, hits);
    for (const numbers of expansions) for (const number of numbers) this.#marks[number] = 0;
  }

  #expand(word: string): number[] {
    if (word.length >= PREFIX_BYTES_MIN || Buffer.byteLength(word) >= PREFIX_BYTES_MIN) {
      return this.#words.findPrefixed(word, EXPANSIONS_MAX);
    }
    const number = this.#words.find(word);
    return number < 0 ? [] : [number];
  }

  /** Appends the files with any of these words whose words have all marks. */
  #collect(numbers: readonly number[], allMarks: number, hitsMax: number, hits: SharedFile[]): void {
    let candidates = 0;
    for (const number of numbers) {
      for (const index of this.#filesOfWord.of(number)) {
        if (++candidates > CANDIDATES_MAX) return;
        if (this.#wordsOfFile.marksOf(index, this.#marks) !== allMarks) continue;
        const file = this.#files[index];
        if (file === undefined || (numbers.length > 1 && hits.includes(file))) continue;
        hits.push(file);
        if (hits.length >= hitsMax) return;
      }
    }
  }
}
