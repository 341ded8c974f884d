// Numbers the distinct words of a library and finds all words with a prefix. Words are held as UTF-8 and sorted by its bytes, the order of
// code points.
import { HashTable } from './hash-table.ts';
import { Records } from './records.ts';
import { RowNumbers } from './row-numbers.ts';
import { TextKey } from './text-key.ts';

/** Most numbers of a block. A full block is halved; insertion moves at most this many. */
const BLOCK_MAX = 512;

interface Block {
  /** The first `length` numbers are in use. */
  readonly numbers: Uint32Array;
  length: number;
}

export class WordList {
  readonly #words = new Records();
  readonly #numbers = new RowNumbers();
  readonly #key = new TextKey();
  readonly #table = new HashTable(number => this.#words.hash(number, 0));
  readonly #isKey = (number: number): boolean => this.#words.equals(number, this.#key.bytes, this.#key.length);
  /** Numbers in order of their words. Only a single block may be empty. */
  readonly #blocks: Block[] = [{ numbers: new Uint32Array(BLOCK_MAX), length: 0 }];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Words in order of number. Words may be added and deleted meanwhile. */
  *words(): IterableIterator<string> {
    for (const number of this.#numbers.all()) yield this.#words.text(number);
  }

  /** All numbers in use are below it. */
  get numbersEnd(): number {
    return this.#numbers.end;
  }

  /** The number of a word, assigned if it is new. */
  add(word: string): number {
    const known = this.find(word);
    if (known >= 0) return known;
    const { bytes, length } = this.#key;
    const number = this.#numbers.take();
    this.#words.set(number, bytes, length);
    this.#table.add(number);
    this.#insert(number);
    this.#size++;
    return number;
  }

  /** Deletes a word. Its number may be reused. */
  delete(number: number): void {
    if (!this.#numbers.has(number)) return;
    this.#key.set(this.#words.text(number));
    const at = this.#blockOf();
    const block = this.#block(at);
    const position = this.#lowerBound(block);
    block.numbers.copyWithin(position, position + 1, block.length);
    block.length--;
    if (block.length === 0 && this.#blocks.length > 1) this.#blocks.splice(at, 1);
    this.#table.delete(number);
    this.#words.delete(number);
    this.#numbers.give(number);
    this.#size--;
  }

  /** The number of this word; -1: unknown. */
  find(word: string): number {
    return this.#table.find(this.#key.set(word).hash(0), this.#isKey);
  }

  /** Numbers of at most `max` words with that prefix, in order: the prefix itself comes first. */
  findPrefixed(prefix: string, max: number): number[] {
    const { bytes, length } = this.#key.set(prefix);
    const found: number[] = [];
    let start = -1;
    for (let at = this.#blockOf(); at < this.#blocks.length && found.length < max; at++) {
      const block = this.#block(at);
      if (start < 0) start = this.#lowerBound(block);
      const last = block.numbers[block.length - 1] ?? 0;
      const isWhole = block.length > 0 && this.#words.startsWith(last, bytes, length);
      const end = isWhole ? block.length : this.#prefixEnd(block, start);
      for (let position = start; position < end && found.length < max; position++) {
        found.push(block.numbers[position] ?? 0);
      }
      // The words with the prefix may begin with the next block.
      if (end < block.length) return found;
      start = 0;
    }
    return found;
  }

  /** Position after the words of a block that begin with the key; words from `start` on are not below it. */
  #prefixEnd({ numbers, length: count }: Block, start: number): number {
    const { bytes, length } = this.#key;
    let low = start;
    let high = count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#words.startsWith(numbers[middle] ?? 0, bytes, length)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Inserts the number of the key in order. */
  #insert(number: number): void {
    const at = this.#blockOf();
    const block = this.#block(at);
    const position = this.#lowerBound(block);
    if (block.length < BLOCK_MAX) {
      block.numbers.copyWithin(position + 1, position, block.length);
      block.numbers[position] = number;
      block.length++;
      return;
    }
    // Words added in order leave full blocks behind.
    const isLast = position === BLOCK_MAX && at === this.#blocks.length - 1;
    const kept = isLast ? BLOCK_MAX : BLOCK_MAX / 2;
    const next = { numbers: new Uint32Array(BLOCK_MAX), length: BLOCK_MAX - kept };
    next.numbers.set(block.numbers.subarray(kept));
    block.length = kept;
    this.#blocks.splice(at + 1, 0, next);
    if (isLast) next.numbers[next.length++] = number;
    else this.#insert(number);
  }

  #block(at: number): Block {
    const block = this.#blocks[at];
    if (block === undefined) throw new RangeError('no such block');
    return block;
  }

  /** The block for the key: the last one whose first word is not above it, else the first. */
  #blockOf(): number {
    const { bytes, length } = this.#key;
    let low = 0;
    let high = this.#blocks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#words.compare(this.#block(middle).numbers[0] ?? 0, bytes, length) <= 0) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Position of the first word that is not below the key. */
  #lowerBound({ numbers, length: count }: Block): number {
    const { bytes, length } = this.#key;
    let low = 0;
    let high = count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#words.compare(numbers[middle] ?? 0, bytes, length) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
