// For each slot, the set of owners whose tables have it: a list of chunks while they are few, a bitmap when they are many, whichever is
// smaller. A thousand leaves with a thousand slots each make a million entries.

/** Owners in a chunk of a list. Only the first chunk of a list may be partly filled. */
const CHUNK = 8;
const CHUNK_SHIFT = 3;
/** Chunks that are allocated together: 80 KiB. Only the first page ever moves, while it grows to that. */
const PAGE = 4096;
const PAGE_SHIFT = 12;
const PAGE_FIRST = 64;
/** Rows of bits that are allocated together. */
const ROWS = 64;
const ROW_SHIFT = 6;
/** A list takes 16 bits an owner: as bits from one owner in 16 on, as a list again below one in 32. */
const DENSE_SHIFT = 4;
const SPARSE_SHIFT = 5;
const CAPACITY_MIN = 256;

/** Owners are small dense numbers below 65,535. Chunk numbers start at 1 (0: none); rows are stored as ~row, from -1 down. */
export class OwnerSets {
  /** By slot: the first chunk, or the row. */
  #heads: Int32Array;
  #lengths: Uint16Array;
  /** Owners, CHUNK cells a chunk. */
  readonly #cells: Uint16Array[] = [];
  /** Of each chunk the next of its list, or of the free ones. */
  readonly #nexts: Uint32Array[] = [];
  #chunks = 0;
  /** Chunks that there are cells for. */
  #room = 0;
  #freeChunk = 0;
  /** ROWS rows of `capacity` bits each. */
  #bits: Uint32Array[] = [];
  #rows = 0;
  #freeRows: number[] = [];
  /** Upper bound of owners; a power of two. */
  #capacity = CAPACITY_MIN;

  constructor(slots: number) {
    this.#heads = new Int32Array(slots);
    this.#lengths = new Uint16Array(slots);
  }

  get capacity(): number {
    return this.#capacity;
  }

  /** Cells of 32 owners that a set of bits has. */
  get width(): number {
    return this.#capacity >>> 5;
  }

