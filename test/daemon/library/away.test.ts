// Files that are away for a while, as on a disk that is not mounted, are not hashed again; files that were deleted are forgotten.
import { chmodSync, mkdirSync, renameSync, rmdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Survey } from '../../../daemon/library/survey.ts';
import { names, openLibrary } from '../../support/library.ts';
import { asUnprivileged } from '../../support/unprivileged.ts';

async function twoDisks(t: Test) {
  const root = t.testdir({
    share: { mnt: { one: { deep: { 'a.bin': 'a' }, 'b.bin': 'b' }, two: { 'c.txt': 'c' } }, 'd.txt': 'd' },
    data: {},
  });
  const share = join(root, 'share');
  let now = 1_700_000_000_000;
  const opened = await openLibrary(t, join(root, 'data'), [share], { now: () => now });
  await opened.library.settled();
  const wait = (ms: number): void => {
    now += ms;
  };
  return { ...opened, root, at: (...path: string[]) => join(share, ...path), wait };
}

t.test('a disk inside a shared folder that is not mounted during a scan costs no hashing', async t => {
  const { library, root, at } = await twoDisks(t);
  renameSync(at('mnt', 'one'), join(root, 'away'));
  mkdirSync(at('mnt', 'one', 'deep'), { recursive: true });
  await library.rescan();
  await library.settled();
  t.strictSame(names(library), ['c.txt', 'd.txt']);
  rmSync(at('mnt', 'one'), { recursive: true });
  renameSync(join(root, 'away'), at('mnt', 'one'));
  await library.rescan();
  await library.settled();
  t.strictSame(names(library), ['a.bin', 'b.bin', 'c.txt', 'd.txt']);
  t.equal(library.hashing.done, 4, 'each was read once');
});

t.test('nor does one that is away at a restart', async t => {
  const { library, root, at, close } = await twoDisks(t);
  t.equal(library.hashing.done, 4);
  renameSync(at('mnt', 'one'), join(root, 'away'));
  mkdirSync(at('mnt', 'one'));
  await close();
  const second = await openLibrary(t, join(root, 'data'), [at()]);
  await second.library.settled();
  rmdirSync(at('mnt', 'one'));
  renameSync(join(root, 'away'), at('mnt', 'one'));
  await second.library.rescan();
  await second.library.settled();
  t.equal(second.library.files, 4);
  t.equal(second.library.hashing.done, 0);
});

t.test('a folder that could not be read during a scan costs no hashing, whatever else was deleted', async t => {
  const root = t.testdir({ share: { closed: { a: 'a' }, b: 'b', c: 'c' }, data: {} });
  const closed = join(root, 'share', 'closed');
  await asUnprivileged(t, root, closed, async () => {
    chmodSync(closed, 0o755);
    const { library, close } = await openLibrary(t, join(root, 'data'), [join(root, 'share')]);
    await library.settled();
    chmodSync(closed, 0);
    rmSync(join(root, 'share', 'b'));
    await library.rescan();
    t.strictSame(names(library), ['c']);
    chmodSync(closed, 0o755);
    writeFileSync(join(root, 'share', 'b'), 'b');
    await library.rescan();
    await library.settled();
    t.strictSame(names(library), ['a', 'b', 'c']);
    t.equal(library.hashing.done, 4, 'only the deleted one was read again');
    await close();
  });
});

t.test('what is away is forgotten after 90 days, what was deleted at once', async t => {
  const { library, root, at, wait } = await twoDisks(t);
  const old = new Date(1e12);
  const put = (path: string, bytes: string): void => {
    writeFileSync(path, bytes);
    utimesSync(path, old, old);
  };
  put(at('d.txt'), 'D');
  put(at('mnt', 'two', 'c.txt'), 'C');
  put(at('mnt', 'two', 'e.txt'), 'E');
  await library.rescan();
  await library.settled();
  const hashed = library.hashing.done;
  rmSync(at('mnt', 'two', 'e.txt'));
  renameSync(at('mnt', 'one'), join(root, 'away'));
  mkdirSync(at('mnt', 'one'));
  await library.rescan();
  put(at('mnt', 'two', 'e.txt'), 'E');
  await library.rescan();
  await library.settled();
  t.equal(library.hashing.done, hashed + 1, 'the deleted file was forgotten at once');
  wait(91 * 24 * 3600_000);
  await library.rescan();
  rmdirSync(at('mnt', 'one'));
  renameSync(join(root, 'away'), at('mnt', 'one'));
  await library.rescan();
  await library.settled();
  t.equal(library.hashing.done, hashed + 3, 'the disk was forgotten after all');
});

t.test('a file may return where nothing, another device or nothing readable is in its place', t => {
  const survey = new Survey();
  survey.enter('/share', 1);
  survey.enter('/share/disk', 2);
  survey.noteFile('/share/disk/x');
  survey.enter('/share/empty', 1);
  survey.enter('/share/closed', 1);
  survey.noteFile('/share/closed/x');
  survey.noteUnreadable('/share/closed', 'EIO', 'folder');
  const rows: [string, number | undefined, boolean][] = [
    ['/share/gone', 1, false],
    ['/share/gone/deep/down', 1, false],
    ['/share/gone', undefined, false],
    ['/share/usb/gone', 7, true], // the mount point went with the disk
    ['/share/disk/gone', 2, false],
    ['/share/disk/deep/gone', 1, true], // another disk is mounted there
    ['/share/empty/gone', 1, true],
    ['/share/closed/gone', 1, true],
    ['/share/closed/deep/gone', undefined, true],
    ['/elsewhere/gone', 1, true],
  ];
  for (const [path, dev, expected] of rows) t.equal(survey.mayReturn(path, dev), expected, `${path} of ${dev}`);
  survey.leaveOut('too-many', '/share/z', 'file');
  t.equal(survey.mayReturn('/share/gone', 1), true, 'nothing is known of what was not looked at');
  t.end();
});
