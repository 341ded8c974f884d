// Changes in shared folders are noticed by themselves: the catalog follows the disk.
import type { watch } from 'node:fs';
import { mkdirSync, readdirSync, renameSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import t, { type Test } from 'tap';
import type { WatchOptions } from '../../../daemon/library/changes.ts';
import { HashPool } from '../../../daemon/library/hash-pool.ts';
import type { Library, LibraryOptions } from '../../../daemon/library/library.ts';
import { find, names, openLibrary } from '../../support/library.ts';

/** Ends a wait for what never comes; how soon changes are noticed depends on the machine. */
const NOTICED_MS = 60_000;

/** A watched library, and a wait for what a change brings. */
async function watched(
  t: Test,
  files: Parameters<Test['testdir']>[0],
  watch: Partial<WatchOptions> = {},
  over: Partial<LibraryOptions> = {},
) {
  const root = t.testdir({ share: files ?? {}, data: {} });
  const alive = setInterval(() => undefined, NOTICED_MS); // the library's own timers do not keep a process
  t.teardown(() => clearInterval(alive));
  const share = join(root, 'share');
  const waiting: { isSo: () => boolean; resolve: () => void }[] = [];
  const look = (): void => {
    for (const wait of waiting.splice(0)) {
      if (wait.isSo()) wait.resolve();
      else waiting.push(wait);
    }
  };
  const options = { onChange: look, onScanned: look, watch: { enabled: true, quietMs: 30, ...watch }, ...over };
  const opened = await openLibrary(t, join(root, 'data'), [share], options);
  await opened.library.settled();
  const until = (isSo: () => boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`not within ${NOTICED_MS} ms`)), NOTICED_MS);
      const done = (): void => {
        clearTimeout(late);
        resolve();
      };
      waiting.push({ isSo, resolve: done });
      look();
    });
  return { ...opened, root, share, at: (...path: string[]) => join(share, ...path), until };
}

