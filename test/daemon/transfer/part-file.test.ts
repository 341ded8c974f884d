import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { sha1OfPart } from '../../../daemon/transfer/part-digest.ts';
import { PartFile } from '../../../daemon/transfer/part-file.ts';
import { RangeSet } from '../../../protocol/transfer/range-set.ts';
import { sha1 } from '../../support/download-rig.ts';
import { testBytes } from '../../support/shared-files.ts';

const never = new AbortController().signal;

t.test('pieces in any order, overlapping as they like, make the file', async t => {
  const content = testBytes(5000);
  let run = 0;
  const folder = t.testdir();
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat({ max: 4999 }), fc.integer({ min: 1, max: 1500 })), { maxLength: 25 }),
      async pieces => {
        const path = join(folder, `part-${run++}`);
        const part = await PartFile.open(path, RangeSet.of());
        const expected = RangeSet.of();
        for (const [start, length] of pieces) {
          const end = Math.min(start + length, content.length);
          expected.add(start, end);
          await part.put(start, content.subarray(start, end));
        }
        await part.flush();
        assert.deepEqual(part.done.toPairs(), expected.toPairs());
        assert.deepEqual((await part.checkpoint()).toPairs(), expected.toPairs());
        await part.close();
        const stored = readFileSync(path);
        for (const { start, end } of expected)
          assert.ok(stored.subarray(start, end).equals(content.subarray(start, end)));
      },
    ),
    { numRuns: 60 },
  );
});

t.test('what is there already is not written over', async t => {
  const path = join(t.testdir(), 'part');
  const part = await PartFile.open(path, RangeSet.of());
  t.teardown(() => part.close());
  await part.put(10, Buffer.alloc(10, 'a'));
  await part.put(0, Buffer.alloc(30, 'b'));
  await part.flush();
  t.equal(readFileSync(path, 'latin1'), `${'b'.repeat(10)}${'a'.repeat(10)}${'b'.repeat(10)}`);
});

t.test('a slow disk makes the caller wait instead of holding everything', async t => {
  const part = await PartFile.open(join(t.testdir(), 'part'), RangeSet.of());
  t.teardown(() => part.close());
  const chunk = testBytes(1 << 20);
  let waited = 0;
  for (let i = 0; i < 16; i++) {
    const full = part.put(i << 20, chunk);
    if (full === null) continue;
    waited++;
    await full;
  }
  t.ok(waited > 0);
  await part.flush();
  t.equal(part.done.bytes, 16 << 20);
});

t.test('stored ranges count as far as the file is long enough for them', async t => {
  const path = join(t.testdir({ part: 'x'.repeat(100) }), 'part');
  const part = await PartFile.open(
    path,
    RangeSet.of([
      { start: 0, end: 50 },
      { start: 80, end: 200 },
    ]),
  );
  t.strictSame(part.done.toPairs(), [
    [0, 50],
    [80, 100],
  ]);
  await part.close();
});

t.test('finishing cuts what is too much, discarding leaves nothing', async t => {
  const path = join(t.testdir(), 'part');
  const part = await PartFile.open(path, RangeSet.of());
  t.teardown(() => part.close());
  await part.put(0, testBytes(100));
  await part.finish(60);
  t.equal(readFileSync(path).length, 60);
  await part.discard();
  t.strictSame(part.done.toPairs(), []);
  t.equal(readFileSync(path).length, 0);
  await part.put(0, testBytes(10));
  await part.flush();
  t.ok(readFileSync(path).equals(testBytes(10)), 'and can be filled again');
});

t.test('the digest is that of the bytes on the disk', async t => {
  const folder = t.testdir();
  for (const size of [0, 1, 1 << 19, (1 << 19) + 1, 3_000_000]) {
    const content = testBytes(size);
    const part = await PartFile.open(join(folder, `part-${size}`), RangeSet.of());
    await part.put(0, content);
    await part.flush();
    t.ok((await sha1OfPart(part, size, never))?.equals(sha1(content)), `${size} bytes`);
    if (size > 0) t.equal(await sha1OfPart(part, size, AbortSignal.abort()), null);
    await part.close();
  }
});

t.test(
  'a disk that fails says so to the one who puts, and to every one after',
  { skip: process.platform !== 'linux' },
  async t => {
    const folder = t.testdir();
    mkdirSync(join(folder, 'in'));
    symlinkSync('/dev/full', join(folder, 'in', 'part'));
    const part = await PartFile.open(join(folder, 'in', 'part'), RangeSet.of());
    part.put(0, testBytes(10));
    await t.rejects(part.flush(), { code: 'DISK_FULL' });
    t.throws(() => part.put(10, testBytes(10)), { code: 'DISK_FULL' });
    t.strictSame(part.done.toPairs(), []);
    await part.close();

    writeFileSync(join(folder, 'file'), '');
    await t.rejects(PartFile.open(join(folder, 'file', 'part'), RangeSet.of()), { code: 'DISK_FORBIDDEN' });
  },
);
