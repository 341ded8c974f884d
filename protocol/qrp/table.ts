// A QRP table: the hashes of the words that a servent, or it and its leaves, share. One bit a slot; distances are not kept.
import { wordPrefixes } from '../search/tokenizer.ts';
import { QRP_SLOTS_MAX } from '../wire/route-table-update.ts';
import { type QueryHashes, slotOf, type WordHash, wordHash, wordsNeeded } from './hash.ts';

const SLOTS_MIN = 1 << 14;
/** Fill of our own tables, as in gtk-gnutella; from 5 % on it drops queries to a leaf at random. */
const OWN_FILL_MAX = 0.01;
const SLICE_WORDS = 1_000;
/** A larger Set takes more memory than the largest table. */
const FEW_HASHES = 10_000;

export class QrpTable {
  /** log2 of the number of slots. */
  readonly bits: number;
  readonly slots: number;
  /** A bit a slot, lowest first; at least one cell. Read by patch.ts, written by set and clear alone. */
  readonly cells: Uint32Array;
  #count = 0;

  /** Makes an empty table. Throws RangeError unless `slots` is a power of two up to QRP_SLOTS_MAX. */
  constructor(slots: number) {
    this.bits = 31 - Math.clz32(slots);
    if (slots !== 1 << this.bits || slots > QRP_SLOTS_MAX) throw new RangeError(`a QRP table of ${slots} slots`);
    this.slots = slots;
    this.cells = new Uint32Array((slots + 31) >>> 5);
  }

  /** The smallest table that holds these words, their prefixes and these URNs within OWN_FILL_MAX. */
  static of(words: Iterable<string>, sha1Hashes: Iterable<WordHash> = []): QrpTable {
    const making = QrpTable.inSlices(words, sha1Hashes);
    for (;;) {
      const { done, value } = making.next();
      if (done === true) return value;
    }
  }

  /** The same in steps of a few milliseconds; a hundred thousand files take about a hundred. */
  static *inSlices(words: Iterable<string>, sha1Hashes: Iterable<WordHash> = []): Generator<undefined, QrpTable> {
    const few = new Set<WordHash>(sha1Hashes);
    // many hashes go into the largest table, which is folded to the final size
    let largest: QrpTable | null = null;
    let done = 0;
    for (const word of words) {
      if (largest !== null) largest.insertWord(word);
      else for (const prefix of wordPrefixes(word)) few.add(wordHash(prefix));
      if (++done % SLICE_WORDS !== 0) continue;
      if (largest === null && few.size > FEW_HASHES) largest = QrpTable.#ofHashes(few, QRP_SLOTS_MAX);
      yield;
    }
    const count = largest?.count ?? few.size;
    let slots = SLOTS_MIN;
    while (slots < QRP_SLOTS_MAX && count > slots * OWN_FILL_MAX) slots *= 2;
    if (largest === null) return QrpTable.#ofHashes(few, slots);
    return slots === largest.slots ? largest : largest.resized(slots);
  }

  static #ofHashes(hashes: Iterable<WordHash>, slots: number): QrpTable {
    const table = new QrpTable(slots);
    for (const hash of hashes) table.set(slotOf(hash, table.bits));
    return table;
  }

  /** Slots present. */
  get count(): number {
    return this.#count;
  }

  /** 0 to 1. */
  get fill(): number {
    return this.#count / this.slots;
  }

  has(slot: number): boolean {
    return (((this.cells[slot >>> 5] ?? 0) >>> (slot & 31)) & 1) === 1;
  }

  set(slot: number): void {
    if (this.has(slot)) return;
    this.cells[slot >>> 5] = (this.cells[slot >>> 5] ?? 0) | (1 << (slot & 31));
    this.#count++;
  }

  clear(slot: number): void {
    if (!this.has(slot)) return;
    this.cells[slot >>> 5] = (this.cells[slot >>> 5] ?? 0) & ~(1 << (slot & 31));
    this.#count--;
  }

  /** Inserts a word and its prefixes. */
  insertWord(word: string): void {
    for (const prefix of wordPrefixes(word)) this.set(slotOf(wordHash(prefix), this.bits));
  }

  /**
   * Whether the owner may have a match: any of the URNs, wordsNeeded() of gtk-gnutella's words, or all of LimeWire's. Has no
   * false negatives.
   */
  mayMatch(hashes: QueryHashes): boolean {
    if (this.#count === 0) return false;
    for (const hash of hashes.urns) if (this.has(slotOf(hash, this.bits))) return true;
    const { words, delimited } = hashes;
    return this.#hasOf(words, wordsNeeded(words.length)) || this.#hasOf(delimited, delimited.length);
  }

  #hasOf(hashes: readonly WordHash[], needed: number): boolean {
    let spare = hashes.length - needed;
    for (const hash of hashes) if (!this.has(slotOf(hash, this.bits)) && --spare < 0) return false;
    return hashes.length > 0;
  }

  /** Adds the slots of another table: folds a larger one, expands a smaller one. */
  merge(other: QrpTable): void {
    if (other.bits === this.bits) {
      this.#mergeCells(other.cells);
      return;
    }
    const down = Math.max(0, other.bits - this.bits);
    const up = Math.max(0, this.bits - other.bits);
    for (const slot of other.present()) {
      const first = (slot >>> down) << up;
      for (let i = 0; i < 1 << up; i++) this.set(first + i);
    }
  }

  #mergeCells(cells: Uint32Array): void {
    for (let at = 0; at < cells.length; at++) {
      const before = this.cells[at] ?? 0;
      const after = before | (cells[at] ?? 0);
      if (after === before) continue;
      this.cells[at] = after;
      this.#count += ones(after) - ones(before);
    }
  }

  /** The same content in another size. */
  resized(slots: number): QrpTable {
    const table = new QrpTable(slots);
    table.merge(this);
    return table;
  }

  /** Slots present, ascending. */
  *present(): Generator<number> {
    for (let cell = 0; cell < this.cells.length; cell++) {
      for (let left = this.cells[cell] ?? 0; left !== 0; left &= left - 1) {
        yield (cell << 5) + 31 - Math.clz32(left & -left);
      }
    }
  }

  equals(other: QrpTable): boolean {
    return (
      this.slots === other.slots && this.#count === other.#count && this.cells.every((c, i) => c === other.cells[i])
    );
  }
}

/** Population count of 32 bits. */
function ones(cell: number): number {
  const twos = cell - ((cell >>> 1) & 0x55555555);
  const fours = (twos & 0x33333333) + ((twos >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
