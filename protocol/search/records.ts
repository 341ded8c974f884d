// Holds byte strings of any length by row. Each page of 4,096 rows has its own heap: compaction is bounded, and a page without records
// frees its memory.
import { PAGE_BITS, PAGE_ROWS, type Paged, ROW_MASK } from './column.ts';
import { hashBytes } from './text-key.ts';

/** log2 of the bytes of a block; a heap is a list of blocks. A longer record has its own block. */
const BLOCK_BITS = 14;
const BLOCK_BYTES = 1 << BLOCK_BITS;
const BLOCK_MASK = BLOCK_BYTES - 1;
/** A heap is compacted when its unused bytes exceed this and the bytes in use. */
const WASTE_MIN = BLOCK_BYTES;

/** A record is stored as its length, a number of 7 bits a byte (LEB128), and its bytes. */
interface Page {
  /** By row: place of the record in the heap, plus 1; 0: none. */
  readonly places: Uint32Array;
  blocks: Buffer[];
  /** Number of bytes used of the last block. */
  end: number;
  used: number;
  wasted: number;
  count: number;
}

export class Records implements Paged {
  readonly #pages: (Page | undefined)[] = [];
  /** Block and byte range of the record that #find() found. */
  #block: Buffer = Buffer.alloc(0);
  #start = 0;
  #end = 0;

