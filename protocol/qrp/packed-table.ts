// A compressed QRP table. A leaf's has 65,536 slots or more, one in a hundred present; thousands of them are kept.
import { QrpTable } from './table.ts';

/** Gaps of at most 2^21 slots: three bytes of seven bits. */
const GAP_BYTES_MAX = 3;

export class PackedTable {
  /** log2 of the number of slots. */
  readonly bits: number;
  /** Slots present. */
  readonly count: number;
  /**
   * Gaps between present slots as varints, seven bits a byte, lowest first; or the cells, when those are shorter. A byte is a
   * character: a typed array takes some 300 bytes besides, which is more than the table of a small library.
   */
  readonly #text: string;
  readonly #plain: boolean;

  constructor(table: QrpTable) {
    this.bits = table.bits;
    this.count = table.count;
    const { cells } = table;
    const gaps = new Uint8Array(Math.min(cells.byteLength, GAP_BYTES_MAX * table.count) + GAP_BYTES_MAX);
    let end = 0;
    let next = 0;
    for (const slot of table.present()) {
      if (end >= cells.byteLength) break;
      for (let gap = slot - next; ; gap >>>= 7) {
        gaps[end++] = gap < 0x80 ? gap : (gap & 0x7f) | 0x80;
        if (gap < 0x80) break;
      }
      next = slot + 1;
    }
    this.#plain = end >= cells.byteLength && table.count > 0;
    this.#text = this.#plain
      ? Buffer.from(cells.buffer, cells.byteOffset, cells.byteLength).latin1Slice()
      : Buffer.from(gaps.buffer, 0, end).latin1Slice();
  }

  get memoryBytes(): number {
    return this.#text.length;
  }

  get fill(): number {
    return this.count / 2 ** this.bits;
  }

  unpack(): QrpTable {
    const table = new QrpTable(2 ** this.bits);
    for (const slot of this.slots(this.bits)) table.set(slot);
    return table;
  }

  /** Slots present, ascending, folded to a table of at most 2^bitsMax slots. */
  slots(bitsMax: number): Uint32Array {
    const fold = Math.max(0, this.bits - bitsMax);
    const slots = new Uint32Array(this.count);
    let length = 0;
    let last = -1;
    const take = (slot: number): void => {
      const folded = slot >>> fold;
      if (folded === last) return;
      last = folded;
      slots[length++] = folded;
    };
    if (this.#plain) this.#eachPlain(take);
    else this.#eachGap(take);
    return slots.subarray(0, length);
  }

  #eachPlain(take: (slot: number) => void): void {
    const bytes = Uint8Array.from(Buffer.from(this.#text, 'latin1'));
    const cells = new Uint32Array(bytes.buffer);
    for (let cell = 0; cell < cells.length; cell++) {
      for (let left = cells[cell] ?? 0; left !== 0; left &= left - 1) take((cell << 5) + 31 - Math.clz32(left & -left));
    }
  }

  #eachGap(take: (slot: number) => void): void {
    let slot = 0;
    let gap = 0;
    let shift = 0;
    for (let at = 0; at < this.#text.length; at++) {
      const byte = this.#text.charCodeAt(at);
      gap |= (byte & 0x7f) << shift;
      shift += 7;
      if (byte >= 0x80) continue;
      slot += gap;
      take(slot++);
      gap = 0;
      shift = 0;
    }
  }
}
