// A file that was renamed or moved keeps its hash and its tree.
import { linkSync, mkdirSync, renameSync, rmSync, statSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { inodeOf } from '../../../daemon/library/evidence.ts';
import type { Library } from '../../../daemon/library/library.ts';
import { names, openLibrary, sha1 } from '../../support/library.ts';
import { NotedPool } from '../../support/noted-pool.ts';
import { testBytes } from '../../support/shared-files.ts';

const LARGE = 2 ** 20;

async function scene(t: Test, files: Parameters<Test['testdir']>[0]) {
  const folder = t.testdir({ share: files ?? {} });
  const pool = new NotedPool(1);
  t.teardown(() => pool.close());
  const at = (...path: string[]): string => join(folder, 'share', ...path);
  const open = async () => {
    const opened = await openLibrary(t, folder, [join(folder, 'share')], { hashPool: pool });
    await opened.library.settled();
    return opened;
  };
  const rescan = async (library: Library): Promise<void> => {
    await library.rescan();
    await library.settled();
  };
  return { pool, at, open, rescan, knowsBirth: statSync(folder).birthtimeMs !== 0 };
}

async function hasTree(library: Library, content: Buffer): Promise<boolean> {
  const file = library.bySha1(sha1(content));
  return file !== null && (await library.treeOf(file)) !== null;
}

t.test('files renamed in a folder, moved to another, and in a folder that is renamed keep hash and tree', async t => {
  const [a, b, c] = [testBytes(LARGE, 1), testBytes(LARGE, 2), testBytes(LARGE, 3)];
  const { pool, at, open, rescan, knowsBirth } = await scene(t, { a, b, one: { c }, two: {} });
  if (!knowsBirth) return t.comment('the file system does not tell when a file was made');
  const { library, close } = await open();
  const { done } = library.hashing;
  pool.take();
  renameSync(at('a'), at('a anew'));
  renameSync(at('b'), at('two', 'b'));
  renameSync(at('one'), at('first'));
  await rescan(library);
  t.strictSame(names(library), ['a anew', 'b', 'c']);
  t.strictSame(pool.take(), ['a anew sampled', 'b sampled'], 'none was hashed');
  for (const content of [a, b, c]) t.ok(await hasTree(library, content));
  await close();

  renameSync(at('a anew'), at('two', 'a'));
  renameSync(at('first'), at('third'));
  const again = await open();
  t.equal(again.library.hashing.done, 0, 'nor is one that was renamed while the servent was off');
  t.strictSame(pool.take(), ['a sampled']);
  for (const content of [a, b, c]) t.ok(await hasTree(again.library, content));
  renameSync(at('two', 'a'), at('a'));
  await rescan(again.library);
  t.strictSame(pool.take(), ['a sampled'], 'back under its first name');
  t.equal(done, 3);
});

t.test('two files that change names are told apart, and so is one that was renamed and replaced', async t => {
  const [a, b] = [testBytes(LARGE, 1), testBytes(LARGE, 2)];
  const { at, open, rescan, pool, knowsBirth } = await scene(t, { a, b });
  for (const name of ['a', 'b']) utimesSync(at(name), 1_700_000_000, 1_700_000_000);
  const { library } = await open();
  pool.take();
  renameSync(at('a'), at('c'));
  renameSync(at('b'), at('a'));
  renameSync(at('c'), at('b'));
  await rescan(library);
  t.equal(library.bySha1(sha1(a))?.name, 'b');
  t.equal(library.bySha1(sha1(b))?.name, 'a');
  if (knowsBirth) t.equal(library.files, 2);
  const anew = testBytes(LARGE, 3);
  renameSync(at('a'), at('d'));
  writeFileSync(at('d'), anew);
  utimesSync(at('d'), 1_700_000_000, 1_700_000_000);
  await rescan(library);
  t.equal(library.bySha1(sha1(anew))?.name, 'd');
  t.equal(library.bySha1(sha1(b)), null);
});

t.test('a further name of a file is shared without reading it, and stays when the first name goes', async t => {
  const a = testBytes(LARGE, 1);
  const { at, open, rescan, pool, knowsBirth } = await scene(t, { a });
  if (!knowsBirth) return t.comment('the file system does not tell when a file was made');
  const { library, close } = await open();
  pool.take();
  mkdirSync(at('more'));
  linkSync(at('a'), at('more', 'b'));
  await rescan(library);
  t.strictSame(names(library), ['a', 'b']);
  t.strictSame(pool.take(), ['a sampled', 'b sampled']);
  unlinkSync(at('a'));
  await rescan(library);
  t.strictSame(names(library), ['b']);
  t.ok(await hasTree(library, a));
  await close();
  const again = await open();
  t.equal(again.library.hashing.done, 0);
  t.ok(await hasTree(again.library, a));
});

t.test('a new file is not taken for a deleted one whose number, size and date it has', async t => {
  const { at, open, rescan } = await scene(t, {});
  const { library } = await open();
  for (let n = 0; n < 10; n++) {
    const content = testBytes(1000, n + 1);
    writeFileSync(at(`file ${n}`), content); // ext4 gives it the number of the file before
    utimesSync(at(`file ${n}`), 1, 1);
    await rescan(library);
    t.equal(library.bySha1(sha1(content))?.name, `file ${n}`);
    t.equal(library.files, 1);
    rmSync(at(`file ${n}`));
  }
  const [ino, ctimeMs] = [7, 3];
  t.not(inodeOf({ ino, ctimeMs, birthtimeMs: 1 }), inodeOf({ ino, ctimeMs, birthtimeMs: 2 }));
  t.equal(inodeOf({ ino, ctimeMs: 1, birthtimeMs: 1 }), inodeOf({ ino, ctimeMs: 2, birthtimeMs: 1 }));
  t.equal(inodeOf({ ino, ctimeMs, birthtimeMs: 0 }), null, 'a file system that does not tell enough');
});
