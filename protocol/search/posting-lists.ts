// For each word the files that have it, ascending. All lists are in one typed array, in runs of 1, 2, 4 … cells.

export class PostingLists {
  #cells = new Uint32Array(1024);
  #end = 0;
  /** Of each list: first cell, cells used, log2 of the cells it has (-1: none). */
  #starts = new Uint32Array(256);
  #lengths = new Uint32Array(256);
  #sizes = new Int8Array(256).fill(-1);
  /** Free runs by log2 of their length. */
  readonly #free: number[][] = Array.from({ length: 32 }, () => []);

  length(list: number): number {
    return this.#lengths[list] ?? 0;
  }

  /** A view, valid until the next change. */
  of(list: number): Uint32Array {
    const start = this.#starts[list] ?? 0;
    return this.#cells.subarray(start, start + this.length(list));
  }

  insert(list: number, value: number): void {
    if (list >= this.#starts.length) this.#growLists(list + 1);
    const length = this.length(list);
    const size = this.#sizes[list] ?? -1;
    if (size < 0 || length === 1 << size) this.#move(list, size + 1);
    const start = this.#starts[list] ?? 0;
    // usually at the end, as indices only grow
    const at =
      length === 0 || (this.#cells[start + length - 1] ?? 0) < value ? length : lowerBound(this.of(list), value);
    this.#cells.copyWithin(start + at + 1, start + at, start + length);
    this.#cells[start + at] = value;
    this.#lengths[list] = length + 1;
  }

  /** Removes a value; frees the run of an empty list. */
  delete(list: number, value: number): void {
    const view = this.of(list);
    const at = view.at(-1) === value ? view.length - 1 : lowerBound(view, value);
    if (view[at] !== value) return;
    view.copyWithin(at, at + 1);
    this.#lengths[list] = view.length - 1;
    if (view.length > 1) return;
    this.#free[this.#sizes[list] ?? 0]?.push(this.#starts[list] ?? 0);
    this.#sizes[list] = -1;
  }

  #move(list: number, size: number): void {
    const view = this.of(list);
    const start = this.#free[size]?.pop() ?? this.#append(1 << size);
    this.#cells.set(view, start); // `view` may be of the array before it grew, with the same values
    if (size > 0) this.#free[size - 1]?.push(this.#starts[list] ?? 0);
    this.#starts[list] = start;
    this.#sizes[list] = size;
  }

  #append(cells: number): number {
    const start = this.#end;
    this.#end += cells;
    if (this.#end > this.#cells.length) {
      const next = new Uint32Array(Math.max(this.#end, Math.ceil(this.#cells.length * 1.5)));
      next.set(this.#cells);
      this.#cells = next;
    }
    return start;
  }

  #growLists(need: number): void {
    const length = Math.max(need, 2 * this.#starts.length);
    const [starts, lengths, sizes] = [this.#starts, this.#lengths, this.#sizes];
    this.#starts = new Uint32Array(length);
    this.#starts.set(starts);
    this.#lengths = new Uint32Array(length);
    this.#lengths.set(lengths);
    this.#sizes = new Int8Array(length).fill(-1);
    this.#sizes.set(sizes);
  }
}

function lowerBound(ascending: Uint32Array, value: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ascending[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
