// Holds names, sizes, times and digests of files in columns, one row per file. Rows are reused; indices, which other servents know, are not.

import { SHA1_BYTES, TIGER_BYTES } from '../wire/urn.ts';
import { BytesColumn, Column, PAGE_BITS, PAGE_ROWS, type Paged, ROW_MASK } from './column.ts';
import { Records } from './records.ts';
import { RowNumbers } from './row-numbers.ts';
import { TextKey } from './text-key.ts';

export class FileTable {
  readonly names = new Records();
  /** Bytes. */
  readonly sizes = new Column(Float64Array);
  /** Modification times in milliseconds since 1970, with fractions. */
  readonly times = new Column(Float64Array);
  /** Zeros while the content is unknown. */
  readonly sha1s = new BytesColumn(SHA1_BYTES);
  /** Zeros while the hash tree is unknown. */
  readonly tigerRoots = new BytesColumn(TIGER_BYTES);
  readonly #indices = new Column(Uint32Array);
  readonly #rows = new RowNumbers();
  readonly #rowOfIndex = new RowOfIndex();
  readonly #columns: Paged[] = [this.names, this.sizes, this.times, this.sha1s, this.tigerRoots, this.#indices];
  readonly #key = new TextKey();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Registers a column of the caller: its pages are dropped with those of the table. */
  keep<C extends Paged>(column: C): C {
    this.#columns.push(column);
    return column;
  }

  /** Adds a file and returns its row. The index must be below 2^32 and not in use. */
  add(index: number, name: string, size: number, mtimeMs: number): number {
    const row = this.#rows.take();
    this.#rowOfIndex.set(index, row);
    this.#indices.set(row, index);
    const { bytes, length } = this.#key.set(name);
    this.names.set(row, bytes, length);
    this.sizes.set(row, size);
    this.times.set(row, mtimeMs);
    this.#count++;
    return row;
  }

  remove(row: number): void {
    this.#rowOfIndex.delete(this.#indices.get(row));
    this.names.delete(row);
    this.#count--;
    if (!this.#rows.give(row)) return;
    for (const column of this.#columns) column.dropPage(row >>> PAGE_BITS);
  }

  /** The row of a file; -1: the index is not in use. */
  rowOf(index: number): number {
    return this.#rowOfIndex.get(index);
  }

  indexOf(row: number): number {
    return this.#indices.get(row);
  }

  /** The lowest index in use at or above `index`; -1: none. */
  indexFrom(index: number): number {
    return this.#rowOfIndex.from(index);
  }

  /** Rows in use in ascending order. Files may be added and removed meanwhile. */
  rows(): IterableIterator<number> {
    return this.#rows.all();
  }
}

/** Rows by index. Indices are assigned in order; a page is freed when its last file is removed. */
class RowOfIndex {
  /** Row + 1; 0: none. */
  readonly #pages: (Uint32Array | undefined)[] = [];
  readonly #counts: number[] = [];

  from(index: number): number {
    for (let at = Math.floor(index / PAGE_ROWS); at < this.#pages.length; at++) {
      const page = this.#pages[at];
      if (page === undefined) continue;
      for (let i = Math.max(0, index - at * PAGE_ROWS); i < PAGE_ROWS; i++) {
        if (page[i] !== 0) return at * PAGE_ROWS + i;
      }
    }
    return -1;
  }

  get(index: number): number {
    return (this.#pages[index >>> PAGE_BITS]?.[index & ROW_MASK] ?? 0) - 1;
  }

  set(index: number, row: number): void {
    const at = index >>> PAGE_BITS;
    const page = this.#pages[at] ?? new Uint32Array(PAGE_ROWS);
    this.#pages[at] = page;
    page[index & ROW_MASK] = row + 1;
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
  }

  delete(index: number): void {
    const at = index >>> PAGE_BITS;
    const page = this.#pages[at];
    if (page === undefined) return;
    page[index & ROW_MASK] = 0;
    this.#counts[at] = (this.#counts[at] ?? 0) - 1;
    if (this.#counts[at] === 0) this.#pages[at] = undefined;
  }
}
