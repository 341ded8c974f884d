// The most frequent of any number of keys in bounded memory: counts that are never too low, and by how much they may be too high.

export interface TopKey {
  key: string;
  count: number;
  /** The count is too high by no more than this. */
  error: number;
}

interface Counted {
  count: number;
  error: number;
}

/** Space-saving in batches: twice `capacity` keys are held, the rarer half is dropped at once. */
export class TopKeys {
  readonly #capacity: number;
  #counts = new Map<string, Counted>();
  /** What a key that was dropped may have had. */
  #floor = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  add(key: string, count: number, error = 0): void {
    const known = this.#counts.get(key);
    if (known !== undefined) {
      known.count += count;
      known.error += error;
      return;
    }
    this.#counts.set(key, { count: this.#floor + count, error: this.#floor + error });
    if (this.#counts.size >= 2 * this.#capacity) this.#drop();
  }

  merge(other: TopKeys): void {
    for (const [key, { count, error }] of other.#counts) this.add(key, count, error);
  }

  get size(): number {
    return this.#counts.size;
  }

  top(most: number): TopKey[] {
    return [...this.#counts]
      .map(([key, { count, error }]) => ({ key, count, error }))
      .sort((a, b) => b.count - a.count || (a.key < b.key ? -1 : 1))
      .slice(0, most);
  }

  #drop(): void {
    const sorted = [...this.#counts].sort(([, a], [, b]) => b.count - a.count);
    this.#floor = Math.max(this.#floor, sorted[this.#capacity]?.[1].count ?? 0);
    this.#counts = new Map(sorted.slice(0, this.#capacity));
  }
}
