// A content that is replaced under the old size and date is noticed by the change time; a chmod or a restored copy costs no hashing.
import { chmodSync, renameSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { FileStore } from '../../../daemon/store/files.ts';
import { formatBase32 } from '../../../protocol/wire/urn.ts';
import { openLibrary, sha1 } from '../../support/library.ts';
import { NotedPool } from '../../support/noted-pool.ts';
import { testBytes } from '../../support/shared-files.ts';

const LARGE = 3 * 2 ** 20;

async function scene(t: Test, files: Record<string, Buffer>) {
  const folder = t.testdir({ share: files });
  const pool = new NotedPool(1);
  t.teardown(() => pool.close());
  const at = (name: string): string => join(folder, 'share', name);
  const open = async (over: Parameters<typeof openLibrary>[3] = {}) => {
    const opened = await openLibrary(t, folder, [join(folder, 'share')], { hashPool: pool, ...over });
    await opened.library.settled();
    const rescan = async (): Promise<void> => {
      await opened.library.rescan();
      await opened.library.settled();
    };
    return { ...opened, rescan };
  };
  return { pool, at, open };
}

/** Writes other bytes and gives the file its old date. */
function replace(path: string, content: Buffer): void {
  const { atime, mtime } = statSync(path);
  writeFileSync(path, content);
  utimesSync(path, atime, mtime);
}

/** Gives a file a date without fractions of a millisecond, which utimes can give it again. */
const setDate = (path: string): void => utimesSync(path, 1_700_000_000, 1_700_000_000);

t.test('a content that is replaced under the old size and date is shared under its own hash', async t => {
  const [small, large] = [testBytes(1000, 1), testBytes(LARGE, 2)];
  const { pool, at, open } = await scene(t, { small, large, kept: testBytes(LARGE, 3) });
  for (const name of ['small', 'large', 'kept']) setDate(at(name));
  const { library, rescan, close } = await open();
  pool.take();
  const tagged = Buffer.concat([large.subarray(0, LARGE - 128), testBytes(128, 9)]); // as with a tag at the end
  replace(at('small'), testBytes(1000, 4));
  replace(at('large'), tagged);
  await rescan();
  t.strictSame(pool.take(), ['large read', 'large sampled', 'small read']);
  for (const old of [small, large]) t.equal(library.bySha1(sha1(old)), null);
  for (const anew of [testBytes(1000, 4), tagged]) t.ok(library.bySha1(sha1(anew))?.tigerRoot);
  t.equal(library.files, 3);
  await rescan();
  t.strictSame(pool.take(), [], 'once');
  await close();

  replace(at('kept'), testBytes(LARGE, 5)); // while the servent is off
  const again = await open();
  t.strictSame(pool.take(), ['kept read', 'kept sampled']);
  t.ok(again.library.bySha1(sha1(testBytes(LARGE, 5))));
  t.equal(again.library.bySha1(sha1(testBytes(LARGE, 3))), null);
});

t.test('a chmod and a restored copy cost a sample of large files, and nothing is unshared meanwhile', async t => {
  const names = ['a', 'b', 'c'];
  const files = Object.fromEntries(names.map((name, i) => [name, testBytes(LARGE + i, i + 1)]));
  const { pool, at, open } = await scene(t, files);
  for (const name of names) setDate(at(name));
  const { library, rescan, close } = await open();
  const { revisions } = library;
  pool.take();
  const sampled = names.map(name => `${name} sampled`);
  for (const name of names) chmodSync(at(name), 0o600);
  await rescan();
  t.strictSame(pool.take(), sampled);
  for (const name of names) {
    writeFileSync(at('copy.tmp'), files[name] ?? '');
    setDate(at('copy.tmp'));
    renameSync(at('copy.tmp'), at(name));
  }
  await rescan();
  t.strictSame(pool.take(), sampled);
  t.strictSame(library.revisions, revisions, 'the list of files is as it was');
  for (const name of names) chmodSync(at(name), 0o640);
  await close();
  const second = await open();
  t.equal(second.library.hashing.done, 0);
  t.strictSame(pool.take(), sampled);
  await second.close();
  await open();
  t.strictSame(pool.take(), [], 'that is remembered');
});

t.test('an upload notices the new change time before a scan does', async t => {
  const { at, open } = await scene(t, { a: testBytes(LARGE, 1) });
  setDate(at('a'));
  const { library } = await open();
  const file = library.bySha1(sha1(testBytes(LARGE, 1)));
  replace(at('a'), testBytes(LARGE, 2));
  await (file === null ? null : await library.open(file))?.close();
  await library.settled();
  t.equal(library.bySha1(sha1(testBytes(LARGE, 1))), null);
  t.ok(library.bySha1(sha1(testBytes(LARGE, 2))));
});

t.test('a content that is replaced before its first bytes are judged anew is not taken for the old one', async t => {
  const [old, anew] = [testBytes(LARGE, 1), testBytes(LARGE, 2)];
  const { pool, at, open } = await scene(t, { a: old });
  setDate(at('a'));
  const { size, mtimeMs, ctimeMs, dev } = statSync(at('a'));
  const underOtherRules = { size, mtimeMs, ctimeMs, dev, sha1: formatBase32(sha1(old)), judged: 'other rules' };
  const fileStore = (store: FileStore): FileStore => {
    store.remember(at('a'), underOtherRules);
    return store;
  };
  pool.before = ({ isHashed }) => isHashed && replace(at('a'), anew);
  const { library } = await open({ fileStore });
  t.strictSame(pool.take(), ['a judged', 'a read']);
  t.equal(library.bySha1(sha1(old)), null);
  t.ok(library.bySha1(sha1(anew)));
});
