// Bytes of a stream by their offset: appended at one end, read or forgotten at the other.

const BLOCK_BYTES = 65_536;
/** Most streams carry a request and no more. */
const FIRST_BLOCK_BYTES = 2_048;

interface Block {
  readonly start: number;
  readonly bytes: Buffer;
  used: number;
}

export class ByteQueue {
  readonly #blocks: Block[] = [];
  /** Offset of the first byte that is kept. */
  start = 0;
  /** Offset after the last one. */
  end = 0;

  get length(): number {
    return this.end - this.start;
  }

  /** Appends a copy. */
  push(bytes: Buffer, from = 0, to = bytes.length): void {
    for (let at = from; at < to; ) {
      let block = this.#blocks.at(-1);
      if (block === undefined || block.used === block.bytes.length) {
        const size = this.end === 0 && to - at <= FIRST_BLOCK_BYTES ? FIRST_BLOCK_BYTES : BLOCK_BYTES;
        block = { start: this.end, bytes: Buffer.allocUnsafeSlow(size), used: 0 };
        this.#blocks.push(block);
      }
      const some = Math.min(to - at, block.bytes.length - block.used);
      bytes.copy(block.bytes, block.used, at, at + some);
      block.used += some;
      this.end += some;
      at += some;
    }
  }

  /** Copies bytes that are kept to `target`. */
  copy(offset: number, length: number, target: Buffer, at: number): void {
    let from = offset;
    let to = at;
    for (const { start, bytes, used } of this.#blocks) {
      if (from >= start + used) continue;
      const some = Math.min(offset + length - from, start + used - from);
      if (some <= 0) return;
      bytes.copy(target, to, from - start, from - start + some);
      from += some;
      to += some;
    }
  }

  /** Takes bytes from the beginning, at most `most`; a view that nobody writes to again. Null: there are none. */
  take(most: number): Buffer | null {
    const block = this.#blocks[0];
    if (block === undefined || this.length === 0 || most <= 0) return null;
    const from = this.start - block.start;
    const view = block.bytes.subarray(from, Math.min(block.used, from + most));
    this.dropTo(this.start + view.length);
    return view;
  }

  /** Forgets what lies below an offset. */
  dropTo(offset: number): void {
    this.start = Math.max(this.start, Math.min(offset, this.end));
    for (let block = this.#blocks[0]; block !== undefined; block = this.#blocks[0]) {
      if (block.used < block.bytes.length || block.start + block.used > this.start) return;
      this.#blocks.shift();
    }
  }

  clear(): void {
    this.start = this.end;
    this.#blocks.length = 0;
  }
}
