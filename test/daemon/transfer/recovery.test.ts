import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { DownloadRecord } from '../../../daemon/store/downloads.ts';
import { descriptionOf, readDescription, writeDescription } from '../../../daemon/transfer/part-description.ts';
import { type RecoveryList, recoverParts } from '../../../daemon/transfer/recovery.ts';
import { RangeSet } from '../../../protocol/transfer/range-set.ts';
import { storedRecord } from '../../support/download-records.ts';

const record: DownloadRecord = storedRecord({
  id: 'one',
  name: 'song "ü".mp3',
  ranges: RangeSet.of([
    { start: 0, end: 600 },
    { start: 900, end: 1000 },
  ]),
});

/** A folder of downloads with one part file of 950 bytes, described. */
async function folderWith(t: Test, described: DownloadRecord = record): Promise<{ folder: string; part: string }> {
  const folder = t.testdir({ '.incomplete': { [`${record.id}.part`]: 'x'.repeat(950) } });
  const part = join(folder, '.incomplete', `${record.id}.part`);
  await writeDescription(part, described);
  return { folder, part };
}

function listOf(taken: DownloadRecord[], known: Partial<RecoveryList> = {}): RecoveryList {
  return {
    isKnown: () => false,
    sameAs: () => null,
    take: async each => void taken.push(each),
    ...known,
  };
}

t.test('a description is read as it was written, and replaced as a whole', async t => {
  const { part } = await folderWith(t);
  t.strictSame(await readDescription(part, 'one'), record);
  await writeDescription(part, { ...record, name: 'other' });
  t.equal((await readDescription(part, 'one')).name, 'other');
  t.strictSame((await readdir(join(part, '..'))).sort(), ['one.part', 'one.part.json'], 'no temporary file stays');
  t.match(JSON.parse(await readFile(descriptionOf(part), 'utf8')), { unfinished: 'other', version: 1 });
});

t.test('a part file with a description has a record again, with the bytes that are there', async t => {
  const { folder, part } = await folderWith(t);
  const taken: DownloadRecord[] = [];
  t.match(await recoverParts(folder, listOf(taken)), [
    { path: part, outcome: 'recovered', id: 'one', name: record.name, done: 650, note: '650 bytes kept; goes on' },
  ]);
  t.match(taken, [{ id: 'one', sha1: record.sha1, state: 'queued', path: null }]);
  t.strictSame(taken[0]?.ranges.toPairs(), [
    [0, 600],
    [900, 950],
  ]);
});

t.test('what a description says to be verified is judged again', async t => {
  const verified = RangeSet.of([{ start: 0, end: 1000 }]);
  const { folder } = await folderWith(t, { ...record, ranges: verified, verified });
  const taken: DownloadRecord[] = [];
  await recoverParts(folder, listOf(taken));
  t.equal(taken[0]?.ranges.bytes, 950, 'no more than the file has');
  t.equal(taken[0]?.verified.bytes, 0);
});

t.test('one that was paused stays so; one that was finished is fetched on', async t => {
  for (const [state, after] of [
    ['paused', 'paused'],
    ['completed', 'queued'],
    ['failed', 'queued'],
  ] as const) {
    const { folder } = await folderWith(t, { ...record, state, path: '/somewhere', finishedAt: 1, error: 'x' });
    const taken: DownloadRecord[] = [];
    await recoverParts(folder, listOf(taken));
    t.match(taken, [{ state: after, path: null, finishedAt: null, error: null }]);
  }
});

t.test('known part files are left alone, and so is one whose content another download fetches', async t => {
  const { folder } = await folderWith(t);
  const taken: DownloadRecord[] = [];
  t.strictSame(await recoverParts(folder, listOf(taken, { isKnown: id => id === 'one' })), []);
  t.match(await recoverParts(folder, listOf(taken, { sameAs: () => 'two' })), [
    { outcome: 'joined', id: 'two', note: /cancel that one/ },
  ]);
  t.strictSame(taken, []);
  t.strictSame(await recoverParts(join(folder, 'none'), listOf(taken)), [], 'no folder, no parts');
});

t.test('missing and bad descriptions are refused with the reason, and the others go on', async t => {
  const { folder, part } = await folderWith(t);
  const good = JSON.parse(await readFile(descriptionOf(part), 'utf8'));
  const bad: [string, string | null, RegExp][] = [
    ['a', null, /a\.part\.json, which would say what it is, is missing/],
    ['b', '', /no description of a download/],
    ['c', '[1, 2', /no description of a download/],
    ['d', JSON.stringify({ ...good, id: 'd', download: { ...good.download, size: -1 } }), /download\.size/],
    ['e', JSON.stringify({ ...good, id: 'e', version: 2 }), /of version 2/],
    ['f', JSON.stringify(good), /that of another download, one/],
    ['g', JSON.stringify({ ...good, id: 'g', download: { ...good.download, ranges: [[5, 1]] } }), /cannot be true/],
    ['h', JSON.stringify({ ...good, id: 'h', download: { ...good.download, sha1: 'ABC' } }), /cannot be true/],
    ['i', 'x'.repeat((8 << 20) + 1), /8388608 at most/],
  ];
  for (const [id, text] of bad) {
    const path = join(folder, '.incomplete', `${id}.part`);
    await writeFile(path, 'bytes');
    if (text !== null) await writeFile(descriptionOf(path), text);
  }
  const taken: DownloadRecord[] = [];
  const all = await recoverParts(folder, listOf(taken));
  t.equal(all.length, bad.length + 1);
  for (const [id, text, reason] of bad) {
    const one = all.find(({ path }) => path.endsWith(`/${id}.part`));
    t.match(one, { outcome: text === null ? 'undescribed' : 'unreadable', id: null, note: reason });
  }
  t.strictSame(
    taken.map(({ id }) => id),
    ['one'],
  );
});

t.test('a record that cannot be stored is told, and nothing is lost', async t => {
  const { folder, part } = await folderWith(t);
  const failing = listOf([], { take: async () => Promise.reject(new Error('the store is full')) });
  t.match(await recoverParts(folder, failing), [{ outcome: 'failed', note: /the store is full/ }]);
  t.equal((await readDescription(part, 'one')).id, 'one');
});
