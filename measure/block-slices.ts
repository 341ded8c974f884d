// Reads a block of rows: finds its columns without copying them, and gives their values.
import { FULL_WIDTH, type NumberWidth } from './number-column.ts';
import { blockColumns } from './row-block.ts';
import type { TableName } from './tables.ts';
import { LENGTH_BYTES } from './text-column.ts';

/** A column of a block. `width` 0: texts, each with its length before it; else bytes of a number. A view. */
export interface BlockSlice {
  readonly width: 0 | NumberWidth;
  readonly bytes: Buffer;
}

/** A block, and what its rows share. */
export interface Block {
  readonly table: TableName;
  readonly servent: string;
  readonly run: string;
  readonly rows: number;
  /** In the order of blockColumns(). */
  readonly slices: readonly BlockSlice[];
}

const TWO_32 = 2 ** 32;

/** Columns of the bytes that RowBlock.writeTo() wrote; null: they are none. */
export function blockSlices(table: TableName, rows: number, bytes: Buffer): BlockSlice[] | null {
  const slices: BlockSlice[] = [];
  let at = 0;
  for (const { type } of blockColumns(table)) {
    const isText = type === 'text';
    const start = at + (isText ? LENGTH_BYTES : 1);
    if (start > bytes.length) return null;
    const width = type === 'text' ? 0 : widthOf(bytes[at], type);
    if (width === null) return null;
    at = start + (isText ? bytes.readUInt32LE(at) : width * rows);
    if (at > bytes.length) return null;
    const slice: BlockSlice = { width, bytes: bytes.subarray(start, at) };
    if (isText && !hasTexts(slice.bytes, rows)) return null;
    slices.push(slice);
  }
  return at === bytes.length ? slices : null;
}

function widthOf(byte: number | undefined, type: 'small' | 'integer'): NumberWidth | null {
  return byte === 1 || byte === FULL_WIDTH[type] ? byte : null;
}

function hasTexts(bytes: Buffer, rows: number): boolean {
  let at = 0;
  for (let row = 0; row < rows; row++) {
    if (at + LENGTH_BYTES > bytes.length) return false;
    at += LENGTH_BYTES + bytes.readUInt32LE(at);
  }
  return at === bytes.length;
}

/** Hot. The number at an index of a slice. */
export function numberAt({ width, bytes }: BlockSlice, index: number): number {
  if (width === 1) return bytes[index] ?? 0;
  if (width === 4) return bytes.readInt32LE(4 * index);
  return bytes.readUInt32LE(8 * index) + TWO_32 * bytes.readInt32LE(8 * index + 4);
}

export function* textsOf({ bytes }: BlockSlice): Generator<string> {
  for (let at = 0; at < bytes.length; ) {
    const start = at + LENGTH_BYTES;
    at = start + bytes.readUInt32LE(at);
    yield bytes.toString('utf8', start, at);
  }
}

/** The rows of a block as objects. */
export function blockRows({ table, servent, run, rows, slices }: Block): Record<string, string | number>[] {
  const all: Record<string, string | number>[] = Array.from({ length: rows }, () => ({ servent, run }));
  for (const [i, { name, type }] of blockColumns(table).entries()) {
    const slice = slices[i];
    if (slice === undefined) continue;
    const texts = type === 'text' ? textsOf(slice) : null;
    for (const [index, row] of all.entries())
      row[name] = texts === null ? numberAt(slice, index) : (texts.next().value ?? '');
  }
  return all;
}
