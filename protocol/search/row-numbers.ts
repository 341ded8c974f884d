// Allocates row numbers, the lowest free one first, so that the last pages of a table become empty.
import { PAGE_BITS, PAGE_ROWS, ROW_MASK } from './column.ts';

const WORDS = PAGE_ROWS / 32;

interface Page {
  /** One bit per row, set when in use. */
  readonly bits: Uint32Array;
  count: number;
  /** All words before this one are full. */
  lowest: number;
}

export class RowNumbers {
  readonly #pages: (Page | undefined)[] = [];
  /** All pages before this one are full. */
  #lowest = 0;

  /** Rows in use are below it. */
  get end(): number {
    return this.#pages.length * PAGE_ROWS;
  }

  /** Allocates a row. */
  take(): number {
    for (; ; this.#lowest++) {
      const page = this.#pages[this.#lowest] ?? { bits: new Uint32Array(WORDS), count: 0, lowest: 0 };
      this.#pages[this.#lowest] = page;
      if (page.count === PAGE_ROWS) continue;
      while (page.bits[page.lowest] === 0xffffffff) page.lowest++;
      const free = ~(page.bits[page.lowest] ?? 0);
      const bit = 31 - Math.clz32(free & -free);
      page.bits[page.lowest] = (page.bits[page.lowest] ?? 0) | (1 << bit);
      page.count++;
      return this.#lowest * PAGE_ROWS + 32 * page.lowest + bit;
    }
  }

  /** Frees a row in use. Returns whether its page is empty now. */
  give(row: number): boolean {
    const at = row >>> PAGE_BITS;
    const page = this.#pages[at];
    if (page === undefined) return false;
    const word = (row & ROW_MASK) >>> 5;
    page.bits[word] = (page.bits[word] ?? 0) & ~(1 << (row & 31));
    page.lowest = Math.min(page.lowest, word);
    this.#lowest = Math.min(this.#lowest, at);
    if (--page.count > 0) return false;
    this.#pages[at] = undefined;
    while (this.#pages.length > 0 && this.#pages.at(-1) === undefined) this.#pages.pop();
    return true;
  }

  has(row: number): boolean {
    const word = this.#pages[row >>> PAGE_BITS]?.bits[(row & ROW_MASK) >>> 5] ?? 0;
    return (word & (1 << (row & 31))) !== 0;
  }

  /** Rows in use in ascending order. Rows may be allocated and freed meanwhile. */
  *all(): IterableIterator<number> {
    for (let row = 0; row < this.end; row++) if (this.has(row)) yield row;
  }
}
