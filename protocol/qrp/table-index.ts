// Many tables turned round: for each slot the owners that have it. A query against a thousand leaves then costs what
// it finds, not a thousand look-ups; and the union for other ultrapeers is there to be read off. To find one owner in a
// thousand long lists takes milliseconds, and leaves go by the thousand when a network breaks: so who goes is only marked,
// and one sweep over the lists takes out all that were marked before it began.
import { type QueryHashes, slotOf, type WordHash, wordsNeeded } from './hash.ts';
import { OwnerSets } from './owner-sets.ts';
import type { PackedTable } from './packed-table.ts';
import { SlotPlaces } from './slot-places.ts';
import { QrpTable } from './table.ts';
import { Tally } from './tally.ts';

/** Larger tables are folded: as large as the union between ultrapeers may be. */
export const INDEX_BITS_MAX = 17;
/** Owners are small dense numbers below this. */
const OWNERS_END = 65_535;
/** Slots that one step of a sweep goes through: an eighth of the usual table. */
const SWEEP_SLOTS = 8_192;
/** Marked owners beyond this and the number of living ones are swept at once: what is dead takes memory. */
const MARKED_MAX = 512;
/** An owner of a list costs about so many times what one cell of bits does. */
const LIST_COST = 2;

/** Tables of one size. */
class SizeIndex {
  readonly bits: number;
  readonly slots: number;
  readonly places: SlotPlaces;
  /** By place of a slot. */
  readonly owners: OwnerSets;
  /** By place: owners that count in the union. */
  #counted: Uint16Array;
  /** Slots where that is not zero. */
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
  /** By owner: 1 for who is gone and may still be in sets. */
  #gone = new Uint8Array(64);
  /** Gone before the sweep under way began, and since. */
  #leaving: number[] = [];
  #marked: number[] = [];
  readonly #free: number[] = [];
  #owners = 0;
  /** Where the sweep is. */
  #sweptBits = 0;
  #sweptSlots = 0;
  /** Owners with a word found so far. Emptied after use. */
  readonly #touched: number[] = [];
  /** Counts owners by the cell, where many have the words. */
  readonly #tally = new Tally();

  /**
   * The number of the table's owner from now on; null when there are none left. `counted`: the table is part of the union.
   * The caller keeps the table and removes the same.
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

  /** Nobody who is gone is left to be taken out. */
  get swept(): boolean {
    return this.#leaving.length === 0 && this.#marked.length === 0;
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
    // what is under way passed some slots before the latest ones went
    while (this.#leaving.length > 0) this.sweep();
    while (this.#marked.length + this.#leaving.length > 0) this.sweep();
  }

  /** The next table of the same owner, mostly with a few other slots. False, and nothing done, when it is of another size. */
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

  /** Takes a table into the union or out of it. Only when that changes. */
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

  /** Appends the owners whose tables may match, each once; the same verdict as QrpTable.mayMatch. */
  match(hashes: QueryHashes, owners: number[]): void {
    const { words, delimited } = hashes;
    for (const size of this.#sizes) {
      if (size === undefined || size.tables === 0) continue;
      for (const hash of hashes.urns) this.#matchWords(size, [hash], 1);
      if (words.length > 0) this.#matchWords(size, words, wordsNeeded(words.length));
      if (delimited.length > 0) this.#matchWords(size, delimited, delimited.length);
    }
    this.#tally.takeMatched(owners, this.#gone);
  }

  /** Owners with `needed` of the words. An owner of so many has one of the first few words, so the longest sets are only counted. */
  #matchWords(size: SizeIndex, hashes: readonly WordHash[], needed: number): void {
    const { owners: sets, places } = size;
    const slots = hashes.map(hash => places.of(slotOf(hash, size.bits)));
    if (slots.length > 1) slots.sort((a, b) => sets.length(a) - sets.length(b));
    const openers = slots.length - needed + 1;
    let candidates = 0;
    for (let i = 0; i < openers; i++) candidates += sets.length(slots[i] ?? 0);
    if (candidates === 0) return;
    this.#tally.widen(sets.width);
    if (candidates * LIST_COST > sets.width * slots.length) this.#matchByCell(sets, slots, needed);
    else this.#matchByOwner(sets, slots, openers, needed);
  }

  #matchByCell(sets: OwnerSets, slots: readonly number[], needed: number): void {
    const tally = this.#tally;
    const list = this.#list;
    tally.begin(sets.width, needed);
    for (const slot of slots) {
      if (sets.isDense(slot)) tally.addCells(sets.cellsOf(slot), sets.startOf(slot));
      else {
        const length = sets.collect(slot, list);
        for (let at = 0; at < length; at++) tally.addOwner(list[at] ?? 0);
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
      if ((found[owner] ?? 0) >= needed) this.#tally.match(owner);
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
    for (const size of this.#sizes) if (size !== undefined) table.merge(size.union);
  }
}