  /** Room for so many slots. */
  widen(slots: number): void {
    const [heads, lengths] = [this.#heads, this.#lengths];
    this.#heads = new Int32Array(slots);
    this.#lengths = new Uint16Array(slots);
    this.#heads.set(heads);
    this.#lengths.set(lengths);
  }

  /** Room for so many slots; the set of each one that there was becomes that of the slot in `moves`. */
  move(moves: Uint32Array, slots: number): void {
    const [heads, lengths] = [this.#heads, this.#lengths];
    this.#heads = new Int32Array(slots);
    this.#lengths = new Uint16Array(slots);
    for (const [from, to] of moves.entries()) {
      if (lengths[from] === 0) continue;
      this.#heads[to] = heads[from] ?? 0;
      this.#lengths[to] = lengths[from] ?? 0;
    }
  }

  length(slot: number): number {
    return this.#lengths[slot] ?? 0;
  }

  isDense(slot: number): boolean {
    return (this.#heads[slot] ?? 0) < 0;
  }

  /** The array with the bits of a dense slot, which begin at startOf(). Changes when an owner is added. */
  cellsOf(slot: number): Uint32Array {
    return this.#bits[~(this.#heads[slot] ?? 0) >>> ROW_SHIFT] ?? NO_BITS;
  }

  startOf(slot: number): number {
    return (~(this.#heads[slot] ?? 0) & (ROWS - 1)) * this.width;
  }

  /** The owner must not be in the set. */
  add(slot: number, owner: number): void {
    if (owner >= this.#capacity) this.#grow(owner);
    const length = this.length(slot);
    this.#lengths[slot] = length + 1;
    if (this.isDense(slot)) this.#flip(slot, owner);
    else {
      this.#append(slot, length, owner);
      if (length + 1 > this.#capacity >>> DENSE_SHIFT) this.#toBits(slot);
    }
  }

  /** Ignores an owner that is not in the set. */
  remove(slot: number, owner: number): void {
    const length = this.length(slot);
    if (this.isDense(slot)) {
      if (owner >= this.#capacity || !this.#has(slot, owner)) return;
      this.#flip(slot, owner);
      this.#lengths[slot] = length - 1;
      if (length - 1 < this.#capacity >>> SPARSE_SHIFT) this.#toList(slot);
    } else if (this.#take(slot, length, owner)) this.#lengths[slot] = length - 1;
  }

  /** Removes every owner marked in `gone`. `scratch` has room for the largest set. */
  sweep(slot: number, gone: Uint8Array, scratch: Uint16Array): void {
    const length = this.collect(slot, scratch);
    let kept = 0;
    for (let at = 0; at < length; at++) {
      const owner = scratch[at] ?? 0;
      if (gone[owner] === 0) scratch[kept++] = owner;
      else if (this.isDense(slot)) this.#flip(slot, owner);
    }
    if (kept === length) return;
    this.#lengths[slot] = kept;
    if (!this.isDense(slot)) this.#refill(slot, scratch, kept);
    else if (kept < this.#capacity >>> SPARSE_SHIFT) this.#toList(slot);
  }

  /** Writes the owners to `into` and returns how many there are. */
  collect(slot: number, into: Uint16Array): number {
    return this.isDense(slot) ? this.#collectBits(slot, into) : this.#collectList(slot, into);
  }

  #collectBits(slot: number, into: Uint16Array): number {
    const cells = this.cellsOf(slot);
    const start = this.startOf(slot);
    let end = 0;
    for (let at = 0; at < this.width; at++) {
      for (let left = cells[start + at] ?? 0; left !== 0; left &= left - 1) {
        into[end++] = (at << 5) + 31 - Math.clz32(left & -left);
      }
    }
    return end;
  }

  #collectList(slot: number, into: Uint16Array): number {
    let used = ((this.length(slot) - 1) & (CHUNK - 1)) + 1;
    let end = 0;
    for (let chunk = this.#heads[slot] ?? 0; chunk !== 0; chunk = this.#next(chunk)) {
      const cells = this.#cells[(chunk - 1) >>> PAGE_SHIFT] ?? NO_CELLS;
      const start = ((chunk - 1) & (PAGE - 1)) << CHUNK_SHIFT;
      for (let at = 0; at < used; at++) into[end++] = cells[start + at] ?? 0;
      used = CHUNK;
    }
    return end;
  }

  // Bits.

  #has(slot: number, owner: number): boolean {
    return (((this.cellsOf(slot)[this.startOf(slot) + (owner >>> 5)] ?? 0) >>> (owner & 31)) & 1) === 1;
  }

  #flip(slot: number, owner: number): void {
    const cells = this.cellsOf(slot);
    const at = this.startOf(slot) + (owner >>> 5);
    cells[at] = (cells[at] ?? 0) ^ (1 << (owner & 31));
  }

  #takeRow(): number {
    const free = this.#freeRows.pop();
    if (free !== undefined) return free;
    if ((this.#rows & (ROWS - 1)) === 0) this.#bits.push(new Uint32Array(ROWS * this.width));
    return this.#rows++;
  }

  #toBits(slot: number): void {
    const owners = new Uint16Array(this.length(slot));
    this.#collectList(slot, owners);
    this.#dropChunks(slot);
    this.#heads[slot] = ~this.#takeRow();
    for (const owner of owners) this.#flip(slot, owner);
  }

  #toList(slot: number): void {
    const owners = new Uint16Array(this.length(slot));
    this.#collectBits(slot, owners);
    for (const owner of owners) this.#flip(slot, owner); // a free row is all zero
    this.#freeRows.push(~(this.#heads[slot] ?? 0));
    this.#heads[slot] = 0;
    this.#refill(slot, owners, owners.length);
  }

  /** Doubles the capacity until it includes `owner`: widens the rows and turns sparse ones into lists. */
  #grow(owner: number): void {
    const before = this.width;
    while (owner >= this.#capacity) this.#capacity *= 2;
    const bits = this.#bits.map(page => {
      const wider = new Uint32Array(ROWS * this.width);
      for (let row = 0; row < ROWS; row++) {
        wider.set(page.subarray(row * before, (row + 1) * before), row * this.width);
      }
      return wider;
    });
    this.#bits = bits;
    for (let slot = 0; slot < this.#heads.length; slot++) {
      if (this.isDense(slot) && this.length(slot) < this.#capacity >>> SPARSE_SHIFT) this.#toList(slot);
    }
  }

  // Lists.

  #append(slot: number, length: number, owner: number): void {
    const at = length & (CHUNK - 1);
    if (at === 0) {
      const chunk = this.#takeChunk();
      this.#link(chunk, this.#heads[slot] ?? 0);
      this.#heads[slot] = chunk;
    }
    this.#write(this.#heads[slot] ?? 0, at, owner);
  }

  #refill(slot: number, owners: Uint16Array, length: number): void {
    this.#dropChunks(slot);
    for (let at = 0; at < length; at++) this.#append(slot, at, owners[at] ?? 0);
  }

  #dropChunks(slot: number): void {
    for (let chunk = this.#heads[slot] ?? 0; chunk !== 0; ) {
      const next = this.#next(chunk);
      this.#link(chunk, this.#freeChunk);
      this.#freeChunk = chunk;
      chunk = next;
    }
    this.#heads[slot] = 0;
  }

  /** Removes an owner by moving the last one to its place. */
  #take(slot: number, length: number, owner: number): boolean {
    const head = this.#heads[slot] ?? 0;
    const last = (length - 1) & (CHUNK - 1);
    for (let chunk = head, used = last + 1; chunk !== 0; chunk = this.#next(chunk), used = CHUNK) {
      for (let at = 0; at < used; at++) {
        if (this.#read(chunk, at) !== owner) continue;
        this.#write(chunk, at, this.#read(head, last));
        if (last === 0) {
          this.#heads[slot] = this.#next(head);
          this.#link(head, this.#freeChunk);
          this.#freeChunk = head;
        }
        return true;
      }
    }
    return false;
  }

  #takeChunk(): number {
    if (this.#freeChunk !== 0) {
      const chunk = this.#freeChunk;
      this.#freeChunk = this.#next(chunk);
      return chunk;
    }
    if (this.#chunks === this.#room) this.#addRoom();
    return ++this.#chunks;
  }

  /** The first page grows: most servents have few leaves. */
  #addRoom(): void {
    const first = this.#room < PAGE;
    const chunks = first ? Math.max(2 * this.#room, PAGE_FIRST) : PAGE;
    const cells = new Uint16Array(chunks * CHUNK);
    const nexts = new Uint32Array(chunks);
    if (first) {
      cells.set(this.#cells.pop() ?? NO_CELLS);
      nexts.set(this.#nexts.pop() ?? NO_BITS);
      this.#room = 0;
    }
    this.#cells.push(cells);
    this.#nexts.push(nexts);
    this.#room += chunks;
  }

  #next(chunk: number): number {
    return this.#nexts[(chunk - 1) >>> PAGE_SHIFT]?.[(chunk - 1) & (PAGE - 1)] ?? 0;
  }

  #link(chunk: number, next: number): void {
    const page = this.#nexts[(chunk - 1) >>> PAGE_SHIFT];
    if (page !== undefined) page[(chunk - 1) & (PAGE - 1)] = next;
  }

  #read(chunk: number, at: number): number {
    return this.#cells[(chunk - 1) >>> PAGE_SHIFT]?.[(((chunk - 1) & (PAGE - 1)) << CHUNK_SHIFT) + at] ?? 0;
  }

  #write(chunk: number, at: number, owner: number): void {
    const page = this.#cells[(chunk - 1) >>> PAGE_SHIFT];
    if (page !== undefined) page[(((chunk - 1) & (PAGE - 1)) << CHUNK_SHIFT) + at] = owner;
  }
}

const NO_CELLS = new Uint16Array(0);
const NO_BITS = new Uint32Array(0);
