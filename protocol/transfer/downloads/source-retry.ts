// When a source is tried again after it failed or refused.
import type { Random } from '../../ports.ts';
import type { SwarmSource } from './swarm-source.ts';

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

/** LimeWire's. A list of alternates may name anybody. */
export const HEARSAY_FAILURES_MAX = 2;
/** Refusals in a row until a source is dropped. */
const FORBIDDEN_MAX = 3;

export class SourceRetry {
  readonly #random: Random;
  readonly #times: RetryTimes;

  constructor(random: Random, times: RetryTimes) {
    this.#random = random;
    this.#times = times;
  }

  /** The connection failed, or ended in the middle of a body of which `came` bytes had come. */
  onFailed(source: SwarmSource, reason: string, came: number, now: number): void {
    if (came > 0 && source.cuts === 0) {
      source.cuts = 1;
      wait(source, reason, this.#times.cutMs, now);
      return;
    }
    const { firstMs, maxMs } = this.#times;
    const spread = 0.8 + this.#random.below(401) / 1000;
    this.#strike(source, reason, Math.round(Math.min(maxMs, firstMs * 2 ** source.failures) * spread), now);
  }

  /** Busy is no failure. */
  onBusy(source: SwarmSource, reason: string, retrySeconds: number | null, now: number): void {
    source.failures = 0;
    wait(source, reason, retrySeconds === null ? this.#times.busyMs : retrySeconds * 1000, now);
  }

  onForbidden(source: SwarmSource, reason: string, retrySeconds: number | null, now: number): void {
    const ms = Math.max(this.#times.forbiddenMs, (retrySeconds ?? 0) * 1000);
    this.#strike(source, reason, ms, now, FORBIDDEN_MAX);
  }

  onUnavailable(source: SwarmSource, reason: string, retrySeconds: number | null, now: number): void {
    this.#strike(source, reason, retrySeconds === null ? this.#times.unavailableMs : retrySeconds * 1000, now);
  }

  #strike(source: SwarmSource, reason: string, ms: number, now: number, max = this.#times.failuresMax): void {
    source.failures++;
    if (source.failures >= (source.hearsay ? Math.min(max, HEARSAY_FAILURES_MAX) : max)) drop(source, reason);
    else wait(source, reason, ms, now);
  }
}

export function wait(source: SwarmSource, reason: string | null, ms: number, now: number): void {
  source.state = 'waiting';
  source.until = now + ms;
  source.error = reason;
}

export function drop(source: SwarmSource, reason: string): void {
  source.state = 'dropped';
  source.error = reason;
}
