// Bugs of ours that what others send brings to light: the daemon lives on, and says so, but not as often as they like.
import type { Log } from '../log.ts';

const LINE_MS = 60_000;

export class FaultLog {
  readonly #log: Log;
  readonly #now: () => number;
  readonly #message: string;
  #saidAt = Number.NEGATIVE_INFINITY;
  #unsaid = 0;

  constructor(log: Log, now: () => number, message: string) {
    this.#log = log;
    this.#now = now;
    this.#message = message;
  }

  /** A line with the stack, at most one a minute; it tells how many had none. */
  note(err: unknown, context: Readonly<Record<string, unknown>> = {}): void {
    const now = this.#now();
    if (now - this.#saidAt < LINE_MS) {
      this.#unsaid++;
      return;
    }
    this.#log.error({ err, ...context, unsaid: this.#unsaid }, this.#message);
    this.#saidAt = now;
    this.#unsaid = 0;
  }
}
