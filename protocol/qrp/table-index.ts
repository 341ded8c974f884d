// Many tables turned round: for each slot the owners that have it. A query against a thousand leaves then costs what
// it finds, not a thousand look-ups; and the union for other ultrapeers is there to be read off.
import { type QueryHashes, slotOf, type WordHash, wordsNeeded } from './hash.ts';
import { OwnerLists } from './owner-lists.ts';
import type { PackedTable } from './packed-table.ts';
import type { QrpTable } from './table.ts';

/** Larger tables are folded: as large as the union between ultrapeers may be. */
export const INDEX_BITS_MAX = 17;
/** Owners are small dense numbers. */
export const OWNERS_MAX = 65_534;

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

  /** `counted`: the table is part of the union. The caller keeps the table and removes the same. */
  add(owner: number, table: PackedTable, counted: boolean): void {
    const size = this.#sizeOf(table);
    size.tables++;
    for (const slot of table.slots(size.bits)) {
      size.owners.add(slot, owner);
      if (counted) size.counted[slot] = (size.counted[slot] ?? 0) + 1;
    }
    if (owner >= this.#found.length) {
      const length = Math.max(owner + 1, 2 * this.#found.length);
      this.#found = new Uint8Array(length);
      this.#matched = new Uint8Array(length);
      this.#list = new Uint16Array(length);
    }
  }

  remove(owner: number, table: PackedTable, counted: boolean): void {
    const size = this.#sizeOf(table);
    size.tables--;
    for (const slot of table.slots(size.bits)) size.owners.remove(slot, owner);
    if (counted) this.setCounted(table, false);
    if (size.tables === 0) delete this.#sizes[size.bits];
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
      if ((found[owner] ?? 0) >= needed && this.#matched[owner] === 0) {
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
