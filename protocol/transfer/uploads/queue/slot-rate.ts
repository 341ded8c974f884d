// Measures how fast one upload goes, from the bytes of all of them.

const SAMPLE_MS = 5_000;
/** Weight of a new sample. */
const WEIGHT = 0.2;

export class SlotRate {
  #sampledAt = 0;
  #bytes = 0;
  #rate: number | null = null;

  /** Null: nothing was sent yet. */
  get bytesPerSecond(): number | null {
    return this.#rate;
  }

  /** `bytes`: sent so far; `sending`: uploads now. When to be called again. */
  sample(bytes: number, sending: number, now: number): number {
    const ms = now - this.#sampledAt;
    if (ms >= SAMPLE_MS) {
      if (sending > 0 && bytes > this.#bytes) this.#add(((bytes - this.#bytes) * 1000) / ms / sending);
      this.#bytes = bytes;
      this.#sampledAt = now;
    }
    return sending > 0 ? this.#sampledAt + SAMPLE_MS : Number.POSITIVE_INFINITY;
  }

  #add(rate: number): void {
    this.#rate = this.#rate === null ? rate : this.#rate + WEIGHT * (rate - this.#rate);
  }
}
