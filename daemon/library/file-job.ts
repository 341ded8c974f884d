// A file of the catalog waiting to be hashed. A first scan may queue a million of them, so a job holds no path and no entry.
import type { Catalog, KnownContent } from './catalog.ts';
import type { HashJob } from './hash-pool.ts';
import type { HashResult } from './hash-worker.ts';

export type OnHashed = (index: number, result: HashResult, known: KnownContent | null) => void;

export class FileJob implements HashJob {
  readonly size: number;
  /** Its digest is known: only its first bytes are checked. */
  readonly known: KnownContent | null;
  cancelled = false;
  readonly #catalog: Catalog;
  readonly #index: number;
  readonly #onDone: OnHashed;

  constructor(catalog: Catalog, index: number, known: KnownContent | null, onDone: OnHashed) {
    this.#catalog = catalog;
    this.#index = index;
    this.#onDone = onDone;
    this.known = known;
    this.size = catalog.sizeOf(index);
  }

  get isHashed(): boolean {
    return this.known !== null;
  }

  /** '' once the file was removed. */
  get path(): string {
    return this.#catalog.pathOf(this.#index);
  }

  get mtimeMs(): number {
    return this.#catalog.mtimeOf(this.#index);
  }

  done(result: HashResult): void {
    this.#onDone(this.#index, result, this.known);
  }
}
