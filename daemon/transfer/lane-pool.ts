// Pools the send buffers of uploads. A large upload uses one lane: it reads the file into one half while the other half is sent.

/** Two halves of 1 MiB. With halves of 512 KiB the throughput falls by a third, as each read is a call to the thread pool; 2 MiB gain nothing. */
const LANE_BYTES = 1 << 21;
/** Size of further lanes: with many uploads each one is slow anyway. */
const SMALL_LANE_BYTES = 1 << 17;
const SMALL_MAX = 128;
/** Of lanes beyond these: thousands of slow readers must not fill the memory. */
const TINY_LANE_BYTES = 1 << 14;

export class LanePool {
  readonly #largeMax: number;
  readonly #idleMax: number;
  readonly #idle: Buffer[] = [];
  #largeOut = 0;
  #smallOut = 0;

  /** `largeMax`: most large lanes in use. `idleMax`: most large lanes kept for reuse. */
  constructor(largeMax = 16, idleMax = 2) {
    this.#largeMax = largeMax;
    this.#idleMax = idleMax;
  }

  /** Returns a lane at once. Memory: at most 2 · largeMax + 16 MiB, and 16 KiB for each further upload; slots limit their number. */
  take(bytes: number): Buffer {
    if (bytes <= SMALL_LANE_BYTES || this.#largeOut >= this.#largeMax) {
      if (bytes <= TINY_LANE_BYTES || this.#smallOut >= SMALL_MAX)
        return Buffer.allocUnsafeSlow(Math.min(TINY_LANE_BYTES, Math.max(2, bytes)));
      this.#smallOut++;
      return Buffer.allocUnsafeSlow(Math.min(SMALL_LANE_BYTES, bytes));
    }
    this.#largeOut++;
    return this.#idle.pop() ?? Buffer.allocUnsafeSlow(LANE_BYTES);
  }

  /** Returns a lane that is no longer read into or sent from. */
  give(lane: Buffer): void {
    if (lane.length > TINY_LANE_BYTES && lane.length < LANE_BYTES) this.#smallOut--;
    if (lane.length !== LANE_BYTES) return;
    this.#largeOut--;
    if (this.#idle.length < this.#idleMax) this.#idle.push(lane);
  }
}
