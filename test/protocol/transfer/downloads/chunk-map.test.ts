import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { type Chunk, ChunkMap, type ChunkState } from '../../../../protocol/transfer/downloads/chunk-map.ts';
import { type ByteRange, RangeSet } from '../../../../protocol/transfer/range-set.ts';

const SIZE = 48;
const STATES: readonly ChunkState[] = ['missing', 'assigned', 'received', 'verified'];

/** The same map, said plainly: a state and a source for each byte. */
class Table {
  bytes: { state: ChunkState; source: number | null }[];
  size: number | null;

  constructor(size: number | null) {
    this.size = size;
    this.bytes = Array.from({ length: size ?? 2 * SIZE }, () => ({ state: 'missing', source: null }));
  }

  /** Gives the offsets that were changed. */
  change(
    start: number,
    end: number,
    state: ChunkState,
    source: number | null,
    from: (at: number) => boolean,
  ): number[] {
    const chosen = this.bytes.flatMap((_, at) => (at >= start && at < end && from(at) ? [at] : []));
    for (const at of chosen) this.bytes[at] = { state, source };
    return chosen;
  }

  is(at: number, ...states: ChunkState[]): boolean {
    return states.includes(this.bytes[at]?.state ?? 'missing');
  }
}

const offsetsOf = (ranges: Iterable<ByteRange>): number[] =>
  [...ranges].flatMap(({ start, end }) => Array.from({ length: end - start }, (_, i) => start + i));

/** Each byte is in exactly one state, chunks are as long as can be, and all counts fit them. */
function check(map: ChunkMap, table: Table): void {
  const chunks = [...map];
  let at = 0;
  let before: Chunk | null = null;
  for (const chunk of chunks) {
    assert.equal(chunk.start, at, 'no hole and no overlap');
    assert.ok(chunk.end > chunk.start);
    if (chunk.state === 'missing' || chunk.state === 'verified') assert.equal(chunk.source, null);
    assert.ok(before?.state !== chunk.state || before.source !== chunk.source, 'neighbours differ');
    at = chunk.end;
    before = chunk;
  }
  assert.equal(at, map.size ?? Number.MAX_SAFE_INTEGER);
  assert.equal(map.length, chunks.length);
  table.bytes.forEach(({ state, source }, offset) => {
    const chunk = chunks.find(({ start, end }) => start <= offset && offset < end);
    assert.deepEqual({ state: chunk?.state, source: chunk?.source }, { state, source }, `byte ${offset}`);
  });
  const beyond = map.size === null ? Number.MAX_SAFE_INTEGER - table.bytes.length : 0;
  for (const state of STATES) {
    const there = table.bytes.filter(byte => byte.state === state).length;
    assert.equal(map.bytes(state), there + (state === 'missing' ? beyond : 0), state);
    assert.equal(map.rangesOf(state).bytes, map.bytes(state), state);
  }
  assert.equal(map.complete, map.size !== null && table.bytes.every((_, i) => table.is(i, 'received', 'verified')));
  assert.equal(map.allVerified, map.size !== null && table.bytes.every((_, i) => table.is(i, 'verified')));
}

