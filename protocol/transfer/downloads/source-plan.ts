// Decides which source to fetch from, when, and which range to request. Pure. One source at a time.
import type { Random } from '../../ports.ts';
import type { ParqPlace } from '../queue-status.ts';
import type { ByteRange, RangeSet } from '../range-set.ts';

export interface RetryTimes {
  /** After the n-th failure in a row: first · 2^(n-1), at most `maxMs`, ± a fifth. */
  firstMs: number;
  maxMs: number;
  /** After a connection that broke during a body. */
  cutMs: number;
  /** After busy without Retry-After. */
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
/** Size of a source's first request; doubled after each complete answer. */
const REQUEST_BYTES_FIRST = 1 << 20;
const REQUEST_BYTES_MAX = 1 << 24;
/** LimeWire's. A list of alternates may name anybody. */
const HEARSAY_FAILURES_MAX = 2;
/** Refusals in a row until a source is dropped. */
const FORBIDDEN_MAX = 3;

export interface PlannedSource<S> {
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
  /** Hash mismatches to which it contributed bytes. */
  mismatches: number;
  /** Bytes that it gave since the last mismatch. */
  bytes: number;
  error: string | null;
  /** Ranges of a partial source. */
  available: RangeSet | null;
  place: ParqPlace | null;
  /** Its queue called us. */
  called: boolean;
  requestBytes: number;
  /** Named by others only, and has not answered yet: dropped sooner. */
  hearsay: boolean;
}

export class SourcePlan<S> {
  readonly #random: Random;
  readonly #times: RetryTimes;
  /** By key, in order of arrival; at most SOURCES_MAX. A new one replaces a dropped one, or one that was only named. */
  readonly #sources = new Map<string, PlannedSource<S>>();
  #arrived = 0;
  /** After a mismatch the whole file comes from one source, so that the next mismatch identifies it. */
  #solo = false;
  /** Some bytes are from before a restart, of unknown sources. */
  inherited = false;

  constructor(random: Random, times: RetryTimes = RETRY_TIMES) {
    this.#random = random;
    this.#times = times;
  }

  [Symbol.iterator](): Iterator<PlannedSource<S>> {
    return this.#sources.values();
  }

  get size(): number {
    return this.#sources.size;
  }

  /** False: known already (a dropped one stays dropped), or no room. Lists of alternates, which may be lies, leave room for others. */
  add(key: string, source: S, hearsay = false): boolean {
    if (this.#sources.has(key)) return false;
    if (this.#sources.size >= SOURCES_MAX && !this.#forgetDropped() && (hearsay || !this.#forgetHearsay()))
      return false;
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
      place: null,
      called: false,
      requestBytes: REQUEST_BYTES_FIRST,
      hearsay,
    });
    return true;
  }

