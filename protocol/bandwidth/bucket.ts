// A token bucket in exact integers: what a limit in bytes per second lets through. It is told the time.

/** A limit allows at once what it allows in this time, so that a late round loses nothing. */
const BURST_MS = 200;

/** Bytes that a limit lets through at once after a quiet time: at least one. */
export function burstBytes(bytesPerSecond: number): number {
  return Math.max(1, Math.floor((bytesPerSecond * BURST_MS) / 1000));
}

/** In any window of T ms at most `rate` · T / 1000 + burstBytes(`rate`) bytes are available. */
export class Bucket {
  /** Bytes per second; 0: no limit. */
  #rate = 0;
  /** In thousandths of a byte; negative: spent in advance. */
  #level = 0;
  /** Whole milliseconds of the monotonic clock. */
  #at = 0;

  get rate(): number {
    return this.#rate;
  }

  /** Changes the limit; 0: none. A limit that is new begins empty. */
  limit(bytesPerSecond: number, now: number): void {
    if (bytesPerSecond === this.#rate) return;
    const fresh = this.#rate === 0;
    this.#fill(now);
    this.#rate = bytesPerSecond;
    if (fresh) this.#level = 0;
    this.#level = Math.min(this.#level, 1000 * burstBytes(bytesPerSecond));
  }

  /** Bytes that may be used now: never negative, Infinity without a limit. */
  available(now: number): number {
    if (this.#rate === 0) return Number.POSITIVE_INFINITY;
    this.#fill(now);
    return Math.max(0, Math.floor(this.#level / 1000));
  }

  /** Takes bytes, available or not; what was not is paid for before anything is available again. `debtMs`: most time to pay. */
  spend(bytes: number, debtMs = Number.POSITIVE_INFINITY): void {
    if (this.#rate === 0) return;
    const floor = Math.min(this.#level, -this.#rate * debtMs);
    this.#level = Math.max(this.#level - 1000 * bytes, floor);
  }

  /** Milliseconds until `bytes`, or all that can be at once, are available. */
  msUntil(bytes: number, now: number): number {
    if (this.#rate === 0) return 0;
    this.#fill(now);
    const missing = 1000 * Math.min(bytes, burstBytes(this.#rate)) - this.#level;
    return missing <= 0 ? 0 : Math.ceil(missing / this.#rate);
  }

  #fill(now: number): void {
    const at = Math.floor(now);
    const passed = at - this.#at;
    if (passed <= 0) return;
    this.#at = at;
    this.#level = Math.min(this.#level + passed * this.#rate, 1000 * burstBytes(this.#rate));
  }
}
