// Many tables turned round: for each slot the owners that have it. A query against a thousand leaves then costs what
// it finds, not a thousand look-ups; and the union for other ultrapeers is there to be read off. To find one owner in a
// thousand long lists takes milliseconds, and leaves go by the thousand when a network breaks: so who goes is only marked,
// and one sweep over the lists takes out all that were marked before it began.
import { type QueryHashes, slotOf, type WordHash, wordsNeeded } from './hash.ts';
import { OwnerLists } from './owner-lists.ts';
import type { PackedTable } from './packed-table.ts';
import type { QrpTable } from './table.ts';

/** Larger tables are folded: as large as the union between ultrapeers may be. */
export const INDEX_BITS_MAX = 17;
/** Owners are small dense numbers below this. */
const OWNERS_END = 65_535;
/** Slots that one step of a sweep goes through: an eighth of the usual table. */
const SWEEP_SLOTS = 8_192;
/** Marked owners beyond this and the number of living ones are swept at once: what is dead takes memory. */
const MARKED_MAX = 512;

/** Tables of one size. */
class SizeIndex {
  readonly bits: number;
  readonly owners: OwnerLists;
  /** By slot: owners that count in the union. */
  readonly counted: Uint16Array;
  tables = 0;

  constructor(bits: number) {
    this.bits = bits;
    this.owners = new OwnerLists(2 ** bits);
    this.counted = new Uint16Array(2 ** bits);
  }
}

export class TableIndex {
  /** By log2 of the number of slots; made when the first table of a size comes. */
  readonly #sizes: (SizeIndex | undefined)[] = [];
  /** By owner, zero between queries: words found so far, and whether it is among the results. */
  #found = new Uint8Array(64);
  #matched = new Uint8Array(64);
  /** Owners with a word found so far. Emptied after use. */
  readonly #touched: number[] = [];
  /** The owners of one slot. */
  #list = new Uint16Array(64);
  /** By owner: 1 for who is gone and may still be in lists. */
  #gone = new Uint8Array(64);
  /** Gone before the sweep under way began, and since. */
  #leaving: number[] = [];
  #marked: number[] = [];
  readonly #free: number[] = [];
  #owners = 0;
  /** Where the sweep is. */
  #sweptBits = 0;
  #sweptSlots = 0;

  /**
   * The number of the table's owner from now on; null when there are none left. `counted`: the table is part of the union.
   * The caller keeps the table and removes the same.
   */
  add(table: PackedTable, counted: boolean): number | null {
    const owner = this.#take();
    if (owner === null) return null;
    const size = this.#sizeOf(table);
    size.tables++;
    for (const slot of table.slots(size.bits)) {
      size.owners.add(slot, owner);
      if (counted) size.counted[slot] = (size.counted[slot] ?? 0) + 1;
    }
    return owner;
  }

