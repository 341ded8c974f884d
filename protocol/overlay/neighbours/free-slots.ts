// Leaf slots that ultrapeers say are free, out of their pongs: how short the network is, and where there is room.
import { type Endpoint, formatEndpoint } from '../../wire/endpoint.ts';

/** The one heard of longest ago gives way. */
const ULTRAPEERS_MAX = 256;

interface Said {
  readonly endpoint: Endpoint;
  readonly free: number;
  readonly at: number;
}

export class FreeSlots {
  readonly #lifeMs: number;
  /** By "host:port", oldest first; at most ULTRAPEERS_MAX. */
  readonly #said = new Map<string, Said>();

  /** What was said is believed for `lifeMs`. */
  constructor(lifeMs: number) {
    this.#lifeMs = lifeMs;
  }

  get lifeMs(): number {
    return this.#lifeMs;
  }

  note(endpoint: Endpoint, free: number, now: number): void {
    const key = formatEndpoint(endpoint);
    const known = this.#said.get(key)?.endpoint ?? endpoint; // which the host cache may share
    this.#said.delete(key);
    this.#said.set(key, { endpoint: known, free, at: now });
    if (this.#said.size <= ULTRAPEERS_MAX) return;
    const oldest = this.#said.keys().next();
    if (!oldest.done) this.#said.delete(oldest.value);
  }

  /** It has no leaves any more, or is gone. */
  forget(endpoint: Endpoint): void {
    this.#said.delete(formatEndpoint(endpoint));
  }

  /** Null when it has not said lately. */
  of(endpoint: Endpoint, now: number): number | null {
    const said = this.#said.get(formatEndpoint(endpoint));
    return said === undefined || now - said.at > this.#lifeMs ? null : said.free;
  }

  /** Of all that said so lately. */
  total(now: number): number {
    let total = 0;
    for (const { free, at } of this.#said.values()) if (now - at <= this.#lifeMs) total += free;
    return total;
  }

  /** Who has most room, of those not excluded; null when none has any. */
  roomiest(now: number, exclude: (endpoint: Endpoint) => boolean): { endpoint: Endpoint; free: number } | null {
    let best: Said | null = null;
    for (const said of this.#said.values()) {
      if (now - said.at > this.#lifeMs || said.free <= (best?.free ?? 0) || exclude(said.endpoint)) continue;
      best = said;
    }
    return best === null ? null : { endpoint: best.endpoint, free: best.free };
  }
}
