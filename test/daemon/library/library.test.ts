import { appendFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Library } from '../../../daemon/library/library.ts';
import { FileStore } from '../../../daemon/store/files.ts';
import { Store } from '../../../daemon/store/store.ts';
import { find, names, openLibrary, sha1, spiedLog } from '../../support/library.ts';

t.test('files are found by words and by SHA-1 once they are hashed', async t => {
  const folder = t.testdir({
    share: { 'Quick Fox.txt': 'fox', sub: { 'Brown_Bear.ogg': 'bear' }, '.hid': 'x', 'a.part': 'x' },
  });
  let changes = 0;
  const { library, messages } = await openLibrary(t, folder, [join(folder, 'share')], { onChange: () => changes++ });
  await library.settled();
  t.strictSame(find(library, 'fox'), ['Quick Fox.txt']);
  t.strictSame(find(library, 'brown'), ['Brown_Bear.ogg']);
  t.same([library.files, library.bytes], [2, 7]);
  const file = library.bySha1(sha1('bear'));
  t.match(file, { name: 'Brown_Bear.ogg', size: 4 });
  if (file === null) return;
  t.equal(library.byIndex(file.index), file);
  t.equal(library.pathOf(file), join(folder, 'share', 'sub', 'Brown_Bear.ogg'));
  t.equal(file.modifiedAt, Math.trunc(statSync(library.pathOf(file) ?? '').mtimeMs));
  t.ok(changes > 0);
  t.strictSame(library.hashing, { pending: 0, done: 2, bytesLeft: 0, rate: 0, current: null, trees: 0 });
  t.strictSame([...library.words()].sort(), ['bear', 'brown', 'fox', 'ogg', 'quick', 'txt']);
  t.match(library.folders(), [{ state: 'ready', files: 2, bytes: 7, error: null, path: join(folder, 'share') }]);
  library.countUpload(file);
  const [entry] = library.list(file.index - 1, 1);
  t.match(entry, { hits: 1, uploads: 1, failed: false });
  t.strictSame(messages, []);
});

t.test('whatever changes in the list of files moves its revision', async t => {
  const folder = t.testdir({ share: { 'one moon.txt': '1', 'two.txt': '2' } });
  const share = join(folder, 'share');
  const { library } = await openLibrary(t, folder, [share]);
  const seen = new Map<string, string>();
  const look = (what: string): void => {
    const rows = library.list(-1, 99).map(({ folder: _, file, failed, hits, uploads, ...row }) => {
      return { ...row, failed, hits, uploads, hash: file?.sha1 };
    });
    const { files, counts } = library.revisions;
    for (const revision of [`all ${files}-${counts}`, `uncounted ${files}`]) {
      const plain = rows.map(({ hits, uploads, ...row }) =>
        revision.startsWith('all') ? { ...row, hits, uploads } : row,
      );
      const text = JSON.stringify(plain);
      t.equal(seen.get(revision) ?? text, text, `${what}: ${revision}`);
      seen.set(revision, text);
    }
  };
  look('nothing yet');
  await library.settled();
  look('hashed');
  find(library, 'moon');
  look('found');
  const file = library.bySha1(sha1('1'));
  if (file !== null) library.countUpload(file);
  look('fetched');
  writeFileSync(join(share, 'three.txt'), '3');
  appendFileSync(join(share, 'two.txt'), '!');
  await library.rescan();
  look('another size');
  await library.settled();
  look('hashed again');
  for (const { id } of library.folders()) await library.removeFolder(id);
  look('unshared');
  t.ok(seen.size >= 8, `${seen.size} states`);
});

