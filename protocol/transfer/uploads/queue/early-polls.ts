// Counts the polls of one entry that come before their time.

/** A poll may be early by this: clocks and timers differ (gtk-gnutella). */
const TOLERANCE_MS = 10_000;
const COUNTED_WITHIN_MS = 600_000;
const POLLS_MAX = 10;

export class EarlyPolls {
  /** Whether a poll at `now` comes too early for who may ask again at `retryAt`. */
  static isEarly(retryAt: number, now: number): boolean {
    return now <= retryAt - TOLERANCE_MS;
  }

  #count = 0;
  #since = 0;

  /** In the present period of ten minutes, at most. */
  get count(): number {
    return this.#count;
  }

  /** A poll at `now` of who may ask again at `retryAt`. True: it is one too many. */
  tooMany(retryAt: number, now: number): boolean {
    if (!EarlyPolls.isEarly(retryAt, now)) return false;
    if (this.#count === 0 || now - this.#since > COUNTED_WITHIN_MS) {
      this.#count = 0;
      this.#since = now;
    }
    return ++this.#count >= POLLS_MAX;
  }
}