  #take(): number | null {
    if (this.#free.length === 0 && this.#owners === OWNERS_END) this.#sweepAll();
    const owner = this.#free.pop() ?? this.#owners;
    if (owner === OWNERS_END) return null;
    if (owner < this.#owners) return owner;
    this.#owners++;
    if (owner >= this.#found.length) {
      const length = 2 * this.#found.length;
      this.#found = new Uint8Array(length);
      this.#matched = new Uint8Array(length);
      this.#list = new Uint16Array(length);
      const gone = this.#gone;
      this.#gone = new Uint8Array(length);
      this.#gone.set(gone);
    }
    return owner;
  }

  /** The owner's number means nobody from now on, and somebody else later. */
  remove(owner: number, table: PackedTable, counted: boolean): void {
    const size = this.#sizeOf(table);
    size.tables--;
    if (counted) this.setCounted(table, false);
    if (size.tables === 0) delete this.#sizes[size.bits];
    this.#gone[owner] = 1;
    this.#marked.push(owner);
    const marked = this.#marked.length + this.#leaving.length;
    const living = this.#owners - this.#free.length - marked;
    if (marked > MARKED_MAX + living) this.#sweepAll();
  }

  /** One step of taking out who is gone; does nothing when nobody is. Meant to be called about once a second. */
  sweep(): void {
    if (this.#leaving.length === 0) {
      if (this.#marked.length === 0) return;
      [this.#leaving, this.#marked] = [this.#marked, this.#leaving];
      this.#sweptBits = 0;
      this.#sweptSlots = 0;
    }
    let slots = SWEEP_SLOTS;
    for (; this.#sweptBits < this.#sizes.length; this.#sweptBits++, this.#sweptSlots = 0) {
      const size = this.#sizes[this.#sweptBits];
      if (size === undefined) continue;
      const end = Math.min(size.counted.length, this.#sweptSlots + slots);
      slots -= end - this.#sweptSlots;
      while (this.#sweptSlots < end) size.owners.sweep(this.#sweptSlots++, this.#gone, this.#list);
      if (end < size.counted.length) return;
    }
    for (const owner of this.#leaving) {
      this.#gone[owner] = 0;
      this.#free.push(owner);
    }
    this.#leaving.length = 0;
  }

  #sweepAll(): void {
    // what is under way passed some slots before the latest ones went
    while (this.#leaving.length > 0) this.sweep();
    while (this.#marked.length + this.#leaving.length > 0) this.sweep();
  }

  /** Takes a table into the union or out of it. Only when that changes. */
  setCounted(table: PackedTable, counted: boolean): void {
    const size = this.#sizeOf(table);
    const step = counted ? 1 : -1;
    for (const slot of table.slots(size.bits)) size.counted[slot] = (size.counted[slot] ?? 0) + step;
  }

  #sizeOf({ bits }: PackedTable): SizeIndex {
    const kept = Math.min(bits, INDEX_BITS_MAX);
    const size = this.#sizes[kept] ?? new SizeIndex(kept);
    this.#sizes[kept] = size;
    return size;
  }

  /** Appends the owners whose tables may match, each once; the same verdict as QrpTable.mayMatch. */
  match(hashes: QueryHashes, owners: number[]): void {
    const first = owners.length;
    const { words, delimited } = hashes;
    for (const size of this.#sizes) {
      if (size === undefined || size.tables === 0) continue;
      for (const hash of hashes.urns) this.#matchWords(size, [hash], 1, owners);
      if (words.length > 0) this.#matchWords(size, words, wordsNeeded(words.length), owners);
      if (delimited.length > 0) this.#matchWords(size, delimited, delimited.length, owners);
    }
    for (let i = first; i < owners.length; i++) this.#matched[owners[i] ?? 0] = 0;
  }

  /** Owners with `needed` of the words. Whoever has so many has one of the first few, so the longest lists only add up. */
  #matchWords(size: SizeIndex, hashes: readonly WordHash[], needed: number, owners: number[]): void {
    const { owners: lists } = size;
    const slots = hashes.map(hash => slotOf(hash, size.bits));
    if (slots.length > 1) slots.sort((a, b) => lists.length(a) - lists.length(b));
    const touched = this.#touched;
    const found = this.#found;
    const list = this.#list;
    const openers = slots.length - needed + 1;
    for (let i = 0; i < slots.length; i++) {
      if (i === openers && touched.length === 0) return;
      const length = lists.collect(slots[i] ?? 0, list);
      for (let at = 0; at < length; at++) {
        const owner = list[at] ?? 0;
        const before = found[owner] ?? 0;
        if (before === 0) {
          if (i >= openers) continue;
          touched.push(owner);
        }
        found[owner] = before + 1;
      }
    }
    for (let i = 0; i < touched.length; i++) {
      const owner = touched[i] ?? 0;
      if ((found[owner] ?? 0) >= needed && this.#matched[owner] === 0 && this.#gone[owner] === 0) {
        this.#matched[owner] = 1;
        owners.push(owner);
      }
      found[owner] = 0;
    }
    touched.length = 0;
  }

  /** log2 of the slots of the largest table; 0 when there is none. */
  get bits(): number {
    return Math.max(0, this.#sizes.length - 1);
  }

  /** Adds all tables that count. */
  addUnionTo(table: QrpTable): void {
    for (const size of this.#sizes) {
      if (size === undefined) continue;
      const down = Math.max(0, size.bits - table.bits);
      const up = Math.max(0, table.bits - size.bits);
      const { counted } = size;
      for (let slot = 0; slot < counted.length; slot++) {
        if (counted[slot] === 0) continue;
        const first = (slot >>> down) << up;
        for (let i = 0; i < 1 << up; i++) table.set(first + i);
      }
    }
  }
}
