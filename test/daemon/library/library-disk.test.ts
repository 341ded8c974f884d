import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { FileRecord, FileStore } from '../../../daemon/store/files.ts';
import { Store } from '../../../daemon/store/store.ts';
import { names, openLibrary, sha1, spiedLog } from '../../support/library.ts';
import { asUnprivileged } from '../../support/unprivileged.ts';

t.test('a rescan sees what came, went, changed and was renamed', async t => {
  const folder = t.testdir({ stays: 'stays', goes: 'goes', old: 'renamed', changes: 'before' });
  const at = (name: string): string => join(folder, name);
  mkdirSync(at('data'));
  const { library } = await openLibrary(t, at('data'), [folder]);
  await library.settled();
  const before = library.bySha1(sha1('stays'));
  unlinkSync(at('goes'));
  renameSync(at('old'), at('new'));
  writeFileSync(at('changes'), 'after!');
  utimesSync(at('changes'), 1000, 1000);
  writeFileSync(at('comes'), 'comes');
  await library.rescan();
  await library.settled();
  t.strictSame(
    names(library).filter(name => !/\.ldb|LOG|LOCK|MANIFEST|CURRENT|\.log/.test(name)),
    ['changes', 'comes', 'new', 'stays'],
  );
  t.equal(library.bySha1(sha1('stays')), before, 'what stays keeps its index');
  t.equal(library.bySha1(sha1('goes')), null);
  t.equal(library.bySha1(sha1('before')), null);
  t.match(library.bySha1(sha1('after!')), { modifiedAt: 1_000_000 });
  t.equal(library.bySha1(sha1('renamed'))?.name, 'new');
});

t.test('nothing outside is shared through a link, inside and outside the folder', async t => {
  const folder = t.testdir({ real: { 'in.txt': 'in' }, secret: { 'out.txt': 'out' }, data: {} });
  symlinkSync(join(folder, 'secret', 'out.txt'), join(folder, 'real', 'file.txt'));
  symlinkSync(join(folder, 'secret'), join(folder, 'real', 'folder'));
  symlinkSync(join(folder, 'real'), join(folder, 'share'));
  const { library } = await openLibrary(t, join(folder, 'data'), [join(folder, 'share')]);
  await library.settled();
  t.strictSame(names(library), ['in.txt'], 'the shared folder itself may be a link');
  const file = library.bySha1(sha1('in'));
  t.equal(file && library.pathOf(file), join(folder, 'real', 'in.txt'));
  t.match(library.folders(), [{ path: join(folder, 'share'), files: 1 }]);
});

t.test('only the bytes that were hashed are opened', async t => {
  const folder = t.testdir({
    share: { same: 'same', longer: 'short', swapped: 'swapped', gone: 'gone', link: 'link', sub: { deep: 'deep' } },
  });
  const at = (...parts: string[]): string => join(folder, 'share', ...parts);
  const { library } = await openLibrary(t, folder, [at()]);
  await library.settled();
  const file = (content: string) => library.bySha1(sha1(content)) ?? t.fail(content);
  const opened = async (content: string): Promise<string | null> => {
    const found = library.bySha1(sha1(content));
    const handle = found && (await library.open(found));
    const text = handle && (await handle.readFile('utf8'));
    await handle?.close();
    return text;
  };
  t.equal(await opened('same'), 'same');

  appendFileSync(at('longer'), ' no more');
  t.equal(await opened('short'), null);
  await library.settled();
  t.equal(library.bySha1(sha1('short')), null, 'not found any more');
  t.equal(await opened('short no more'), 'short no more', 'but as what it is now');

  const old = library.bySha1(sha1('swapped'));
  writeFileSync(at('swapped'), 'SWAPPED');
  utimesSync(at('swapped'), 7, 7);
  t.equal(await opened('swapped'), null, 'of the same size');
  await library.settled();
  t.equal(old && (await library.open(old)), null, 'nor by the old record');
  t.equal(await opened('SWAPPED'), 'SWAPPED');

  unlinkSync(at('gone'));
  t.equal(await opened('gone'), null);
  t.equal(library.bySha1(sha1('gone')), null);

  const secret = join(folder, 'secret');
  renameSync(at('link'), secret);
  symlinkSync(secret, at('link'));
  t.equal(await opened('link'), null, 'a link in the place of the file, even to the very same bytes');
  t.equal(library.bySha1(sha1('link')), null);

  renameSync(at('sub'), join(folder, 'elsewhere'));
  symlinkSync(join(folder, 'elsewhere'), at('sub'));
  t.equal(await opened('deep'), null, 'a link in the place of its folder');
  t.equal(library.bySha1(sha1('deep')), null);
  t.ok(file('same'));
});

t.test('a file that changes between scan and hash is looked at again', async t => {
  const folder = t.testdir({ share: { growing: 'some' } });
  const path = join(folder, 'share', 'growing');
  let meddle = true;
  const fileStore = (store: FileStore): FileStore => {
    const lookUp = store.lookUp.bind(store);
    store.lookUp = async paths => {
      if (meddle) appendFileSync(path, ' more');
      meddle = false;
      return await lookUp(paths);
    };
    return store;
  };
  let changed = (): void => undefined;
  const change = new Promise<void>(resolve => {
    changed = resolve;
  });
  const { library } = await openLibrary(t, folder, [join(folder, 'share')], {
    fileStore,
    unsettledMs: 1,
    onChange: changed,
  });
  await change;
  t.equal(library.bySha1(sha1('some more'))?.name, 'growing');
  t.equal(library.bySha1(sha1('some')), null);
});

