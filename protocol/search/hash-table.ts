// Finds rows by the hash of their key: open addressing in typed arrays. The low bits of the hash choose one of 256 tables, so that growth
// moves a few thousand rows at a time.

const FREE = 0;
const REMOVED = -1;

const TABLE_BITS = 8;
const TABLE_MASK = (1 << TABLE_BITS) - 1;
const SLOTS_MIN = 8;

interface Table {
  /** Row + 1, or FREE, or REMOVED, which a search must pass. */
  slots: Int32Array;
  /** Slots that are not FREE. */
  used: number;
  count: number;
}

export class HashTable {
  readonly #hashOf: (row: number) => number;
  readonly #tables: (Table | undefined)[] = new Array(1 << TABLE_BITS).fill(undefined);

  /** `hashOf` must return the same 32 bits for a row until it is deleted. Rows must be below 2^31 - 1. */
  constructor(hashOf: (row: number) => number) {
    this.#hashOf = hashOf;
  }

  add(row: number): void {
    const hash = this.#hashOf(row);
    const table = this.#tables[hash & TABLE_MASK] ?? { slots: new Int32Array(SLOTS_MIN), used: 0, count: 0 };
    this.#tables[hash & TABLE_MASK] = table;
    // One third of the slots stays free, to keep searches short.
    if (3 * (table.used + 1) > 2 * table.slots.length) this.#rebuild(table, table.count + 1);
    insert(table, row, hash);
  }

  delete(row: number): void {
    const hash = this.#hashOf(row);
    const table = this.#tables[hash & TABLE_MASK];
    if (table === undefined) return;
    const { slots } = table;
    const mask = slots.length - 1;
    for (let at = (hash >>> TABLE_BITS) & mask; slots[at] !== FREE; at = (at + 1) & mask) {
      if (slots[at] !== row + 1) continue;
      slots[at] = REMOVED;
      table.count--;
      if (table.count === 0) this.#tables[hash & TABLE_MASK] = undefined;
      else if (slots.length > SLOTS_MIN && 8 * table.count < slots.length) this.#rebuild(table, table.count);
      return;
    }
  }

  /** A row with that hash that `accepts` is true for, or -1; the same one until the table changes. */
  find(hash: number, accepts: (row: number) => boolean): number {
    const table = this.#tables[hash & TABLE_MASK];
    if (table === undefined) return -1;
    const { slots } = table;
    const mask = slots.length - 1;
    for (let at = (hash >>> TABLE_BITS) & mask; ; at = (at + 1) & mask) {
      const slot = slots[at] ?? FREE;
      if (slot === FREE) return -1;
      if (slot !== REMOVED && accepts(slot - 1)) return slot - 1;
    }
  }

  #rebuild(table: Table, count: number): void {
    const before = table.slots;
    let length = SLOTS_MIN;
    while (length < 2 * count) length *= 2;
    table.slots = new Int32Array(length);
    table.used = 0;
    table.count = 0;
    for (const slot of before) if (slot > FREE) insert(table, slot - 1, this.#hashOf(slot - 1));
  }
}

function insert(table: Table, row: number, hash: number): void {
  const { slots } = table;
  const mask = slots.length - 1;
  let at = (hash >>> TABLE_BITS) & mask;
  while ((slots[at] ?? 0) > FREE) at = (at + 1) & mask;
  if (slots[at] === FREE) table.used++;
  slots[at] = row + 1;
  table.count++;
}
