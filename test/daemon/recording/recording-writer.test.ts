import { execFile } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { silentLog } from '../../../daemon/log.ts';
import { Recorder } from '../../../daemon/recording/recorder.ts';
import type { RecordingReply, RecordingWorkerData } from '../../../daemon/recording/recording-messages.ts';
import { RecordingWriter } from '../../../daemon/recording/recording-writer.ts';
import { encodeFrame, journalContent } from '../../../daemon/segments/journal-frame.ts';
import { SystemClock } from '../../../daemon/system.ts';
import { blockRows } from '../../../measure/block-slices.ts';
import { Kind, ObservationBuffer } from '../../../measure/observation.ts';
import { RowBlock } from '../../../measure/row-block.ts';
import { parseSegmentFile } from '../../../measure/segment.ts';
import { tableNames } from '../../../measure/tables.ts';
import { AUTHOR, journalRows, writeJournal } from '../../support/journals.ts';
import { eventually } from '../../support/loopback.ts';

let seq = 0;

function roles(count: number, why = 'a reason'): Buffer {
  const buffer = new ObservationBuffer(1 << 20);
  const json = Buffer.from(JSON.stringify({ role: 'leaf', why }));
  for (let n = 0; n < count; n++)
    buffer.add(Kind.Row, ++seq, 1000 + seq, 0, tableNames.indexOf('roles'), json, 0, json.length);
  return buffer.take().bytes;
}

function writerIn(folder: string, more: Partial<RecordingWorkerData> = {}) {
  const said: RecordingReply[] = [];
  const writer = new RecordingWriter(
    {
      ...{ folder, bytesMax: 1e9, segmentBytes: 1e6, segmentMs: 60_000, servent: 'ab'.repeat(16) },
      ...{ run: '0123abcd', salt: null, url: null, ...more },
    },
    reply => said.push(reply),
  );
  return { writer, said };
}

const states = (writer: RecordingWriter) => writer.folder.list().map(({ state, rows }) => `${state} ${rows}`);

function blockOf(count: number): RowBlock {
  const block = new RowBlock('roles');
  for (let n = 0; n < count; n++) block.add(++seq, 1000 + seq, { role: 'leaf', why: 'a reason' });
  return block;
}

t.test('segments are closed by size and by age, and become Parquet files', async t => {
  const { writer } = writerIn(t.testdir({}), { segmentBytes: 400 });
  await writer.start();
  writer.write(roles(2), 0);
  t.strictSame(states(writer), ['open 2']);
  writer.write(roles(10), 0);
  await eventually('the first is a Parquet file', () => states(writer)[0] === 'parquet 12');
  writer.write(roles(1), 10);
  writer.tidy(60_010);
  await eventually('the second too', () => states(writer)[1] === 'parquet 1');
  const [first] = writer.folder.list();
  if (process.platform !== 'win32')
    t.equal(statSync(writer.folder.pathOf(first?.name ?? '')).mode & 0o077, 0, 'for the owner alone');
  t.ok(first !== undefined && first.from !== null && first.to !== null && first.to - first.from === 11);
  writer.stop();
  const again = writerIn(writer.folder.pathOf(''));
  await again.writer.start();
  t.strictSame(again.writer.folder.list(), writer.folder.list(), 'all is known again after a restart');
  again.writer.write(roles(1), 0);
  const numbers = readdirSync(writer.folder.pathOf('')).map(file => parseSegmentFile(file)?.number);
  t.equal(new Set(numbers).size, 3, 'no number is used twice');
});

t.test('the oldest segments go when there is too much, and that is told', async t => {
  const { writer, said } = writerIn(t.testdir({}), { segmentBytes: 300, bytesMax: 10_000 });
  await writer.start();
  for (let n = 0; n < 12; n++) {
    writer.write(roles(10), 0);
    await eventually('it is converted', () => !states(writer).some(state => state.startsWith('closed')));
  }
  t.ok(writer.folder.bytes <= 10_000);
  const removed = said.flatMap(reply => (reply.kind === 'removed' ? [reply.segment.number] : []));
  t.ok(removed.length > 0);
  t.strictSame(
    removed,
    removed.map((_, i) => i + 1),
    'the oldest first',
  );
});

t.test('what a crash leaves is mended at the next start', async t => {
  const folder = t.testdir({});
  const { writer } = writerIn(folder);
  await writer.start();
  writer.write(roles(5), 0);
  const [file = ''] = readdirSync(folder);
  const frame = readFileSync(join(folder, file));
  const cut = encodeFrame('roles', blockOf(3), AUTHOR, 5);
  appendFileSync(join(folder, file), cut.subarray(0, cut.length - 1));
  writeFileSync(join(folder, 'roles-00000009-0123abcd.parquet.tmp'), 'half');
  const again = writerIn(folder);
  await again.writer.start();
  await eventually('it is converted', () => states(again.writer)[0] === 'parquet 5');
  t.strictSame(again.writer.counts.lost, { broken: 3 }, 'the rows that were cut are counted');
  const files = readdirSync(folder);
  t.strictSame(files.length, 1);
  // a crash between the name of the Parquet file and the end of the journal
  writeFileSync(join(folder, file), frame);
  const third = writerIn(folder);
  await third.writer.start();
  t.strictSame(readdirSync(folder), files);
  t.strictSame(states(third.writer), ['parquet 5']);
});