t.test('a restart hashes nothing again', async t => {
  const share: Record<string, string> = {};
  for (let i = 0; i < 300; i++) share[`file ${i}.txt`] = `content ${i}`;
  const folder = t.testdir({ share });
  const first = await openLibrary(t, folder, [join(folder, 'share')]);
  await first.library.settled();
  t.equal(first.library.hashing.done, 300);
  await first.close();
  appendFileSync(join(folder, 'share', 'file 7.txt'), '!');
  const second = await openLibrary(t, folder, [join(folder, 'share')]);
  await second.library.settled();
  t.equal(second.library.hashing.done, 1, 'only what changed meanwhile');
  t.equal(second.library.files, 300);
  t.equal(second.library.bySha1(sha1('content 99'))?.name, 'file 99.txt');
  t.equal(second.library.bySha1(sha1('content 7!'))?.name, 'file 7.txt');
  t.equal(second.library.bySha1(sha1('content 7')), null);
});

t.test('a stop in the middle of hashing keeps what was hashed', async t => {
  const share: Record<string, string> = {};
  for (let i = 0; i < 500; i++) share[`file ${i}.txt`] = `content ${i}`;
  const folder = t.testdir({ share });
  let changed = (): void => undefined;
  const change = new Promise<void>(resolve => {
    changed = resolve;
  });
  const first = await openLibrary(t, folder, [join(folder, 'share')], { onChange: changed });
  await change;
  await first.close();
  const done = first.library.files;
  t.ok(done > 0);
  const second = await openLibrary(t, folder, [join(folder, 'share')]);
  await second.library.settled();
  t.equal(second.library.files, 500);
  t.equal(second.library.hashing.done, 500 - done);
});

t.test('folders are added and removed at run time, and added ones stay', async t => {
  const folder = t.testdir({ one: { a: 'a', inner: { b: 'b' } }, two: { c: 'c' }, file: 'f', data: {} });
  const at = (name: string): string => join(folder, name);
  const first = await openLibrary(t, at('data'), [at('one')]);
  await first.library.settled();
  const scanned: string[] = [];
  const added = await first.library.addFolder(at('two'));
  t.match(added, { path: at('two'), files: 0 });
  t.equal((await first.library.addFolder(`${at('two')}/`)).id, added.id, 'twice is once');
  await first.library.settled();
  t.strictSame(names(first.library), ['a', 'b', 'c']);
  const { files } = first.library.revisions;
  await first.library.addFolder(at('two'));
  await first.library.settled();
  t.equal(first.library.revisions.files, files, 'and is not looked through again');
  await t.rejects(first.library.addFolder(at('nowhere')), { code: 'LIBRARY_FOLDER_MISSING' });
  await t.rejects(first.library.addFolder('~'), /only a shell takes ~ for your home folder, so give the whole path/);
  await t.rejects(first.library.addFolder(at('file')), { code: 'LIBRARY_NOT_A_FOLDER' });
  await t.rejects(first.library.addFolder(join(at('one'), 'inner')), {
    code: 'LIBRARY_FOLDER_OVERLAPS',
    message: /inside/,
  });
  await t.rejects(first.library.addFolder(folder), { code: 'LIBRARY_FOLDER_OVERLAPS', message: /unshare it first/ });
  await first.close();

  const second = await openLibrary(t, at('data'), [at('one'), join(at('one'), 'inner')], {
    onScanned: ({ path }) => scanned.push(path),
  });
  await second.library.settled();
  t.strictSame(names(second.library), ['a', 'b', 'c']);
  t.strictSame(scanned, [at('one'), at('two')]);
  t.equal(second.library.hashing.done, 0);
  t.match(second.messages, [/inner is not scanned separately/]);
  await second.library.removeFolder(added.id);
  t.strictSame(names(second.library), ['a', 'b']);
  t.same([second.library.files, second.library.bytes], [2, 2]);
  t.strictSame(find(second.library, 'c'), []);
  await t.rejects(second.library.removeFolder(added.id), { code: 'LIBRARY_FOLDER_UNKNOWN' });
  await second.close();

  const third = await openLibrary(t, at('data'), [at('one')]);
  await third.library.settled();
  t.strictSame(names(third.library), ['a', 'b']);
});

