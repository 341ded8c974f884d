// Keeps the most recently modified files in order, to answer What's New queries without scanning the library.
import type { SharedFile } from './shared-file.ts';

const KEPT_MAX = 64;

export class NewestFiles {
  /** Newest first; no other file is newer than the last of them. */
  readonly #kept: SharedFile[] = [];
  #others = 0;

  add(file: SharedFile): void {
    const found = this.#kept.findIndex(({ modifiedAt }) => modifiedAt < file.modifiedAt);
    if (found < 0 && (this.#others > 0 || this.#kept.length === KEPT_MAX)) {
      this.#others++;
      return;
    }
    this.#kept.splice(found < 0 ? this.#kept.length : found, 0, file);
    if (this.#kept.length <= KEPT_MAX) return;
    this.#kept.pop();
    this.#others++;
  }

  /** Removes a file that was added before. */
  remove({ index }: SharedFile): void {
    const found = this.#kept.findIndex(file => file.index === index);
    if (found < 0) this.#others--;
    else this.#kept.splice(found, 1);
  }

  /** The newest `count` files. Scans `all` only when too many kept ones were removed. */
  take(count: number, all: Iterable<SharedFile>): readonly SharedFile[] {
    if (this.#kept.length < Math.min(count, KEPT_MAX) && this.#others > 0) {
      this.#kept.length = 0;
      this.#others = 0;
      for (const file of all) this.add(file);
    }
    return this.#kept.slice(0, count);
  }
}
