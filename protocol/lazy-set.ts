// A Set that takes no memory for entries before it has one. See LazyMap.

const NOTHING: ReadonlySet<never> = new Set<never>();

export class LazySet<T> {
  #set: Set<T> | null = null;

  get size(): number {
    return this.#set?.size ?? 0;
  }

  has(value: T): boolean {
    return this.#set?.has(value) ?? false;
  }

  add(value: T): void {
    this.#set ??= new Set();
    this.#set.add(value);
  }

  /** False when it was not there. */
  delete(value: T): boolean {
    return this.#set?.delete(value) ?? false;
  }

  /** Oldest first. */
  [Symbol.iterator](): SetIterator<T> {
    return (this.#set ?? NOTHING)[Symbol.iterator]();
  }
}
