// The frames that a journal is made of: a head, and a block of rows. Each is checked by itself and names the servent and the run.
//
//   0  mark           the bytes of "svj1"
//   4  checksum of the head's bytes from 8 on, CRC-32
//   8  bytes of the block, and at 12 its checksum
//  16  rows of the block, and at 20 rows of the journal before it
//  24  columns: the checksum of the names and types of the table's columns
//  28  run, 4 bytes, and at 32 servent, 16 bytes
import { crc32 } from 'node:zlib';
import { type Block, blockSlices } from '../../measure/block-slices.ts';
import type { RowBlock } from '../../measure/row-block.ts';
import { type TableName, tables } from '../../measure/tables.ts';

export const HEAD_BYTES = 48;
const MARK = Buffer.from('svj1');
const CHECKED_FROM = 8;

/** The writer of a journal, in hexadecimal digits. */
export interface Author {
  readonly servent: string;
  readonly run: string;
}

interface Head extends Author {
  readonly bytes: number;
  readonly checksum: number;
  readonly rows: number;
  readonly before: number;
  readonly columns: number;
}

/** What can be read of a journal. */
export interface JournalContent {
  readonly blocks: Block[];
  /** Rows of frames that are damaged or cut; one for an end that is no frame, whose rows are not known. */
  readonly broken: number;
}

const columnsOf = (table: TableName): number => {
  const columns = Object.entries<{ type: string }>(tables[table].columns);
  return crc32([table, ...columns.map(([name, { type }]) => `${name} ${type}`)].join());
};

/** Used again for each frame: a fresh buffer of some 100 KB for each would have the collector called. */
let room = Buffer.allocUnsafeSlow(1 << 16);

/** A frame of the rows of a block, of which `before` are in the journal. A view, valid until the next call. */
export function encodeFrame(table: TableName, block: RowBlock, { servent, run }: Author, before: number): Buffer {
  const size = HEAD_BYTES + block.size;
  if (size > room.length) room = Buffer.allocUnsafeSlow(2 * size);
  const frame = room.subarray(0, size);
  block.writeTo(frame, HEAD_BYTES);
  const bytes = frame.subarray(HEAD_BYTES);
  MARK.copy(frame);
  frame.writeUInt32LE(bytes.length, 8);
  frame.writeUInt32LE(crc32(bytes), 12);
  frame.writeUInt32LE(block.rows, 16);
  frame.writeUInt32LE(before, 20);
  frame.writeUInt32LE(columnsOf(table), 24);
  frame.write(run, 28, 4, 'hex');
  frame.write(servent, 32, 16, 'hex');
  frame.writeUInt32LE(crc32(frame.subarray(CHECKED_FROM, HEAD_BYTES)), 4);
  return frame;
}

/** The writer of the journal that begins with these bytes; null: its first frame is not whole. */
export function authorOf(begin: Buffer): Author | null {
  return headAt(begin, 0);
}

/** The blocks of a journal that are whole, whatever has happened to the rest of its bytes. */
export function journalContent(table: TableName, journal: Buffer): JournalContent {
  const blocks: Block[] = [];
  const columns = columnsOf(table);
  let author: Author | null = null;
  let broken = 0;
  /** Rows up to here. */
  let seen = 0;
  for (let at = 0; at < journal.length; ) {
    const head: Head | null = headAt(journal, at);
    if (head === null || head.before < seen || (author !== null && !isSame(author, head))) {
      at = journal.indexOf(MARK, at + 1);
      if (at >= 0) continue;
      broken++;
      break;
    }
    author ??= head;
    const { servent, run, rows, before } = head;
    broken += before - seen;
    seen = before + rows;
    const bytes = journal.subarray(at + HEAD_BYTES, at + HEAD_BYTES + head.bytes);
    const isWhole = bytes.length === head.bytes && crc32(bytes) === head.checksum && head.columns === columns;
    const slices = isWhole ? blockSlices(table, rows, bytes) : null;
    if (slices === null) broken += rows;
    else blocks.push({ table, servent, run, rows, slices });
    at += HEAD_BYTES + head.bytes;
  }
  return { blocks, broken };
}

const isSame = (one: Author, other: Author): boolean => one.servent === other.servent && one.run === other.run;

function headAt(journal: Buffer, at: number): Head | null {
  if (at + HEAD_BYTES > journal.length) return null;
  const head = journal.subarray(at, at + HEAD_BYTES);
  if (!head.subarray(0, MARK.length).equals(MARK)) return null;
  if (crc32(head.subarray(CHECKED_FROM)) !== head.readUInt32LE(4)) return null;
  return {
    bytes: head.readUInt32LE(8),
    checksum: head.readUInt32LE(12),
    rows: head.readUInt32LE(16),
    before: head.readUInt32LE(20),
    columns: head.readUInt32LE(24),
    run: head.toString('hex', 28, 32),
    servent: head.toString('hex', 32, HEAD_BYTES),
  };
}
