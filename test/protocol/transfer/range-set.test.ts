import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { RangeSet } from '../../../protocol/transfer/range-set.ts';

const SIZE = 64;
const step = fc.record({
  add: fc.boolean(),
  start: fc.nat({ max: SIZE }),
  length: fc.nat({ max: 20 }),
});

/** The same set, said plainly. */
function plain(steps: { add: boolean; start: number; length: number }[]): boolean[] {
  const there = new Array<boolean>(SIZE + 24).fill(false);
  for (const { add, start, length } of steps) there.fill(add, start, start + length);
  return there;
}

function build(steps: { add: boolean; start: number; length: number }[]): RangeSet {
  const set = RangeSet.of();
  for (const { add, start, length } of steps) {
    if (add) set.add(start, start + length);
    else set.remove(start, start + length);
  }
  return set;
}

t.test('adding and removing gives the set that a table of offsets gives', async () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), steps => {
      const there = plain(steps);
      const set = build(steps);
      const covered = there.map((_, offset) => set.covers(offset, offset + 1));
      assert.deepEqual(covered, there);
      assert.equal(set.bytes, there.filter(Boolean).length);
      const ranges = [...set];
      assert.ok(ranges.every(({ start, end }) => start < end));
      assert.ok(
        ranges.every(({ start }, i) => i === 0 || start > (ranges[i - 1]?.end ?? 0)),
        'sorted, disjoint, joined where they touch',
      );
      assert.equal(set.length, ranges.length);
    }),
    { numRuns: 500 },
  );
});

t.test('the first gap is the lowest run that is missing', async () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), fc.nat({ max: SIZE }), fc.nat({ max: SIZE }), (steps, a, b) => {
      const there = plain(steps);
      const [from, to] = [Math.min(a, b), Math.max(a, b)];
      const first = there.findIndex((has, offset) => !has && offset >= from && offset < to);
      const gap = build(steps).gapWithin(from, to);
      if (first < 0) return assert.equal(gap, null);
      let end = first;
      while (end < to && there[end] === false) end++;
      return assert.deepEqual(gap, { start: first, end });
    }),
    { numRuns: 500 },
  );
});

t.test('the range that holds an offset is found', async t => {
  const set = RangeSet.of([
    { start: 10, end: 20 },
    { start: 30, end: 40 },
  ]);
  t.strictSame(
    [9, 10, 19, 20, 30, 40].map(offset => set.at(offset)?.start ?? null),
    [null, 10, 10, null, 30, null],
  );
});

t.test('what is stored is what is read back, and a damaged record is refused', async t => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), steps => {
      const set = build(steps);
      assert.deepEqual(RangeSet.fromPairs(JSON.parse(JSON.stringify(set.toPairs()))).toPairs(), set.toPairs());
    }),
  );
  for (const damaged of [null, 7, [[1]], [[5, 1]], [[-1, 2]], [['0', 5]], [[0, 1e17]], [[0, 0.5]], {}]) {
    t.throws(() => RangeSet.fromPairs(damaged), { code: 'RANGE_MALFORMED' }, JSON.stringify(damaged));
  }
});

t.test('a clone goes its own way', async t => {
  const set = RangeSet.of([{ start: 0, end: 5 }]);
  const clone = set.clone();
  clone.add(5, 9);
  set.clear();
  t.strictSame(clone.toPairs(), [[0, 9]]);
  t.strictSame(set.toPairs(), []);
  t.equal(set.bytes, 0);
  t.ok(set.covers(3, 3), 'nothing is always there');
  t.throws(() => set.add(5, 4), RangeError);
  t.throws(() => set.remove(-1, 4), RangeError);
});

t.test('a thousand ranges added back to front cost no more than their number', async t => {
  const set = RangeSet.of();
  for (let i = 20_000; i > 0; i--) set.add(10 * i, 10 * i + 5);
  t.equal(set.length, 20_000);
  set.add(0, 1_000_000);
  t.strictSame(set.toPairs(), [[0, 1_000_000]]);
});
