// Holds the UTF-8 of a text in a reused buffer, for lookups without allocation.

export class TextKey {
  /** The text is in the first `length` bytes. */
  bytes = Buffer.allocUnsafe(1024);
  length = 0;

  /** Unpaired surrogates become U+FFFD. */
  set(text: string): this {
    if (3 * text.length > this.bytes.length) this.bytes = Buffer.allocUnsafe(3 * text.length);
    const { bytes } = this;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit >= 0x80) {
        this.length = bytes.write(text);
        return this;
      }
      bytes[i] = unit;
    }
    this.length = text.length;
    return this;
  }

  hash(seed: number): number {
    return hashBytes(this.bytes, 0, this.length, seed);
  }
}

/** FNV-1a with the finaliser of MurmurHash3: 32 bits. */
export function hashBytes(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let hash = seed ^ 0x811c9dc5;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
