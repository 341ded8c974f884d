// Which caches we know, when each may be asked again, and which is asked next. Pure: the daemon stores the records.
import type { Random } from '../ports.ts';

/** One cache as stored. Times are milliseconds since 1970, 0 for never. */
export interface CacheRecord {
  /** URL of a GWebCache, HOST:PORT of a UDP host cache. */
  readonly address: string;
  askedAt: number;
  answeredAt: number;
  /** In a row. */
  failures: number;
}

export interface CachePolicy {
  /** Between two requests to one cache. */
  readonly perCacheMs: number;
  /** Between two requests to any of them. */
  readonly overallMs: number;
  /** After a failure; doubled with each further one, up to 30 days. */
  readonly failedMs: number;
  /** A cache that failed is not asked again in this run, whatever the time. */
  readonly forgetFailed: boolean;
  /** Of those heard of; configured ones always have their place. */
  readonly heardMax: number;
}

const HOUR_MS = 3_600_000;
const RETRY_MAX_MS = 30 * 24 * HOUR_MS;

/** What the operators of GWebCaches ask for. */
export const POLITE_WEB: CachePolicy = {
  perCacheMs: HOUR_MS,
  overallMs: HOUR_MS,
  failedMs: HOUR_MS,
  forgetFailed: true,
  heardMax: 200,
};

/** gtk-gnutella asks one cache every 180 s, LimeWire every 10 min and drops it after 5 failures. */
export const POLITE_UDP: CachePolicy = {
  perCacheMs: 10 * 60_000,
  overallMs: 20_000,
  failedMs: 10 * 60_000,
  forgetFailed: false,
  heardMax: 100,
};

/** For one's own caches in a lab: as often as a person would wait for. */
export const LAB_CACHES: CachePolicy = {
  perCacheMs: 2_000,
  overallMs: 500,
  failedMs: 2_000,
  forgetFailed: false,
  heardMax: 0,
};
/** Failures double the wait up to this many times in a lab; its caches come and go by hand. */
const LAB_DOUBLINGS = 3;

export class CacheBook {
  readonly #policy: CachePolicy;
  readonly #random: Random;
  /** Configured ones and at most heardMax others. */
  readonly #caches = new Map<string, CacheRecord>();
  readonly #configured: ReadonlySet<string>;
  readonly #failedNow = new Set<string>();
  /** Of any; from the records after a restart, so that none makes us ask twice in an hour. */
  #askedAt = 0;
  /** Grows with every change: store the records when it has moved. */
  revision = 0;

  constructor(configured: readonly string[], policy: CachePolicy, random: Random) {
    this.#policy = policy;
    this.#random = random;
    this.#configured = new Set(configured);
    for (const address of this.#configured) this.#caches.set(address, fresh(address));
  }

  get size(): number {
    return this.#caches.size;
  }

  /** Another cache, named by one that answered. False when there is no room, or it is known. */
  heard(address: string): boolean {
    const others = this.#caches.size - this.#configured.size;
    if (this.#caches.has(address) || others >= this.#policy.heardMax) return false;
    this.#caches.set(address, fresh(address));
    this.revision++;
    return true;
  }

  /** A random one of those that may be asked now, or null. */
  next(now: number): string | null {
    const { overallMs } = this.#policy;
    if (ahead(this.#askedAt + overallMs, now, overallMs)) return null;
    const due = [...this.#caches.values()].filter(({ address }) => this.due(address, now));
    return due[this.#random.below(Math.max(due.length, 1))]?.address ?? null;
  }

  /** Whether this one may be asked now, the others aside. */
  due(address: string, now: number): boolean {
    const record = this.#caches.get(address);
    if (record === undefined) return false;
    if (this.#policy.forgetFailed && this.#failedNow.has(record.address)) return false;
    const waitMs = this.#waitMs(record);
    return !ahead(record.askedAt + waitMs, now, waitMs);
  }

  #waitMs({ failures }: CacheRecord): number {
    const { perCacheMs, failedMs, heardMax } = this.#policy;
    if (failures === 0) return perCacheMs;
    const doublings = Math.min(failures - 1, heardMax === 0 ? LAB_DOUBLINGS : 20);
    return Math.max(perCacheMs, Math.min(failedMs * 2 ** doublings, RETRY_MAX_MS));
  }

  asked(address: string, now: number): void {
    this.#askedAt = now;
    const record = this.#change(address);
    if (record !== null) record.askedAt = now;
  }

  answered(address: string, now: number): void {
    const record = this.#change(address);
    if (record === null) return;
    record.answeredAt = now;
    record.failures = 0;
  }

  failed(address: string): void {
    this.#failedNow.add(address);
    const record = this.#change(address);
    if (record !== null) record.failures++;
    // one that somebody named and that never worked is not worth its place
    if (record?.answeredAt === 0 && record.failures > FAILURES_MAX && !this.#configured.has(address))
      this.#caches.delete(address);
  }

  /** One that answered properly, to be named to another; null when there is none. */
  good(except: string): string | null {
    const good = [...this.#caches.values()].filter(
      ({ address, answeredAt, failures }) => address !== except && answeredAt > 0 && failures === 0,
    );
    return good[this.#random.below(Math.max(good.length, 1))]?.address ?? null;
  }

  toRecords(): CacheRecord[] {
    return Array.from(this.#caches.values(), record => ({ ...record }));
  }

  /** Before the first question: what earlier runs knew. */
  fromRecords(records: Iterable<CacheRecord>): void {
    for (const record of records) {
      this.#askedAt = Math.max(this.#askedAt, record.askedAt);
      if (this.#caches.has(record.address) || this.heard(record.address))
        this.#caches.set(record.address, { ...record });
    }
  }

  #change(address: string): CacheRecord | null {
    this.revision++;
    return this.#caches.get(address) ?? null;
  }
}

const FAILURES_MAX = 5;

function fresh(address: string): CacheRecord {
  return { address, askedAt: 0, answeredAt: 0, failures: 0 };
}

/** Whether `until` lies ahead; not when it is farther than it ever was set: then the clock was turned back. */
function ahead(until: number, now: number, longestMs: number): boolean {
  return until > now && until - now <= longestMs;
}
