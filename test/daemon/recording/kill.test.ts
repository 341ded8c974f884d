import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import t from 'tap';
import { RecordingWriter } from '../../../daemon/recording/recording-writer.ts';
import { segmentsAmong, UNFINISHED } from '../../../measure/segment.ts';
import { SeededRandom } from '../../../sim/seeded-random.ts';
import { journalRows } from '../../support/journals.ts';
import { eventually } from '../../support/loopback.ts';

const PROCESS = fileURLToPath(new URL('../../support/recording-process.js', import.meta.url));
/** More by SERVENT_TEST_KILLS. */
const KILLS = Number(process.env['SERVENT_TEST_KILLS'] ?? 8);

/** Every row of every segment; throws when one cannot be read. */
async function rowsIn(folder: string): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = [];
  for (const { file, segment } of segmentsAmong(readdirSync(folder))) {
    if (segment.table !== 'queries') continue;
    const path = join(folder, file);
    if (segment.kind === 'parquet') rows.push(...(await parquetReadObjects({ file: await asyncBufferFromFile(path) })));
    else rows.push(...journalRows(path, segment.table));
  }
  return rows;
}

t.test(
  'whatever moment the process is killed in, what it said is on the disk is there once, and no segment is broken',
  async t => {
    const folder = t.testdir({});
    const random = new SeededRandom(5);
    const said = new Map<string, number>();
    for (let kill = 0; kill < KILLS; kill++) {
      const name = `run${kill}x`;
      const child = spawn(process.execPath, [PROCESS, folder, name], { stdio: ['ignore', 'pipe', 'inherit'] });
      t.teardown(() => child.kill('SIGKILL'));
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        for (const line of text.split('\n').slice(0, -1)) said.set(name, Number(line));
      });
      await eventually('it has written something', () => said.has(name));
      await sleep(random.below(300));
      const ended = once(child, 'close'); // all that it printed has been read then
      child.kill('SIGKILL');
      await ended;
    }
    const before = await rowsIn(folder);
    const writer = new RecordingWriter(
      {
        ...{ folder, bytesMax: 1e9, segmentBytes: 1e6, segmentMs: 1e6 },
        ...{ servent: 'ab'.repeat(16), run: '0123abcd', salt: null, url: null },
      },
      () => undefined,
    );
    // one that was killed before the first row is taken over when it is some seconds old
    for (const file of readdirSync(folder)) utimesSync(join(folder, file), 1, 1);
    await writer.start();
    await eventually('all is Parquet', () => writer.folder.list().every(({ state }) => state === 'parquet'));
    writer.stop();
    t.notOk(readdirSync(folder).some(file => file.endsWith(UNFINISHED) || file.endsWith('.journal')));
    const rows = await rowsIn(folder);
    t.equal(rows.length, before.length, 'as many rows before the conversion and after it');
    const numbers = new Map<string, number[]>();
    for (const { text } of rows) {
      const [name = '', , number] = String(text).split(' ');
      numbers.set(name, [...(numbers.get(name) ?? []), Number(number)]);
    }
    let missing = 0;
    let repeated = 0;
    for (const [name, written] of said) {
      const found = numbers.get(name) ?? [];
      const distinct = new Set(found);
      repeated += found.length - distinct.size;
      for (let n = 1; n <= written; n++) if (!distinct.has(n)) missing++;
    }
    t.equal(missing, 0, 'nothing is missing of what was said to be on the disk');
    t.equal(repeated, 0, 'nothing is there twice');
    t.comment(`${KILLS} kills, ${rows.length} rows`);
  },
);
