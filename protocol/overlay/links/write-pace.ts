// When links may be written: at once while all that is sent costs little, gathered for a moment once it is dear.

/** What writing costs in time of a processor, and how much of that time it may take. */
export interface WriteCosts {
  /** A write, nearly all of it the kernel's, whatever its size. */
  readonly writeUs: number;
  /** A frame in it: its share of reading and routing. */
  readonly frameUs: number;
  /** What may be spent in each millisecond while links are written at once. */
  readonly usPerMs: number;
  /** What may be spent beyond that after a quiet time. */
  readonly burstUs: number;
  /** From one round of writes to the next at most, whatever it costs. */
  readonly waitMsMax: number;
}

/** As measured at 2.8 GHz. At once up to a third of a processor: 1,000 queries a second to 30 links. */
export const PLAIN_WRITES: WriteCosts = { writeUs: 7, frameUs: 2.5, usPerMs: 333, burstUs: 666, waitMsMax: 2 };
/** Of compressed links. The more is in a write, the better it compresses too. */
export const DEFLATED_WRITES: WriteCosts = { ...PLAIN_WRITES, writeUs: 35 };

/**
 * A leaky bucket of processor time. Frames take from it as writes do, so that of heavy traffic less is left for writes:
 * they are made less often and hold more. The bound on waiting bounds how late this makes a query.
 */
export class WritePace {
  readonly #costs: WriteCosts;
  /** When what was written so far is paid for. */
  #paidAt = Number.NEGATIVE_INFINITY;

  constructor(costs: WriteCosts) {
    this.#costs = costs;
  }

  /** Milliseconds from `now` to the next round of writes; 0: at once. */
  waitMs(now: number): number {
    const { burstUs, usPerMs } = this.#costs;
    return Math.max(0, this.#paidAt - now - burstUs / usPerMs);
  }

  /** A round is over: so many writes, with so many frames in all. */
  wrote(writes: number, frames: number, now: number): void {
    const { writeUs, frameUs, usPerMs, burstUs, waitMsMax } = this.#costs;
    const paidAt = Math.max(this.#paidAt, now) + (writes * writeUs + frames * frameUs) / usPerMs;
    this.#paidAt = Math.min(paidAt, now + burstUs / usPerMs + waitMsMax);
  }
}
