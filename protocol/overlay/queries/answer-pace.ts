// How long our neighbours take to answer, smoothed as TCP smooths its round trips (RFC 6298). A search that widens before
// the answers are here asks more servents than it needs.

const MEAN_GAIN = 1 / 8;
const DEVIATION_GAIN = 1 / 4;
const DEVIATIONS = 4;

export class AnswerPace {
  readonly #msMax: number;
  #meanMs = -1;
  #deviationMs = 0;

  /** Nobody is waited for longer than `msMax`, so slower answers count as that. */
  constructor(msMax: number) {
    this.#msMax = msMax;
  }

  /** Something was answered after `ms`, over one link. */
  note(ms: number): void {
    const sample = Math.min(Math.max(ms, 0), this.#msMax);
    if (this.#meanMs < 0) {
      this.#meanMs = sample;
      this.#deviationMs = sample / 2;
      return;
    }
    const error = sample - this.#meanMs;
    this.#deviationMs += DEVIATION_GAIN * (Math.abs(error) - this.#deviationMs);
    this.#meanMs += MEAN_GAIN * error;
  }

  /** Milliseconds after which next to every answer over one link has come; null before there was any. */
  get waitMs(): number | null {
    if (this.#meanMs < 0) return null;
    return Math.min(this.#meanMs + DEVIATIONS * this.#deviationMs, this.#msMax);
  }
}
