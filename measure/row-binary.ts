// Writes rows of blocks as ClickHouse takes them: RowBinary, row by row, a number little-endian, a text after its length.
import { type Block, numberAt } from './block-slices.ts';
import { blockColumns } from './row-block.ts';
import { LENGTH_BYTES } from './text-column.ts';

const ROOM = 1 << 16;
const VARINT_BYTES_MAX = 5;
const TWO_32 = 2 ** 32;

/** The rows whose numbers are not in `without`; values in the order of the columns of their table, of which the shared ones come first. */
export function rowBinary(blocks: readonly Block[], without: ReadonlySet<number>): Buffer {
  const out = new Growing();
  for (const { table, servent, run, rows, slices } of blocks) {
    const columns = blockColumns(table);
    const seqs = slices[columns.findIndex(({ name }) => name === 'seq')];
    const head = Buffer.concat([servent, run].map(text => Buffer.concat([Buffer.of(text.length), Buffer.from(text)])));
    const ats = slices.map(() => 0);
    for (let row = 0; row < rows; row++) {
      const isWanted = seqs === undefined || !without.has(numberAt(seqs, row));
      if (isWanted) out.add(head, 0, head.length);
      for (const [i, slice] of slices.entries()) {
        if (slice.width !== 0) {
          if (isWanted) out.integer(numberAt(slice, row), columns[i]?.type === 'small');
          continue;
        }
        const at = ats[i] ?? 0;
        const start = at + LENGTH_BYTES;
        const end = start + slice.bytes.readUInt32LE(at);
        ats[i] = end;
        if (!isWanted) continue;
        out.length(end - start);
        out.add(slice.bytes, start, end);
      }
    }
  }
  return out.taken;
}

class Growing {
  #bytes = Buffer.allocUnsafeSlow(ROOM);
  #at = 0;

  get taken(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  add(source: Buffer, start: number, end: number): void {
    this.#room(end - start);
    this.#at += source.copy(this.#bytes, this.#at, start, end);
  }

  integer(value: number, isSmall: boolean): void {
    this.#room(8);
    this.#at = this.#bytes.writeInt32LE(value | 0, this.#at);
    if (!isSmall) this.#at = this.#bytes.writeInt32LE(Math.floor(value / TWO_32), this.#at);
  }

  length(value: number): void {
    this.#room(VARINT_BYTES_MAX);
    let rest = value;
    for (; rest > 0x7f; rest >>>= 7) this.#bytes[this.#at++] = (rest & 0x7f) | 0x80;
    this.#bytes[this.#at++] = rest;
  }

  #room(bytes: number): void {
    const needed = this.#at + bytes;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}
