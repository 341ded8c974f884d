// Places give the slots that occur in a few tables small numbers, so that what is kept for a slot is kept for those alone: thirty small
// leaves have some thousand slots of 65,536. Once one slot in eight has occurred, each slot is its own place and nothing is looked up.

/** An entry is a place in the high bits, its slot in the low 17. */
const SLOT_BITS = 17;
const SLOT_MASK = 2 ** SLOT_BITS - 1;
/** Of slots, when places are given up. */
const FULL_SHIFT = 3;
const ENTRIES_FIRST = 32;
/** 2^32 over the golden ratio: neighbouring slots land far apart. */
const SPREAD = 0x9e37_79b1;

export class SlotPlaces {
  readonly #slots: number;
  /** Open addressing with linear probing, at most half full; null when each slot is its own place. */
  #entries: Uint32Array | null;
  #shift = 32 - Math.log2(ENTRIES_FIRST);
  #places = 0;

  /** A power of two, at most 2^17. */
  constructor(slots: number) {
    this.#slots = slots;
    this.#entries = slots >>> FULL_SHIFT > ENTRIES_FIRST ? new Uint32Array(ENTRIES_FIRST) : null;
  }

  /** Places are below it. */
  get end(): number {
    return this.#entries === null ? this.#slots : this.#places + 1;
  }

  /** 0, which is nobody's place, for a slot without one. */
  of(slot: number): number {
    const entries = this.#entries;
    return entries === null ? slot : (entries[this.#find(entries, slot)] ?? 0) >>> SLOT_BITS;
  }

  /** Gives a slot without a place the next one. False, and nothing done, when there are too many: then spread() is due. */
  take(slot: number): boolean {
    const entries = this.#entries;
    if (entries === null || this.#places >= this.#slots >>> FULL_SHIFT) return false;
    entries[this.#find(entries, slot)] = (++this.#places << SLOT_BITS) | slot;
    if (2 * this.#places >= entries.length) this.#grow(entries);
    return true;
  }

  /** Each slot is its own place from now on. By place, the slot that had it; 0 had none. */
  spread(): Uint32Array {
    const slots = new Uint32Array(this.#places + 1);
    for (const entry of this.#entries ?? []) slots[entry >>> SLOT_BITS] = entry & SLOT_MASK;
    this.#entries = null;
    return slots;
  }

  #find(entries: Uint32Array, slot: number): number {
    const mask = entries.length - 1;
    let at = Math.imul(slot, SPREAD) >>> this.#shift;
    for (; ; at = (at + 1) & mask) {
      const entry = entries[at] ?? 0;
      if (entry === 0 || (entry & SLOT_MASK) === slot) return at;
    }
  }

  #grow(before: Uint32Array): void {
    const entries = new Uint32Array(2 * before.length);
    this.#entries = entries;
    this.#shift--;
    for (const entry of before) if (entry !== 0) entries[this.#find(entries, entry & SLOT_MASK)] = entry;
  }
}
