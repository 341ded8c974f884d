import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import t from 'tap';
import { openDuckDb } from '../../../daemon/analysis/duckdb.ts';
import { Journal } from '../../../daemon/segments/journal.ts';
import { writeParquet } from '../../../daemon/segments/parquet-file.ts';
import { RowBlock } from '../../../measure/row-block.ts';
import type { TableName } from '../../../measure/tables.ts';
import { duckDbMissing } from '../../support/duckdb.ts';
import { AUTHOR, writeJournal } from '../../support/journals.ts';
import { type AnyRow, anyGroups } from '../../support/row-arbitraries.ts';

const skip = (await duckDbMissing()) ?? false;

function writeGroups(path: string, table: TableName, groups: readonly (readonly AnyRow[])[]): void {
  const journal = new Journal(path, table, AUTHOR);
  const block = new RowBlock(table);
  for (const rows of groups) {
    for (const row of rows) block.add(Number(row['seq']), Number(row['at_ms']), row);
    journal.append(block);
  }
  journal.close();
}

const plain = (row: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, typeof value === 'bigint' ? Number(value) : value]),
  );

t.test('a Parquet file has the rows of its journal, whatever they are', async t => {
  const folder = t.testdir({});
  const journal = join(folder, 'journal');
  const parquet = join(folder, 'parquet');
  await fc.assert(
    fc.asyncProperty(anyGroups, async ({ table, groups }) => {
      rmSync(journal, { force: true });
      writeGroups(journal, table, groups);
      const facts = writeParquet(journal, parquet, table);
      const file = await asyncBufferFromFile(parquet);
      const rows = groups.flat();
      const found = (await parquetReadObjects({ file })).map(plain);
      const times = rows.map(row => Number(row['at_ms']));
      const [from, to] = rows.length === 0 ? [null, null] : [Math.min(...times), Math.max(...times)];
      const { key_value_metadata: told } = await parquetMetadataAsync(file);
      return (
        isDeepStrictEqual(
          found,
          rows.map(row => ({ ...AUTHOR, ...row })),
        ) &&
        isDeepStrictEqual(facts, { rows: rows.length, from, to }) &&
        told?.map(({ value }) => value).join() === [table, from ?? '', to ?? ''].join()
      );
    }),
    { seed: 5, numRuns: 100 },
  );
});

t.test('DuckDB reads the same of it, at the edges of groups of indices too', { skip }, async t => {
  const folder = t.testdir({});
  for (const [i, count] of [1, 7, 8, 9, 4096, 70_000].entries()) {
    const rows = Array.from({ length: count }, (_, n) => ({
      ...{ seq: 2 ** 40 + n, at_ms: 1_700_000_000_000 + n, ttl: n % 256, hops: 3, counted: n },
    }));
    writeJournal(join(folder, `query_counts-0000000${i + 1}-0123abcd.journal`), 'query_counts', rows);
  }
  const engine = await openDuckDb([folder]);
  t.teardown(() => engine.close());
  const sql =
    'SELECT count(*) AS rows, sum(seq - 1099511627776) AS seqs, sum(ttl) AS ttls, sum(hops) AS hops, sum(counted) AS counted, ' +
    'max(at_ms) AS latest, min(servent) AS servent, max(run) AS run FROM query_counts';
  const counts = [1, 7, 8, 9, 4096, 70_000];
  const sum = (of: (n: number) => number): number =>
    counts.reduce((all, count) => all + Array.from({ length: count }, (_, n) => of(n)).reduce((a, b) => a + b, 0), 0);
  t.strictSame(await engine.rows(sql), [
    {
      ...{ rows: sum(() => 1), seqs: sum(n => n), ttls: sum(n => n % 256), hops: sum(() => 3), counted: sum(n => n) },
      ...{ latest: 1_700_000_069_999, servent: AUTHOR.servent, run: AUTHOR.run },
    },
  ]);
  t.strictSame(
    readdirSync(folder).filter(file => !file.endsWith('.journal')),
    [],
    'nothing is put beside the journals',
  );
});
