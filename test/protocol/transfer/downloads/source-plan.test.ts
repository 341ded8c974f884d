import t from 'tap';
import {
  type PlannedSource,
  RETRY_TIMES,
  SOURCES_MAX,
  SourcePlan,
} from '../../../../protocol/transfer/downloads/source-plan.ts';
import { RangeSet } from '../../../../protocol/transfer/range-set.ts';

/** The middle of every range, so that jitter is none. */
const random = { below: (bound: number) => bound >> 1, fill: () => {}, guid: () => Buffer.alloc(16) };
const MIB = 1 << 20;

function planOf(...keys: string[]): SourcePlan<string> {
  const plan = new SourcePlan<string>(random);
  for (const key of keys) plan.add(key, key.toUpperCase());
  return plan;
}

function next(plan: SourcePlan<string>, now: number): PlannedSource<string> {
  const planned = plan.next(now);
  if (planned === null) throw new Error('no source');
  planned.state = 'active';
  return planned;
}

t.test('sources in their order, failed ones behind the others', async t => {
  const plan = planOf('a', 'b');
  const a = next(plan, 0);
  t.equal(a.source, 'A');
  plan.onFailed(a, 'refused', 0, 0);
  const b = next(plan, 0);
  t.equal(b.key, 'b');
  t.equal(plan.next(0), null);
  plan.onReleased(b);
  t.equal(next(plan, 60_000).key, 'b', 'a may be asked again, but b has not failed');
});

t.test('waits double from a minute to an hour, then the source is dropped', async t => {
  const plan = planOf('a');
  const waits: number[] = [];
  let now = 0;
  for (;;) {
    const planned = next(plan, now);
    plan.onFailed(planned, 'refused', 0, now);
    const at = plan.nextAt(now);
    if (at === null) break;
    waits.push((at - now) / 1000);
    now = at;
  }
  t.strictSame(waits.slice(0, 8), [60, 120, 240, 480, 960, 1920, 3600, 3600]);
  t.equal(waits.length, RETRY_TIMES.failuresMax - 1);
  t.match([...plan][0], { state: 'dropped', error: 'refused' });
  t.notOk(plan.add('a', 'A'), 'and stays dropped');
});

t.test('jitter is a fifth, either way', async t => {
  for (const [below, seconds] of [
    [() => 0, 48],
    [(bound: number) => bound - 1, 72],
  ] as const) {
    const plan = new SourcePlan<string>({ ...random, below });
    plan.add('a', 'A');
    plan.onFailed(next(plan, 0), 'refused', 0, 0);
    t.equal(plan.nextAt(0), seconds * 1000);
  }
});

t.test('a cut connection that gave something is tried again soon, once', async t => {
  const plan = planOf('a');
  plan.onFailed(next(plan, 0), 'cut', 1000, 0);
  t.equal(plan.nextAt(0), 15_000);
  plan.onFailed(next(plan, 15_000), 'cut', 1000, 15_000);
  t.equal(plan.nextAt(15_000), 75_000);
  const a = next(plan, 75_000);
  plan.onAnswered(a, MIB);
  plan.onFailed(a, 'cut', 1000, 80_000);
  t.equal(plan.nextAt(80_000), 95_000, 'an answer in between makes it good again');
});

t.test('busy is no failure, forbidden is after three times', async t => {
  const plan = planOf('a');
  for (let i = 0; i < 50; i++) plan.onBusy(next(plan, i * 1e6), 'queued', 45, i * 1e6);
  t.equal(plan.nextAt(49e6), 49e6 + 45_000);
  plan.onBusy(next(plan, 1e9), 'busy', null, 1e9);
  t.equal(plan.nextAt(1e9), 1e9 + 60_000);
  plan.onForbidden(next(plan, 2e9), 'banned', 5, 2e9);
  t.equal(plan.nextAt(2e9), 2e9 + 360_000, 'six minutes at least');
  plan.onForbidden(next(plan, 3e9), 'banned', null, 3e9);
  plan.onForbidden(next(plan, 4e9), 'banned', null, 4e9);
  t.equal(plan.nextAt(4e9), null);
});

t.test('nothing to wait for when none is left; a reset tries all again', async t => {
  const plan = planOf('a', 'b');
  plan.onDropped(next(plan, 0), 'not found');
  plan.onDropped(next(plan, 0), 'not found');
  t.equal(plan.nextAt(0), null);
  t.equal(plan.next(0), null);
  plan.reset();
  t.equal(next(plan, 0).key, 'a');
});

