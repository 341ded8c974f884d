import { cpSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Level } from 'level';
import t from 'tap';
import { FirstBytes } from '../../../daemon/library/first-bytes.ts';
import { SCRUB_RULES } from '../../../daemon/library/scrub.ts';
import { ContentHasher } from '../../../protocol/digest/content-digest.ts';
import { formatBase32 } from '../../../protocol/wire/urn.ts';
import { neverShared } from '../../../settings/never-shared.ts';
import { openLibrary, sha1 } from '../../support/library.ts';
import { testBytes } from '../../support/shared-files.ts';

const QUICK = { ...SCRUB_RULES, treePace: 2 ** 40, checkPace: 2 ** 40, busyMs: 2 };
const DIGITS = [...'0123456789'];

function there<T>(value: T | null): T {
  if (value === null) throw new Error('it is not there');
  return value;
}

/** A waiter for one more outcome of reading a file again. */
function outcomes() {
  const seen: string[] = [];
  let wake = (): void => undefined;
  return {
    seen,
    onReadAgain: (_: string, outcome: string): void => {
      seen.push(outcome);
      wake();
    },
    until: async (count: number): Promise<void> => {
      const alive = setInterval(() => undefined, 1000); // the scrub keeps no process alive
      while (seen.length < count) await new Promise<void>(done => (wake = done));
      clearInterval(alive);
    },
  };
}

/** The records that servents with stores of schema 1 wrote for these files. */
async function writeSchema1(folder: string, contents: ReadonlyMap<string, Buffer>): Promise<void> {
  const level = new Level<string, string>(join(folder, 'db'), { valueEncoding: 'utf8' });
  await level.sublevel('meta').put('schema', '1');
  const { stamp } = new FirstBytes(neverShared().list.firstBytes);
  for (const [name, content] of contents) {
    const path = join(folder, 'share', name);
    const { size, mtimeMs } = statSync(path);
    const { dev } = statSync(join(folder, 'share'));
    const record = { size, mtimeMs, sha1: formatBase32(sha1(content)), dev, judged: stamp };
    await level.sublevel('files').put(path, JSON.stringify(record));
  }
  await level.sublevel('hosts').put('192.0.2.1:6346', '{"kept":true}');
  await level.close();
}

t.test(
  'files known by SHA-1 stay shared at once while their trees are made, also when the servent is killed meanwhile',
  async t => {
    const contents = new Map(DIGITS.map((digit, i) => [digit, testBytes(300_000 + i, i + 1)]));
    const folder = t.testdir({ share: Object.fromEntries(contents) });
    await writeSchema1(folder, contents);
    const first = outcomes();
    const before = await openLibrary(t, folder, [join(folder, 'share')], { ...first, scrubRules: QUICK });
    await before.library.settled();
    t.match(before.library.hashing, { pending: 0, done: 0 }, 'nothing was hashed anew');
    t.equal(before.library.files, 10);
    await first.until(3);
    await before.library.settled();
    cpSync(join(folder, 'db'), join(folder, 'copy', 'db'), { recursive: true, filter: path => !path.endsWith('LOCK') });
    await before.close();

    const second = outcomes();
    const after = await openLibrary(t, join(folder, 'copy'), [join(folder, 'share')], { ...second, scrubRules: QUICK });
    await after.library.settled();
    t.match(after.library.hashing, { pending: 0, done: 0 });
    const left = after.library.hashing.trees + second.seen.length;
    t.ok(left <= 7, `${left} trees were still to be made`);
    await second.until(left);
    t.equal(after.library.hashing.trees, 0);
    for (const content of contents.values()) {
      const file = after.library.bySha1(sha1(content));
      const digest = new ContentHasher().update(content).finish();
      t.ok(file?.tigerRoot?.equals(digest.tigerRoot));
      const tree = file === null ? null : await after.library.treeOf(file);
      t.ok(tree?.leaves.equals(digest.leaves), 'the leaves too');
      t.equal(after.library.byTigerRoot(Buffer.from(digest.tigerRoot)), file);
    }
    await after.close();
    const level = new Level<string, string>(join(folder, 'copy', 'db'), { valueEncoding: 'utf8' });
    t.equal(await level.sublevel('meta').get('schema'), '2');
    t.equal(await level.sublevel('hosts').get('192.0.2.1:6346'), '{"kept":true}', 'other records are as they were');
    await level.close();
  },
);

