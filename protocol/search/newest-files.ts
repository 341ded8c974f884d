// Keeps the most recently modified files in order, to answer What's New queries without scanning the library.

const KEPT_MAX = 64;

/** Row of a file, and its modification time in milliseconds since 1970. */
export interface Dated {
  readonly row: number;
  readonly modifiedAt: number;
}

export class NewestFiles {
  /** Newest first; no other file is newer than the last of them. */
  readonly #kept: Dated[] = [];
  #others = 0;

  add(file: Dated): void {
    const last = this.#kept.at(-1);
    if (last === undefined || file.modifiedAt <= last.modifiedAt) {
      if (this.#others > 0 || this.#kept.length === KEPT_MAX) this.#others++;
      else this.#kept.push(file);
      return;
    }
    this.#kept.splice(
      this.#kept.findIndex(({ modifiedAt }) => modifiedAt < file.modifiedAt),
      0,
      file,
    );
    if (this.#kept.length <= KEPT_MAX) return;
    this.#kept.pop();
    this.#others++;
  }

  /** Removes a file that was added. */
  remove(row: number): void {
    const found = this.#kept.findIndex(file => file.row === row);
    if (found < 0) this.#others--;
    else this.#kept.splice(found, 1);
  }

  /** Returns at most `count` files. Scans `all` only when too many of the kept files were removed. */
  take(count: number, all: () => Iterable<Dated>): readonly Dated[] {
    if (this.#kept.length < Math.min(count, KEPT_MAX) && this.#others > 0) {
      this.#kept.length = 0;
      this.#others = 0;
      for (const file of all()) this.add(file);
    }
    return this.#kept.slice(0, count);
  }
}
