// Collects the numbers of a column, and writes them with a byte each where all of them fit, or else as Parquet has them.
import type { ColumnType } from './tables.ts';

/** Bytes of a number. */
export type NumberWidth = 1 | 4 | 8;

/** Bytes of a number that does not fit into one. */
export const FULL_WIDTH = { small: 4, integer: 8 } as const;

const ROOM = 1024;
const TWO_32 = 2 ** 32;

export class NumberColumn {
  readonly #fullWidth: NumberWidth;
  #values = new Float64Array(ROOM);
  #count = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;

  constructor(type: Exclude<ColumnType, 'text'>) {
    this.#fullWidth = FULL_WIDTH[type];
  }

  /** Of the numbers so far. */
  get min(): number {
    return this.#min;
  }

  get max(): number {
    return this.#max;
  }

  /** Hot. Adds a safe integer. */
  add(value: number): void {
    if (this.#count === this.#values.length) this.#grow();
    this.#values[this.#count++] = value;
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
  }

  get width(): NumberWidth {
    return this.#min >= 0 && this.#max <= 0xff ? 1 : this.#fullWidth;
  }

  /** Bytes that writeTo() writes. */
  get size(): number {
    return 1 + this.width * this.#count;
  }

  /** Writes the width and the numbers, little-endian, from `at` on; gives where they end. */
  writeTo(out: Buffer, at: number): number {
    const { width } = this;
    const values = this.#values;
    const count = this.#count;
    let to = out.writeUInt8(width, at);
    if (width === 1) {
      for (let i = 0; i < count; i++) out[to++] = values[i] ?? 0;
      return to;
    }
    const view = new DataView(out.buffer, out.byteOffset, out.length);
    for (let i = 0; i < count; i++, to += width) {
      const value = values[i] ?? 0;
      view.setInt32(to, value, true); // modulo 2^32
      if (width === 8) view.setInt32(to + 4, Math.floor(value / TWO_32), true);
    }
    return to;
  }

  clear(): void {
    this.#count = 0;
    this.#min = Number.POSITIVE_INFINITY;
    this.#max = Number.NEGATIVE_INFINITY;
  }

  #grow(): void {
    const larger = new Float64Array(2 * this.#values.length);
    larger.set(this.#values);
    this.#values = larger;
  }
}
