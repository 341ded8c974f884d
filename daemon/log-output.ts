// Where lines of the log go: a file descriptor, written before the call returns, so that the last words of a crash are not lost. What
// cannot be written (a full disk, a pipe that nobody reads) is counted, and never ends or delays the daemon for long.
import { writeSync } from 'node:fs';
import type { DestinationStream } from 'pino';

/** A pipe whose reader is slow is waited for, once until it takes something again. */
const WAIT_MS = 10;
const WAITS_MAX = 50;
/** As pino numbers it. */
const WARNING = 40;

export class LogOutput implements DestinationStream {
  /** Lines, since the start. */
  lost = 0;
  /** Why lines are lost now; null: they are written. */
  trouble: string | null = null;
  readonly #fd: number;
  readonly #writeSync: typeof writeSync;
  /** Lost since the trouble began. */
  #missing = 0;
  /** The end of what was written is not that of a line. */
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

  /** Written like the line that follows, so that a log of JSON is one throughout. */
  #notice(next: string): string {
    const msg = `${this.#missing} lines of the log were lost (${this.trouble})`;
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

/** Never rung: to wait by. */
const BELL = new Int32Array(new SharedArrayBuffer(4));

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EAGAIN' || error.code === 'EBUSY');
}
