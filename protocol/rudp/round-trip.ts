// The time that a packet and its answer take: smoothed, and when to wait no longer for an answer.

const SMOOTHING = 1 / 8;
const DEVIATION_SMOOTHING = 1 / 4;

export interface RoundTripBounds {
  /** Before the first answer. */
  readonly firstMs: number;
  readonly minMs: number;
  readonly maxMs: number;
}

export class RoundTrip {
  readonly #bounds: RoundTripBounds;
  /** Null before the first answer. */
  smoothedMs: number | null = null;
  latestMs = 0;
  #deviationMs = 0;

  constructor(bounds: RoundTripBounds) {
    this.#bounds = bounds;
  }

  add(ms: number): void {
    this.latestMs = ms;
    if (this.smoothedMs === null) {
      this.smoothedMs = ms;
      this.#deviationMs = ms / 2;
      return;
    }
    this.#deviationMs += (Math.abs(this.smoothedMs - ms) - this.#deviationMs) * DEVIATION_SMOOTHING;
    this.smoothedMs += (ms - this.smoothedMs) * SMOOTHING;
  }

  /** An answer that has not come after this time is not expected any more. */
  get timeoutMs(): number {
    const { firstMs, minMs, maxMs } = this.#bounds;
    if (this.smoothedMs === null) return firstMs;
    return Math.min(Math.max(this.smoothedMs + 4 * this.#deviationMs, minMs), maxMs);
  }
}
