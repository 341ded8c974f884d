// Calls a machine at the deadlines that it asks for: the shell's side of tick().
import type { Clock } from '../protocol/ports.ts';

const WAIT_MIN_MS = 1;
const WAIT_MAX_MS = 60_000;

export class Ticker {
  readonly #clock: Clock;
  readonly #tick: (now: number) => number;
  #timer: NodeJS.Timeout;

  /** `tick` does what is due at `now` and returns when to be called again, on the same scale. */
  constructor(clock: Clock, tick: (now: number) => number) {
    this.#clock = clock;
    this.#tick = tick;
    this.#timer = setTimeout(this.#run, WAIT_MIN_MS).unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  readonly #run = (): void => {
    const now = this.#clock.now();
    const waitMs = Math.min(Math.max(this.#tick(now) - now, WAIT_MIN_MS), WAIT_MAX_MS);
    this.#timer = setTimeout(this.#run, waitMs).unref();
  };
}