t.test('a restart knows roots and trees, and a tree that was lost is made again when it is asked for', async t => {
  const [small, large] = [testBytes(1000, 1), testBytes(600_000, 2)];
  const folder = t.testdir({ share: { small, large } });
  const share = [join(folder, 'share')];
  const first = await openLibrary(t, folder, share, { scrubRules: QUICK });
  await first.library.settled();
  await first.close();
  const level = new Level<string, string>(join(folder, 'db'), { valueEncoding: 'utf8' });
  t.equal((await level.sublevel('trees').keys().all()).length, 1, 'the tree of a small file is its root');
  await level.sublevel('trees').clear();
  await level.close();
  const read = outcomes();
  const { library } = await openLibrary(t, folder, share, { ...read, scrubRules: QUICK });
  await library.settled();
  t.same(library.hashing, { pending: 0, done: 0, bytesLeft: 0, rate: 0, current: null, trees: 0 });
  const fileOf = (content: Buffer) => there(library.bySha1(sha1(content)));
  t.ok((await library.treeOf(fileOf(small)))?.root.equals(new ContentHasher().update(small).finish().tigerRoot));
  t.equal(await library.treeOf(fileOf(large)), null);
  await read.until(1);
  t.ok((await library.treeOf(fileOf(large)))?.leaves.equals(new ContentHasher().update(large).finish().leaves));
});

t.test('a finished download is shared at once, and its tree is made in idle time', async t => {
  const folder = t.testdir({ share: {} });
  const read = outcomes();
  const { library } = await openLibrary(t, folder, [join(folder, 'share')], { ...read, scrubRules: QUICK });
  await library.settled();
  const content = testBytes(400_000, 7);
  writeFileSync(join(folder, 'share', 'fetched'), content);
  await library.addFile(join(folder, 'share', 'fetched'), sha1(content));
  t.equal(library.files, 1);
  await read.until(1);
  t.ok(library.bySha1(sha1(content))?.tigerRoot?.equals(new ContentHasher().update(content).finish().tigerRoot));
});

t.test('content that changed while nothing changed the file is not shared, is said, and comes back', async t => {
  const folder = t.testdir({ share: { sound: 'sound', rotten: 'as it is!' } });
  const path = join(folder, 'share', 'rotten');
  const [was, is] = [sha1('as it was'), sha1('as it is!')];
  /** Makes the store say that the file had this content. */
  const recall = async (digest: Buffer): Promise<void> => {
    const level = new Level<string, string>(join(folder, 'db'), { valueEncoding: 'utf8' });
    const files = level.sublevel('files');
    const record = JSON.parse((await files.get(path)) ?? '') as { sha1: string };
    await files.put(path, JSON.stringify({ ...record, sha1: formatBase32(digest) }));
    await level.close();
  };
  const read = outcomes();
  const told: (string | null)[] = [];
  const onScanned = ({ error }: { error: string | null }) => told.push(error);
  const over = { ...read, scrubRules: QUICK, onScanned };
  const open = async () => {
    const opened = await openLibrary(t, folder, [join(folder, 'share')], over);
    await opened.library.settled();
    return opened;
  };
  await (await open()).close();
  await recall(was); // the disk has lost a bit since
  const first = await open();
  t.equal(first.library.bySha1(was)?.name, 'rotten');
  first.library.scrub();
  await read.until(2);
  t.strictSame([...read.seen].sort(), ['differs', 'same']);
  t.equal(first.library.bySha1(was), null);
  t.equal(first.library.files, 1);
  t.match(first.messages.join(), /rotten has another content/);
  t.match(told.at(-1), /rotten is changed/, 'in an event, too');
  t.match(first.library.folders(), [{ error: /rotten is changed on the disk without a new date/, unread: true }]);
  await first.library.rescan();
  await first.library.settled();
  t.equal(first.library.files, 1, 'a rescan changes nothing');
  await first.close();

  const second = await open();
  t.equal(second.library.files, 1, 'nor does a restart');
  await second.close();
  await recall(is); // the disk gives it back
  const third = await open();
  third.library.scrub();
  await read.until(4);
  t.ok(third.library.bySha1(is), 'what is itself again is shared again');
  t.match(third.library.folders(), [{ error: null }]);
  await third.close();

  await recall(was);
  const fourth = await open();
  fourth.library.scrub();
  await read.until(6);
  const { atime, mtime } = statSync(path);
  utimesSync(path, atime, mtime); // "touch it"
  await fourth.library.rescan();
  await fourth.library.settled();
  t.ok(fourth.library.bySha1(is), 'a file that was touched is shared with the content that it has');
});
