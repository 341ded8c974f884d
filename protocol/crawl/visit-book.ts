// Remembers when each host was asked, and which want no crawlers, so that no host is asked too often.
import { type Endpoint, endpointKey, ownerOf } from '../wire/endpoint.ts';
import { OPT_OUT_MS } from './crawl-rules.ts';

/** A host, when it was asked, and whether it wants no crawlers. Times are milliseconds since 1970. */
export type Visit = readonly [host: string, at: number, optedOut: boolean];

const VISITS_MAX = 100_000;
/** A visit that lies further ahead was written with a wrong clock. */
const AHEAD_MS = 3_600_000;

export class VisitBook {
  readonly #againMs: number;
  readonly #visitsMax: number;
  /** By HOST:PORT, the longest unvisited first. */
  readonly #visits = new Map<string, number>();
  /** By owner: all ports of a public address. */
  readonly #optedOut = new Map<string, number>();

  constructor(againMs: number, visits: Iterable<Visit> = [], visitsMax = VISITS_MAX) {
    this.#againMs = againMs;
    this.#visitsMax = visitsMax;
    for (const [host, at, optedOut] of visits) this.#put(optedOut ? this.#optedOut : this.#visits, host, at);
  }

  get size(): number {
    return this.#visits.size + this.#optedOut.size;
  }

  /** Why the host is left alone, or null. */
  forbids(endpoint: Endpoint, wallTime: number): 'opted_out' | 'recently' | null {
    if (isFresh(this.#optedOut.get(ownerOf(endpoint)), OPT_OUT_MS, wallTime)) return 'opted_out';
    return isFresh(this.#visits.get(endpointKey(endpoint)), this.#againMs, wallTime) ? 'recently' : null;
  }

  asked(endpoint: Endpoint, wallTime: number): void {
    this.#put(this.#visits, endpointKey(endpoint), wallTime);
  }

  optedOut(endpoint: Endpoint, wallTime: number): void {
    this.#put(this.#optedOut, ownerOf(endpoint), wallTime);
  }

  /** What is still of use. */
  *visits(wallTime: number): Generator<Visit> {
    for (const [host, at] of this.#visits) if (isFresh(at, this.#againMs, wallTime)) yield [host, at, false];
    for (const [host, at] of this.#optedOut) if (isFresh(at, OPT_OUT_MS, wallTime)) yield [host, at, true];
  }

  #put(map: Map<string, number>, key: string, at: number): void {
    const latest = Math.max(at, map.get(key) ?? at);
    map.delete(key);
    map.set(key, latest);
    const [oldest] = map.keys();
    if (map.size > this.#visitsMax && oldest !== undefined) map.delete(oldest);
  }
}

const isFresh = (at: number | undefined, forMs: number, wallTime: number): boolean =>
  at !== undefined && wallTime - at < forMs && at - wallTime < AHEAD_MS;
