import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { lstatSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { HashPool } from '../../../daemon/library/hash-pool.ts';
import type { HashResult } from '../../../daemon/library/hash-worker.ts';
import { ContentHasher, treeOf } from '../../../protocol/digest/content-digest.ts';
import { neverShared } from '../../../settings/never-shared.ts';
import { pattern } from '../../support/byte-patterns.ts';

// One for all tests: under the test runner's loader a thread takes long to start.
const pool = new HashPool(1);
t.teardown(() => pool.close());

/** Hashes what is at the path now, or what `over` says was there. */
function hash(path: string, over: { size?: number; mtimeMs?: number } = {}): Promise<HashResult> {
  const { size, mtimeMs } = lstatSync(path, { throwIfNoEntry: false }) ?? { size: 1, mtimeMs: 1 };
  return new Promise(done => pool.submit({ path, size, mtimeMs, ...over, isHashed: false, cancelled: false, done }));
}

const sha1 = (data: Buffer): string => createHash('sha1').update(data).digest('hex');
const hex = (result: HashResult): string =>
  result.kind === 'hashed' ? Buffer.from(result.content.sha1).toString('hex') : result.kind;

t.test('files of every size get their SHA-1', async t => {
  const folder = t.testdir();
  const sizes = [1, 1000, 2 ** 20 - 1, 2 ** 20, 2 ** 20 + 1, 3_500_000];
  const files = sizes.map((size, i) => {
    const data = Buffer.alloc(size, `file ${i} `);
    const path = join(folder, `${size}`);
    writeFileSync(path, data);
    return { path, data };
  });
  const results = Promise.all(files.map(({ path }) => hash(path)));
  t.equal(pool.pending, sizes.length);
  t.equal(
    pool.bytesLeft,
    sizes.reduce((sum, size) => sum + size),
  );
  t.match(pool.current, folder);
  t.strictSame(
    (await results).map(hex),
    files.map(({ data }) => sha1(data)),
  );
  t.strictSame([pool.pending, pool.bytesLeft, pool.current], [0, 0, null]);
});

t.test('a file gets its hash tree in the same reading, also when it is larger than what is read at once', async t => {
  const path = join(t.testdir(), 'file');
  const bytes = pattern('pat251', 2_500_000);
  writeFileSync(path, bytes);
  const result = await hash(path);
  if (result.kind !== 'hashed') throw new Error(result.kind);
  const { sha1, tigerRoot, leaves } = new ContentHasher().update(bytes).finish();
  const plain = { sha1: Buffer.from(sha1), tigerRoot: Buffer.from(tigerRoot), leaves: Buffer.from(leaves) };
  const { content } = result;
  t.strictSame(
    { sha1: Buffer.from(content.sha1), tigerRoot: Buffer.from(content.tigerRoot), leaves: Buffer.from(content.leaves) },
    plain,
  );
  t.equal(treeOf(content, bytes.length)?.depth, 4);
});

t.test('a file that is not the one that was seen is not hashed', async t => {
  const folder = t.testdir({ file: 'content' });
  t.strictSame(await hash(join(folder, 'file'), { size: 8 }), { kind: 'changed' }, 'longer');
  t.strictSame(await hash(join(folder, 'file'), { size: 6 }), { kind: 'changed' }, 'shorter');
  t.strictSame(await hash(join(folder, 'file'), { mtimeMs: 5 }), { kind: 'changed' }, 'newer');
});

t.test('what cannot be read is told, and the thread goes on', async t => {
  const folder = t.testdir({ file: 'content' });
  symlinkSync(join(folder, 'file'), join(folder, 'link'));
  t.strictSame(await hash(join(folder, 'gone')), { kind: 'failed', code: 'ENOENT' });
  t.strictSame(await hash(join(folder, 'link')), { kind: 'failed', code: 'ELOOP' }, 'links are not followed');
  t.not((await hash(folder)).kind, 'hashed', 'a folder');
  t.equal(hex(await hash(join(folder, 'file'))), sha1(Buffer.from('content')));
});

t.test('a pipe does not hold it up', { skip: process.platform === 'win32' }, async t => {
  const pipe = join(t.testdir(), 'pipe');
  execFileSync('mkfifo', [pipe]);
  t.strictSame(await hash(pipe), { kind: 'changed' });
});

t.test('cancelled jobs are passed over, and nothing is told after closing', async t => {
  const folder = t.testdir({ a: 'a', b: 'b' });
  const told: string[] = [];
  const job = (name: string) => {
    const { size, mtimeMs } = lstatSync(join(folder, name));
    return {
      path: join(folder, name),
      size,
      mtimeMs,
      isHashed: false,
      cancelled: false,
      done: () => void told.push(name),
    };
  };
  const [first, second] = [job('a'), job('b')];
  pool.submit(first);
  pool.submit(second);
  first.cancelled = true;
  await hash(join(folder, 'b'));
  t.strictSame(told, ['b']);
});

t.test('two threads share the work, and nothing is told after closing', async t => {
  const folder = t.testdir({ a: 'a', b: 'b' });
  const two = new HashPool(2);
  const hashed = (name: string) => {
    const { size, mtimeMs } = lstatSync(join(folder, name));
    return new Promise<HashResult>(done =>
      two.submit({ path: join(folder, name), size, mtimeMs, isHashed: false, cancelled: false, done }),
    );
  };
  t.strictSame(
    (await Promise.all([hashed('a'), hashed('b')])).map(hex),
    ['a', 'b'].map(text => sha1(Buffer.from(text))),
  );
  void hashed('a').then(() => t.fail('told after closing'));
  await two.close();
  await two.close();
  t.equal(two.pending, 0);
});

t.test('a thread reads no faster than the limit, which can be lifted while it waits', async t => {
  const path = join(t.testdir({ file: Buffer.alloc(2 ** 20, 1) }), 'file');
  pool.speed = 2 * 2 ** 20;
  const startedAt = performance.now();
  await hash(path);
  const took = performance.now() - startedAt;
  t.ok(took >= 450, `1 MiB at 2 MiB/s took ${took} ms`);
  pool.speed = 1024; // 1 MiB would take a quarter of an hour
  const slow = hash(path);
  pool.speed = 0;
  t.equal((await slow).kind, 'hashed');
});

t.test('a secret behind the bytes that a file system gives at once is found', async t => {
  const shorter = `import fs from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    const read = fs.readSync;
    fs.readSync = (file, into, at, length, from) => read(file, into, at, Math.min(length, 1000), from);
    syncBuiltinESMExports();`;
  const worker = new Worker(new URL('../../../daemon/library/hash-worker.js', import.meta.url), {
    workerData: { rules: neverShared().list.firstBytes, speed: new Int32Array(new SharedArrayBuffer(4)) },
    execArgv: ['--import', `data:text/javascript,${encodeURIComponent(shorter)}`],
  });
  t.teardown(() => worker.terminate());
  const key = `${'-'.repeat(5)}BEGIN PRIVATE KEY${'-'.repeat(5)}`;
  const texts = { secret: 'a '.repeat(2000) + key, harmless: 'a '.repeat(20_000) };
  const folder = t.testdir(texts);
  for (const [id, [name, isHashed, expected]] of (
    [
      ['secret', true, { kind: 'private', rule: 'private-key' }],
      ['secret', false, { kind: 'private', rule: 'private-key' }],
      ['harmless', true, { kind: 'harmless' }],
      ['harmless', false, { kind: 'hashed', content: { sha1: createHash('sha1').update(texts.harmless).digest() } }],
    ] as const
  ).entries()) {
    const { size, mtimeMs } = lstatSync(join(folder, name));
    worker.postMessage({ id, path: join(folder, name), size, mtimeMs, isHashed, leaves: null, pace: null });
    const [reply] = await once(worker, 'message');
    t.match(reply, { kind: 'result', id, result: expected }, `${name}${isHashed ? ', hashed before' : ''}`);
  }
});
