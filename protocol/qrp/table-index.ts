// An inverted index of QRP tables: for each slot the owners that have it, so that a query does not scan all tables; and the union of
// the tables. Removed owners are only marked, as finding one in long lists takes milliseconds; sweep() removes all marked before it
// began.

import { BitSlicedCounter } from './bit-sliced-counter.ts';
import { type QueryHashes, slotOf, type WordHash, wordsNeeded } from './hash.ts';
import { OwnerSets } from './owner-sets.ts';
import type { PackedTable } from './packed-table.ts';
import { SlotPlaces } from './slot-places.ts';
import { QrpTable } from './table.ts';

/** Larger tables are folded: as large as the union between ultrapeers may be. */
export const INDEX_BITS_MAX = 17;
/** Owners are small dense numbers below this. */
const OWNERS_END = 65_535;
/** Slots that one step of a sweep goes through: an eighth of the usual table. */
const SWEEP_SLOTS = 8_192;
/** When more owners than this and the live ones are marked, all are swept at once, to bound memory. */
const MARKED_MAX = 512;
/** Cost of one owner of a list relative to one cell of bits. */
const LIST_COST = 2;

/** The index of the tables of one size. */
class SizeIndex {
  readonly bits: number;
  readonly slots: number;
  readonly places: SlotPlaces;
  /** By place of a slot. */
  readonly owners: OwnerSets;
  /** By place: number of owners in the union. */
  #counted: Uint16Array;
  /** Slots whose number is not zero. */
  readonly union: QrpTable;
  tables = 0;

  constructor(bits: number) {
    this.bits = bits;
    this.slots = 2 ** bits;
    this.places = new SlotPlaces(this.slots);
    this.#counted = new Uint16Array(this.places.end);
    this.owners = new OwnerSets(this.places.end);
    this.union = new QrpTable(this.slots);
  }

  add(slot: number, owner: number): void {
    this.owners.add(this.places.of(slot) || this.#place(slot), owner);
  }

  remove(slot: number, owner: number): void {
    this.owners.remove(this.places.of(slot), owner);
  }

  count(slot: number): void {
    const place = this.places.of(slot);
    const before = this.#counted[place] ?? 0;
    this.#counted[place] = before + 1;
    if (before === 0) this.union.set(slot);
  }

  uncount(slot: number): void {
    const place = this.places.of(slot);
    const left = (this.#counted[place] ?? 1) - 1;
    this.#counted[place] = left;
    if (left === 0) this.union.clear(slot);
  }

  /** Of a slot that may have none yet. */
  #place(slot: number): number {
    const { places, owners } = this;
    const counted = this.#counted;
    if (places.end === this.slots) return slot;
    if (places.take(slot)) {
      if (places.end <= counted.length) return places.end - 1;
      this.#counted = new Uint16Array(2 * places.end);
      this.#counted.set(counted);
      owners.widen(2 * places.end);
      return places.end - 1;
    }
    const moves = places.spread();
    this.#counted = new Uint16Array(this.slots);
    for (const [place, to] of moves.entries()) if (place > 0) this.#counted[to] = counted[place] ?? 0;
    owners.move(moves, this.slots);
    return slot;
  }
}

export class TableIndex {
  /** By log2 of the number of slots; made when the first table of a size comes. */
  readonly #sizes: (SizeIndex | undefined)[] = [];
  /** By owner, zero between queries: words found so far. */
  #found = new Uint8Array(64);
  /** The owners of one slot. */
  #list = new Uint16Array(64);
  /** By owner: 1 for a removed one that may still be in sets. */
  #gone = new Uint8Array(64);
  /** Owners removed before the running sweep began (#leaving) and since (#marked). */
  #leaving: number[] = [];
  #marked: number[] = [];
  readonly #free: number[] = [];
  #owners = 0;
  /** Position of the sweep. */
  #sweptBits = 0;
  #sweptSlots = 0;
  /** Owners with a word found so far. Emptied after use. */
  readonly #touched: number[] = [];
  /** Counts owners when many have the words. */
  readonly #counter = new BitSlicedCounter();

  /**
   * Adds a table and returns its owner's number; null when none is left. `counted`: the table is part of the union. The caller
   * keeps the table and passes it to remove().
   */
  add(table: PackedTable, counted: boolean): number | null {
    const owner = this.#take();
    if (owner === null) return null;
    this.#enter(owner, table, counted);
    return owner;
  }

