// Memory into which a socket reads, from front to back. It is used again when all that came into it is said to be written; else it is
// garbage like any other.

export const SLAB_BYTES = 256 << 10;
/** Slabs kept for the next reader. */
const SPARE_MAX = 64;

const spare: Slab[] = [];
const slabs = new WeakMap<ArrayBufferLike, Slab>();

export class Slab {
  readonly #bytes = Buffer.allocUnsafeSlow(SLAB_BYTES);
  #filled = 0;
  #written = 0;
  #isFull = false;

  private constructor() {
    slabs.set(this.#bytes.buffer, this);
  }

  static take(): Slab {
    return spare.pop() ?? new Slab();
  }

  /** Nobody needs these bytes any more, which may be of any memory. To be said once of each byte. */
  static written(bytes: Buffer): void {
    const slab = slabs.get(bytes.buffer);
    if (slab !== undefined) slab.#onWritten(bytes.length);
  }

  get bytesLeft(): number {
    return SLAB_BYTES - this.#filled;
  }

  /** What is not filled. */
  get room(): Buffer {
    return this.#bytes.subarray(this.#filled);
  }

  /** So many bytes came into the room: gives them. */
  fill(bytes: number): Buffer {
    this.#filled += bytes;
    return this.#bytes.subarray(this.#filled - bytes, this.#filled);
  }

  /** No more bytes come into it. */
  close(): void {
    this.#isFull = true;
    this.#onWritten(0);
  }

  #onWritten(bytes: number): void {
    this.#written += bytes;
    if (!this.#isFull || this.#written < this.#filled || spare.length >= SPARE_MAX) return;
    this.#filled = 0;
    this.#written = 0;
    this.#isFull = false;
    spare.push(this);
  }
}
