// Emits passing queries as events, with a limit per second and a count of those left out. Costs nothing without listeners.
import type { EventLog } from '../events/event-log.ts';
import type { QueryMonitor } from '../queries/query-monitor.ts';
import { queryView } from '../views/queries.ts';

/** Most events a second: one costs about as much as routing a query. */
const TOLD_PER_SECOND_MAX = 1_000;
const SLICE_MS = 100;
const SLICE_MAX = TOLD_PER_SECOND_MAX / (1000 / SLICE_MS);
const SLICES_PER_REPORT = 1000 / SLICE_MS;

export class QueryFeed {
  readonly #timer: NodeJS.Timeout;
  readonly #monitor: QueryMonitor;
  readonly #events: EventLog;
  #told = 0;
  #skipped = 0;
  #slices = 0;

  constructor(monitor: QueryMonitor, events: EventLog) {
    this.#monitor = monitor;
    this.#events = events;
    this.#timer = setInterval(() => this.slice(), SLICE_MS).unref();
    events.onHeard = () => {
      monitor.onNoted = events.hears('queries') ? this.#onNoted : null;
    };
    events.onHeard();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#events.onHeard = null;
    this.#monitor.onNoted = null;
  }

  /** Call every 100 ms. */
  slice(): void {
    this.#told = 0;
    if (++this.#slices < SLICES_PER_REPORT) return;
    this.#slices = 0;
    if (this.#events.hears('queries') && this.#skipped > 0)
      this.#events.tell('query.skipped', { queries: this.#skipped, seconds: 1 });
    this.#skipped = 0;
  }

  readonly #onNoted: NonNullable<QueryMonitor['onNoted']> = query => {
    if (this.#told >= SLICE_MAX) {
      this.#skipped++;
      return;
    }
    this.#told++;
    this.#events.tell('query.passed', queryView(this.#monitor.seen(query)));
  };
}
