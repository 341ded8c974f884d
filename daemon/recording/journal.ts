// An open segment: lines are appended to a file and are on the disk when flush() returns. What cannot be written whole is cut off.
import { closeSync, fdatasyncSync, ftruncateSync, openSync, writeSync } from 'node:fs';

export class Journal {
  readonly path: string;
  rows = 0;
  bytes = 0;
  from: number | null = null;
  to: number | null = null;
  readonly #fd: number;

  /** Throws when the file exists or cannot be made. */
  constructor(path: string) {
    this.path = path;
    this.#fd = openSync(path, 'wx', 0o600);
  }

  /** Writes whole lines and waits for the disk. Throws what the system says; the file is as before then. */
  append(lines: readonly string[], from: number, to: number): void {
    const chunk = Buffer.from(lines.join(''));
    try {
      for (let at = 0; at < chunk.length; ) at += writeSync(this.#fd, chunk, at, chunk.length - at, this.bytes + at);
      fdatasyncSync(this.#fd);
    } catch (error) {
      ftruncateSync(this.#fd, this.bytes);
      throw error;
    }
    this.rows += lines.length;
    this.bytes += chunk.length;
    this.from = Math.min(this.from ?? from, from);
    this.to = Math.max(this.to ?? to, to);
  }

  close(): void {
    closeSync(this.#fd);
  }
}
