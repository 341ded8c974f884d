// When links write: at once while traffic is light, together once an interval while it is heavy. One timer for all links.

export interface Flushable {
  flush(): void;
}

/**
 * A write costs about 6 µs whatever its size, so a frame a write is what a busy ultrapeer cannot afford: 10,000 queries a
 * second to 30 links are 300,000 writes one by one and 30,000 when each millisecond's frames leave together.
 */
export class FlushPacer {
  readonly #intervalMs: number;
  readonly #now: () => number;
  /** What asked since the last round: at most every link once. */
  #pending: Flushable[] = [];
  #spare: Flushable[] = [];
  #scheduled = false;
  #lastRoundAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | null = null;
  rounds = 0;

  /** `now` in milliseconds with fractions. */
  constructor(intervalMs: number, now: () => number) {
    this.#intervalMs = intervalMs;
    this.#now = now;
  }

  /** flush() will be called once: at the end of this turn, or an interval after the last round. Ask again after that. */
  schedule(item: Flushable): void {
    this.#pending.push(item);
    if (this.#scheduled) return;
    this.#scheduled = true;
    if (this.#now() - this.#lastRoundAt >= this.#intervalMs) setImmediate(this.#round);
    else if (this.#timer === null) this.#timer = setTimeout(this.#round, this.#intervalMs);
    else this.#timer.refresh();
  }

  readonly #round = (): void => {
    const items = this.#pending;
    this.#pending = this.#spare; // who asks again during the round waits for the next one
    this.#spare = items;
    this.#scheduled = false;
    this.#lastRoundAt = this.#now();
    this.rounds++;
    for (const item of items) item.flush();
    items.length = 0;
  };
}