t.test('a file that is deleted between scan and hash is forgotten', async t => {
  const folder = t.testdir({ share: { brief: 'brief', stays: 'stays' } });
  const fileStore = (store: FileStore): FileStore => {
    const lookUp = store.lookUp.bind(store);
    store.lookUp = async paths => {
      rmSync(join(folder, 'share', 'brief'), { force: true });
      return await lookUp(paths);
    };
    return store;
  };
  const { library, messages } = await openLibrary(t, folder, [join(folder, 'share')], { fileStore });
  await library.settled();
  t.strictSame(names(library), ['stays']);
  t.equal(library.list(0, 10).length, 1);
  t.strictSame(messages, []);
});

t.test(
  'an unreadable folder is said in one line, the rest is shared, and it is shared when it can be read',
  async t => {
    const folder = t.testdir({ share: { closed: { b: 'b' }, a: 'a' }, data: {} });
    const closed = join(folder, 'share', 'closed');
    await asUnprivileged(t, folder, closed, async () => {
      const { library, messages, close } = await openLibrary(t, join(folder, 'data'), [join(folder, 'share')]);
      await library.settled();
      t.strictSame(names(library), ['a']);
      t.strictSame(messages, [`sharing ${join(folder, 'share')}: 1 could not be read, the first: ${closed} (EACCES)`]);
      t.match(library.folders(), [{ state: 'ready', error: /closed \(EACCES\)/ }]);
      await library.rescan();
      t.equal(messages.length, 1, 'not with every scan');
      chmodSync(closed, 0o755);
      await library.rescan();
      await library.settled();
      t.strictSame(names(library), ['a', 'b']);
      t.match(library.folders(), [{ error: null }]);
      await close();
    });
  },
);

t.test('an unreadable file is said and tried again', async t => {
  const folder = t.testdir({ share: { a: 'a', closed: 'closed' }, data: {} });
  const closed = join(folder, 'share', 'closed');
  await asUnprivileged(t, folder, closed, async () => {
    const { library, messages, close } = await openLibrary(t, join(folder, 'data'), [join(folder, 'share')]);
    await library.settled();
    t.strictSame(names(library), ['a']);
    t.equal(library.list(0, 10).filter(({ failed }) => failed).length, 1);
    await library.rescan();
    await library.settled();
    t.strictSame(messages, [`sharing ${join(folder, 'share')}: ${closed} cannot be read (EACCES)`]);
    chmodSync(closed, 0o644);
    await library.rescan();
    await library.settled();
    t.strictSame(names(library), ['a', 'closed']);
    await library.rescan();
    t.match(library.folders(), [{ error: null }]);
    await close();
  });
});

t.test('a missing folder is said, and shared when it is there', async t => {
  const folder = t.testdir({ other: { a: 'a' } });
  const later = join(folder, 'later');
  const { library, messages } = await openLibrary(t, folder, [later, join(folder, 'other')]);
  await library.settled();
  t.strictSame(names(library), ['a']);
  t.match(library.folders(), [
    { path: later, state: 'failed', error: /does not exist: create it, or unshare it/ },
    { state: 'ready' },
  ]);
  t.equal(messages.length, 1);
  mkdirSync(later);
  writeFileSync(join(later, 'b'), 'b');
  await library.rescan();
  await library.settled();
  t.strictSame(names(library), ['a', 'b']);
});

t.test('a disk that is away for a while costs no hashing', async t => {
  const folder = t.testdir({ disk: { a: 'a', b: 'b' } });
  const { library } = await openLibrary(t, folder, [join(folder, 'disk')]);
  await library.settled();
  renameSync(join(folder, 'disk'), join(folder, 'unmounted'));
  mkdirSync(join(folder, 'disk'));
  await library.rescan();
  t.equal(library.files, 0);
  rmSync(join(folder, 'disk'), { recursive: true });
  await library.rescan();
  t.equal(library.files, 0);
  renameSync(join(folder, 'unmounted'), join(folder, 'disk'));
  await library.rescan();
  await library.settled();
  t.strictSame(names(library), ['a', 'b']);
  t.equal(library.hashing.done, 2);
});

t.test('hashes of deleted files are dropped from the store', async t => {
  const folder = t.testdir({ share: { a: 'a', b: 'b' } });
  const { library, close } = await openLibrary(t, folder, [join(folder, 'share')]);
  await library.settled();
  unlinkSync(join(folder, 'share', 'b'));
  await library.rescan();
  await close();
  const { log } = spiedLog();
  const store = await Store.open(join(folder, 'db'), log);
  const keys: string[] = [];
  for await (const [key] of store.table<FileRecord>('files').entries()) keys.push(key);
  await store.close();
  t.strictSame(keys, [join(folder, 'share', 'a')]);
});

t.test('asked again and again, it scans once more and no oftener', async t => {
  const folder = t.testdir({ share: { a: 'a' } });
  let scans = 0;
  const { library } = await openLibrary(t, folder, [join(folder, 'share')], { onScanned: () => scans++ });
  await Promise.all(Array.from({ length: 50 }, () => library.rescan()));
  await library.settled();
  t.ok(scans >= 1 && scans <= 2, `${scans}`);
  t.equal(library.files, 1);
});
