// The files modified last, kept in order as files come and go, so that What's New need not look at all of them.
import type { SharedFile } from './shared-file.ts';

const KEPT_MAX = 64;

export class NewestFiles {
  /** Newest first; none of the others is newer than the last of them. */
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

  /** One that was added. */
  remove({ index }: SharedFile): void {
    const found = this.#kept.findIndex(file => file.index === index);
    if (found < 0) this.#others--;
    else this.#kept.splice(found, 1);
  }

  /** `all` is gone through only when so many of the kept ones were removed that some are missing. */
  take(count: number, all: Iterable<SharedFile>): readonly SharedFile[] {
    if (this.#kept.length < Math.min(count, KEPT_MAX) && this.#others > 0) {
      this.#kept.length = 0;
      this.#others = 0;
      for (const file of all) this.add(file);
    }
    return this.#kept.slice(0, count);
  }
}
