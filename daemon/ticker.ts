// Calls a machine at the deadlines that it asks for: the shell's side of tick().
import type { Clock } from '../protocol/ports.ts';

const WAIT_MIN_MS = 1;
const WAIT_MAX_MS = 60_000;

export class Ticker {
  readonly #clock: Clock;
  readonly #tick: (now: number) => number;
  #timer: NodeJS.Timeout;
  #turn: NodeJS.Immediate | null = null;

  /** `tick` does what is due at `now` and returns when to be called again, on the same scale. */
  constructor(clock: Clock, tick: (now: number) => number) {
    this.#clock = clock;
    this.#tick = tick;
    this.#timer = setTimeout(this.#due, WAIT_MIN_MS).unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
    if (this.#turn !== null) clearImmediate(this.#turn);
  }

  /** After a stall what has arrived meanwhile is read first: nobody is late for having been read late. */
  readonly #due = (): void => {
    this.#turn = setImmediate(this.#run).unref();
  };

  readonly #run = (): void => {
    const now = this.#clock.now();
    const waitMs = Math.min(Math.max(this.#tick(now) - now, WAIT_MIN_MS), WAIT_MAX_MS);
    this.#timer = setTimeout(this.#due, waitMs).unref();
  };
}
