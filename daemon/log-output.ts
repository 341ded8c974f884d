// Writes log lines to a file descriptor, synchronously, so that the last lines before a crash are kept.
// Lines that cannot be written (full disk, unread pipe) are counted; a write blocks for 0.5 s at most.
import { writeSync } from 'node:fs';
import type { DestinationStream } from 'pino';

/** Waits for a slow reader of a pipe: at most WAITS_MAX times WAIT_MS, and not again until a line was written. */
const WAIT_MS = 10;
const WAITS_MAX = 50;
/** pino's number for "warn". */
const WARNING = 40;

export class LogOutput implements DestinationStream {
  /** Lines lost since the start. */
  lost = 0;
  /** Error code while lines are being lost; null: lines are written. */
  trouble: string | null = null;
  readonly #fd: number;
  readonly #writeSync: typeof writeSync;
  /** Lines lost since the last line that was written. */
  #missing = 0;
  /** The last write ended in the middle of a line. */
  #torn = false;

  constructor(fd: number, write: typeof writeSync = writeSync) {
    this.#fd = fd;
    this.#writeSync = write;
  }

  write(line: string): void {
    try {
      if (this.#missing > 0) this.#writeWhole(this.#notice(line));
      this.#missing = 0;
      this.#writeWhole(line);
      this.trouble = null;
    } catch (error) {
      this.lost++;
      this.#missing++;
      this.trouble = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    }
  }

  /** A line that tells of the lost ones, in the format (JSON or text) of the line that follows. */
  #notice(next: string): string {
    const msg = `${this.#missing} log lines were lost (${this.trouble})`;
    const time = new Date().toISOString();
    const text = next.startsWith('{') ? JSON.stringify({ level: WARNING, time, msg }) : msg;
    return `${this.#torn ? '\n' : ''}${text}\n`;
  }

  #writeWhole(line: string): void {
    const bytes = Buffer.from(line);
    let waits = this.trouble === null ? WAITS_MAX : 0;
    for (let at = 0; at < bytes.length; ) {
      try {
        at += this.#writeSync(this.#fd, bytes, at);
        this.#torn = at < bytes.length;
      } catch (error) {
        if (!isBusy(error) || waits-- === 0) throw error;
        Atomics.wait(BELL, 0, 0, WAIT_MS);
      }
    }
  }
}

/** Never notified: Atomics.wait on it sleeps for the timeout. */
const BELL = new Int32Array(new SharedArrayBuffer(4));

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EAGAIN' || error.code === 'EBUSY');
}
