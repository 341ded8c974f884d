// Asks two ways to find a content one after the other: the second only where the first has brought too few servents within its time. So the DHT spares
// the overlay a flood of queries.
import type { ContentLocator, WantedContent } from './content-locator.ts';
import { SOURCES_ENOUGH } from './source-search.ts';

/** Contents for which the second way may still be asked. */
const WAITING_MAX = 1_024;
/** For so long a content waits for the second way when that cannot be asked. */
const UNREADY_MS = 180_000;
const UNREADY_LOOK_MS = 1_000;

export interface LocatorStagesParts {
  readonly first: ContentLocator;
  readonly then: ContentLocator;
  /** Milliseconds that the first one has to itself. */
  readonly patienceMs: number;
}

interface Waiting {
  readonly wanted: WantedContent;
  readonly endsAt: number;
  /** When the second one is asked. */
  at: number;
  /** Ends what is under way. */
  readonly ends: (() => void)[];
}

export class LocatorStages implements ContentLocator {
  readonly #parts: LocatorStagesParts;
  readonly #waiting = new Set<Waiting>();
  /** Contents for which the second way was not needed. */
  spared = 0;

  constructor(parts: LocatorStagesParts) {
    this.#parts = parts;
  }

  get ready(): boolean {
    return this.#parts.first.ready || this.#parts.then.ready;
  }

  /** Contents for which the second way may still be asked. */
  get waiting(): number {
    return this.#waiting.size;
  }

  locate(wanted: WantedContent, now: number): (() => void) | null {
    const { first, then, patienceMs } = this.#parts;
    if (this.#waiting.size >= WAITING_MAX) return then.locate(wanted, now);
    const waiting: Waiting = { wanted, at: now + patienceMs, endsAt: now + patienceMs + UNREADY_MS, ends: [] };
    this.#waiting.add(waiting);
    const end = first.ready ? first.locate(wanted, now, (found, at) => this.#onFirst(waiting, found, at)) : null;
    if (end === null) {
      this.#waiting.delete(waiting);
      return then.locate(wanted, now);
    }
    waiting.ends.push(end);
    return () => {
      this.#waiting.delete(waiting);
      for (const each of waiting.ends) each();
    };
  }

  #onFirst(waiting: Waiting, found: number, now: number): void {
    if (!this.#waiting.has(waiting)) return;
    if (found < SOURCES_ENOUGH) this.#askThen(waiting, now);
    else {
      this.#waiting.delete(waiting);
      this.spared++;
    }
  }

  #askThen(waiting: Waiting, now: number): void {
    const { then } = this.#parts;
    if (!then.ready && now < waiting.endsAt) {
      waiting.at = now + UNREADY_LOOK_MS;
      return;
    }
    this.#waiting.delete(waiting);
    const end = then.ready ? then.locate(waiting.wanted, now) : null;
    if (end !== null) waiting.ends.push(end);
  }

  tick(now: number): number {
    let nextAt = Number.POSITIVE_INFINITY;
    for (const waiting of this.#waiting) {
      if (waiting.at <= now) this.#askThen(waiting, now);
      if (this.#waiting.has(waiting)) nextAt = Math.min(nextAt, waiting.at);
    }
    return nextAt;
  }
}
