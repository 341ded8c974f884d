// Buffers of the sending loops, reused: a large upload takes one lane and reads the file into one half while the other is sent.

/** Twice 1 MiB: with 512 KiB a connection gets a third less, for each read is a trip to the thread pool; 2 MiB gain nothing. */
const LANE_BYTES = 1 << 21;
/** When many upload at once each is slow anyway and gets little. */
const SMALL_LANE_BYTES = 1 << 17;

export class LanePool {
  readonly #largeMax: number;
  readonly #idleMax: number;
  readonly #idle: Buffer[] = [];
  #largeOut = 0;

  /** Large lanes in use at once, and kept for the next time. */
  constructor(largeMax = 16, idleMax = 2) {
    this.#largeMax = largeMax;
    this.#idleMax = idleMax;
  }

  /** Never waits: memory in use is at most 2 · largeMax MiB, and 128 KiB for each further upload, whose number slots limit. */
  take(bytes: number): Buffer {
    if (bytes <= SMALL_LANE_BYTES || this.#largeOut >= this.#largeMax) {
      return Buffer.allocUnsafeSlow(Math.min(SMALL_LANE_BYTES, Math.max(2, bytes)));
    }
    this.#largeOut++;
    return this.#idle.pop() ?? Buffer.allocUnsafeSlow(LANE_BYTES);
  }

  /** Only when nothing reads into it or sends from it any more. */
  give(lane: Buffer): void {
    if (lane.length !== LANE_BYTES) return;
    this.#largeOut--;
    if (this.#idle.length < this.#idleMax) this.#idle.push(lane);
  }
}
