// Calls a tick function at the deadlines that it returns.
import type { Clock } from './clock.ts';

const WAIT_MIN_MS = 1;
const WAIT_MAX_MS = 60_000;

export class Ticker {
  readonly #clock: Clock;
  readonly #tick: (now: number) => number;
  #timer: NodeJS.Timeout;
  #turn: NodeJS.Immediate | null = null;

  /** `tick` does what is due at `now` and returns the time of the next call; both in ms of `clock`. Waits are 1 ms to 60 s. */
  constructor(clock: Clock, tick: (now: number) => number) {
    this.#clock = clock;
    this.#tick = tick;
    this.#timer = setTimeout(this.#due, WAIT_MIN_MS).unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
    if (this.#turn !== null) clearImmediate(this.#turn);
  }

  /** Lets pending input be read before the tick: after a stall, data that arrived in time must not count as late. */
  readonly #due = (): void => {
    this.#turn = setImmediate(this.#run).unref();
  };

  readonly #run = (): void => {
    const now = this.#clock.now();
    const waitMs = Math.min(Math.max(this.#tick(now) - now, WAIT_MIN_MS), WAIT_MAX_MS);
    this.#timer = setTimeout(this.#due, waitMs).unref();
  };
}
