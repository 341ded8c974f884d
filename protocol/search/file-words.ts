// Holds the word numbers of each file as LEB128. Frequent words get low numbers, as they occur first, and take one or two bytes.
import type { Paged } from './column.ts';
import { Records } from './records.ts';

export class FileWords implements Paged {
  readonly #records = new Records();
  #room = new Uint8Array(256);

  has(row: number): boolean {
    return this.#records.has(row);
  }

  set(row: number, numbers: readonly number[]): void {
    if (5 * numbers.length > this.#room.length) this.#room = new Uint8Array(5 * numbers.length);
    let end = 0;
    for (const number of numbers) {
      let rest = number;
      for (; rest > 127; rest >>>= 7) this.#room[end++] = 128 | (rest & 127);
      this.#room[end++] = rest;
    }
    this.#records.set(row, this.#room, end);
  }

  delete(row: number): void {
    this.#records.delete(row);
  }

  of(row: number): number[] {
    return this.#records.numbers(row);
  }

  /** The union of the marks of the file's words: the test of every candidate in match(). */
  marksOf(row: number, marks: Uint32Array): number {
    return this.#records.marks(row, marks);
  }

  dropPage(page: number): void {
    this.#records.dropPage(page);
  }
}
