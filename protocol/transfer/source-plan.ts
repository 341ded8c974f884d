// Which source to fetch from next, and when; which range to ask it for. Sees numbers only: no socket, no file, no timer.
// One source at a time: a swarm would replace `next` and `pickRange` and keep the rest.
import type { Random } from '../ports.ts';
import type { ByteRange, RangeSet } from './range-set.ts';

export interface RetryTimes {
  /** After the n-th failure in a row: first · 2^(n-1), at most `maxMs`, ± a fifth. */
  firstMs: number;
  maxMs: number;
  /** After a connection that was cut while it gave us something. */
  cutMs: number;
  /** Busy without a word about when to return. */
  busyMs: number;
  /** Refused us (gtk-gnutella DOWNLOAD_BAN_DELAY). */
  forbiddenMs: number;
  /** A partial source without the bytes that we need (LimeWire NO_RANGES_RETRY_AFTER). */
  unavailableMs: number;
  /** Failures in a row until a source is dropped. */
  failuresMax: number;
}

export const RETRY_TIMES: RetryTimes = {
  firstMs: 60_000,
  maxMs: 3_600_000,
  cutMs: 15_000,
  busyMs: 60_000,
  forbiddenMs: 360_000,
  unavailableMs: 300_000,
  failuresMax: 16,
};

export const SOURCES_MAX = 64;
/** Grows twofold with each request that was answered in full: a bad source costs little, a good one few round trips. */
const REQUEST_BYTES_FIRST = 1 << 20;
const REQUEST_BYTES_MAX = 1 << 24;
/** Who refused us that often in a row means it. */
const FORBIDDEN_MAX = 3;

export interface Planned<S> {
  readonly source: S;
  readonly key: string;
  /** Order of arrival. */
  readonly number: number;
  state: 'idle' | 'active' | 'waiting' | 'dropped';
  /** While waiting: not before. */
  until: number;
  /** In a row. */
  failures: number;
  cuts: number;
  /** Contributed to bytes whose hash was wrong. */
  mismatches: number;
  /** Bytes that it gave since the last mismatch. */
  bytes: number;
  error: string | null;
  /** What a partial source said it has. */
  available: RangeSet | null;
  requestBytes: number;
}

export class SourcePlan<S> {
  readonly #random: Random;
  readonly #times: RetryTimes;
  /** By key, in order of arrival; at most SOURCES_MAX, of which a dropped one makes room. */
  readonly #sources = new Map<string, Planned<S>>();
  #arrived = 0;
  /** After a mismatch: one source gives all of the file, so that the next mismatch has one author. */
  #solo = false;
  /** Some bytes are from before a restart: nobody knows any more who gave them. */
  inherited = false;

  constructor(random: Random, times: RetryTimes = RETRY_TIMES) {
    this.#random = random;
    this.#times = times;
  }

  [Symbol.iterator](): Iterator<Planned<S>> {
    return this.#sources.values();
  }

  get size(): number {
    return this.#sources.size;
  }

  /** False: known already (a dropped one stays dropped), or no room. */
  add(key: string, source: S): boolean {
    if (this.#sources.has(key)) return false;
    if (this.#sources.size >= SOURCES_MAX && !this.#forgetDropped()) return false;
    this.#sources.set(key, {
      source,
      key,
      number: this.#arrived++,
      state: 'idle',
      until: 0,
      failures: 0,
      cuts: 0,
      mismatches: 0,
      bytes: 0,
      error: null,
      available: null,
      requestBytes: REQUEST_BYTES_FIRST,
    });
    return true;
  }

  /** The best source that may be asked now: fewest mismatches, fewest failures, longest known. */
  next(now: number): Planned<S> | null {
    let best: Planned<S> | null = null;
    for (const each of this.#eligible()) {
      if (each.state === 'waiting' && each.until <= now) each.state = 'idle';
      if (each.state === 'idle' && (best === null || order(each, best) < 0)) best = each;
    }
    return best;
  }

  /** When `next` will have one; null: never, unless a source is added. */
  nextAt(now: number): number | null {
    let at: number | null = null;
    for (const each of this.#eligible()) {
      if (each.state === 'dropped') continue;
      at = Math.min(at ?? Number.POSITIVE_INFINITY, each.state === 'waiting' ? each.until : now);
    }
    return at;
  }

  /** A user wants it tried at once, whatever happened before. */
  reset(): void {
    for (const each of this.#sources.values()) {
      if (each.state === 'active') continue;
      each.state = 'idle';
      each.failures = 0;
      each.cuts = 0;
    }
  }

  /** An answer came whole; `bytes` of it were new. */
  onAnswered(planned: Planned<S>, bytes: number): void {
    planned.bytes += bytes;
    planned.failures = 0;
    planned.cuts = 0;
    planned.error = null;
    planned.requestBytes = Math.min(2 * planned.requestBytes, REQUEST_BYTES_MAX);
  }