t.test('a mismatch drops who gave everything and puts the others behind', async t => {
  const plan = planOf('a', 'b', 'c');
  const a = next(plan, 0);
  plan.onAnswered(a, MIB);
  plan.onReleased(a);
  plan.onMismatch('wrong hash');
  t.match(a, { state: 'dropped', error: 'wrong hash' });

  const b = next(plan, 0);
  const c = next(plan, 0);
  for (const each of [b, c]) {
    plan.onAnswered(each, MIB);
    plan.onReleased(each);
  }
  t.ok(plan.startsOver(c), 'whatever the others gave would hide whose fault it was');
  plan.onAnswered(b, MIB);
  plan.add('d', 'D');
  plan.onMismatch('wrong hash');
  t.equal(next(plan, 0).key, 'd', 'who gave nothing of it comes first');
  t.equal(next(plan, 0).key, 'b', 'who may be innocent gets another chance');
});

t.test('after a mismatch of several, one source gives everything or is dropped', async t => {
  const plan = planOf('a', 'b');
  const a = next(plan, 0);
  const b = next(plan, 0);
  for (const each of [a, b]) {
    plan.onAnswered(each, MIB);
    plan.onReleased(each);
  }
  t.notOk(plan.startsOver(b), 'before that they may take turns');
  plan.onMismatch('wrong hash');
  t.strictSame([a.state, b.state], ['idle', 'idle']);

  t.equal(next(plan, 0), a);
  t.notOk(plan.startsOver(a));
  plan.onFailed(a, 'cut', 1000, 0);
  t.equal(plan.next(0), null, 'b waits, too: the rest is to be of a');
  t.equal(plan.nextAt(0), 15_000);
  plan.onDropped(next(plan, 15_000), 'gone');
  t.equal(next(plan, 15_000), b);
  t.ok(plan.startsOver(b), 'and what a gave goes');
  plan.onAnswered(b, MIB);
  plan.onReleased(b);
  plan.onMismatch('wrong hash');
  t.equal(b.state, 'dropped');
});

t.test('nobody is dropped for bytes that may be from before a restart', async t => {
  const plan = planOf('a');
  plan.inherited = true;
  const a = next(plan, 0);
  for (const state of ['idle', 'dropped']) {
    plan.onAnswered(a, MIB);
    plan.onReleased(a);
    plan.onMismatch('wrong hash');
    t.equal(a.state, state);
  }
});

t.test('requests grow with trust and fall with failure', async t => {
  const plan = planOf('a');
  const a = next(plan, 0);
  const done = RangeSet.of();
  const sizes: number[] = [];
  for (let i = 0; i < 6; i++) {
    const range = plan.pickRange(a, done, 100 * MIB);
    if (range === null) throw new Error('no range');
    sizes.push((range.end - range.start) / MIB);
    done.add(range.start, range.end);
    plan.onAnswered(a, range.end - range.start);
  }
  t.strictSame(sizes, [1, 2, 4, 8, 16, 16]);
  t.strictSame(plan.pickRange(a, done, 48 * MIB), { start: 47 * MIB, end: 48 * MIB }, 'not beyond the end');
  plan.onFailed(a, 'cut', 5, 0);
  t.strictSame(plan.pickRange(a, done, 100 * MIB), { start: 47 * MIB, end: 48 * MIB });
});

t.test('ranges fill the gaps, of a partial source only what it has', async t => {
  const plan = planOf('a');
  const a = next(plan, 0);
  const done = RangeSet.of([
    { start: 0, end: 100 },
    { start: 200, end: 300 },
  ]);
  t.strictSame(plan.pickRange(a, done, 1000), { start: 100, end: 200 });
  t.strictSame(plan.pickRange(a, done, null), { start: 100, end: 200 });
  a.available = RangeSet.of([
    { start: 0, end: 50 },
    { start: 250, end: 400 },
  ]);
  t.strictSame(plan.pickRange(a, done, 1000), { start: 300, end: 400 });
  a.available = RangeSet.of([{ start: 0, end: 50 }]);
  t.equal(plan.pickRange(a, done, 1000), null);
  t.equal(plan.pickRange(next(planOf('b'), 0), RangeSet.of([{ start: 0, end: 10 }]), 10), null);
});

t.test('a full table forgets dropped sources for new ones, and only those', async t => {
  const plan = planOf(...Array.from({ length: SOURCES_MAX }, (_, i) => `s${i}`));
  t.equal(plan.size, SOURCES_MAX);
  t.notOk(plan.add('new', 'NEW'));
  plan.onDropped(next(plan, 0), 'gone');
  t.ok(plan.add('new', 'NEW'));
  t.equal(plan.size, SOURCES_MAX);
  t.notOk([...plan].some(({ key }) => key === 's0'));
});

t.test('a source that names dozens of others leaves room for those that a search finds', async t => {
  const plan = planOf('a');
  for (let i = 0; i < 100; i++) plan.add(`fake ${i}`, 'F', true);
  t.equal(plan.size, SOURCES_MAX);
  for (let i = 0; i < 10; i++) t.ok(plan.add(`found ${i}`, 'B'));
  t.notOk(plan.add('fake', 'F', true));
  t.equal(plan.size, SOURCES_MAX);
  t.equal([...plan].filter(({ hearsay }) => !hearsay).length, 11);
});
