// Notices whether this process reads from disk, from a counter of the kernel.
const QUIET_MS = 1000;

export class DiskWatch {
  readonly #blocksRead: () => number;
  readonly #now: () => number;
  #seen = -1;
  #quietAt = 0;

  /** `blocksRead`: from disk by this process since its start. `now` in milliseconds. */
  constructor(blocksRead = () => process.resourceUsage().fsRead, now: () => number = () => performance.now()) {
    this.#blocksRead = blocksRead;
    this.#now = now;
  }

  /** Returns the counter. */
  look(): number {
    const count = this.#blocksRead();
    if (count !== this.#seen) this.#quietAt = this.#now() + QUIET_MS;
    this.#seen = count;
    return count;
  }

  /** False for a second after a look() that found blocks read since the one before. */
  get quiet(): boolean {
    return this.#now() >= this.#quietAt;
  }
}
