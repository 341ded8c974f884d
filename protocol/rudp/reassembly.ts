// Puts segments of a stream in order: what came early waits, what came twice is left out.

interface Piece {
  start: number;
  readonly end: number;
  bytes: Buffer;
}

/** Pieces that wait for those before them. */
const PIECES_MAX = 4_096;

export class Reassembly {
  /** By offset, without overlaps. */
  readonly #pieces: Piece[] = [];
  /** All bytes below it have been handed out. */
  next = 0;

  get waiting(): number {
    return this.#pieces.length;
  }

  /**
   * Hands out what is in order, itself included. False: there is no room for it. `bytes` is kept until its turn comes.
   */
  add(offset: number, bytes: Buffer, deliver: (bytes: Buffer) => void): boolean {
    let start = Math.max(offset, this.next);
    const end = offset + bytes.length;
    if (start >= end) return true;
    if (start === this.next && this.#pieces.length === 0) {
      deliver(bytes.subarray(start - offset));
      this.next = end;
      return true;
    }
    if (this.#pieces.length >= PIECES_MAX) return start === this.next && this.#fill(start, end, offset, bytes, deliver);
    for (let at = this.#after(start); start < end; ) {
      const later = this.#pieces[at];
      const stop = Math.min(end, later?.start ?? end);
      if (start < stop) {
        this.#pieces.splice(at, 0, { start, end: stop, bytes: bytes.subarray(start - offset, stop - offset) });
        at++;
      }
      start = Math.max(start, later?.end ?? end);
      at++;
    }
    this.#deliver(deliver);
    return true;
  }

  /** The one piece that lets others go is taken though there is no room for more. */
  #fill(start: number, end: number, offset: number, bytes: Buffer, deliver: (bytes: Buffer) => void): boolean {
    const stop = Math.min(end, this.#pieces[0]?.start ?? end);
    deliver(bytes.subarray(start - offset, stop - offset));
    this.next = stop;
    this.#deliver(deliver);
    return true;
  }

  /** Index of the first piece that ends after `start`; makes `start` of no piece's inside: see add(). */
  #after(start: number): number {
    let from = 0;
    let to = this.#pieces.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((this.#pieces[middle]?.end ?? 0) > start) to = middle;
      else from = middle + 1;
    }
    return from;
  }

  #deliver(deliver: (bytes: Buffer) => void): void {
    let done = 0;
    for (const { start, end, bytes } of this.#pieces) {
      if (start > this.next) break;
      deliver(bytes);
      this.next = end;
      done++;
    }
    if (done > 0) this.#pieces.splice(0, done);
  }

  clear(): void {
    this.#pieces.length = 0;
  }
}
