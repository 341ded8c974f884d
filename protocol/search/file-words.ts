// Holds the word numbers of each file in three bytes each, or in four for a file with a number above 2^24. Numbers of one width keep the test
// of candidates free of branches.
import type { Paged } from './column.ts';
import { Records } from './records.ts';

const NARROW_END = 2 ** 24;

export class FileWords implements Paged {
  readonly #narrow = new Records();
  readonly #wide = new Records();
  #room = new Uint8Array(256);

  has(row: number): boolean {
    return this.#narrow.has(row) || this.#wide.has(row);
  }

  set(row: number, numbers: readonly number[]): void {
    this.delete(row);
    const width = numbers.every(number => number < NARROW_END) ? 3 : 4;
    if (width * numbers.length > this.#room.length) this.#room = new Uint8Array(width * numbers.length);
    let end = 0;
    for (const number of numbers) {
      for (let shift = 0; shift < 8 * width; shift += 8) this.#room[end++] = number >>> shift;
    }
    (width === 3 ? this.#narrow : this.#wide).set(row, this.#room, end);
  }

  delete(row: number): void {
    this.#narrow.delete(row);
    this.#wide.delete(row);
  }

  of(row: number): number[] {
    const width = this.#narrow.has(row) ? 3 : 4;
    const bytes = (width === 3 ? this.#narrow : this.#wide).bytesOf(row);
    const numbers: number[] = [];
    for (let at = 0; at < bytes.length; at += width) numbers.push(bytes.readUIntLE(at, width));
    return numbers;
  }

  /** Whether the marks of the file's words are `all` together: the test of every candidate in match(). */
  hasMarks(row: number, marks: Uint32Array, all: number): boolean {
    return this.#narrow.hasMarks(row, 3, marks, all) || this.#wide.hasMarks(row, 4, marks, all);
  }

  dropPage(page: number): void {
    this.#narrow.dropPage(page);
    this.#wide.dropPage(page);
  }
}
