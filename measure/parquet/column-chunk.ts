// Makes the bytes of a column in a Parquet file out of the slices of blocks: as they are where that can be, uncompressed.
import type { BlockSlice } from '../block-slices.ts';
import { FULL_WIDTH } from '../number-column.ts';
import type { ColumnType } from '../tables.ts';
import { i32, struct, varint } from './compact-thrift.ts';

/** Physical types, by their numbers in the format. */
export const PHYSICAL = { small: 1, integer: 2, text: 6 } as const satisfies Record<ColumnType, number>;
/** Encodings, likewise. */
const PLAIN = 0;
const RLE = 3;
const DICTIONARY = 8;
const DATA_PAGE = 0;
const DICTIONARY_PAGE = 2;

/** Values of a run of packed indices come in groups of this many. */
const GROUP = 8;

export interface ColumnChunk {
  /** In their order in the file. */
  readonly parts: readonly Buffer[];
  readonly bytes: number;
  readonly encodings: readonly number[];
  /** From the beginning of the chunk. */
  readonly dataPageAt: number;
  readonly hasDictionary: boolean;
}

/** A column whose value is the same in all rows. */
export function constantChunk(text: string, rows: number): ColumnChunk {
  const value = Buffer.from(text);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(value.length);
  // indices of one bit, and one run of the index 0
  return dictionaryChunk([length, value], 1, [Buffer.from([1, ...varint(2 * rows), 0])], rows);
}

export function columnChunk(type: ColumnType, slices: readonly BlockSlice[], rows: number): ColumnChunk {
  if (type === 'text')
    return plainChunk(
      slices.map(({ bytes }) => bytes),
      rows,
    );
  if (slices.every(({ width }) => width === 1)) return smallNumbers(FULL_WIDTH[type], slices, rows);
  return plainChunk(
    slices.map(({ width, bytes }) => (width === 1 ? widened(bytes, FULL_WIDTH[type]) : bytes)),
    rows,
  );
}

/** Numbers of a byte are indices into a dictionary that has all numbers up to the greatest. */
function smallNumbers(valueBytes: 4 | 8, slices: readonly BlockSlice[], rows: number): ColumnChunk {
  let max = 0;
  for (const { bytes } of slices)
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i] ?? 0;
      if (byte > max) max = byte;
    }
  const dictionary = Buffer.alloc((max + 1) * valueBytes);
  for (let value = 0; value <= max; value++) dictionary[value * valueBytes] = value;
  const groups = Math.ceil(rows / GROUP);
  const head = Buffer.from([8, ...varint(2 * groups + 1)]);
  const padding = Buffer.alloc(groups * GROUP - rows);
  return dictionaryChunk([dictionary], max + 1, [head, ...slices.map(({ bytes }) => bytes), padding], rows);
}

/** Numbers of a byte each as numbers of four or eight. */
function widened(bytes: Buffer, valueBytes: 4 | 8): Buffer {
  const out = Buffer.alloc(bytes.length * valueBytes);
  for (const [i, byte] of bytes.entries()) out[i * valueBytes] = byte;
  return out;
}

function plainChunk(values: readonly Buffer[], rows: number): ColumnChunk {
  const bytes = lengthOf(values);
  const parts = [dataHead(bytes, rows, PLAIN), ...values];
  return { parts, bytes: lengthOf(parts), encodings: [PLAIN], dataPageAt: 0, hasDictionary: false };
}

function dictionaryChunk(
  dictionary: readonly Buffer[],
  entries: number,
  indices: readonly Buffer[],
  rows: number,
): ColumnChunk {
  const size = lengthOf(dictionary);
  const head = struct({
    ...{ 1: i32(DICTIONARY_PAGE), 2: i32(size), 3: i32(size) },
    7: struct({ 1: i32(entries), 2: i32(PLAIN) }),
  });
  const first = [Buffer.from(head.bytes), ...dictionary];
  const parts = [...first, dataHead(lengthOf(indices), rows, DICTIONARY), ...indices];
  const encodings = [PLAIN, DICTIONARY];
  return { parts, bytes: lengthOf(parts), encodings, dataPageAt: lengthOf(first), hasDictionary: true };
}

/** No value is missing or repeated: a page has no levels. */
function dataHead(bytes: number, rows: number, encoding: number): Buffer {
  const { bytes: head } = struct({
    ...{ 1: i32(DATA_PAGE), 2: i32(bytes), 3: i32(bytes) },
    5: struct({ 1: i32(rows), 2: i32(encoding), 3: i32(RLE), 4: i32(RLE) }),
  });
  return Buffer.from(head);
}

const lengthOf = (parts: readonly Buffer[]): number => parts.reduce((sum, { length }) => sum + length, 0);