t.test('a finished download is shared without being read', async t => {
  const folder = t.testdir({ share: {}, elsewhere: {} });
  const { library, close } = await openLibrary(t, folder, [join(folder, 'share')]);
  await library.settled();
  const path = join(folder, 'share', 'Fetched File.ogg');
  writeFileSync(path, 'fetched');
  const file = await library.addFile(path, sha1('fetched'));
  t.match(file, { name: 'Fetched File.ogg', size: 7 });
  t.strictSame(find(library, 'fetched'), ['Fetched File.ogg']);
  const outside = join(folder, 'elsewhere', 'x');
  writeFileSync(outside, 'outside');
  t.equal(await library.addFile(outside, sha1('outside')), null);
  t.equal(await library.addFile(`${outside} gone`, sha1('outside')), null, 'its owner has moved it already');
  await library.rescan();
  t.equal(library.bySha1(sha1('fetched')), file, 'a scan finds it as it is');
  await close();
  const again = await openLibrary(t, folder, [join(folder, 'share'), join(folder, 'elsewhere')]);
  await again.library.settled();
  t.strictSame(names(again.library), ['Fetched File.ogg', 'x']);
  t.equal(again.library.hashing.done, 0);
});

t.test('odd names are found and opened', async t => {
  const folder = t.testdir({ share: {} });
  const odd = [
    'Cafe\u0301 crème.txt',
    '日本語 ファイル.ogg',
    '😀 party.jpg',
    "Don't Panic.txt",
    'a\nb.txt',
    `${'x'.repeat(200)}.txt`,
  ];
  for (const name of odd) writeFileSync(join(folder, 'share', name), name);
  const { library } = await openLibrary(t, folder, [join(folder, 'share')]);
  await library.settled();
  t.strictSame(names(library), [...odd].sort());
  for (const [text, name] of [
    ['café', odd[0]],
    ['cafe creme', odd[0]],
    ['日本語', odd[1]],
    ['party', odd[2]],
    ['dont panic', odd[3]],
  ]) {
    t.strictSame(find(library, text ?? ''), [name]);
  }
  for (const name of odd) {
    const file = library.bySha1(sha1(name));
    const handle = file && (await library.open(file));
    t.equal(await handle?.readFile('utf8'), name);
    await handle?.close();
  }
});

t.test('a store that fails is said, and everything is shared all the same', async t => {
  const folder = t.testdir({ share: { a: 'a', b: 'b' } });
  const { log, messages } = spiedLog();
  const store = await Store.open(join(folder, 'db'), log);
  const library = new Library({
    folders: [join(folder, 'share')],
    store: new FileStore(store, log),
    log,
    rescanIntervalMs: 0,
  });
  t.teardown(() => library.stop());
  await library.start();
  await store.close();
  await library.settled();
  t.strictSame(names(library), ['a', 'b']);
  t.ok(
    messages.some(message => /hashed again|computed again/.test(message)),
    messages.join(),
  );
});

t.test('the list is paged by index', async t => {
  const share: Record<string, string> = {};
  for (let i = 0; i < 25; i++) share[`${i}`] = `${i}`;
  const folder = t.testdir({ share });
  const { library } = await openLibrary(t, folder, [join(folder, 'share')]);
  await library.settled();
  const seen: number[] = [];
  for (let after = 0; ; ) {
    const page = library.list(after, 10);
    if (page.length === 0) break;
    t.ok(page.length <= 10);
    seen.push(...page.map(({ index }) => index));
    after = seen.at(-1) ?? 0;
  }
  t.equal(new Set(seen).size, 25);
});

t.test('stopping twice, or without having begun, is fine', async t => {
  const folder = t.testdir({ share: { a: 'a' } });
  const { library } = await openLibrary(t, folder, [join(folder, 'share')]);
  await library.stop();
  await library.stop();
  await library.rescan();
  await library.settled();
  t.equal(readFileSync(join(folder, 'share', 'a'), 'utf8'), 'a');
});
