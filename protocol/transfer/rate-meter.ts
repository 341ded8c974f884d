// Bytes per second over the last few seconds.

const SLOTS = 8;
const SLOT_MS = 1000;

/** Counts bytes in slots of a second: constant memory. */
export class RateMeter {
  readonly #bytes = new Float64Array(SLOTS);
  readonly #startedAt: number;
  #slot: number;

  constructor(now: number) {
    this.#startedAt = now;
    this.#slot = Math.floor(now / SLOT_MS);
  }

  add(bytes: number, now: number): void {
    this.#advance(now);
    const index = this.#slot % SLOTS;
    this.#bytes[index] = (this.#bytes[index] ?? 0) + bytes;
  }

  /** Average over the last seconds, or since the start if that is less. */
  bytesPerSecond(now: number): number {
    this.#advance(now);
    const window = Math.min(now - this.#startedAt, (SLOTS - 1) * SLOT_MS + (now % SLOT_MS));
    if (window <= 0) return 0;
    return (this.#bytes.reduce((sum, bytes) => sum + bytes, 0) * 1000) / Math.max(window, SLOT_MS / 4);
  }

  #advance(now: number): void {
    const slot = Math.floor(now / SLOT_MS);
    if (slot - this.#slot >= SLOTS) this.#bytes.fill(0);
    else for (let at = this.#slot + 1; at <= slot; at++) this.#bytes[at % SLOTS] = 0;
    this.#slot = Math.max(this.#slot, slot);
  }
}
