import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import {
  formatAvailableRanges,
  formatContentRange,
  parseAvailable,
  parseAvailableRanges,
  parseContentRange,
} from '../../../protocol/transfer/content-range.ts';
import { RangeSet } from '../../../protocol/transfer/range-set.ts';
import { readFixture } from '../../support/fixtures.ts';

interface Vectors {
  content_range_parse: { in: string; out: [number | null, number | null, number | null] | null }[];
  x_available_ranges_parse: { in: string; size?: number; out: [number, number][] }[];
  x_available_parse: { in: string; out: number | null }[];
}

const vectors = readFixture<Vectors>('vectors/transfer-vectors.json');

t.test('Content-Range as the vectors say', async t => {
  for (const { in: text, out } of vectors.content_range_parse) {
    const parsed = parseContentRange(text);
    const { start = null, end = null } = parsed?.range ?? {};
    t.strictSame(parsed && [start, end === null ? null : end - 1, parsed.size], out, text);
  }
});

t.test('Content-Range is written as it is read', async t => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(), fc.nat(), (start, length, beyond) => {
      const range = { start, end: start + 1 + length };
      const size = range.end + beyond;
      assert.deepEqual(parseContentRange(formatContentRange(range, size)), { range, size });
    }),
  );
  t.equal(parseContentRange('bytes */*'), null);
  t.equal(parseContentRange('bytes 0-99999999999999999999/*'), null);
});

t.test('X-Available-Ranges and X-Available as the vectors say', async t => {
  for (const { in: text, size, out } of vectors.x_available_ranges_parse) {
    const set = parseAvailableRanges(text, size ?? null);
    t.strictSame(
      set?.toPairs().map(([start, end]) => [start, end - 1]),
      out,
      text,
    );
  }
  for (const { in: text, out } of vectors.x_available_parse) t.equal(parseAvailable(text), out, text);
  t.equal(parseAvailableRanges('0-5', null), null);
});

t.test('available ranges are written as they are read', async t => {
  t.equal(formatAvailableRanges(RangeSet.of()), 'bytes');
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(), fc.nat({ max: 1000 })), { maxLength: 20 }), pairs => {
      const set = RangeSet.of(pairs.map(([start, length]) => ({ start, end: start + 1 + length })));
      assert.deepEqual(parseAvailableRanges(formatAvailableRanges(set), null)?.toPairs(), set.toPairs());
    }),
  );
});

t.test('any text gives null or ranges, never an exception', async () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), fc.boolean(), (text, prefixed) => {
      const value = prefixed ? `bytes ${text}` : text;
      parseContentRange(value);
      parseAvailableRanges(value, 1000);
      parseAvailable(value);
    }),
  );
});
