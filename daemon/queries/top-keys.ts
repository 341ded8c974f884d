// Finds the most frequent keys in bounded memory. Counts are never too low; `error` bounds how much they are too high.

export interface TopKey {
  key: string;
  count: number;
  /** Greatest possible excess of the count. */
  error: number;
}

interface Counted {
  count: number;
  error: number;
}

/** Space-saving algorithm in batches: holds up to 2 · `capacity` keys, then drops the rarer half. */
export class TopKeys {
  readonly #capacity: number;
  #counts = new Map<string, Counted>();
  /** Greatest count that a dropped key may have had. */
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