/** Path and size of all files on the disk. */
function onDisk(share: string): string[] {
  return readdirSync(share, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
    .map(path => `${relative(share, path)} ${statSync(path).size}`)
    .sort();
}

const inCatalog = (library: Library, share: string): string[] =>
  library
    .list(0, 10_000)
    .filter(({ file }) => file !== null)
    .map(({ path, size }) => `${relative(share, path)} ${size}`)
    .sort();

t.test('a thousand files added, changed, renamed, moved and removed are followed', async t => {
  const { library, share, at, until } = await watched(t, { old: { 'kept.txt': 'kept' } });
  const agree = async (): Promise<void> => {
    const disk = onDisk(share);
    await until(() => library.files === disk.length && String(inCatalog(library, share)) === String(disk));
  };
  const each = (from: number, to: number, act: (n: number) => void): void => {
    for (let n = from; n < to; n++) act(n);
  };
  for (let folder = 0; folder < 10; folder++) mkdirSync(at(`f${folder}`, 'deep'), { recursive: true });
  const path = (n: number): string => at(`f${n % 10}`, 'deep', `number ${n}.txt`);
  each(0, 1000, n => writeFileSync(path(n), `text ${n}`));
  await agree();
  t.equal(library.files, 1001);
  t.strictSame(find(library, 'number 777'), ['number 777.txt']);

  each(0, 200, n => writeFileSync(path(n), `changed text ${n}`));
  each(200, 400, n => renameSync(path(n), at(`f${n % 10}`, `renamed ${n}.txt`)));
  each(400, 600, n => renameSync(path(n), at('old', `moved ${n}.txt`)));
  each(600, 800, n => rmSync(path(n)));
  renameSync(at('f9'), at('f9 moved'));
  rmSync(at('f8'), { recursive: true });
  await agree();
  t.equal(library.files, onDisk(share).length);
  t.strictSame(find(library, 'number 701'), []);
  t.strictSame(find(library, 'moved 555'), ['moved 555.txt']);
  t.strictSame(find(library, 'renamed 299'), ['renamed 299.txt']);
  await library.settled();
});

t.test('a folder that is replaced by another of its name is read anew, with what lies below', async t => {
  const { library, root, share, at, until } = await watched(t, { a: { x: { 'one.txt': '1' } } });
  mkdirSync(join(root, 'other', 'x'), { recursive: true });
  writeFileSync(join(root, 'other', 'x', 'two.txt'), '22');
  renameSync(at('a'), join(root, 'gone'));
  renameSync(join(root, 'other'), at('a'));
  await until(() => String(inCatalog(library, share)) === 'a/x/two.txt 2');
  writeFileSync(at('a', 'x', 'three.txt'), '333');
  await until(() => library.files === 2);
  rmSync(at('a'), { recursive: true });
  await until(() => library.files === 0);
  t.strictSame(onDisk(share), []);
});

t.test('the shared folder itself may go and return', async t => {
  const { library, root, share, at, until } = await watched(t, { 'a.txt': 'a' });
  renameSync(share, join(root, 'away'));
  await until(() => library.folders()[0]?.state === 'failed');
  t.equal(library.files, 0);
  renameSync(join(root, 'away'), share);
  await library.rescan();
  t.equal(library.hashing.done, 1, 'it was not hashed again');
  writeFileSync(at('b.txt'), 'b');
  await until(() => library.files === 2);
});

t.test('a disk that goes while its folder is watched is no deletion: nothing is hashed when it is back', async t => {
  const { library, root, at, until } = await watched(t, {
    disk: { 'a.txt': 'a', deep: { 'b.txt': 'b' } },
    'c.txt': 'c',
  });
  renameSync(at('disk'), join(root, 'away'));
  mkdirSync(at('disk')); // the mount point
  await until(() => library.files === 1);
  t.strictSame(find(library, 'a.txt'), [], 'it leaves hits at once');
  await library.settled();
  rmdirSync(at('disk'));
  renameSync(join(root, 'away'), at('disk'));
  await until(() => library.files === 3);
  await library.settled();
  t.equal(library.hashing.done, 3);
});

t.test('a file that vanishes while it is hashed is forgotten, and one that comes in its place is shared', async t => {
  const pool = new HashPool(1);
  t.teardown(() => pool.close());
  pool.speed = 1024 * 1024;
  const { library, at, until } = await watched(t, {}, {}, { hashPool: pool });
  writeFileSync(at('large.bin'), Buffer.alloc(20 * 2 ** 20, 1));
  await new Promise<void>(done => {
    const look = setInterval(() => {
      if (library.hashing.pending === 0) return;
      rmSync(at('large.bin'));
      clearInterval(look);
      done();
    }, 1);
  });
  writeFileSync(at('small.txt'), 'small');
  await until(() => library.files === 1);
  await library.settled();
  t.strictSame(names(library), ['small.txt']);
  t.match(library.folders(), [{ error: null }]);
  writeFileSync(at('large.bin'), 'in its place');
  await until(() => library.files === 2);
  t.strictSame(names(library), ['large.bin', 'small.txt']);
});

t.test('what is left out of a scan is left out of what changes', async t => {
  const { library, share, at, until } = await watched(t, {});
  mkdirSync(at('.hidden'));
  writeFileSync(at('.hidden', 'a.txt'), 'a');
  writeFileSync(at('b.part'), 'b');
  writeFileSync(at('empty.txt'), '');
  writeFileSync(at('id_ed25519'), 'key');
  writeFileSync(at('c.txt'), 'c');
  await until(() => library.files > 0);
  await library.settled();
  t.strictSame(inCatalog(library, share), ['c.txt 1']);
});

/** Reports nothing by itself: the test does. */
function silentWatch() {
  const reports = new Map<string, (name: string | null) => void>();
  const fake = ((path: string) => {
    const watcher = {
      on: (event: string, act: (type: string, name: string | null) => void) => {
        if (event === 'change') reports.set(path, name => act('change', name));
        return watcher;
      },
      close: () => reports.delete(path),
    };
    return watcher;
  }) as unknown as typeof watch;
  return { fake, reports };
}

t.test('reports that the system may have dropped lead to a scan of everything', async t => {
  const { fake, reports } = silentWatch();
  const watcher = { watch: fake, eachFolder: true, reportsMax: 50 };
  const { library, share, at, until } = await watched(t, { one: {}, two: { 'old.txt': 'old' } }, { watcher });
  writeFileSync(at('one', 'new.txt'), 'new'); // nobody reports it
  rmSync(at('two', 'old.txt'));
  for (let n = 0; n <= 50; n++) reports.get(at('two'))?.('old.txt');
  await until(() => String(inCatalog(library, share)) === 'one/new.txt 3');
  t.equal(reports.size, 3, 'all folders are watched');
});

t.test('more changed folders than may wait lead to a scan of everything', async t => {
  const folders = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`f${n}`, {}]));
  const { library, at, until } = await watched(t, folders, { foldersMax: 5 });
  for (let n = 0; n < 20; n++) writeFileSync(at(`f${n}`, `${n}.txt`), String(n));
  await until(() => library.files === 20);
  t.equal(library.folders()[0]?.state, 'ready');
});

