// Has links written when the pace allows it: at the end of the turn, or together by one timer.
import { type WriteCosts, WritePace } from '../../protocol/overlay/links/write-pace.ts';

export interface Flushable {
  /** How many frames it wrote. */
  flush(): number;
}

export class FlushPacer {
  readonly #pace: WritePace;
  readonly #now: () => number;
  /** What asked since the last round: at most every link once. */
  #pending: Flushable[] = [];
  #spare: Flushable[] = [];
  #scheduled = false;
  rounds = 0;

  /** `now` in milliseconds with fractions. */
  constructor(costs: WriteCosts, now: () => number) {
    this.#pace = new WritePace(costs);
    this.#now = now;
  }

  /** flush() will be called once, as soon as the pace allows it but not in this turn. Ask again after that. */
  schedule(item: Flushable): void {
    this.#pending.push(item);
    if (this.#scheduled) return;
    this.#scheduled = true;
    const waitMs = this.#pace.waitMs(this.#now());
    if (waitMs === 0) setImmediate(this.#round);
    else setTimeout(this.#round, Math.round(waitMs)); // of less than 1 ms Node makes 1
  }

  readonly #round = (): void => {
    const items = this.#pending;
    this.#pending = this.#spare; // who asks again during the round waits for the next one
    this.#spare = items;
    this.#scheduled = false;
    this.rounds++;
    let frames = 0;
    for (const item of items) frames += item.flush();
    this.#pace.wrote(items.length, frames, this.#now());
    items.length = 0;
  };
}
