// Two ways to find a content: when the second is asked.
import fc from 'fast-check';
import t from 'tap';
import type { OnPublishedSources, PublishedSource } from '../../../../protocol/dht/aloc-search.ts';
import { DhtLocator } from '../../../../protocol/dht/dht-locator.ts';
import type { ContentLocator, WantedContent } from '../../../../protocol/transfer/downloads/content-locator.ts';
import { LocatorStages } from '../../../../protocol/transfer/downloads/locator-stages.ts';
import { PLAIN_SOURCE } from '../../../../protocol/transfer/downloads/source.ts';

const WANTED: WantedContent = { sha1: Buffer.alloc(20, 1), words: 'a song', size: null, tigerRoot: null };

class FakeLocator implements ContentLocator {
  ready = true;
  refuses = false;
  readonly log: string[] = [];
  end: (found: number, now: number) => void = () => {};

  locate({ words }: WantedContent, now: number, onEnd?: (found: number, now: number) => void): (() => void) | null {
    if (this.refuses) return null;
    this.log.push(`${words} at ${now}`);
    if (onEnd !== undefined) this.end = onEnd;
    return () => {
      this.log.push('ended');
    };
  }
}

function scene() {
  const [first, then] = [new FakeLocator(), new FakeLocator()];
  return { first, then, stages: new LocatorStages({ first, then, patienceMs: 10_000 }) };
}

t.test('the second is asked when the first has brought too few', async t => {
  const { first, then, stages } = scene();
  stages.locate(WANTED, 0);
  t.strictSame([first.log, then.log], [['a song at 0'], []]);
  first.end(4, 3_000);
  t.strictSame(then.log, ['a song at 3000']);
  t.equal(stages.tick(20_000), Number.POSITIVE_INFINITY);
  t.equal(then.log.length, 1, 'once');
});

t.test('the second is spared when the first has brought enough', async t => {
  const { first, then, stages } = scene();
  stages.locate(WANTED, 0);
  first.end(5, 3_000);
  stages.tick(20_000);
  t.strictSame(then.log, []);
  t.match(stages, { spared: 1, waiting: 0 });
});

t.test('the second is asked when the time of the first is up', async t => {
  const { first, then, stages } = scene();
  stages.locate(WANTED, 0);
  t.equal(stages.tick(5_000), 10_000);
  stages.tick(10_000);
  t.strictSame(then.log, ['a song at 10000']);
  first.end(9, 12_000);
  t.equal(stages.spared, 0);
});

t.test('the second is asked at once when the first is not ready, or does not ask', async t => {
  const { first, then, stages } = scene();
  first.ready = false;
  stages.locate(WANTED, 0);
  first.ready = true;
  first.refuses = true;
  stages.locate(WANTED, 1);
  t.strictSame([first.log, then.log], [[], ['a song at 0', 'a song at 1']]);
  t.equal(stages.waiting, 0);
});

t.test('both can be ended early, and the second is not asked any more', async t => {
  const { first, then, stages } = scene();
  stages.locate(WANTED, 0)?.();
  t.strictSame(first.log, ['a song at 0', 'ended']);
  first.end(0, 1_000);
  stages.tick(60_000);
  t.strictSame(then.log, []);
  const end = stages.locate(WANTED, 60_000);
  stages.tick(70_000);
  end?.();
  t.strictSame(then.log, ['a song at 70000', 'ended']);
});

t.test('a second way that is not ready is waited for, for three minutes', async t => {
  const { first, then, stages } = scene();
  then.ready = false;
  stages.locate(WANTED, 0);
  t.equal(stages.ready, true);
  first.end(0, 1_000);
  t.equal(stages.tick(1_500), 2_000);
  then.ready = true;
  stages.tick(2_000);
  t.strictSame(then.log, ['a song at 2000']);
  then.ready = false;
  stages.locate(WANTED, 10_000);
  for (let now = 10_000; now < 250_000; now += 1_000) stages.tick(now);
  t.equal(stages.waiting, 0);
  t.equal(then.log.length, 1);
});

t.test('the DHT is asked for a content once in a while, and tells its servents', async t => {
  const found: OnPublishedSources[] = [];
  const offers: unknown[] = [];
  const locator = new DhtLocator(
    {
      ready: () => true,
      alocs: { find: (_wanted, _now, end) => found.push(end) },
      againMs: 1_000,
      onOffer: offer => offers.push(offer),
    },
    0,
  );
  const ends: number[] = [];
  const end = locator.locate(WANTED, 0, count => ends.push(count));
  t.equal(locator.locate(WANTED, 500), null);
  const source = { ...PLAIN_SOURCE, endpoint: { host: '5.5.5.5', port: 1 } };
  const published: PublishedSource = { source, size: 7, tigerRoot: null, available: null, vendor: 'GTKG' };
  found[0]?.([published], 500);
  t.match(offers, [{ sha1: WANTED.sha1, sources: [], hearsay: [source], name: null, size: 7 }]);
  t.strictSame(ends, [1]);
  end?.();
  const again = locator.locate(WANTED, 1_000);
  t.type(again, 'function');
  again?.();
  found[1]?.([published], 1_500);
  t.equal(offers.length, 1, 'nothing after its end');
});

t.test('a content that nobody had published is looked up again as soon as somebody wants it', async t => {
  const found: OnPublishedSources[] = [];
  const alocs = { find: (_wanted: unknown, _now: number, end: OnPublishedSources) => found.push(end) };
  const locator = new DhtLocator({ ready: () => true, alocs, againMs: 600_000, onOffer: () => {} }, 0);
  locator.locate(WANTED, 0);
  t.equal(locator.locate(WANTED, 500), null, 'it is under way');
  found[0]?.([], 1_000);
  t.type(locator.locate(WANTED, 1_500), 'function');
  t.equal(found.length, 2);
});

t.test('whatever happens, the second is asked once at most, never after the end, and in time', async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('found' as const), count: fc.integer({ min: 0, max: 8 }) }),
    fc.record({ kind: fc.constant('ready' as const), count: fc.integer({ min: 0, max: 1 }) }),
    fc.record({ kind: fc.constant('pass' as const), count: fc.integer({ min: 1, max: 8_000 }) }),
    fc.record({ kind: fc.constant('end' as const), count: fc.constant(0) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), steps => {
      const { first, then, stages } = scene();
      let now = 0;
      const end = stages.locate(WANTED, now);
      let settled: number | null = null;
      for (const { kind, count } of steps) {
        const before = then.log.length;
        if (kind === 'ready') then.ready = count === 1;
        if (kind === 'pass') {
          now += count;
          stages.tick(now);
        }
        if (kind === 'found') first.end(count, now);
        if (kind === 'end') end?.();
        const asked = then.log.filter(line => line !== 'ended').length;
        if (asked > 1) throw new Error('asked twice');
        if (settled !== null && then.log.filter(line => line !== 'ended').length > before)
          throw new Error('asked after its end');
        if (kind === 'end' || (kind === 'found' && count >= 5)) settled ??= now;
        if (settled === null && then.ready && now >= 20_000 && asked === 0 && kind === 'pass')
          throw new Error('asked too late');
      }
      if (stages.waiting > 1) throw new Error('too many wait');
    }),
    { seed: 15, numRuns: 300 },
  );
});
