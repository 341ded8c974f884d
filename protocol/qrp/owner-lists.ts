// For each slot the owners that have it, in no order: chunks of a few small numbers, chained. A thousand leaves with a
// thousand slots each are a million entries, so what an entry takes beyond its own two bytes is what a leaf costs.

/** Owners in a chunk. A chunk of a list is full, but for its first. */
const CHUNK = 8;
const CHUNK_SHIFT = 3;
/** Chunks that are allocated together: 80 KiB. No list ever moves, so growing never needs the old and the new at once. */
const PAGE = 4096;
const PAGE_SHIFT = 12;

/** Numbers of chunks are counted from 1; 0 is none. */
export class OwnerLists {
  readonly #heads: Uint32Array;
  readonly #lengths: Uint16Array;
  /** Owners, CHUNK cells a chunk. */
  readonly #cells: Uint16Array[] = [];
  /** Of each chunk the next of its list, or of the free ones. */
  readonly #nexts: Uint32Array[] = [];
  #chunks = 0;
  #free = 0;

  constructor(lists: number) {
    this.#heads = new Uint32Array(lists);
    this.#lengths = new Uint16Array(lists);
  }

  length(list: number): number {
    return this.#lengths[list] ?? 0;
  }

  /** The owner must not be in the list, and be below 65,535. */
  add(list: number, owner: number): void {
    const length = this.length(list);
    const at = length & (CHUNK - 1);
    if (at === 0) {
      const chunk = this.#take();
      this.#link(chunk, this.#heads[list] ?? 0);
      this.#heads[list] = chunk;
    }
    this.#write(this.#heads[list] ?? 0, at, owner);
    this.#lengths[list] = length + 1;
  }

  /** Takes out every owner with a mark in `gone`, and returns how many entries it looked at. `scratch` holds the longest list. */
  sweep(list: number, gone: Uint8Array, scratch: Uint16Array): number {
    const length = this.collect(list, scratch);
    let kept = 0;
    for (let at = 0; at < length; at++) {
      const owner = scratch[at] ?? 0;
      if (gone[owner] === 0) scratch[kept++] = owner;
    }
    if (kept === length) return length;
    for (let chunk = this.#heads[list] ?? 0; chunk !== 0; ) {
      const next = this.#next(chunk);
      this.#link(chunk, this.#free);
      this.#free = chunk;
      chunk = next;
    }
    this.#heads[list] = 0;
    this.#lengths[list] = 0;
    for (let at = 0; at < kept; at++) this.add(list, scratch[at] ?? 0);
    return length;
  }

  /** Writes the owners to `into` and returns how many there are. */
  collect(list: number, into: Uint16Array): number {
    const length = this.length(list);
    let used = ((length - 1) & (CHUNK - 1)) + 1;
    let end = 0;
    for (let chunk = this.#heads[list] ?? 0; chunk !== 0; chunk = this.#next(chunk)) {
      const cells = this.#cells[(chunk - 1) >>> PAGE_SHIFT] ?? NO_CELLS;
      const start = ((chunk - 1) & (PAGE - 1)) << CHUNK_SHIFT;
      for (let at = 0; at < used; at++) into[end++] = cells[start + at] ?? 0;
      used = CHUNK;
    }
    return end;
  }

  #take(): number {
    if (this.#free !== 0) {
      const chunk = this.#free;
      this.#free = this.#next(chunk);
      return chunk;
    }
    if ((this.#chunks & (PAGE - 1)) === 0) {
      this.#cells.push(new Uint16Array(PAGE * CHUNK));
      this.#nexts.push(new Uint32Array(PAGE));
    }
    return ++this.#chunks;
  }

  #next(chunk: number): number {
    return this.#nexts[(chunk - 1) >>> PAGE_SHIFT]?.[(chunk - 1) & (PAGE - 1)] ?? 0;
  }

  #link(chunk: number, next: number): void {
    const page = this.#nexts[(chunk - 1) >>> PAGE_SHIFT];
    if (page !== undefined) page[(chunk - 1) & (PAGE - 1)] = next;
  }

  #write(chunk: number, at: number, owner: number): void {
    const page = this.#cells[(chunk - 1) >>> PAGE_SHIFT];
    if (page !== undefined) page[(((chunk - 1) & (PAGE - 1)) << CHUNK_SHIFT) + at] = owner;
  }
}

const NO_CELLS = new Uint16Array(0);
