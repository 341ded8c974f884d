// Collects the texts of a column as Parquet has them: each with its length before it, a little-endian number of 32 bits.

export const LENGTH_BYTES = 4;
const DIGITS = Buffer.from('0123456789abcdef');
const ROOM = 16 * 1024;
/** An empty column with more room gives it back. */
const ROOM_KEPT = 1 << 20;

export class TextColumn {
  #bytes = Buffer.allocUnsafeSlow(ROOM);
  #at = 0;

  /** Bytes that writeTo() writes. */
  get size(): number {
    return LENGTH_BYTES + this.#at;
  }

  /** Where the callers of room() write. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  /** Hot. Makes room for a text of up to so many bytes. It is written into `bytes` from the offset on that this gives; then end(). */
  room(bytesMax: number): number {
    const needed = this.#at + LENGTH_BYTES + bytesMax;
    if (needed > this.#bytes.length) this.#grow(needed);
    return this.#at + LENGTH_BYTES;
  }

  /** Hot. Ends the text that was written, which has so many bytes and is UTF-8. */
  end(length: number): void {
    const at = this.#at;
    const bytes = this.#bytes;
    bytes[at] = length;
    bytes[at + 1] = length >>> 8;
    bytes[at + 2] = length >>> 16;
    bytes[at + 3] = length >>> 24;
    this.#at = at + LENGTH_BYTES + length;
  }

  /** Hot. Adds the hexadecimal digits of bytes[start, end). */
  addHex(bytes: Buffer, start: number, end: number): void {
    let to = this.room(2 * (end - start));
    const out = this.#bytes;
    for (let at = start; at < end; at++) {
      const byte = bytes[at] ?? 0;
      out[to++] = DIGITS[byte >> 4] ?? 0;
      out[to++] = DIGITS[byte & 0xf] ?? 0;
    }
    this.end(2 * (end - start));
  }

  /** Half of a character of two units becomes U+FFFD. */
  add(text: string): void {
    const from = this.room(3 * text.length);
    this.end(this.#bytes.write(text, from, 'utf8'));
  }

  /** Writes the number of bytes of all texts, and the texts, from `at` on; gives where they end. */
  writeTo(out: Buffer, at: number): number {
    const to = out.writeUInt32LE(this.#at, at);
    return to + this.#bytes.copy(out, to, 0, this.#at);
  }

  clear(): void {
    this.#at = 0;
    if (this.#bytes.length > ROOM_KEPT) this.#bytes = Buffer.allocUnsafeSlow(ROOM);
  }

  #grow(needed: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}