  /** The best source that may be asked now: called by its queue, fewest mismatches, fewest failures, longest known. */
  next(now: number): PlannedSource<S> | null {
    let best: PlannedSource<S> | null = null;
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

  /** The queue in which this place is calls: its source comes next. Null: no source that could be asked has such a place. */
  onCalled(id: string): PlannedSource<S> | null {
    for (const each of this.#eligible()) {
      if (each.place?.id.toLowerCase() !== id || (each.state !== 'waiting' && each.state !== 'idle')) continue;
      each.state = 'idle';
      each.called = true;
      return each;
    }
    return null;
  }

  /** Makes all sources eligible at once, at a user's request. */
  reset(): void {
    for (const each of this.#sources.values()) {
      if (each.state === 'active') continue;
      each.state = 'idle';
      each.failures = 0;
      each.cuts = 0;
    }
  }

  /** An answer was complete; `bytes` of it were new. */
  onAnswered(planned: PlannedSource<S>, bytes: number): void {
    planned.hearsay = false;
    planned.bytes += bytes;
    planned.failures = 0;
    planned.cuts = 0;
    planned.error = null;
    planned.requestBytes = Math.min(2 * planned.requestBytes, REQUEST_BYTES_MAX);
  }

  /** The source answered but closes connections: request as much as possible next time, after `spacingMs`. */
  onClosing(planned: PlannedSource<S>, spacingMs: number, now: number): void {
    planned.requestBytes = Number.MAX_SAFE_INTEGER;
    planned.state = 'waiting';
    planned.until = now + spacingMs;
  }

  /** The connection ended without failure: nothing is left to fetch, or the download was stopped. */
  onReleased(planned: PlannedSource<S>): void {
    if (planned.state === 'active') planned.state = 'idle';
  }

  /** The connection failed or ended early, after `bytes` of a body. */
  onFailed(planned: PlannedSource<S>, reason: string, bytes: number, now: number): void {
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

  /** The source is busy, which is no failure. */
  onBusy(planned: PlannedSource<S>, reason: string, retrySeconds: number | null, now: number): void {
    planned.failures = 0;
    this.#wait(planned, reason, retrySeconds === null ? this.#times.busyMs : retrySeconds * 1000, now);
  }

  onForbidden(planned: PlannedSource<S>, reason: string, retrySeconds: number | null, now: number): void {
    const ms = Math.max(this.#times.forbiddenMs, (retrySeconds ?? 0) * 1000);
    this.#strike(planned, reason, ms, now, FORBIDDEN_MAX);
  }

  onUnavailable(planned: PlannedSource<S>, reason: string, retrySeconds: number | null, now: number): void {
    this.#strike(planned, reason, retrySeconds === null ? this.#times.unavailableMs : retrySeconds * 1000, now);
  }

  /** `bytes`: of a body that ended with this. */
  onDropped(planned: PlannedSource<S>, reason: string, bytes = 0): void {
    planned.bytes += bytes;
    planned.state = 'dropped';
    planned.error = reason;
  }

  /**
   * The hash is wrong. Drops the source if all bytes are from one; of several the culprit is unknown, so each ranks behind those that
   * contributed none, and the whole file is fetched from one source.
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

  /** Whether the bytes of other sources must be discarded before this one is asked. */
  startsOver(planned: PlannedSource<S>): boolean {
    if (!this.#solo) return false;
    const others = [...this.#sources.values()].filter(each => each.bytes > 0 && each !== planned);
    for (const each of others) each.bytes = 0;
    return others.length > 0;
  }

  /** The next range to request from this source; null when it has no missing bytes. `size` is null when unknown. */
  pickRange(planned: PlannedSource<S>, done: RangeSet, size: number | null): ByteRange | null {
    const { available, requestBytes } = planned;
    const end = size ?? Number.MAX_SAFE_INTEGER;
    const bytes = size === null ? REQUEST_BYTES_FIRST : requestBytes;
    for (const part of available ?? [{ start: 0, end }]) {
      const gap = done.gapWithin(part.start, Math.min(part.end, end));
      if (gap !== null) return { start: gap.start, end: Math.min(gap.end, gap.start + bytes) };
    }
    return null;
  }

  /** All sources; in solo mode only the one that has begun, until it is dropped. */
  #eligible(): Iterable<PlannedSource<S>> {
    if (this.#solo) {
      for (const each of this.#sources.values()) if (each.bytes > 0 && each.state !== 'dropped') return [each];
    }
    return this.#sources.values();
  }

  #strike(planned: PlannedSource<S>, reason: string, ms: number, now: number, max = this.#times.failuresMax): void {
    planned.failures++;
    if (planned.failures >= (planned.hearsay ? Math.min(max, HEARSAY_FAILURES_MAX) : max))
      this.onDropped(planned, reason);
    else this.#wait(planned, reason, ms, now);
  }

  #wait(planned: PlannedSource<S>, reason: string, ms: number, now: number): void {
    planned.state = 'waiting';
    planned.until = now + ms;
    planned.error = reason;
  }

  #forgetHearsay(): boolean {
    for (const { hearsay, state, key } of this.#sources.values())
      if (hearsay && state !== 'active') return this.#sources.delete(key);
    return false;
  }

  #forgetDropped(): boolean {
    for (const each of this.#sources.values()) if (each.state === 'dropped') return this.#sources.delete(each.key);
    return false;
  }
}

function order<S>(a: PlannedSource<S>, b: PlannedSource<S>): number {
  return (
    Number(b.called) - Number(a.called) || a.mismatches - b.mismatches || a.failures - b.failures || a.number - b.number
  );
}
