// Which caches we know, when each may be asked again, and in which order. Pure: the daemon stores the records.
import type { Random } from '../ports.ts';

/** One cache as stored. Times are milliseconds since 1970, 0 for never. */
export interface CacheRecord {
  /** URL of a GWebCache, HOST:PORT of a UDP host cache. */
  readonly address: string;
  askedAt: number;
  answeredAt: number;
  /** In a row. */
  failures: number;
  /** Not to be asked again for so long after askedAt. Missing in records of earlier versions. */
  waitMs?: number;
}

export interface CachePolicy {
  /** Between two questions to one cache. */
  readonly perCacheMs: number;
  /** Between two questions to any of them. */
  readonly overallMs: number;
  /** After an answer, before another is asked. One's own neither wait for others nor make them wait. */
  readonly overallAnsweredMs: number;
  /** After a failure; doubled with each further one up to failedMaxMs. */
  readonly failedMs: number;
  readonly failedMaxMs: number;
  /** After a question that never reached the cache (no such name, no route), which cost it nothing. */
  readonly unreachedMs: number;
  /** Of those heard of; configured ones always have their place. */
  readonly heardMax: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/**
 * Operators of GWebCaches ask for one question an hour, and for longer after a failure. The bound is a day, so that a
 * servent without network for a week asks again soon after it is back.
 */
export const POLITE_WEB: CachePolicy = {
  perCacheMs: HOUR_MS,
  overallMs: MINUTE_MS,
  overallAnsweredMs: HOUR_MS,
  failedMs: HOUR_MS,
  failedMaxMs: 24 * HOUR_MS,
  unreachedMs: 3 * MINUTE_MS,
  heardMax: 200,
};

/** gtk-gnutella asks one cache every 180 s; that UDP is not answered says little, so failures change nothing. */
export const POLITE_UDP: CachePolicy = {
  perCacheMs: 3 * MINUTE_MS,
  overallMs: 1_000,
  overallAnsweredMs: 0,
  failedMs: 3 * MINUTE_MS,
  failedMaxMs: 3 * MINUTE_MS,
  unreachedMs: MINUTE_MS / 2,
  heardMax: 100,
};

/** For one's own caches in a lab: as often as a person would wait for. */
export const LAB_CACHES: CachePolicy = {
  perCacheMs: 2_000,
  overallMs: 500,
  overallAnsweredMs: 0,
  failedMs: 2_000,
  failedMaxMs: 8_000,
  unreachedMs: 2_000,
  heardMax: 0,
};

/** A cache that was only heard of and never answered loses its place after more failures. */
const FAILURES_MAX = 5;

/** Addresses to begin with. */
export interface Configured {
  /** Named by the person who runs the servent: asked before all others. */
  readonly own: readonly string[];
  readonly wellKnown: readonly string[];
}

export class CacheBook {
  readonly #policy: CachePolicy;
  readonly #random: Random;
  /** Configured ones and at most heardMax others. */
  readonly #caches = new Map<string, CacheRecord>();
  readonly #own: ReadonlySet<string>;
  readonly #configured: ReadonlySet<string>;
  /** Of any of them; from the records after a restart. */
  #askedAt = 0;
  /** Of any but one's own. */
  #answeredAt = 0;
  /** Grows with every change: store the records when it has moved. */
  revision = 0;