  /** Bytes of all heaps, used or not. */
  get bytes(): number {
    let bytes = 0;
    for (const page of this.#pages) for (const block of page?.blocks ?? []) bytes += block.length;
    return bytes;
  }

  has(row: number): boolean {
    return (this.#pages[row >>> PAGE_BITS]?.places[row & ROW_MASK] ?? 0) !== 0;
  }

  /** Replaces the record of the row by the first `length` bytes. */
  set(row: number, bytes: Uint8Array, length: number): void {
    this.delete(row);
    const at = row >>> PAGE_BITS;
    let page = this.#pages[at];
    if (page === undefined) {
      page = newPage();
      while (this.#pages.length < at) this.#pages.push(undefined);
      this.#pages[at] = page;
    }
    const start = allocate(page, length + lengthBytes(length));
    page.places[row & ROW_MASK] = start + 1;
    page.count++;
    const block = page.blocks[start >>> BLOCK_BITS];
    if (block === undefined) return;
    let to = start & BLOCK_MASK;
    let rest = length;
    for (; rest > 127; rest >>>= 7) block[to++] = 128 | (rest & 127);
    block[to++] = rest;
    for (let i = 0; i < length; i++) block[to + i] = bytes[i] ?? 0;
  }

  delete(row: number): void {
    const at = row >>> PAGE_BITS;
    const page = this.#pages[at];
    if (page === undefined || !this.#find(row)) return;
    const length = this.#end - this.#start;
    const size = length + lengthBytes(length);
    page.places[row & ROW_MASK] = 0;
    page.used -= size;
    page.wasted += size;
    if (--page.count === 0) this.#pages[at] = undefined;
    else if (page.wasted > WASTE_MIN && page.wasted > page.used) compact(page);
  }

  /** Returns the record as text, '' if there is none. */
  text(row: number): string {
    if (!this.#find(row)) return '';
    return this.#block.toString('utf8', this.#start, this.#end);
  }

  equals(row: number, bytes: Uint8Array, length: number): boolean {
    if (!this.#find(row) || this.#end - this.#start !== length) return false;
    const [block, start] = [this.#block, this.#start];
    for (let i = 0; i < length; i++) if (block[start + i] !== bytes[i]) return false;
    return true;
  }

  /** Compares the record with the first `length` bytes: negative, 0 or positive. */
  compare(row: number, bytes: Uint8Array, length: number): number {
    if (!this.#find(row)) return -length;
    const [block, start] = [this.#block, this.#start];
    const own = this.#end - start;
    const both = Math.min(own, length);
    for (let i = 0; i < both; i++) {
      const difference = (block[start + i] ?? 0) - (bytes[i] ?? 0);
      if (difference !== 0) return difference;
    }
    return own - length;
  }

  startsWith(row: number, bytes: Uint8Array, length: number): boolean {
    if (!this.#find(row) || this.#end - this.#start < length) return false;
    const [block, start] = [this.#block, this.#start];
    for (let i = 0; i < length; i++) if (block[start + i] !== bytes[i]) return false;
    return true;
  }

  hash(row: number, seed: number): number {
    return this.#find(row) ? hashBytes(this.#block, this.#start, this.#end, seed) : hashBytes(this.#block, 0, 0, seed);
  }

  /** Reads the record as little-endian numbers of `width` bytes, 3 or 4, and returns whether the union of their marks is `all`. */
  hasMarks(row: number, width: number, marks: Uint32Array, all: number): boolean {
    if (!this.#find(row)) return false;
    const [block, end] = [this.#block, this.#end];
    let union = 0;
    for (let at = this.#start; at < end; at += width) {
      let number = (block[at] ?? 0) | ((block[at + 1] ?? 0) << 8) | ((block[at + 2] ?? 0) << 16);
      if (width > 3) number |= (block[at + 3] ?? 0) << 24;
      union |= marks[number] ?? 0;
    }
    return union === all;
  }

  /** Returns a copy of the record; empty if there is none. */
  bytesOf(row: number): Buffer {
    return this.#find(row) ? Buffer.from(this.#block.subarray(this.#start, this.#end)) : Buffer.alloc(0);
  }

  dropPage(page: number): void {
    if (page < this.#pages.length) this.#pages[page] = undefined;
  }

  #find(row: number): boolean {
    const page = this.#pages[row >>> PAGE_BITS];
    if (page === undefined) return false;
    const place = (page.places[row & ROW_MASK] ?? 0) - 1;
    if (place < 0) return false;
    const block = page.blocks[place >>> BLOCK_BITS];
    if (block === undefined) return false;
    let at = place & BLOCK_MASK;
    let byte = block[at++] ?? 0;
    let length = byte & 127;
    for (let shift = 7; byte > 127; shift += 7) {
      byte = block[at++] ?? 0;
      length |= (byte & 127) << shift;
    }
    this.#block = block;
    this.#start = at;
    this.#end = at + length;
    return true;
  }
}

function newPage(): Page {
  return { places: new Uint32Array(PAGE_ROWS), blocks: [], end: BLOCK_BYTES, used: 0, wasted: 0, count: 0 };
}

function lengthBytes(length: number): number {
  let bytes = 1;
  for (let rest = length; rest > 127; rest >>>= 7) bytes++;
  return bytes;
}

/** Allocates `size` bytes within one block and returns their place. */
function allocate(page: Page, size: number): number {
  page.used += size;
  if (page.end + size > BLOCK_BYTES) {
    page.blocks.push(Buffer.allocUnsafeSlow(Math.max(BLOCK_BYTES, size)));
    page.end = 0;
  }
  const start = ((page.blocks.length - 1) << BLOCK_BITS) + page.end;
  page.end += size;
  return start;
}

/** Copies the records into new blocks. */
function compact(page: Page): void {
  const { places, blocks } = page;
  Object.assign(page, { blocks: [], end: BLOCK_BYTES, used: 0, wasted: 0 });
  for (let row = 0; row < PAGE_ROWS; row++) {
    const place = (places[row] ?? 0) - 1;
    const block = blocks[place >>> BLOCK_BITS];
    if (place < 0 || block === undefined) continue;
    const from = place & BLOCK_MASK;
    let at = from;
    let byte = block[at++] ?? 0;
    let length = byte & 127;
    for (let shift = 7; byte > 127; shift += 7) {
      byte = block[at++] ?? 0;
      length |= (byte & 127) << shift;
    }
    const start = allocate(page, at - from + length);
    block.copy(page.blocks[start >>> BLOCK_BITS] ?? block, start & BLOCK_MASK, from, at + length);
    places[row] = start + 1;
  }
}