t.test('a folder that the system cannot watch is found by scans, which is said once', async t => {
  const fake = ((path: string, ...rest: never[]) => {
    if (path.endsWith('two')) throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
    return silentWatch().fake(path, ...rest);
  }) as unknown as typeof watch;
  const watcher = { watch: fake, eachFolder: true };
  const { library, messages, at } = await watched(t, { one: {}, two: {} }, { watcher });
  const [folder] = library.folders();
  t.match(folder?.error, /found only by scans.*ENOSPC: raise fs\.inotify\.max_user_watches/);
  t.equal(folder?.unread, false);
  writeFileSync(at('two', 'new.txt'), 'new');
  await library.rescan();
  await library.settled();
  t.equal(library.files, 1);
  t.equal(messages.filter(message => message.includes('max_user_watches')).length, 1);
});

t.test('a file that is still being written is shared when that has ended', async t => {
  let wall = 0;
  const { library, share, at, until } = await watched(t, { 'a.txt': 'a' }, {}, { now: () => wall });
  writeFileSync(at('long.txt'), 'begun');
  wall = statSync(at('long.txt')).mtimeMs + 1;
  writeFileSync(at('b.txt'), 'b');
  wall = statSync(at('long.txt')).mtimeMs + 1;
  await until(() => {
    wall += 30;
    return library.files === 3;
  });
  t.strictSame(inCatalog(library, share), onDisk(share));
});

t.test('watching is switched off and on while it runs', async t => {
  const { library, at, until } = await watched(t, { 'a.txt': 'a' });
  library.watching = false;
  writeFileSync(at('b.txt'), 'b');
  await library.settled();
  t.equal(library.files, 1);
  library.watching = true;
  await until(() => library.files === 2);
  writeFileSync(at('c.txt'), 'c');
  await until(() => library.files === 3);
});

t.test('what is excluded from now on does not return with a change in its folder', async t => {
  const { library, at, until } = await watched(t, { a: { 'one.txt': '1' }, 'b.txt': 'b' });
  await library.useExclude(['a/']);
  writeFileSync(at('a', 'two.txt'), '22');
  writeFileSync(at('c.txt'), 'c');
  await until(() => library.files === 2);
  await library.settled();
  t.strictSame(names(library), ['b.txt', 'c.txt']);
});

t.test('what was cancelled begins again when a scan is asked for, and what was hashed stays', async t => {
  const { library, at, until } = await watched(t, { 'a.txt': 'a' });
  library.cancel();
  writeFileSync(at('b.txt'), 'b');
  await library.settled();
  t.equal(library.files, 1);
  t.ok(library.isCancelled);
  const all = library.rescan();
  library.cancel();
  await all;
  await library.settled();
  t.equal(library.folders()[0]?.state, 'cancelled');
  t.equal(library.files, 1);
  await library.rescan(library.folders()[0]?.id);
  await until(() => library.files === 2);
  t.equal(library.hashing.done, 2);
  await t.rejects(library.rescan('nowhere'), { code: 'LIBRARY_FOLDER_UNKNOWN' });
});
