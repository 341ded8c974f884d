// Spreads reads over time, so that no more than a number of bytes a second are read. Pure: it is told the time.

/** Reads of one call to the system. */
const READ_BYTES_MAX = 1 << 20;
const READ_BYTES_MIN = 16 << 10;
/** With a limit, bytes are read about so many times a second. */
const READS_PER_SECOND = 4;

/** Bytes to read at once under a limit in bytes per second; 0: no limit. */
export function readBytes(bytesPerSecond: number): number {
  if (bytesPerSecond === 0) return READ_BYTES_MAX;
  return Math.max(READ_BYTES_MIN, Math.min(READ_BYTES_MAX, Math.floor(bytesPerSecond / READS_PER_SECOND)));
}

export class ReadPace {
  /** When the bytes read until now are paid for. */
  #freeAt = 0;

  /** Milliseconds to wait after reading `bytes`. */
  waitMs(bytes: number, bytesPerSecond: number, now: number): number {
    if (bytesPerSecond === 0) return 0;
    this.#freeAt = Math.max(this.#freeAt, now) + (1000 * bytes) / bytesPerSecond;
    return this.#freeAt - now;
  }

  /** The limit has changed: what was read under the former one no longer counts. */
  reset(): void {
    this.#freeAt = 0;
  }
}
