import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { type Block, blockSlices } from '../../measure/block-slices.ts';
import { databaseColumns } from '../../measure/clickhouse-schema.ts';
import { rowBinary } from '../../measure/row-binary.ts';
import { RowBlock } from '../../measure/row-block.ts';
import type { TableName } from '../../measure/tables.ts';
import { type AnyRow, anyGroups } from '../support/row-arbitraries.ts';

const AUTHOR = { servent: 'ab'.repeat(16), run: '01234567' };

function blockOf(table: TableName, rows: readonly AnyRow[]): Block {
  const block = new RowBlock(table);
  for (const row of rows) block.add(Number(row['seq']), Number(row['at_ms']), row);
  const bytes = Buffer.alloc(block.size);
  block.writeTo(bytes, 0);
  return { ...AUTHOR, table, rows: rows.length, slices: blockSlices(table, rows.length, bytes) ?? [] };
}

/** As the documentation of ClickHouse describes RowBinary: strings after their length in seven bits a byte, numbers little-endian. */
function rowsIn(table: TableName, bytes: Buffer): Record<string, unknown>[] {
  const rows: Record<string, unknown>[] = [];
  let at = 0;
  while (at < bytes.length) {
    const row: Record<string, unknown> = {};
    for (const { name, type } of databaseColumns(table)) {
      if (type === 'Int32') row[name] = bytes.readInt32LE(at);
      else if (type === 'Int64') row[name] = Number(bytes.readBigInt64LE(at));
      if (type !== 'String') {
        at += type === 'Int32' ? 4 : 8;
        continue;
      }
      let length = 0;
      for (let shift = 0; ; shift += 7) {
        const byte = bytes.readUInt8(at++);
        length += (byte & 0x7f) << shift;
        if (byte < 0x80) break;
      }
      row[name] = bytes.toString('utf8', at, at + length);
      at += length;
    }
    rows.push(row);
  }
  return rows;
}

t.test('rows are sent as the columns of the database, without those that it has', async () => {
  fc.assert(
    fc.property(anyGroups, fc.nat(), ({ table, groups }, chance) => {
      const blocks = groups.map(rows => blockOf(table, rows));
      const rows = groups.flat();
      const without = new Set(rows.filter((_, i) => (chance >> (i % 8)) & 1).map(row => Number(row['seq'])));
      const wanted = rows.filter(row => !without.has(Number(row['seq'])));
      return isDeepStrictEqual(
        rowsIn(table, rowBinary(blocks, without)),
        wanted.map(row => ({ ...AUTHOR, ...row })),
      );
    }),
    { seed: 6, numRuns: 200 },
  );
});

t.test('long texts and many rows', async t => {
  const rows = Array.from({ length: 5000 }, (_, i) => ({ seq: i, at_ms: 1, role: 'x'.repeat(i), why: 'ü'.repeat(64) }));
  const found = rowsIn('roles', rowBinary([blockOf('roles', rows)], new Set()));
  t.strictSame(
    found,
    rows.map(row => ({ ...AUTHOR, ...row })),
  );
});
