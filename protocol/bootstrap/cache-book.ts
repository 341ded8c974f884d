// The known caches of one kind: when each may be asked again, and in which order. Pure: the daemon stores the records.
import { LazyMap } from '../lazy-map.ts';
import { LazySet } from '../lazy-set.ts';
import type { Random } from '../ports.ts';

/** One cache as stored. Times are milliseconds since 1970, 0 for never. */
export interface CacheRecord {
  /** URL of a GWebCache, HOST:PORT of a UDP host cache. */
  readonly address: string;
  askedAt: number;
  answeredAt: number;
  /** In a row. */
  failures: number;
  /** Wait after askedAt. Missing in records of earlier versions. */
  waitMs?: number;
}

export interface CachePolicy {
  /** Between two requests to one cache. */
  readonly perCacheMs: number;
  /** Between two requests to any cache. */
  readonly overallMs: number;
  /** After an answer, before another cache is asked. Does not apply to the user's own caches, nor after their answers. */
  readonly overallAnsweredMs: number;
  /** After a failure; doubled with each further one up to failedMaxMs. */
  readonly failedMs: number;
  readonly failedMaxMs: number;
  /** After a request that did not reach the cache (no such name, no route). */
  readonly unreachedMs: number;
  /** Learnt caches kept; configured ones do not count. */
  readonly learntMax: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/**
 * Operators of GWebCaches ask for one request an hour, and longer waits after failures. The wait is at most a day, so that
 * a servent that was offline for a week asks again soon.
 */
export const POLITE_WEB: CachePolicy = {
  perCacheMs: HOUR_MS,
  overallMs: MINUTE_MS,
  overallAnsweredMs: HOUR_MS,
  failedMs: HOUR_MS,
  failedMaxMs: 24 * HOUR_MS,
  unreachedMs: 3 * MINUTE_MS,
  learntMax: 200,
};

/** gtk-gnutella asks one cache every 180 s. Failures do not lengthen the wait, as datagrams get lost. */
export const POLITE_UDP: CachePolicy = {
  perCacheMs: 3 * MINUTE_MS,
  overallMs: 1_000,
  overallAnsweredMs: 0,
  failedMs: 3 * MINUTE_MS,
  failedMaxMs: 3 * MINUTE_MS,
  unreachedMs: MINUTE_MS / 2,
  learntMax: 100,
};

/** For the user's own caches in a private network. */
export const LOCAL_CACHES: CachePolicy = {
  perCacheMs: 2_000,
  overallMs: 500,
  overallAnsweredMs: 0,
  failedMs: 2_000,
  failedMaxMs: 8_000,
  unreachedMs: 2_000,
  learntMax: 0,
};

/** A learnt cache that has never answered is removed after more failures. */
const FAILURES_MAX = 5;

/** Configured addresses. */
export interface Configured {
  /** Named by the user; asked before all others. */
  readonly own: readonly string[];
  readonly wellKnown: readonly string[];
}

export class CacheBook {
  readonly #policy: CachePolicy;
  readonly #random: Random;
  /** Configured caches and at most learntMax others. */
  readonly #caches = new LazyMap<string, CacheRecord>();
  readonly #own: readonly string[];
  readonly #configured = new LazySet<string>();
  /** When any cache was asked last; restored from the records. */
  #askedAt = 0;
  /** When any cache but the user's own answered last. */
  #answeredAt = 0;
  /** Increases with every change: store the records then. */
  revision = 0;

  constructor({ own, wellKnown }: Configured, policy: CachePolicy, random: Random) {
    this.#policy = policy;
    this.#random = random;
    this.#own = own;
    for (const address of [...own, ...wellKnown]) this.#configured.add(address);
    for (const address of this.#configured) this.#caches.set(address, fresh(address));
  }

  get size(): number {
    return this.#caches.size;
  }

  isOwn(address: string): boolean {
    return this.#own.includes(address);
  }

  isConfigured(address: string): boolean {
    return this.#configured.has(address);
  }

  /** Adds a cache that another one named. False when it is known or there is no room. */
  learn(address: string): boolean {
    const others = this.#caches.size - this.#configured.size;
    if (this.#caches.has(address) || others >= this.#policy.learntMax) return false;
    this.#caches.set(address, fresh(address));
    this.revision++;
    return true;
  }

  /** All caches in the order to ask: the user's own first, then by last request; among equals configured ones first, else at random. */
  inTurn(): string[] {
    const ranked = [...this.#caches.values()].map(({ address, askedAt }) => ({
      ...{ address, askedAt },
      own: this.isOwn(address) ? 0 : 1,
      learnt: this.#configured.has(address) ? 0 : 1,
      chance: this.#random.below(0x1_0000_0000),
    }));
    ranked.sort((a, b) => a.own - b.own || a.askedAt - b.askedAt || a.learnt - b.learnt || a.chance - b.chance);
    return ranked.map(({ address }) => address);
  }

  /** A random cache that may be asked now, or null. */
  next(now: number): string | null {
    const due = [...this.#caches.keys()].filter(address => this.dueAt(address, now) <= now);
    return due[this.#random.below(Math.max(due.length, 1))] ?? null;
  }

  /** Whether this cache may be asked now, regardless of the others. */
  due(address: string, now: number): boolean {
    return this.#ownDueAt(address, now) <= now;
  }

  /** When this cache may be asked: `now` or later, Infinity for an unknown one. */
  dueAt(address: string, now: number): number {
    const { overallMs, overallAnsweredMs } = this.#policy;
    const held = this.isOwn(address) ? now : waitEnds(this.#answeredAt, overallAnsweredMs, now);
    return Math.max(this.#ownDueAt(address, now), waitEnds(this.#askedAt, overallMs, now), held);
  }

  /** When the first cache may be asked; Infinity without any. */
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
    if (!this.isOwn(address)) this.#answeredAt = now;
    const record = this.#change(address);
    if (record === null) return;
    record.answeredAt = now;
    record.failures = 0;
    record.waitMs = this.#policy.perCacheMs;
  }

  /** `reached`: the request may have arrived; only then does it count as a failure of the cache. */
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

  /** A random cache that answered last time, to be named to another; null without any. */
  good(except: string): string | null {
    const good = [...this.#caches.values()].filter(
      ({ address, answeredAt, failures }) => address !== except && answeredAt > 0 && failures === 0,
    );
    return good[this.#random.below(Math.max(good.length, 1))]?.address ?? null;
  }

  toRecords(): CacheRecord[] {
    return Array.from(this.#caches.values(), record => ({ ...record }));
  }

  /** Restores stored caches; call before the first request. */
  fromRecords(records: Iterable<CacheRecord>): void {
    for (const record of records) {
      this.#askedAt = Math.max(this.#askedAt, record.askedAt);
      if (!this.isOwn(record.address)) this.#answeredAt = Math.max(this.#answeredAt, record.answeredAt);
      if (this.#caches.has(record.address) || this.learn(record.address))
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

/** When a wait ends; `now` when it is over, or when `since` is in the future because the clock was set back. */
function waitEnds(since: number, waitMs: number, now: number): number {
  const at = since + waitMs;
  return at > now && at - now <= waitMs ? at : now;
}
