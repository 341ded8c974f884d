// Logs internal errors that input from peers has triggered, with a limit on the rate.
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

  /** Logs a line with the stack, at most once a minute; the line counts those left out. */
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
