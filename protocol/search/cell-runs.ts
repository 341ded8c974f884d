// Allocates runs of 1, 2, 4 … 1,024 cells of 32 bits. A page holds runs of one length, and is freed with the last of them.

/** log2 of the cells of the longest run. */
export const RUN_BITS_MAX = 10;
const PAGE_BITS = 13;
const PAGE_CELLS = 1 << PAGE_BITS;
const PAGE_MASK = PAGE_CELLS - 1;

interface Page {
  readonly cells: Uint32Array;
  /** log2 of the cells of its runs. */
  readonly bits: number;
  /** First free run + 1; a free run holds the next one in its first cell. */
  free: number;
  /** Cells from here on were never allocated. */
  end: number;
  count: number;
  /** It has a free run and is in the list of such pages. */
  listed: boolean;
}

export class CellRuns {
  readonly #pages: (Page | undefined)[] = [];
  readonly #unused: number[] = [];
  /** By log2 of the run length: numbers of pages with a free run. */
  readonly #open: number[][] = Array.from({ length: RUN_BITS_MAX + 1 }, () => []);

  /** Number of allocated cells. */
  get cells(): number {
    let cells = 0;
    for (const page of this.#pages) if (page !== undefined) cells += page.count << page.bits;
    return cells;
  }

  /** Allocates a run of 2 to the power of `bits` cells with arbitrary content, and returns its place. */
  take(bits: number): number {
    const open = this.#open[bits] ?? [];
    let number = open.at(-1);
    if (number === undefined) {
      number = this.#unused.pop() ?? this.#pages.length;
      const cells = new Uint32Array(PAGE_CELLS);
      this.#pages[number] = { cells, bits, free: 0, end: 0, count: 0, listed: true };
      open.push(number);
    }
    const page = this.#page(number);
    let at = page.free - 1;
    if (at >= 0) page.free = page.cells[at] ?? 0;
    else {
      at = page.end;
      page.end += 1 << bits;
    }
    page.count++;
    if (page.free === 0 && page.end === PAGE_CELLS) {
      page.listed = false;
      open.pop();
    }
    return number * PAGE_CELLS + at;
  }

  /** Frees a run. */
  give(place: number): void {
    const number = Math.floor(place / PAGE_CELLS);
    const page = this.#page(number);
    const at = place & PAGE_MASK;
    page.cells[at] = page.free;
    page.free = at + 1;
    page.count--;
    const open = this.#open[page.bits] ?? [];
    if (page.count > 0) {
      if (!page.listed) open.push(number);
      page.listed = true;
      return;
    }
    if (page.listed) open.splice(open.lastIndexOf(number), 1);
    this.#pages[number] = undefined;
    this.#unused.push(number);
  }

  /** The array with the run, which begins at `offset(place)`. */
  pageOf(place: number): Uint32Array {
    return this.#page(Math.floor(place / PAGE_CELLS)).cells;
  }

  offset(place: number): number {
    return place & PAGE_MASK;
  }

  #page(number: number): Page {
    const page = this.#pages[number];
    if (page === undefined) throw new RangeError('no such run');
    return page;
  }
}
