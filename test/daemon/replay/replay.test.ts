// `servent replay`: recorded queries asked again of a servent on loopback and in a virtual network, and recordings that are none.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { writeParquet } from '../../../daemon/segments/parquet-file.ts';
import { command } from '../../support/command.ts';
import { type JournalRow, writeJournal } from '../../support/journals.ts';
import { hashed, startServent, until } from '../../support/running-servent.ts';

interface Report {
  sent: number;
  answered: number;
  files: number;
  seconds: number;
  leftOut: Record<string, number>;
  traceHash?: string;
}

interface Row {
  text: string;
  at?: number;
  guid?: string;
  urns?: number;
}

const START = 1_700_000_000_000;

const guidAt = (i: number): string => String(i).padStart(32, '0');

function queries(rows: readonly Row[]): JournalRow[] {
  return rows.map(({ text, at = 0, guid, urns = 0 }, i) => ({
    ...{ seq: i + 1, at_ms: START + at, link: 1, guid: guid ?? guidAt(i) },
    ...{ ttl: 3, hops: 1, bytes: 20, own_hits: 0, urns, text, words: text },
  }));
}

/** A folder with these queries; `hits`: which of them were answered, and by how many servents. */
function recording(
  folder: string,
  rows: readonly Row[],
  hits: readonly [query: number, servents: number][] = [],
): string {
  mkdirSync(folder, { recursive: true });
  writeJournal(join(folder, 'queries-00000001-0123abcd.journal'), 'queries', queries(rows));
  const answers = hits.flatMap(([query, servents]) =>
    Array.from({ length: servents }, (_, i) => ({
      ...{ seq: 1000 + i, at_ms: START, guid: guidAt(query) },
      ...{ ttl: 1, hops: 1, bytes: 9, records: 1, source: String(i).padStart(32, 'f'), vendor: 'SRVT' },
    })),
  );
  if (answers.length > 0) writeJournal(join(folder, 'hits-00000002-0123abcd.journal'), 'hits', answers);
  return folder;
}

t.test('queries are asked at their times, or faster, and what is answered is counted', async t => {
  const dir = t.testdir({ share: { 'blue moon.txt': 'x', 'blue river.txt': 'y' } });
  const servent = await startServent(t, join(dir, 'data'), { 'library.folders': [join(dir, 'share')] });
  await hashed(servent.client, 2);
  const rows = (slowness: number): Row[] => [
    { text: 'moon', at: 100 * slowness },
    { text: 'blue', at: 0 },
    { text: 'nothing like it', at: 600 * slowness },
    { text: 'blue', at: 50 * slowness, guid: guidAt(0) },
    { text: '0123456789ab ba9876543210' },
    { text: '', urns: 1 },
    { text: '' },
    { text: 'x'.repeat(400) },
    { text: 'a\u0000b' },
  ];
  const folder = recording(join(dir, 'r'), rows(1));
  writeFileSync(join(folder, 'queries-00000003-0123abcd.journal'), 'no frame of a journal');
  const words = ['replay', folder, '--to', servent.address, '--json', '--wait', '1'];
  const { code, err, json } = await command([...words, '--profile', 'local'], { cwd: dir });
  t.equal(code, 0, err);
  const report = json<Report>();
  t.match(report, { sent: 3, answered: 2, files: 3 });
  t.ok(report.seconds >= 0.59, 'at the pace of the recording');
  t.strictSame(report.leftOut, { copy: 1, hashed: 1, by_hash: 1, empty: 1, too_long: 1, unreadable: 2 });
  const { items } = await servent.client.queries({ limit: 10 });
  t.strictSame(items.map(({ text }) => text).sort(), ['blue', 'moon', 'nothing like it']);

  // an hour at its own pace
  const long = recording(join(dir, 'long'), rows(6_000));
  const fast = await command(['replay', long, '--to', servent.address, '--speed', '1000000', '--wait', '1'], {
    cwd: dir,
  });
  t.equal(fast.code, 0, fast.err);
  t.match(
    fast.out,
    /3 queries sent in \d+\.\d s\n2 answered, 66\.7 %; 3 files found\n(.*\n)*1 left out: words were recorded as hashes/,
  );
});

t.test('Ctrl-C ends a replay, which says what it has done so far', async t => {
  const dir = t.testdir({});
  const servent = await startServent(t, join(dir, 'data'));
  const folder = recording(join(dir, 'r'), [{ text: 'first' }, { text: 'an hour later', at: 3_600_000 }]);
  const stop = new AbortController();
  const ended = command(['replay', folder, '--to', servent.address, '--profile', 'local', '--json'], {
    cwd: dir,
    signal: stop.signal,
  });
  await until('the first is asked', async () =>
    (await servent.client.queries({ limit: 10 })).items.length === 1 ? true : null,
  );
  stop.abort();
  const { code, json } = await ended;
  t.equal(code, 130);
  t.match(json<Report>(), { sent: 1, leftOut: { ended: 1 } });
});

