// A list in the order of a comparison, with places found by halving. Two items must never compare as equal.

export class SortedList<T> implements Iterable<T> {
  readonly #items: T[] = [];
  readonly #compare: (a: T, b: T) => number;

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  get size(): number {
    return this.#items.length;
  }

  /** Undefined outside of the list. */
  at(index: number): T | undefined {
    return index < 0 ? undefined : this.#items[index];
  }

  add(item: T): void {
    this.#items.splice(this.#placeFor(item), 0, item);
  }

  /** -1: not in the list. What the comparison reads must be as it was when the item was added. */
  indexOf(item: T): number {
    const index = this.#placeFor(item);
    return this.#items[index] === item ? index : -1;
  }

  /** False: not in the list. */
  remove(item: T): boolean {
    const index = this.indexOf(item);
    if (index >= 0) this.#items.splice(index, 1);
    return index >= 0;
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#items[Symbol.iterator]();
  }

  /** The first index whose item does not come before `item`. */
  #placeFor(item: T): number {
    let [low, high] = [0, this.#items.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#compare(this.#items[middle] as T, item) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
