// A hash over what happened in a run, in its order: two runs with one hash did the same. FNV-1a over 32-bit words, twice, 64 bits in all.
const PRIME = 0x01000193;
const encoder = new TextEncoder();
const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);

export class TraceHash {
  #low = 0x811c9dc5 | 0;
  #high = 0x9dc5811c | 0;

  add(word: number): void {
    this.#low = Math.imul(this.#low ^ word, PRIME);
    this.#high = Math.imul(this.#high ^ ((word << 15) | (word >>> 17)) ^ (this.#low >>> 7), PRIME);
  }

  /** A number that need not be whole, such as a time in milliseconds. */
  addFloat(value: number): void {
    float[0] = value;
    this.add(words[0] ?? 0);
    this.add(words[1] ?? 0);
  }

  addText(text: string): void {
    this.addBytes(encoder.encode(text));
  }

  /** The first `most` of them. */
  addBytes(bytes: Uint8Array, most = bytes.length): void {
    const length = Math.min(bytes.length, most);
    this.add(length);
    for (let at = 0; at < length; at++) this.add(bytes[at] ?? 0);
  }

  /** 16 hexadecimal digits. */
  get hex(): string {
    return [this.#high, this.#low].map(half => (half >>> 0).toString(16).padStart(8, '0')).join('');
  }
}