  /** It answered well but keeps no connection: ask it for as much as it will give, and not at once again. */
  onClosing(planned: Planned<S>, spacingMs: number, now: number): void {
    planned.requestBytes = Number.MAX_SAFE_INTEGER;
    planned.state = 'waiting';
    planned.until = now + spacingMs;
  }

  /** The connection ended as it should: there is nothing to fetch any more, or the download was stopped. */
  onReleased(planned: Planned<S>): void {
    if (planned.state === 'active') planned.state = 'idle';
  }

  /** The connection failed or ended early, after `bytes` of a body. */
  onFailed(planned: Planned<S>, reason: string, bytes: number, now: number): void {
    planned.bytes += bytes;
    planned.requestBytes = REQUEST_BYTES_FIRST;
    if (bytes > 0 && planned.cuts === 0) {
      planned.cuts = 1;
      this.#wait(planned, reason, this.#times.cutMs, now);
    } else {
      const { firstMs, maxMs } = this.#times;
      const spread = 0.8 + this.#random.below(401) / 1000;
      this.#strike(planned, reason, Math.round(Math.min(maxMs, firstMs * 2 ** planned.failures) * spread), now);
    }
  }

  /** It has the file but not for us now; no failure. */
  onBusy(planned: Planned<S>, reason: string, retrySeconds: number | null, now: number): void {
    planned.failures = 0;
    this.#wait(planned, reason, retrySeconds === null ? this.#times.busyMs : retrySeconds * 1000, now);
  }

  onForbidden(planned: Planned<S>, reason: string, retrySeconds: number | null, now: number): void {
    const ms = Math.max(this.#times.forbiddenMs, (retrySeconds ?? 0) * 1000);
    this.#strike(planned, reason, ms, now, FORBIDDEN_MAX);
  }

  onUnavailable(planned: Planned<S>, reason: string, retrySeconds: number | null, now: number): void {
    this.#strike(planned, reason, retrySeconds === null ? this.#times.unavailableMs : retrySeconds * 1000, now);
  }

  /** `bytes`: of a body that ended with this. */
  onDropped(planned: Planned<S>, reason: string, bytes = 0): void {
    planned.bytes += bytes;
    planned.state = 'dropped';
    planned.error = reason;
  }

  /**
   * The hash is wrong. Who gave all of the bytes is dropped; of several nobody knows who it was, so each stands behind those that gave
   * none, and from now on one source gives everything.
   */
  onMismatch(reason: string): void {
    const contributors = [...this.#sources.values()].filter(each => each.bytes > 0);
    for (const each of contributors) {
      each.mismatches++;
      each.bytes = 0;
      if (contributors.length === 1 && !this.inherited) this.onDropped(each, reason);
    }
    this.#solo = true;
    this.inherited = false;
  }

  /** Asked before a source is: true when all that others gave must go first, because its author would not be known. */
  startsOver(planned: Planned<S>): boolean {
    if (!this.#solo) return false;
    const others = [...this.#sources.values()].filter(each => each.bytes > 0 && each !== planned);
    for (const each of others) each.bytes = 0;
    return others.length > 0;
  }

  /** The next bytes to ask this source for, or null: it has none that are missing. `size` null: not known yet. */
  pickRange(planned: Planned<S>, done: RangeSet, size: number | null): ByteRange | null {
    const { available, requestBytes } = planned;
    const end = size ?? Number.MAX_SAFE_INTEGER;
    const bytes = size === null ? REQUEST_BYTES_FIRST : requestBytes;
    for (const part of available ?? [{ start: 0, end }]) {
      const gap = done.gapWithin(part.start, Math.min(part.end, end));
      if (gap !== null) return { start: gap.start, end: Math.min(gap.end, gap.start + bytes) };
    }
    return null;
  }

  /** All, or while one source is to give everything and has begun: that one, as long as it is good. */
  #eligible(): Iterable<Planned<S>> {
    if (this.#solo) {
      for (const each of this.#sources.values()) if (each.bytes > 0 && each.state !== 'dropped') return [each];
    }
    return this.#sources.values();
  }

  #strike(planned: Planned<S>, reason: string, ms: number, now: number, max = this.#times.failuresMax): void {
    planned.failures++;
    if (planned.failures >= max) this.onDropped(planned, reason);
    else this.#wait(planned, reason, ms, now);
  }

  #wait(planned: Planned<S>, reason: string, ms: number, now: number): void {
    planned.state = 'waiting';
    planned.until = now + ms;
    planned.error = reason;
  }

  #forgetDropped(): boolean {
    for (const each of this.#sources.values()) if (each.state === 'dropped') return this.#sources.delete(each.key);
    return false;
  }
}

function order<S>(a: Planned<S>, b: Planned<S>): number {
  return a.mismatches - b.mismatches || a.failures - b.failures || a.number - b.number;
}