  constructor({ own, wellKnown }: Configured, policy: CachePolicy, random: Random) {
    this.#policy = policy;
    this.#random = random;
    this.#own = new Set(own);
    this.#configured = new Set([...own, ...wellKnown]);
    for (const address of this.#configured) this.#caches.set(address, fresh(address));
  }

  get size(): number {
    return this.#caches.size;
  }

  isOwn(address: string): boolean {
    return this.#own.has(address);
  }

  isConfigured(address: string): boolean {
    return this.#configured.has(address);
  }

  /** Another cache, named by one that answered. False when there is no room, or it is known. */
  heard(address: string): boolean {
    const others = this.#caches.size - this.#configured.size;
    if (this.#caches.has(address) || others >= this.#policy.heardMax) return false;
    this.#caches.set(address, fresh(address));
    this.revision++;
    return true;
  }

  /** All of them in the order to ask: one's own, then those not asked for longest; configured before heard of, else at random. */
  inTurn(): string[] {
    const ranked = [...this.#caches.values()].map(({ address, askedAt }) => ({
      ...{ address, askedAt },
      own: this.#own.has(address) ? 0 : 1,
      heard: this.#configured.has(address) ? 0 : 1,
      chance: this.#random.below(0x1_0000_0000),
    }));
    ranked.sort((a, b) => a.own - b.own || a.askedAt - b.askedAt || a.heard - b.heard || a.chance - b.chance);
    return ranked.map(({ address }) => address);
  }

  /** A random one of those that may be asked now, or null. */
  next(now: number): string | null {
    const due = [...this.#caches.keys()].filter(address => this.dueAt(address, now) <= now);
    return due[this.#random.below(Math.max(due.length, 1))] ?? null;
  }

  /** Whether this one may be asked now, the others aside. */
  due(address: string, now: number): boolean {
    return this.#ownDueAt(address, now) <= now;
  }

  /** When this one may be asked: `now` or later, infinite for one that is not known. */
  dueAt(address: string, now: number): number {
    const { overallMs, overallAnsweredMs } = this.#policy;
    const held = this.#own.has(address) ? now : waitEnds(this.#answeredAt, overallAnsweredMs, now);
    return Math.max(this.#ownDueAt(address, now), waitEnds(this.#askedAt, overallMs, now), held);
  }

  /** When the first of them may be asked; infinite when there is none. */
  firstDueAt(now: number): number {
    let first = Number.POSITIVE_INFINITY;
    for (const address of this.#caches.keys()) first = Math.min(first, this.dueAt(address, now));
    return first;
  }

  #ownDueAt(address: string, now: number): number {
    const record = this.#caches.get(address);
    if (record === undefined) return Number.POSITIVE_INFINITY;
    return waitEnds(record.askedAt, record.waitMs ?? this.#policy.perCacheMs, now);
  }

  asked(address: string, now: number): void {
    this.#askedAt = now;
    const record = this.#change(address);
    if (record === null) return;
    record.askedAt = now;
    record.waitMs = this.#policy.perCacheMs;
  }

  answered(address: string, now: number): void {
    if (!this.#own.has(address)) this.#answeredAt = now;
    const record = this.#change(address);
    if (record === null) return;
    record.answeredAt = now;
    record.failures = 0;
    record.waitMs = this.#policy.perCacheMs;
  }

  /** `reached`: the question may have arrived. One that did not, as without a network, says nothing of the cache. */
  failed(address: string, reached: boolean): void {
    const record = this.#change(address);
    if (record === null) return;
    const { perCacheMs, failedMs, failedMaxMs, unreachedMs } = this.#policy;
    record.waitMs = unreachedMs;
    if (!reached) return;
    record.failures++;
    const failed = Math.min(failedMs * 2 ** Math.min(record.failures - 1, 30), failedMaxMs);
    record.waitMs = Math.max(perCacheMs, failed);
    if (record.answeredAt === 0 && record.failures > FAILURES_MAX && !this.#configured.has(address))
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
      if (!this.#own.has(record.address)) this.#answeredAt = Math.max(this.#answeredAt, record.answeredAt);
      if (this.#caches.has(record.address) || this.heard(record.address))
        this.#caches.set(record.address, { ...record });
    }
  }

  #change(address: string): CacheRecord | null {
    this.revision++;
    return this.#caches.get(address) ?? null;
  }
}

function fresh(address: string): CacheRecord {
  return { address, askedAt: 0, answeredAt: 0, failures: 0 };
}

/** `now` when the wait is over, or ends farther ahead than it ever was set: then the clock was turned back. */
function waitEnds(since: number, waitMs: number, now: number): number {
  const at = since + waitMs;
  return at > now && at - now <= waitMs ? at : now;
}
