import fs, { rmSync, statSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import t from 'tap';
import { readWorkload } from '../../../daemon/replay/recorded-queries.ts';
import { writeParquet } from '../../../daemon/segments/parquet-file.ts';
import { writeJournal } from '../../support/journals.ts';

/** Bytes of files that streams read during the work. */
async function bytesRead(work: () => Promise<unknown>): Promise<number> {
  const { createReadStream } = fs;
  let bytes = 0;
  fs.createReadStream = (...given) =>
    createReadStream(...given).on('data', data => {
      bytes += data.length;
    });
  syncBuiltinESMExports();
  try {
    await work();
  } finally {
    fs.createReadStream = createReadStream;
    syncBuiltinESMExports();
  }
  return bytes;
}

t.test('a long Parquet file gives what its journal gives, and is read once', async t => {
  const folder = t.testdir({});
  const journal = join(folder, 'queries-00000001-0123abcd.journal');
  const parquet = join(folder, 'queries-00000001-0123abcd.parquet');
  const rows = Array.from({ length: 30_000 }, (_, i) => ({
    ...{ seq: i + 1, at_ms: 1_700_000_000_000 + i, link: 1, guid: String(i).padStart(32, '0') },
    ...{ ttl: 3, hops: 1, bytes: 20, own_hits: 0, urns: 0, text: `song ${i}`, words: `song ${i}` },
  }));
  writeJournal(journal, 'queries', rows);
  const expected = await readWorkload(journal);
  t.equal(expected.queries.length, rows.length);
  writeParquet(journal, parquet, 'queries');
  rmSync(journal);
  const bytes = await bytesRead(async () => t.strictSame(await readWorkload(parquet), expected));
  t.ok(bytes > 0 && bytes < 1.5 * statSync(parquet).size, `${bytes} of ${statSync(parquet).size}`);
});
