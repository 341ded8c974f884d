import { join, sep } from 'node:path';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { silentLog } from '../../../daemon/log.ts';
import { type FileRecord, FileStore } from '../../../daemon/store/files.ts';
import { Store } from '../../../daemon/store/store.ts';
import type { Table } from '../../../daemon/store/table.ts';

const record = (size: number): FileRecord => ({
  size,
  mtimeMs: 1234567890123.456,
  sha1: 'PLSTHIPQGSSZTS5FJUPAKUZWUGYQYPFB',
});

async function openStore(t: Test, log = silentLog): Promise<{ store: Store; files: FileStore }> {
  const store = await Store.open(join(t.testdir(), 'db'), silentLog);
  t.teardown(() => store.close());
  return { store, files: new FileStore(store, log) };
}

const at = (...parts: string[]): string => sep + parts.join(sep);

t.test('what is remembered is known at once and after it is written, to the last digit', async t => {
  const { store, files } = await openStore(t);
  for (let i = 0; i < 1000; i++) files.remember(at('share', `${i}`), record(i));
  t.strictSame(await files.lookUp([at('share', '999'), at('nowhere')]), [record(999), undefined]);
  await files.flush();
  const other = new FileStore(store, silentLog);
  t.strictSame(await other.lookUp([at('share', '0'), at('share', '999')]), [record(0), record(999)]);
});

t.test('only records of files that are gone are dropped', async t => {
  const { files } = await openStore(t);
  const paths = [at('a', 'b', 'x'), at('a', 'b', 'c', 'y'), at('a', 'b', 'é'), at('a', 'bc', 'x'), at('a', 'b')];
  for (const path of paths) files.remember(path, record(1));
  await files.flush();
  const fateOf = (path: string) => (path.startsWith(at('a', 'b', '')) && !path.endsWith('y') ? 'gone' : 'keep');
  t.equal(await files.sweep(fateOf, 1), 2);
  const known = await files.lookUp(paths);
  t.strictSame(
    paths.filter((_, i) => known[i] !== undefined),
    [at('a', 'b', 'c', 'y'), at('a', 'bc', 'x'), at('a', 'b')],
  );
  t.equal(await files.sweep(() => 'gone', 1), 3);
});

t.test('a file that is away is remembered for 90 days, and its absence begins anew when it has been there', async t => {
  const { files } = await openStore(t);
  const day = 24 * 3600_000;
  const [path] = [at('disk', 'a')];
  files.remember(path, record(1));
  await files.flush();
  t.equal(await files.sweep(() => 'away', 1000), 0);
  t.strictSame(await files.lookUp([path]), [{ ...record(1), awaySince: 1000 }]);
  t.equal(await files.sweep(() => 'away', 1000 + 90 * day), 0);
  files.remember(path, record(1));
  await files.flush();
  t.equal(await files.sweep(() => 'away', 1000 + 91 * day), 0, 'it was there meanwhile');
  t.equal(await files.sweep(() => 'keep', 1000 + 182 * day), 0);
  t.equal(await files.sweep(() => 'away', 1000 + 182 * day), 1);
  t.strictSame(await files.lookUp([path]), [undefined]);
});

t.test('no more than a bound of files that are away are remembered', async t => {
  const { files } = await openStore(t);
  for (let i = 0; i < 3000; i++) files.remember(at('disk', String(i).padStart(4, '0')), record(i));
  await files.flush();
  t.equal(await files.sweep(() => 'away', 1, 1000), 2000);
  t.strictSame(await files.lookUp([at('disk', '0999'), at('disk', '1000')]), [
    { ...record(999), awaySince: 1 },
    undefined,
  ]);
});

t.test('added folders are kept', async t => {
  const { files } = await openStore(t);
  await files.keepFolder(at('b'), { addedAt: 1 });
  await files.keepFolder(at('a'), { addedAt: 2 });
  await files.keepFolder(at('b'), { addedAt: 3 });
  t.strictSame(
    [...(await files.folders())],
    [
      [at('a'), { addedAt: 2 }],
      [at('b'), { addedAt: 3 }],
    ],
  );
  await files.removeFolder(at('b'));
  t.strictSame([...(await files.folders()).keys()], [at('a')]);
});

t.test('a store that fails is said once, and nothing rejects', async t => {
  const messages: string[] = [];
  const log = pino(
    { level: 'warn' },
    { write: (line: string) => messages.push((JSON.parse(line) as { msg: string }).msg) },
  );
  const { store, files } = await openStore(t, log);
  await store.close();
  for (let i = 0; i < 3; i++) {
    files.remember(at(`${i}`), record(i));
    await files.flush();
  }
  t.equal(messages.length, 1);
  t.strictSame(await files.lookUp([at('0')]), []);
  t.equal(await files.sweep(() => 'gone', 1), 0);
});

t.test('a file that is saved anew again and again, each time as a new one, leaves one inode', async t => {
  const { store, files } = await openStore(t);
  for (let ino = 1; ino <= 50; ino++) {
    files.remember(at('share', 'a'), { ...record(1), inode: `${ino} 7` });
    if (ino % 3 === 0) await files.flush();
  }
  await files.flush();
  const inodes: string[] = [];
  for await (const [inode] of store.table('inodes').entries()) inodes.push(inode);
  t.strictSame(inodes, ['50 7']);
});

t.test(
  'the inode of a renamed file is kept although its old path is dropped while the new one is being written',
  async t => {
    const { store } = await openStore(t);
    let go = (): void => undefined;
    const writing = new Promise<void>(resolve => {
      go = resolve;
    });
    let isWriting = (): void => undefined;
    const begun = new Promise<void>(resolve => {
      isWriting = resolve;
    });
    const inodes = store.table<string>('inodes');
    const batch = inodes.batch.bind(inodes);
    const getMany = inodes.getMany.bind(inodes);
    let isHeld = false;
    inodes.batch = async changes => {
      if (isHeld && changes.some(({ type }) => type === 'put')) {
        isWriting();
        await writing;
      }
      return batch(changes);
    };
    inodes.getMany = async keys => {
      const paths = await getMany(keys);
      if (isHeld) {
        go();
        await files.flush();
      }
      return paths;
    };
    const files: FileStore = new FileStore(
      { table: <V>(name: string) => (name === 'inodes' ? inodes : store.table<V>(name)) as Table<V> },
      silentLog,
    );
    files.remember(at('old'), { ...record(1), inode: '7' });
    await files.flush();
    isHeld = true;
    files.remember(at('new'), { ...record(1), inode: '7' });
    await begun;
    const swept = files.sweep(path => (path === at('old') ? 'gone' : 'keep'), 1);
    t.equal(await swept, 1);
    go();
    await files.flush();
    isHeld = false;
    t.match(await files.lookUpInodes(['7']), [{ path: at('new') }]);
  },
);
