// Emits log lines as events, with a limit per second and a count of those left out. Costs nothing without listeners.
import type { EventLog } from '../events/event-log.ts';
import type { LogTail } from '../log-tail.ts';

const TOLD_PER_SECOND_MAX = 500;
const SECOND_MS = 1_000;

export class LogFeed {
  readonly #unfollow: () => void;
  readonly #timer: NodeJS.Timeout;
  readonly #events: Pick<EventLog, 'hears' | 'tell'>;
  #told = 0;
  #skipped = 0;

  constructor(tail: LogTail, events: Pick<EventLog, 'hears' | 'tell'>) {
    this.#events = events;
    this.#timer = setInterval(() => this.second(), SECOND_MS).unref();
    this.#unfollow = tail.follow(line => {
      if (!events.hears('log')) return;
      if (this.#told++ < TOLD_PER_SECOND_MAX) events.tell('log.line', line());
      else this.#skipped++;
    });
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#unfollow();
  }

  /** Call every second. */
  second(): void {
    if (this.#skipped > 0) this.#events.tell('log.skipped', { lines: this.#skipped, seconds: 1 });
    this.#told = 0;
    this.#skipped = 0;
  }
}
