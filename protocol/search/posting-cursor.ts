// Walks the rows of one posting list, or of several together, forward in ascending order, and skips rows by galloping search.
import type { CellRuns } from './cell-runs.ts';

/** Above every row. */
export const ROWS_END = 0x7fffffff;

const NO_CELLS = new Uint32Array(0);

/** A part of a posting list: a run of ascending rows. */
export interface Chunk {
  /** Place of its run. */
  place: number;
  length: number;
  /** The first row. */
  first: number;
}

/** Valid until the next change of the lists. */
export class PostingCursor {
  /** The current row; ROWS_END after the last one. */
  row = ROWS_END;
  readonly #runs: CellRuns;
  /** In order; none is empty. */
  readonly #chunks: readonly Chunk[];
  #chunk = 0;
  #cells: Uint32Array = NO_CELLS;
  #at = 0;
  #end = 0;

  constructor(runs: CellRuns, chunks: readonly Chunk[]) {
    this.#runs = runs;
    this.#chunks = chunks;
    this.rewind();
  }

  /** Returns to the first row. */
  rewind(): void {
    this.#open(0);
  }

  /** Moves to the first row that is not below `row`, and returns it. Never moves back. */
  seek(row: number): number {
    if (this.row >= row) return this.row;
    const cells = this.#cells;
    const end = this.#end;
    let low = this.#at + 1;
    let high = low;
    for (let step = 1; high < end && (cells[high] ?? 0) < row; step *= 2) {
      low = high + 1;
      high += step;
    }
    if (high >= end) {
      if ((cells[end - 1] ?? 0) < row) return this.#seekChunk(row);
      high = end - 1;
    }
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((cells[middle] ?? 0) < row) low = middle + 1;
      else high = middle;
    }
    this.#at = low;
    this.row = cells[low] ?? ROWS_END;
    return this.row;
  }

  /** As seek(), for a row above all of the current chunk. */
  #seekChunk(row: number): number {
    const chunks = this.#chunks;
    let low = this.#chunk + 1;
    let high = chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((chunks[middle]?.first ?? 0) <= row) low = middle;
      else high = middle - 1;
    }
    this.#open(low);
    if (this.row >= row) return this.row;
    return (this.#cells[this.#end - 1] ?? 0) < row ? this.#open(low + 1) : this.seek(row);
  }

  /** Moves to the first row of a chunk, and returns it. */
  #open(number: number): number {
    this.#chunk = number;
    const chunk = this.#chunks[number];
    if (chunk === undefined) {
      this.#end = 0;
      this.row = ROWS_END;
      return this.row;
    }
    this.#cells = this.#runs.pageOf(chunk.place);
    this.#at = this.#runs.offset(chunk.place);
    this.#end = this.#at + chunk.length;
    this.row = this.#cells[this.#at] ?? ROWS_END;
    return this.row;
  }
}

/** The union of a few lists. */
export class UnionCursor {
  readonly #cursors: readonly PostingCursor[];

  constructor(cursors: readonly PostingCursor[]) {
    this.#cursors = cursors;
  }

  /** Number of lists, the cost of a search. */
  get lists(): number {
    return this.#cursors.length;
  }

  rewind(): void {
    for (const cursor of this.#cursors) cursor.rewind();
  }

  /** The first row that is not below `row`; must not be below that of the call before. */
  seek(row: number): number {
    let lowest = ROWS_END;
    for (let i = 0; i < this.#cursors.length; i++) {
      const found = this.#cursors[i]?.seek(row) ?? ROWS_END;
      if (found === row) return row;
      if (found < lowest) lowest = found;
    }
    return lowest;
  }
}
