// GCRA, the leaky bucket that needs one number per subject: the theoretical arrival time of its next event.

/** A rate: `burst` events at once, then one each `intervalMs`. The caller keeps the state of each subject. */
export class RateLimit {
  readonly intervalMs: number;
  readonly #toleranceMs: number;

  constructor(intervalMs: number, burst: number) {
    this.intervalMs = intervalMs;
    this.#toleranceMs = (burst - 1) * intervalMs;
  }

  /**
   * `due` is what the last admitted event of the subject returned, -Infinity or 0 before the first. Returns the new
   * `due`, or -1 when the event comes too soon: then the old one stays valid. `now` must not be negative. An event of
   * another `weight` counts as so many, or as such a part of one; it should not be above the burst.
   */
  admit(due: number, now: number, weight = 1): number {
    if (now < this.admitsAt(due) + (weight - 1) * this.intervalMs) return -1; // as admitsAt says, to the last fraction
    return Math.max(due, now) + weight * this.intervalMs;
  }

  /** A subject may have used up so many milliseconds beyond now: after a pause of that length it is as if it had never been seen. */
  get horizonMs(): number {
    return this.#toleranceMs + this.intervalMs;
  }

  /** When an event is admitted again. */
  admitsAt(due: number): number {
    return due - this.#toleranceMs;
  }
}

/** Applies one rate to each of many keys, such as addresses: bounded, the longest silent ones are forgotten. */
export class KeyedRateLimit {
  /** May be replaced: what a key has used up, in time, counts on. */
  limit: RateLimit;
  readonly #keysMax: number;
  /** Two generations of at most keysMax / 2 each, made with the first key. */
  #young: Map<string, number> | null = null;
  #old: Map<string, number> | null = null;
  /** When the young ones have become as if they had never been seen, at the latest. */
  #youngUntil = 0;
  #oldUntil = 0;
  #youngSince = 0;

  constructor(limit: RateLimit, keysMax: number) {
    this.limit = limit;
    this.#keysMax = keysMax;
  }

  get size(): number {
    return (this.#young?.size ?? 0) + (this.#old?.size ?? 0);
  }

  #dueOf(key: string): number {
    return this.#young?.get(key) ?? this.#old?.get(key) ?? 0;
  }

  /** When an event of that key is admitted again; not after now, it may come at once. */
  admitsAt(key: string): number {
    return this.limit.admitsAt(this.#dueOf(key));
  }

  admit(key: string, now: number): boolean {
    const due = this.limit.admit(this.#dueOf(key), now);
    if (due < 0) return false;
    this.#age(now);
    this.#young ??= new Map();
    this.#young.set(key, due);
    this.#youngUntil = Math.max(this.#youngUntil, due);
    return true;
  }

  /** Keys that have nothing used up any more go with their generation, so that the memory follows the rate of new keys. */
  #age(now: number): void {
    const isFull = (this.#young?.size ?? 0) >= this.#keysMax / 2;
    if (!isFull && (now < this.#oldUntil || now < this.#youngSince + this.limit.horizonMs)) return;
    this.#old = this.#young;
    this.#oldUntil = this.#youngUntil;
    this.#young = null;
    this.#youngSince = now;
    this.#youngUntil = 0;
  }
}
