// Schedules the writes of links: at the end of the turn or, when the write pace requires it, together by one timer.
import { type WriteCosts, WritePace } from '../../protocol/overlay/links/write-pace.ts';

export interface Flushable {
  /** Returns the number of frames written. */
  flush(): number;
}

/** How the pacer waits. */
export interface PacerTimers {
  setImmediate(round: () => void): unknown;
  setTimeout(round: () => void, ms: number): unknown;
}

export class FlushPacer {
  readonly #pace: WritePace;
  readonly #now: () => number;
  readonly #timers: PacerTimers;
  /** Links that asked since the last round; each at most once. */
  #pending: Flushable[] = [];
  #spare: Flushable[] = [];
  #scheduled = false;
  rounds = 0;

  /** `now` in milliseconds with fractions. */
  constructor(costs: WriteCosts, now: () => number, timers: PacerTimers = globalThis) {
    this.#pace = new WritePace(costs);
    this.#now = now;
    this.#timers = timers;
  }

  /** Has flush() called once, in a later turn, as soon as the pace allows it. */
  schedule(item: Flushable): void {
    this.#pending.push(item);
    if (this.#scheduled) return;
    this.#scheduled = true;
    const waitMs = this.#pace.waitMs(this.#now());
    if (waitMs === 0) this.#timers.setImmediate(this.#round);
    else this.#timers.setTimeout(this.#round, Math.round(waitMs)); // Node.js rounds waits below 1 ms up to 1 ms
  }

  readonly #round = (): void => {
    const items = this.#pending;
    this.#pending = this.#spare; // a link that asks during the round is served in the next one
    this.#spare = items;
    this.#scheduled = false;
    this.rounds++;
    let frames = 0;
    for (const item of items) frames += item.flush();
    this.#pace.wrote(items.length, frames, this.#now());
    items.length = 0;
  };
}