  #enter(owner: number, table: PackedTable, counted: boolean): void {
    const size = this.#sizeOf(table);
    size.tables++;
    for (const slot of table.slots(size.bits)) {
      size.add(slot, owner);
      if (counted) size.count(slot);
    }
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
      this.#list = new Uint16Array(length);
      const gone = this.#gone;
      this.#gone = new Uint8Array(length);
      this.#gone.set(gone);
    }
    return owner;
  }

  /** Removes a table; the owner's number is reused later. */
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

  /** No removed owner is left in the sets. */
  get swept(): boolean {
    return this.#leaving.length === 0 && this.#marked.length === 0;
  }

  /** Takes removed owners out of SWEEP_SLOTS sets. Call about once a second. */
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
      const end = Math.min(size.slots, this.#sweptSlots + slots);
      slots -= end - this.#sweptSlots;
      while (this.#sweptSlots < end) size.owners.sweep(size.places.of(this.#sweptSlots++), this.#gone, this.#list);
      if (end < size.slots) return;
    }
    for (const owner of this.#leaving) {
      this.#gone[owner] = 0;
      this.#free.push(owner);
    }
    this.#leaving.length = 0;
  }

  #sweepAll(): void {
    // the running sweep does not cover #marked: finish it first
    while (this.#leaving.length > 0) this.sweep();
    while (this.#marked.length + this.#leaving.length > 0) this.sweep();
  }

  /** Replaces the table of an owner by its next version. False, without a change, when the size differs. */
  replace(owner: number, before: PackedTable, after: PackedTable, counted: boolean): boolean {
    const size = this.#sizeOf(before);
    if (Math.min(after.bits, INDEX_BITS_MAX) !== size.bits) return false;
    const old = before.slots(size.bits);
    const now = after.slots(size.bits);
    for (let i = 0, j = 0; i < old.length || j < now.length; ) {
      const gone = old[i] ?? Number.POSITIVE_INFINITY;
      const come = now[j] ?? Number.POSITIVE_INFINITY;
      if (gone <= come) i++;
      if (come <= gone) j++;
      if (gone < come) {
        size.remove(gone, owner);
        if (counted) size.uncount(gone);
      } else if (come < gone) {
        size.add(come, owner);
        if (counted) size.count(come);
      }
    }
    return true;
  }

  /** Adds a table to the union or removes it; call only for a change. */
  setCounted(table: PackedTable, counted: boolean): void {
    const size = this.#sizeOf(table);
    for (const slot of table.slots(size.bits)) {
      if (counted) size.count(slot);
      else size.uncount(slot);
    }
  }

  #sizeOf({ bits }: PackedTable): SizeIndex {
    const kept = Math.min(bits, INDEX_BITS_MAX);
    const size = this.#sizes[kept] ?? new SizeIndex(kept);
    this.#sizes[kept] = size;
    return size;
  }

  /** Appends the owners whose tables may match, each once; same result as QrpTable.mayMatch. */
  match(hashes: QueryHashes, owners: number[]): void {
    const { words, delimited } = hashes;
    for (const size of this.#sizes) {
      if (size === undefined || size.tables === 0) continue;
      for (const hash of hashes.urns) this.#matchWords(size, [hash], 1);
      if (words.length > 0) this.#matchWords(size, words, wordsNeeded(words.length));
      if (delimited.length > 0) this.#matchWords(size, delimited, delimited.length);
    }
    this.#counter.takeMatched(owners, this.#gone);
  }

  /** Matches owners with `needed` of the words. Each has one of the first `openers` words, so the largest sets add no candidates. */
  #matchWords(size: SizeIndex, hashes: readonly WordHash[], needed: number): void {
    const { owners: sets, places } = size;
    const slots = hashes.map(hash => places.of(slotOf(hash, size.bits)));
    if (slots.length > 1) slots.sort((a, b) => sets.length(a) - sets.length(b));
    const openers = slots.length - needed + 1;
    let candidates = 0;
    for (let i = 0; i < openers; i++) candidates += sets.length(slots[i] ?? 0);
    if (candidates === 0) return;
    this.#counter.widen(sets.width);
    if (candidates * LIST_COST > sets.width * slots.length) this.#matchByCell(sets, slots, needed);
    else this.#matchByOwner(sets, slots, openers, needed);
  }

  #matchByCell(sets: OwnerSets, slots: readonly number[], needed: number): void {
    const counter = this.#counter;
    const list = this.#list;
    counter.begin(sets.width, needed);
    for (const slot of slots) {
      if (sets.isDense(slot)) counter.addCells(sets.cellsOf(slot), sets.startOf(slot));
      else {
        const length = sets.collect(slot, list);
        for (let at = 0; at < length; at++) counter.addOwner(list[at] ?? 0);
      }
    }
  }

  #matchByOwner(sets: OwnerSets, slots: readonly number[], openers: number, needed: number): void {
    const touched = this.#touched;
    const found = this.#found;
    const list = this.#list;
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i] ?? 0;
      if (i >= openers && sets.isDense(slot)) {
        const cells = sets.cellsOf(slot);
        const start = sets.startOf(slot);
        for (const owner of touched) {
          const bit = ((cells[start + (owner >>> 5)] ?? 0) >>> (owner & 31)) & 1;
          found[owner] = (found[owner] ?? 0) + bit;
        }
        continue;
      }
      const length = sets.collect(slot, list);
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
    for (const owner of touched) {
      if ((found[owner] ?? 0) >= needed) this.#counter.match(owner);
      found[owner] = 0;
    }
    touched.length = 0;
  }

  /** log2 of the slots of the largest table; 0 for none. */
  get bits(): number {
    return Math.max(0, this.#sizes.length - 1);
  }

  /** Merges the union into `table`. */
  addUnionTo(table: QrpTable): void {
    for (const size of this.#sizes) if (size !== undefined) table.merge(size.union);
  }
}
