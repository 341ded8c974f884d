// Collects the bytes of a message in a buffer that is used again for the next one.

const BYTES_MIN = 4096;
/** A larger buffer is not kept. */
const KEPT_BYTES_MAX = 65_536;

const BASE32 = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', 'latin1');

export class ByteWriter {
  #bytes = Buffer.allocUnsafeSlow(BYTES_MIN);
  #length = 0;

  clear(): this {
    this.#length = 0;
    if (this.#bytes.length > KEPT_BYTES_MAX) this.#bytes = Buffer.allocUnsafeSlow(BYTES_MIN);
    return this;
  }

  /** Returns a copy of all bytes. */
  copy(): Buffer {
    const copy = Buffer.allocUnsafe(this.#length);
    this.#bytes.copy(copy, 0, 0, this.#length);
    return copy;
  }

  /** The lowest 8 bits. */
  u8(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  /** Little-endian; the lowest 16 bits. */
  u16(value: number): void {
    this.u8(value);
    this.u8(value >>> 8);
  }

  /** Big-endian; the lowest 16 bits. */
  u16be(value: number): void {
    this.u8(value >>> 8);
    this.u8(value);
  }

  /** Little-endian; the lowest 32 bits. */
  u32(value: number): void {
    this.u16(value);
    this.u16(value >>> 16);
  }

  bytes(source: Uint8Array): void {
    this.#reserve(source.length);
    const to = this.#length;
    const target = this.#bytes;
    // Most are digests: for these a loop is faster than a call of set().
    if (source.length > 64) target.set(source, to);
    else for (let i = 0; i < source.length; i++) target[to + i] = source[i] ?? 0;
    this.#length += source.length;
  }

  /** UTF-8. Unpaired surrogates become U+FFFD. */
  text(text: string): void {
    this.#reserve(3 * text.length);
    const start = this.#length;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit >= 0x80) {
        this.#length = start + this.#bytes.write(text, start);
        return;
      }
      this.#bytes[start + i] = unit;
    }
    this.#length += text.length;
  }

  /** RFC 4648 base32, upper case, no padding, for whole groups of 5 bytes, as in a SHA-1. Throws RangeError for other lengths. */
  base32(source: Uint8Array): void {
    if (source.length % 5 !== 0) throw new RangeError(`${source.length} bytes are not whole groups of base32`);
    this.#reserve((source.length / 5) * 8);
    for (let at = 0; at < source.length; at += 5) {
      const high = ((source[at] ?? 0) << 12) | ((source[at + 1] ?? 0) << 4) | ((source[at + 2] ?? 0) >> 4);
      const low = (((source[at + 2] ?? 0) & 15) << 16) | ((source[at + 3] ?? 0) << 8) | (source[at + 4] ?? 0);
      for (let shift = 15; shift >= 0; shift -= 5) this.#bytes[this.#length++] = BASE32[(high >> shift) & 31] ?? 0;
      for (let shift = 15; shift >= 0; shift -= 5) this.#bytes[this.#length++] = BASE32[(low >> shift) & 31] ?? 0;
    }
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * (this.#length + bytes));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
