import { createHash } from 'node:crypto';
import { type FileHandle, open, truncate, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { DiskError } from '../../../daemon/transfer/disk-error.ts';
import { HashingEnded, type PartHashing, PartVerifier } from '../../../daemon/transfer/part-verifier.ts';
import { TigerTreeHasher } from '../../../protocol/digest/tiger-tree-hasher.ts';
import { pattern } from '../../support/byte-patterns.ts';

const SIZE = 20_000_000; // two steps of SHA-1 and some
const content = pattern('pat251', SIZE);
const sha1 = (bytes: Buffer): string => createHash('sha1').update(bytes).digest('hex');

interface Scene {
  path: string;
  handle: FileHandle;
  verifier: PartVerifier;
  hashing: PartHashing;
}

async function scene(t: Test, options: { threadsMax?: number; idleMs?: number } = {}): Promise<Scene> {
  const path = join(t.testdir(), 'a.part');
  await writeFile(path, content);
  const handle = await open(path, 'r+');
  const verifier = new PartVerifier(options);
  const hashing = verifier.open(path, handle.fd);
  t.teardown(async () => {
    await hashing.close();
    await verifier.close();
    await handle.close();
  });
  return { path, handle, verifier, hashing };
}

/** Resolves when the threads have ended. */
async function idle(verifier: PartVerifier): Promise<void> {
  while (verifier.threads > 0) await new Promise(resolve => setImmediate(resolve));
}

t.test('each leaf of the tree of a file is the node of its slice', async t => {
  const { hashing, verifier } = await scene(t, { threadsMax: 2 });
  const tree = new TigerTreeHasher().update(content).finish();
  const slices = Array.from({ length: tree.sliceCount }, (_, i) => tree.slice(i));
  const nodes = await Promise.all(slices.map(slice => hashing.digest('node', slice)));
  t.strictSame(Buffer.concat(nodes), tree.leaves);
  t.equal(verifier.threads, 2);
  const range = { start: 1000, end: 3_000_000 };
  t.equal((await hashing.digest('sha1', range)).toString('hex'), sha1(content.subarray(1000, 3_000_000)));
});

t.test('SHA-1 follows what is written, and begins anew below bytes that were dropped', async t => {
  const { handle, hashing } = await scene(t);
  hashing.follow('sha1', 9_000_000);
  hashing.follow('sha1', 18_000_000);
  const other = Buffer.alloc(1000, 7);
  hashing.rewind(500);
  await handle.write(other, 0, other.length, 500);
  hashing.follow('sha1', SIZE);
  const changed = Buffer.from(content);
  changed.set(other, 500);
  t.equal((await hashing.whole('sha1', SIZE)).toString('hex'), sha1(changed));
  t.equal((await hashing.whole('sha1', SIZE)).toString('hex'), sha1(changed), 'and it can be asked for again');
  const root = new TigerTreeHasher().update(changed).finish().root;
  t.strictSame(await hashing.whole('node', SIZE), root);
});

t.test('an empty file has digests too', async t => {
  const { handle, hashing } = await scene(t);
  await handle.truncate(0);
  t.equal((await hashing.whole('sha1', 0)).toString('hex'), sha1(Buffer.alloc(0)));
});

t.test('a file that was shortened is an error that names it; a deleted one is read to its end', async t => {
  const { path, hashing } = await scene(t);
  await unlink(path);
  t.equal((await hashing.whole('sha1', SIZE)).toString('hex'), sha1(content));
  const { path: shortened, hashing: other } = await scene(t);
  await truncate(shortened, 5_000_000);
  const range = { start: 4_000_000, end: 6_000_000 };
  const settled = await Promise.allSettled([other.digest('node', range), other.whole('sha1', SIZE)]);
  for (const result of settled) {
    const { reason: error } = result.status === 'rejected' ? result : { reason: null };
    t.ok(error instanceof DiskError && error.code === 'DISK_CHANGED');
    t.match(error, { message: new RegExp(`${shortened} ends at 5000000`) });
  }
  t.equal((await other.whole('sha1', 5_000_000)).toString('hex'), sha1(content.subarray(0, 5_000_000)), 'others go on');
});

t.test('a file that cannot be read is a DiskError that names it', async t => {
  const { path } = await scene(t);
  const writer = await open(path, 'a');
  const verifier = new PartVerifier();
  t.teardown(() => verifier.close());
  t.teardown(() => writer.close());
  const hashing = verifier.open(path, writer.fd);
  await t.rejects(hashing.digest('sha1', { start: 0, end: 10 }), {
    code: 'DISK_FAILED',
    message: /a\.part failed: EBADF/,
  });
});

t.test('closing a file ends what waits, and resolves when no thread reads it', async t => {
  const { hashing, verifier, handle } = await scene(t, { threadsMax: 1 });
  const digests = Array.from({ length: 50 }, () => hashing.digest('node', { start: 0, end: SIZE }));
  const whole = hashing.whole('sha1', SIZE);
  const results = Promise.allSettled([...digests, whole]);
  await hashing.close();
  const settled = await results;
  const ended = settled.filter(result => result.status === 'rejected');
  t.ok(ended.length >= 46, `${ended.length} of 51 were not hashed`);
  t.ok(ended.every(({ reason }) => reason instanceof HashingEnded));
  await t.rejects(hashing.digest('node', { start: 0, end: 1 }), { code: 'HASHING_ENDED' });
  const again = verifier.open('again', handle.fd);
  t.equal((await again.digest('sha1', { start: 0, end: SIZE })).toString('hex'), sha1(content), 'others go on');
  await again.close();
});

t.test('threads end when there is no work, and not while a hash is under way', async t => {
  const { hashing, verifier } = await scene(t, { threadsMax: 2, idleMs: 1 });
  await hashing.digest('node', { start: 0, end: 1000 });
  await idle(verifier);
  hashing.follow('sha1', 9_000_000);
  await hashing.digest('node', { start: 0, end: 1000 });
  t.ok(verifier.threads > 0);
  hashing.rewind(0);
  await idle(verifier);
  t.equal((await hashing.whole('sha1', SIZE)).toString('hex'), sha1(content), 'and start again');
});

t.test('a closed verifier ends its files', async t => {
  const { hashing, verifier } = await scene(t);
  const digest = hashing.digest('node', { start: 0, end: SIZE });
  const ended = t.rejects(digest, { code: 'HASHING_ENDED' });
  await verifier.close();
  await ended;
  await t.rejects(hashing.whole('sha1', SIZE), { code: 'HASHING_ENDED' });
});
