// How fast a source sends, measured while it owes us bytes: what it does between two requests does not count.

/** The shortest time that is measured alone. */
const WINDOW_MS = 1000;
/** An older measurement loses two thirds of its weight in this time. */
const MEMORY_MS = 3000;

export class SourceRate {
  #bytesPerSecond = 0;
  #known = false;
  /** Start of the present window; null: it owes us nothing. */
  #since: number | null = null;
  #bytes = 0;

  /** A request was sent. */
  start(now: number): void {
    this.#since = now;
    this.#bytes = 0;
  }

  add(bytes: number, now: number): void {
    this.#bytes += bytes;
    if (this.#since !== null && now - this.#since >= WINDOW_MS) {
      this.#learn(now - this.#since);
      this.start(now);
    }
  }

  /** The answer is over. */
  stop(now: number): void {
    if (this.#since !== null && this.#bytes > 0) this.#learn(now - this.#since);
    this.#since = null;
  }

  /** Falls while a source that owes us bytes is silent. 0: never measured. */
  at(now: number): number {
    if (this.#since === null || now - this.#since < WINDOW_MS) return this.#bytesPerSecond;
    return this.#with(now - this.#since);
  }

  #learn(ms: number): void {
    this.#bytesPerSecond = this.#with(ms);
    this.#known = true;
  }

  #with(ms: number): number {
    const sample = (this.#bytes * 1000) / Math.max(1, ms);
    const weight = this.#known ? 1 - Math.exp(-ms / MEMORY_MS) : 1;
    return this.#bytesPerSecond + (sample - this.#bytesPerSecond) * weight;
  }
}
