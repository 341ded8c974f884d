// A bounds-checked little-endian reader over one Buffer. Reading past the end throws WIRE_TRUNCATED.
import { ProtocolError } from '../errors.ts';

export class Cursor {
  readonly bytes: Buffer;
  /** Offset of the next byte to read. */
  at: number;
  /** Offset after the last readable byte. */
  readonly end: number;

  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
  }

  get left(): number {
    return this.end - this.at;
  }

  #advance(count: number): number {
    const at = this.at;
    if (count < 0 || count > this.end - at) {
      throw new ProtocolError('WIRE_TRUNCATED', `${count} bytes wanted at ${at}, ${this.end - at} there`);
    }
    this.at = at + count;
    return at;
  }

  u8(): number {
    return this.bytes.readUInt8(this.#advance(1));
  }
  u16(): number {
    return this.bytes.readUInt16LE(this.#advance(2));
  }
  u16be(): number {
    return this.bytes.readUInt16BE(this.#advance(2));
  }
  u32(): number {
    return this.bytes.readUInt32LE(this.#advance(4));
  }
  skip(count: number): void {
    this.#advance(count);
  }
  /** Where the bytes that are skipped begin. */
  pass(count: number): number {
    return this.#advance(count);
  }
  /** A view, not a copy. */
  take(count: number): Buffer {
    const at = this.#advance(count);
    return this.bytes.subarray(at, at + count);
  }
  /** Offset of the next `byte`; does not advance. Throws WIRE_MALFORMED when there is none. */
  find(byte: number): number {
    const found = this.bytes.indexOf(byte, this.at);
    if (found < 0 || found >= this.end) throw new ProtocolError('WIRE_MALFORMED', `no terminator after ${this.at}`);
    return found;
  }
}
