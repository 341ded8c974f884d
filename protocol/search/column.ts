// Holds one value per row in pages of 4,096 rows. Pages without values take no memory.

export const PAGE_BITS = 12;
export const PAGE_ROWS = 1 << PAGE_BITS;
export const ROW_MASK = PAGE_ROWS - 1;

/** A structure by row that can drop a page when none of its rows is in use. */
export interface Paged {
  dropPage(page: number): void;
}

const COPIES = 32;

type Cells = Float64Array | Uint32Array | Uint8Array;

/** Numbers by row, 0 by default. The first value other than 0 creates its page. */
export class Column implements Paged {
  readonly #make: () => Cells;
  readonly #pages: (Cells | undefined)[] = [];

  constructor(Kind: new (length: number) => Cells) {
    this.#make = () => new Kind(PAGE_ROWS);
  }

  get(row: number): number {
    const page = this.#pages[row >>> PAGE_BITS];
    return page === undefined ? 0 : (page[row & ROW_MASK] ?? 0);
  }

  set(row: number, value: number): void {
    const at = row >>> PAGE_BITS;
    let page = this.#pages[at];
    if (page === undefined) {
      if (value === 0) return;
      page = this.#make();
      while (this.#pages.length < at) this.#pages.push(undefined);
      this.#pages[at] = page;
    }
    page[row & ROW_MASK] = value;
  }

  dropPage(page: number): void {
    if (page < this.#pages.length) this.#pages[page] = undefined;
  }
}

/** Byte strings of one width by row, such as digests; zeros by default. */
export class BytesColumn implements Paged {
  readonly #width: number;
  /** Room for copies. Larger than one copy for speed; small, because one kept copy keeps all of it. */
  #room = Buffer.alloc(0);
  #end = 0;
  readonly #pages: (Buffer | undefined)[] = [];

  /** `width` in bytes, at least 4. */
  constructor(width: number) {
    this.#width = width;
  }

  /** Returns a copy. */
  get(row: number): Buffer {
    if (this.#end === this.#room.length) {
      this.#room = Buffer.allocUnsafeSlow(COPIES * this.#width);
      this.#end = 0;
    }
    const page = this.#pages[row >>> PAGE_BITS];
    const start = (row & ROW_MASK) * this.#width;
    const [room, at] = [this.#room, this.#end];
    this.#end += this.#width;
    for (let i = 0; i < this.#width; i++) room[at + i] = page?.[start + i] ?? 0;
    return room.subarray(at, this.#end);
  }

  /** `bytes` must have the width of the column. */
  set(row: number, bytes: Uint8Array): void {
    const at = row >>> PAGE_BITS;
    let page = this.#pages[at];
    if (page === undefined) {
      page = Buffer.alloc(PAGE_ROWS * this.#width);
      while (this.#pages.length < at) this.#pages.push(undefined);
      this.#pages[at] = page;
    }
    page.set(bytes, (row & ROW_MASK) * this.#width);
  }

  equals(row: number, bytes: Uint8Array): boolean {
    const page = this.#pages[row >>> PAGE_BITS];
    const start = (row & ROW_MASK) * this.#width;
    for (let i = 0; i < this.#width; i++) if ((page?.[start + i] ?? 0) !== bytes[i]) return false;
    return true;
  }

  /** The first four bytes as a little-endian number. */
  head(row: number): number {
    return this.#pages[row >>> PAGE_BITS]?.readUInt32LE((row & ROW_MASK) * this.#width) ?? 0;
  }

  dropPage(page: number): void {
    if (page < this.#pages.length) this.#pages[page] = undefined;
  }
}