t.test('a journal that is gone, or cannot be read, holds up no other', async t => {
  const folder = t.testdir({});
  const names = [1, 2, 3].map(n => `roles-0000000${n}-0123abcd.journal`);
  const { writer, said } = writerIn(folder, { run: 'fedcba98' });
  await writer.start();
  for (const name of names) writeJournal(join(folder, name), 'roles', [{ seq: 1, at_ms: 1, role: 'leaf', why: 'x' }]);
  await writer.folder.load();
  const [gone = '', folderNow = '', sound = ''] = names;
  rmSync(join(folder, gone));
  rmSync(join(folder, folderNow));
  mkdirSync(join(folder, folderNow));
  const lines = () => said.flatMap(reply => (reply.kind === 'said' ? [reply.text] : []));
  writer.tidy(1);
  await eventually('the sound one is converted', () => states(writer).includes('parquet 1'));
  t.match(lines(), [/^roles-00000001-0123abcd.journal is gone from /, /^no Parquet file can be made in .*EISDIR/]);
  rmSync(join(folder, folderNow), { recursive: true });
  writeJournal(join(folder, folderNow), 'roles', [{ seq: 2, at_ms: 2, role: 'leaf', why: 'y' }]);
  await eventually('it is tried again', () => {
    writer.tidy(60_000);
    return states(writer).join() === 'parquet 1,parquet 1';
  });
  t.equal(lines().length, 2, 'each is told once');
  t.notOk(readdirSync(folder).includes(sound));
  writer.stop();
});

t.test('a journal of which nothing can be read is kept under another name, and goes first', async t => {
  const folder = t.testdir({});
  const name = 'roles-00000001-0123abcd.journal';
  const rows = [1, 2].map(seq => ({ seq, at_ms: 1, role: 'leaf', why: 'x' }));
  // the head is whole, as that of another version with other columns
  writeJournal(join(folder, name), 'roles', rows);
  const damaged = readFileSync(join(folder, name));
  damaged[damaged.length - 1] = ~(damaged.at(-1) ?? 0);
  writeFileSync(join(folder, name), damaged);
  const { writer, said } = writerIn(folder);
  await writer.start();
  const kept = `${name}.unreadable`;
  await eventually('it is set aside', () => readdirSync(folder).join() === kept);
  t.ok(readFileSync(join(folder, kept)).equals(damaged));
  t.strictSame(writer.counts, { rows: {}, lost: { broken: 2 }, sent: 0, segments: 0, bytes: damaged.length });
  t.match(said, [{ level: 'warn', text: /^no row of .* can be read, .* its 2 rows are counted as broken/ }]);
  writer.stop();
  const again = writerIn(folder);
  await again.writer.start();
  t.equal(again.writer.folder.bytes, damaged.length, 'it counts after a restart');
  t.strictSame([again.writer.counts.lost, again.said], [{}, []], 'its rows are counted and told once');
  again.writer.write(roles(10), 0);
  again.writer.folder.bytesMax = again.writer.folder.bytes - 1;
  again.writer.tidy(1);
  t.match(readdirSync(folder), [/^roles-.*\.journal$/]);
  again.writer.stop();
});

t.test('two servents may record into one folder: none takes what the other is writing', async t => {
  const folder = t.testdir({});
  const one = writerIn(folder);
  const other = writerIn(folder, { servent: 'cd'.repeat(16), run: 'fedcba98' });
  await one.writer.start();
  one.writer.write(roles(5), 0);
  await other.writer.start();
  other.writer.tidy(1);
  await eventually('the other looks after its own', () => other.writer.folder.size === 0);
  t.match(readdirSync(folder), [/^roles-00000001-0123abcd.journal$/], 'the journal stays');
  one.writer.write(roles(7), 1);
  other.writer.write(roles(3), 1);
  for (const { writer } of [one, other]) {
    writer.folder.closeAll();
    writer.tidy(2);
  }
  await eventually('both have a Parquet file', () =>
    [one, other].every(({ writer }) => states(writer).every(state => state.startsWith('parquet'))),
  );
  t.strictSame([states(one.writer), states(other.writer)], [['parquet 12'], ['parquet 3']]);
  for (const { writer } of [one, other]) writer.stop();
});