t.test('a virtual network is asked: files come of the hits, and a seed gives the same run', async t => {
  const dir = t.testdir({});
  const folder = recording(
    join(dir, 'r'),
    [
      { text: 'green ballad', at: 0 },
      { text: 'nobody has this', at: 1_000 },
      { text: 'river song', at: 2_000 },
      { text: '?!', at: 2_100 },
      { text: 'river song', at: 3_600_000 },
    ],
    [
      [0, 3],
      [2, 8],
    ],
  );
  const words = ['replay', folder, '--sim', '--servents', '40', '--seconds', '60', '--json'];
  const first = await command(words, { cwd: dir });
  t.equal(first.code, 0, first.err);
  const report = first.json<Report>();
  t.match(report, { sent: 3, answered: 2, leftOut: { 'too late': 1, 'no word that servents search for': 1 } });
  t.match(first.err, /each text is shared by as many servents as answered it/);
  t.match(first.err, /11 files on 40 servents/);
  t.equal((await command(words, { cwd: dir })).json<Report>().traceHash, report.traceHash);
  const alone = recording(join(dir, 'alone'), [{ text: 'green ballad' }]);
  const stand = await command(['replay', alone, '--sim', '--servents', '20'], { cwd: dir });
  t.match(stand, {
    code: 0,
    err: /no hits were recorded: as a stand-in/,
    out: /1 queries sent.*\n1 answered, 100\.0 %/,
  });
});

t.test('Parquet segments are read as journals are', async t => {
  const dir = t.testdir({});
  const journal = join(
    recording(join(dir, 'r'), [{ text: 'one' }, { text: 'two', at: 500 }]),
    'queries-00000001-0123abcd.journal',
  );
  const parquet = join(dir, 'r', 'queries-00000001-0123abcd.parquet');
  writeParquet(journal, parquet, 'queries');
  rmSync(journal);
  const { code, err, json } = await command(['replay', parquet, '--sim', '--servents', '20', '--json'], { cwd: dir });
  t.equal(code, 0, err);
  t.match(json<Report>(), { sent: 2, seconds: 0.5 });
});

t.test('what is no recording, or may not be asked, is said in one line', async t => {
  const dir = t.testdir({ 'note.txt': 'x', void: {}, bad: {}, old: {}, sound: {} });
  recording(join(dir, 'r'), [{ text: 'blue' }]);
  writeFileSync(join(dir, 'void', 'queries-00000001-0123abcd.journal'), '');
  writeFileSync(
    join(dir, 'bad', 'queries-00000001-0123abcd.parquet'),
    Buffer.from(Array.from({ length: 256 }, (_, i) => i)),
  );
  writeFileSync(join(dir, 'bad', 'hits-00000002-0123abcd.journal'), '');
  const journal = join(dir, 'old', 'roles-00000001-0123abcd.journal');
  writeJournal(journal, 'roles', [{ seq: 1, at_ms: 1, role: 'leaf', why: 'x' }]);
  writeParquet(journal, join(dir, 'old', 'queries-00000001-0123abcd.parquet'), 'roles');
  recording(join(dir, 'sound'), [{ text: '0123456789ab' }]);
  const sim = (path: string) => command(['replay', join(dir, path), '--sim'], { cwd: dir });
  t.match(await sim('nowhere'), { code: 1, err: /there is no recording at/ });
  t.match(await sim('note.txt'), { code: 1, err: /is no segment of a recording/ });
  t.match(await sim('bad/hits-00000002-0123abcd.journal'), { code: 1, err: /has the table hits/ });
  t.match(await sim('void'), { code: 1, err: /no query that can be asked again: it is empty/ });
  t.match(await sim('bad'), { code: 1, err: /is damaged or of another version/ });
  t.match(await sim('old'), { code: 1, err: /of another version: it has no column guid/ });
  t.match(await sim('sound'), { code: 1, err: /no query that can be asked again: 1 words were recorded as hashes/ });
  const to = (...words: string[]) => command(['replay', join(dir, 'r'), ...words], { cwd: dir });
  t.match(await to(), { code: 2, err: /--to HOST:PORT, or --sim/ });
  t.match(await to('--sim', '--to', '127.0.0.1:1'), { code: 2, err: /--to HOST:PORT, or --sim/ });
  t.match(await to('--to', '20.0.0.1:6346'), { code: 2, err: /private networks alone/ });
  t.match(await to('--to', '10.0.0.1:6346', '--profile', 'local'), { code: 2, err: /outside of the profile local/ });
  t.match(await to('--to', '20.0.0.1:6346', '--profile', 'public'), { code: 2, err: /private networks alone/ });
  t.match(await to('--to', 'over there'), { code: 2, err: /is no address/ });
  t.match(await to('--sim', '--speed', 'fast'), { code: 2, err: /--speed is a number/ });
  t.match(await to('--to', '127.0.0.1:1', '--profile', 'local'), { code: 1, err: /127\.0\.0\.1:1/ });
});

t.test('texts with every byte are asked as they are, or left out and counted', async t => {
  const dir = t.testdir({});
  const servent = await startServent(t, join(dir, 'data'));
  const rows = Array.from({ length: 256 }, (_, i) => ({
    text: `word${String.fromCharCode(i)}${String.fromCharCode(0xd800 + i)} next`,
  }));
  const folder = recording(join(dir, 'r'), rows);
  const { code, err, json } = await command(
    ['replay', folder, '--to', servent.address, '--profile', 'local', '--json', '--wait', '0'],
    { cwd: dir },
  );
  t.equal(code, 0, err);
  const { sent, leftOut } = json<Report>();
  t.equal(sent, 255);
  t.strictSame(leftOut, { unreadable: 1 });
  const fake = await command(['replay', folder, '--sim', '--servents', '20', '--json', '--seconds', '10'], {
    cwd: dir,
  });
  t.equal(fake.code, 0, fake.err);
});
