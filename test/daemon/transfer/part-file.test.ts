import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { PartFile } from '../../../daemon/transfer/part-file.ts';
import { RangeSet } from '../../../protocol/transfer/range-set.ts';
import { testBytes } from '../../support/shared-files.ts';

t.test('pieces in any order make the file', async t => {
  const content = testBytes(5000);
  let run = 0;
  const folder = t.testdir();
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(fc.nat({ max: 4999 }), { maxLength: 25 }), fc.nat(), async (cuts, seed) => {
      const path = join(folder, `part-${run++}`);
      const part = await PartFile.open(path, RangeSet.of());
      const written = RangeSet.of();
      part.onWritten = (start, end) => written.add(start, end);
      const ends = [...cuts.sort((a, b) => a - b), content.length];
      const pieces = ends.map((end, i): [number, number] => [ends[i - 1] ?? 0, end]);
      // some runs that follow each other, some that do not
      for (let i = pieces.length; i > 0; i--) pieces.push(...pieces.splice((seed * i) % pieces.length, 1 + (seed % 3)));
      for (const [start, end] of pieces) if (end > start) part.put(start, content.subarray(start, end));
      await part.flush();
      assert.deepEqual(part.done.toPairs(), [[0, content.length]]);
      assert.deepEqual(written.toPairs(), [[0, content.length]]);
      assert.deepEqual((await part.checkpoint()).toPairs(), [[0, content.length]]);
      await part.close();
      assert.ok(readFileSync(path).equals(content));
    }),
    { numRuns: 60 },
  );
});

t.test('bytes that are dropped are not done, until they are put again', async t => {
  const path = join(t.testdir(), 'part');
  const part = await PartFile.open(path, RangeSet.of());
  t.teardown(() => part.close());
  part.put(0, Buffer.alloc(30, 'a'));
  await part.flush();
  part.drop(10, 20);
  t.strictSame(part.done.toPairs(), [
    [0, 10],
    [20, 30],
  ]);
  part.put(10, Buffer.alloc(10, 'b'));
  await part.flush();
  t.strictSame(part.done.toPairs(), [[0, 30]]);
  t.equal(readFileSync(path, 'latin1'), `${'a'.repeat(10)}${'b'.repeat(10)}${'a'.repeat(10)}`);
});

t.test('a slow disk makes the caller wait instead of holding everything', async t => {
  const part = await PartFile.open(join(t.testdir(), 'part'), RangeSet.of());
  t.teardown(() => part.close());
  const chunk = testBytes(1 << 20);
  let waited = 0;
  for (let i = 0; i < 32; i++) {
    if (part.put(i << 20, chunk)) continue;
    waited++;
    await part.room();
    t.ok(part.done.bytes >= (i - 7) << 20, 'some of it is written');
  }
  t.ok(waited > 0);
  await part.flush();
  t.equal(part.done.bytes, 32 << 20);
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

t.test('finishing cuts what is too much', async t => {
  const path = join(t.testdir(), 'part');
  const part = await PartFile.open(path, RangeSet.of());
  t.teardown(() => part.close());
  part.put(0, testBytes(100));
  await part.finish(60);
  t.equal(readFileSync(path).length, 60);
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