const step = fc.record({
  kind: fc.constantFrom(
    'assign',
    'release',
    'releaseAll',
    'receive',
    'verify',
    'reject',
    'unverify',
    'steal',
    'settle',
    'unsettle',
    'gap',
  ),
  start: fc.nat({ max: SIZE }),
  length: fc.nat({ max: 16 }),
  source: fc.nat({ max: 3 }),
  other: fc.nat({ max: 3 }),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Does the step to both, and compares what they give. */
function take(map: ChunkMap, table: Table, { kind, start, length, source, other }: Step): unknown {
  const end = Math.min(start + length, table.bytes.length);
  if (start > end) return;
  const assignedTo = (who: number) => (at: number) => table.is(at, 'assigned') && table.bytes[at]?.source === who;
  switch (kind) {
    case 'assign': {
      const free = Array.from({ length: end - start }, (_, i) => start + i).every(at => table.is(at, 'missing'));
      if (!free) return assert.throws(() => map.assign(start, end, source), RangeError);
      map.assign(start, end, source);
      table.change(start, end, 'assigned', source, () => true);
      return null;
    }
    case 'release':
      return assert.deepEqual(
        offsetsOf(map.release(source, start, end)),
        table.change(start, end, 'missing', null, assignedTo(source)),
      );
    case 'releaseAll':
      return assert.deepEqual(
        offsetsOf(map.release(source)),
        table.change(0, table.bytes.length, 'missing', null, assignedTo(source)),
      );
    case 'steal':
      for (const range of map.release(source, start, end)) map.assign(range.start, range.end, other);
      table.change(start, end, 'assigned', other, assignedTo(source));
      return null;
    case 'receive':
      return assert.deepEqual(
        offsetsOf(map.receive(start, end, source)),
        table.change(start, end, 'received', source, at => table.is(at, 'missing', 'assigned')),
      );
    case 'verify':
      map.verify(start, end);
      table.change(start, end, 'verified', null, at => table.is(at, 'received'));
      return null;
    case 'unverify':
      map.unverify(start, end);
      table.change(start, end, 'received', null, at => table.is(at, 'verified'));
      return null;
    case 'reject': {
      const before = table.bytes.slice();
      const brought = new Map(map.contributions(start, end).map(each => [each.source, each.bytes]));
      const blamed = map.reject(start, end);
      const gone = table.change(start, end, 'missing', null, at => table.is(at, 'received', 'verified'));
      for (const { source: who, bytes } of blamed) {
        assert.equal(bytes, gone.filter(at => before[at]?.source === who).length);
        if (who !== null) assert.equal(bytes, brought.get(who));
      }
      assert.equal(
        blamed.reduce((sum, { bytes }) => sum + bytes, 0),
        gone.length,
      );
      return null;
    }
    case 'settle':
      if (map.size !== null) return assert.throws(() => map.settle(map.size === 5 ? 6 : 5), RangeError);
      map.settle(start);
      table.size = start;
      table.bytes.length = start;
      return null;
    case 'unsettle':
      map.unsettle();
      while (table.bytes.length < 2 * SIZE) table.bytes.push({ state: 'missing', source: null });
      return null;
    default: {
      for (const states of [['missing'], ['assigned'], ['missing', 'assigned'], ['received', 'verified']] as const) {
        const first = table.bytes.findIndex((_, at) => at >= start && at < end && table.is(at, ...states));
        let last = first;
        while (last >= 0 && last < end && table.is(last, ...states)) last++;
        assert.deepEqual(map.gap(start, end, ...states), first < 0 ? null : { start: first, end: last });
      }
      return null;
    }
  }
}

t.test('whatever happens, each byte is in exactly one state, as in a table of bytes', async () => {
  fc.assert(
    fc.property(fc.option(fc.nat({ max: SIZE })), fc.array(step, { maxLength: 40 }), (size, steps) => {
      const map = new ChunkMap(size);
      const table = new Table(size);
      check(map, table);
      for (const each of steps) {
        take(map, table, each);
        check(map, table);
      }
    }),
    { seed: 13, numRuns: 1000 },
  );
});

const ranges = fc
  .array(fc.record({ start: fc.nat({ max: SIZE }), length: fc.nat({ max: 9 }) }), { maxLength: 8 })
  .map(list => RangeSet.of(list.map(({ start, length }) => ({ start, end: start + length }))));

t.test('a restored map has what the record says and the file can have, of unknown sources', async () => {
  fc.assert(
    fc.property(fc.option(fc.nat({ max: SIZE })), ranges, ranges, (size, received, verified) => {
      const table = new Table(size);
      table.change(0, SIZE * 2, 'received', null, at => received.covers(at, at + 1));
      table.change(0, SIZE * 2, 'verified', null, at => verified.covers(at, at + 1));
      check(ChunkMap.restore(size, received, verified), table);
    }),
    { seed: 13, numRuns: 500 },
  );
});

t.test('an empty file is complete and verified at once', async t => {
  const map = new ChunkMap(0);
  t.ok(map.complete && map.allVerified);
  t.strictSame([...map], []);
  t.equal(map.gap(0, 10, 'missing'), null);
});

t.test('what does not fit the file is a mistake of the caller', async t => {
  const map = new ChunkMap(10);
  t.throws(() => map.receive(5, 11, 0), RangeError);
  t.throws(() => map.receive(-1, 3, 0), RangeError);
  t.throws(() => map.assign(5, 11, 0), RangeError);
  t.throws(() => new ChunkMap(null).settle(-1), RangeError);
  t.throws(() => new ChunkMap(null).settle(0.5), RangeError);
});

t.test('a copy of ranges goes its own way', async t => {
  const map = new ChunkMap(10);
  for (const state of ['missing', 'received'] as const) map.rangesOf(state).add(0, 100);
  t.equal(map.bytes('missing'), 10);
  t.strictSame(map.gap(0, 100, 'missing'), { start: 0, end: 10 });
});
