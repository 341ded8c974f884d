import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { formatAvailableRanges, formatContentRange } from '../../../protocol/transfer/content-range.ts';
import { formatRange, parseRange, RangeVerdict, servedOf } from '../../../protocol/transfer/range.ts';
import { RangeSet } from '../../../protocol/transfer/range-set.ts';
import { readFixture } from '../../support/fixtures.ts';

interface Expect {
  status: number;
  length?: number;
  content_range?: string;
  x_available_ranges?: string;
}
interface Case {
  range?: string;
  expect: Expect;
}
interface Vectors {
  range_full_file_1000_bytes: Case[];
  range_partial_file: { size: number; have: [number, number][]; cases: Case[] };
}

const vectors = readFixture<Vectors>('vectors/transfer-vectors.json');

t.test('ranges of a whole file as the vectors say', async t => {
  for (const { range = '', expect } of vectors.range_full_file_1000_bytes) {
    const parsed = parseRange(range === '' ? null : range, 1000);
    if (expect.status === 200) t.equal(parsed, null);
    else if (expect.status === 400) t.equal(parsed, RangeVerdict.Malformed, range);
    else if (expect.status === 416) t.equal(parsed, RangeVerdict.Unsatisfiable, range);
    else if (parsed === null || typeof parsed === 'string') t.fail(`${range}: ${parsed}`);
    else t.equal(formatContentRange(parsed, 1000), expect.content_range, range);
  }
});

t.test('ranges of a partial file as the vectors say', async t => {
  const { size, have, cases } = vectors.range_partial_file;
  const available = RangeSet.of(have.map(([first, last]) => ({ start: first, end: last + 1 })));
  for (const { range = '', expect } of cases) {
    const wanted = parseRange(range === '' ? null : range, size);
    if (typeof wanted === 'string') throw new Error(`${range}: ${wanted}`);
    // no Range asks for the whole file, which is not there
    const served = wanted === null ? null : servedOf(wanted, available);
    if (expect.status === 416) {
      t.equal(served, null, range);
      t.equal(formatAvailableRanges(available), expect.x_available_ranges);
    } else if (served === null) t.fail(range);
    else t.equal(formatContentRange(served, size), expect.content_range, range);
  }
});

t.test('an empty file has no ranges: all of it is nothing', async t => {
  for (const range of ['bytes=0-', 'bytes=0-0', 'bytes=5-9', 'bytes=-5']) t.equal(parseRange(range, 0), null, range);
  t.equal(parseRange('bytes=x', 0), RangeVerdict.Malformed);
});

t.test('numbers of any length are clamped like others: the end to the end, a start beyond it to nothing', async t => {
  const huge = '9'.repeat(30);
  t.equal(parseRange('bytes=9007199254740993-', 1000), RangeVerdict.Unsatisfiable);
  t.equal(parseRange(`bytes=${'9'.repeat(400)}-`, 1000), RangeVerdict.Unsatisfiable);
  t.strictSame(parseRange(`bytes=0-${huge}`, 1000), { start: 0, end: 1000 });
  t.strictSame(parseRange(`bytes=5-${'9'.repeat(400)}`, 1000), { start: 5, end: 1000 });
  t.strictSame(parseRange(`bytes=-${huge}`, 1000), { start: 0, end: 1000 });
  t.equal(parseRange(`bytes=${huge}1-${huge}0`, 1000), RangeVerdict.Malformed, 'swapped stays malformed');
  t.strictSame(parseRange('bytes=5000000000-5000000009', 6_000_000_000), { start: 5e9, end: 5e9 + 10 });
});

t.test('what we ask for is what a server understands', async () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 40 }), fc.nat(), fc.nat(), (size, a, b) => {
      const start = a % size;
      const end = start + 1 + (b % (size - start));
      assert.deepEqual(parseRange(formatRange({ start, end }), size), { start, end });
    }),
  );
});

t.test('any text is a range inside the file or a verdict', async () => {
  const texts = fc.oneof(fc.string(), fc.stringMatching(/^bytes[= ][0-9, -]{0,12}$/));
  fc.assert(
    fc.property(texts, fc.nat({ max: 2000 }), (text, size) => {
      const parsed = parseRange(text, size);
      if (parsed === null || typeof parsed === 'string') return;
      assert.ok(parsed.start >= 0 && parsed.start < parsed.end && parsed.end <= size, text);
    }),
    { numRuns: 2000 },
  );
});