t.test('a disk that fails loses rows with one line, and recording goes on when it works', async t => {
  const folder = join(t.testdir({}), 'recordings');
  const { writer, said } = writerIn(folder, { segmentBytes: 300 });
  await writer.start();
  writer.write(roles(10), 0);
  await eventually('it is converted', () => states(writer)[0] === 'parquet 10');
  renameSync(folder, `${folder}.aside`);
  writeFileSync(folder, 'no folder');
  writer.write(roles(3), 0);
  writer.write(roles(4), 0);
  const lines = () => said.flatMap(reply => (reply.kind === 'said' ? [`${reply.level} ${reply.text}`] : []));
  t.equal(lines().length, 1);
  t.match(lines()[0], /^warn recording to .*recordings fails: .*rows are dropped and counted/);
  t.strictSame(writer.counts.lost, { disk: 7 });
  rmSync(folder);
  renameSync(`${folder}.aside`, folder);
  writer.write(roles(2), 0);
  t.match(lines()[1], /^info recording to .* works again; 7 rows were dropped meanwhile/);
  t.equal(writer.counts.rows.roles, 12);
  mkdirSync(folder, { recursive: true });
  writer.stop();
});

t.test(
  'rows that do not fit on the disk are cut off, and fewer still go there',
  { skip: process.platform === 'win32' && 'no limit on the size of files' },
  async t => {
    const path = join(t.testdir({}), 'journal');
    const limited = `trap '' XFSZ; unset NODE_OPTIONS; ulimit -f 100; exec "$0" "$@"`;
    const program = fileURLToPath(new URL('../../support/journal-process.js', import.meta.url));
    const { stdout } = await promisify(execFile)('sh', ['-c', limited, process.execPath, program, path]);
    const { failed, rows, bytes } = JSON.parse(stdout);
    t.equal(failed, 'EFBIG');
    t.equal(statSync(path).size, bytes);
    const { blocks, broken } = journalContent('roles', readFileSync(path));
    t.strictSame([blocks.reduce((sum, block) => sum + block.rows, 0), broken], [rows, 0], 'no frame is broken');
    t.equal(blocks.flatMap(blockRows).at(-1)?.['seq'], -1);
  },
);

t.test('what comes faster than it can be written is dropped, and every row is counted', async t => {
  const folder = t.testdir({});
  const recorder = new Recorder({
    ...{ mode: 'files', folder, url: '', bytesMax: 1e9, guid: Buffer.alloc(16, 1), privacy: 'full' },
    ...{ clock: new SystemClock(), log: silentLog, waitingBytesMax: 300_000 },
  });
  recorder.start();
  const given = 20_000;
  for (let n = 0; n < given; n++) recorder.row('roles', { role: 'leaf', why: `reason ${n}` }, 1);
  await recorder.stop();
  const { rows, lost } = recorder.counts;
  t.ok((lost.queue_full ?? 0) > 0 && (rows.roles ?? 0) > 0);
  t.equal((rows.roles ?? 0) + (lost.queue_full ?? 0), given);
});

t.test('half a character of a peer is replaced: no reader would take a file that has it', async t => {
  const folder = t.testdir({});
  const recorder = new Recorder({
    ...{ mode: 'files', folder, url: '', bytesMax: 1e9, guid: Buffer.alloc(16, 1), privacy: 'full' },
    ...{ clock: new SystemClock(), log: silentLog },
  });
  recorder.start();
  for (const why of ['x\ud83d', 'x\u{1f600}']) recorder.row('roles', { role: 'leaf', why }, 1);
  const [segment] = await recorder.segments();
  t.strictSame(
    journalRows(join(folder, segment?.name ?? ''), 'roles').map(({ why }) => why),
    ['x\ufffd', 'x\u{1f600}'],
  );
  await recorder.stop();
});

t.test('a wall clock that is set back changes neither the order of rows nor names of segments', async t => {
  const folder = t.testdir({});
  let wall = 1_700_000_000_000;
  const clock = { now: () => performance.now(), wallTime: () => wall };
  const recorder = new Recorder({
    ...{ mode: 'files', folder, url: '', bytesMax: 1e9, guid: Buffer.alloc(16, 1), privacy: 'full' },
    ...{ clock, log: silentLog, segmentMs: 60_000 },
  });
  recorder.start();
  for (const jump of [0, -3_600_000, 7_200_000]) {
    wall += jump;
    recorder.row('roles', { role: 'leaf', why: `${jump}` }, clock.wallTime());
  }
  const [segment] = await recorder.segments();
  t.match(segment, { rows: 3, from: 1_700_000_000_000 - 3_600_000, to: 1_700_000_000_000 + 3_600_000 });
  const rows = journalRows(join(folder, segment?.name ?? ''), 'roles');
  await recorder.stop();
  t.strictSame(
    rows.map(({ seq, why }) => [seq, why]),
    [
      [1, '0'],
      [2, '-3600000'],
      [3, '7200000'],
    ],
  );
});
