// Puts a Parquet file together of blocks of rows: one group of rows, whose columns are those of the table.
import type { Block } from '../block-slices.ts';
import { blockColumns } from '../row-block.ts';
import { type ColumnType, type TableName, tables } from '../tables.ts';
import { type ColumnChunk, columnChunk, constantChunk, PHYSICAL } from './column-chunk.ts';
import { i32, i64, list, struct, type ThriftValue, text } from './compact-thrift.ts';

const MARK = Buffer.from('PAR1');
const VERSION = 1;
const REQUIRED = 0;
const UTF8 = 0;
const UNCOMPRESSED = 0;
const STRING = struct({ 1: struct({}) });

/** The bytes of a file, in order. `facts` are its key-value metadata. All blocks are of one servent and run. */
export function parquetParts(
  table: TableName,
  blocks: readonly Block[],
  facts: Readonly<Record<string, string>>,
): Buffer[] {
  const rows = blocks.reduce((sum, block) => sum + block.rows, 0);
  const columns = Object.entries<{ type: ColumnType }>(tables[table].columns);
  const parts: Buffer[] = [MARK];
  const chunks: ThriftValue[] = [];
  let at = MARK.length;
  if (rows > 0)
    for (const [name, { type }] of columns) {
      const chunk = chunkOf(name, type, table, blocks, rows);
      parts.push(...chunk.parts);
      chunks.push(chunkMetadata(name, type, chunk, rows, at));
      at += chunk.bytes;
    }
  const group = struct({ 1: list(chunks), 2: i64(at - MARK.length), 3: i64(rows) });
  const footer = Buffer.from(
    struct({
      1: i32(VERSION),
      2: list([root(table, columns.length), ...columns.map(([name, { type }]) => schemaOf(name, type))]),
      3: i64(rows),
      4: list(rows > 0 ? [group] : []),
      5: list(Object.entries(facts).map(([key, value]) => struct({ 1: text(key), 2: text(value) }))),
      6: text('servent'),
    }).bytes,
  );
  const length = Buffer.alloc(4);
  length.writeUInt32LE(footer.length);
  return [...parts, footer, length, MARK];
}

function chunkOf(
  name: string,
  type: ColumnType,
  table: TableName,
  blocks: readonly Block[],
  rows: number,
): ColumnChunk {
  const index = blockColumns(table).findIndex(column => column.name === name);
  if (index < 0) return constantChunk((name === 'run' ? blocks[0]?.run : blocks[0]?.servent) ?? '', rows);
  return columnChunk(
    type,
    blocks.flatMap(({ slices }) => slices[index] ?? []),
    rows,
  );
}

const root = (name: string, columns: number): ThriftValue => struct({ 4: text(name), 5: i32(columns) });

function schemaOf(name: string, type: ColumnType): ThriftValue {
  const isText = type === 'text' ? { 6: i32(UTF8), 10: STRING } : {};
  return struct({ 1: i32(PHYSICAL[type]), 3: i32(REQUIRED), 4: text(name), ...isText });
}

function chunkMetadata(name: string, type: ColumnType, chunk: ColumnChunk, rows: number, at: number): ThriftValue {
  const metadata = struct({
    1: i32(PHYSICAL[type]),
    2: list(chunk.encodings.map(i32)),
    3: list([text(name)]),
    4: i32(UNCOMPRESSED),
    5: i64(rows),
    6: i64(chunk.bytes),
    7: i64(chunk.bytes),
    9: i64(at + chunk.dataPageAt),
    ...(chunk.hasDictionary ? { 11: i64(at) } : {}),
  });
  return struct({ 2: i64(at), 3: metadata });
}
