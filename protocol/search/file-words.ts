// The word numbers of each file, in one flat array: a few bytes a word.

/** Compact when more than half of the cells, and more than this, are unused. */
const WASTE_MIN = 4096;

export class FileWords {
  /** For each file the number of words, then their numbers. Offset 0 is unused. */
  #cells = new Uint32Array(1024);
  #end = 1;
  #wasted = 0;
  /** By file index: offset of its cells, 0 for none. */
  #starts = new Uint32Array(256);

  set(index: number, numbers: readonly number[]): void {
    this.delete(index);
    if (index >= this.#starts.length) this.#starts = grown(this.#starts, index + 1);
    if (this.#end + numbers.length + 1 > this.#cells.length) {
      this.#cells = grown(this.#cells, this.#end + numbers.length + 1);
    }
    this.#starts[index] = this.#end;
    this.#cells[this.#end] = numbers.length;
    this.#cells.set(numbers, this.#end + 1);
    this.#end += numbers.length + 1;
  }

  delete(index: number): void {
    const start = this.#starts[index] ?? 0;
    if (start === 0) return;
    this.#starts[index] = 0;
    this.#wasted += (this.#cells[start] ?? 0) + 1;
    if (this.#wasted > WASTE_MIN && this.#wasted > this.#end / 2) this.#compact();
  }

  /** A view, valid until the next change. */
  of(index: number): Uint32Array {
    const start = this.#starts[index] ?? 0;
    return this.#cells.subarray(start + 1, start + 1 + (this.#cells[start] ?? 0));
  }

  /** The union of the marks of the file's words. Runs for every candidate of a search, hence without a view. */
  marksOf(index: number, marks: Uint32Array): number {
    const cells = this.#cells;
    const start = this.#starts[index] ?? 0;
    const end = start + (cells[start] ?? 0);
    let union = 0;
    for (let at = start + 1; at <= end; at++) union |= marks[cells[at] ?? 0] ?? 0;
    return union;
  }

  #compact(): void {
    const cells = new Uint32Array(Math.max(1024, 2 * (this.#end - this.#wasted)));
    let end = 1;
    for (let index = 0; index < this.#starts.length; index++) {
      const start = this.#starts[index] ?? 0;
      if (start === 0) continue;
      const length = (this.#cells[start] ?? 0) + 1;
      cells.set(this.#cells.subarray(start, start + length), end);
      this.#starts[index] = end;
      end += length;
    }
    this.#cells = cells;
    this.#end = end;
    this.#wasted = 0;
  }
}

function grown(cells: Uint32Array, need: number): Uint32Array<ArrayBuffer> {
  const next = new Uint32Array(Math.max(need, Math.ceil(cells.length * 1.5)));
  next.set(cells);
  return next;
}
