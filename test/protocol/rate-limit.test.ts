import fc from 'fast-check';
import t from 'tap';
import { KeyedRateLimit, RateLimit } from '../../protocol/rate-limit.ts';

t.test('a burst passes at once, then one each interval', async t => {
  const limit = new RateLimit(1_000, 3);
  let due = 0;
  const admit = (now: number): boolean => {
    const next = limit.admit(due, now);
    if (next >= 0) due = next;
    return next >= 0;
  };
  t.strictSame([50_000, 50_000, 50_000, 50_000].map(admit), [true, true, true, false]);
  t.strictSame([50_999, 51_000, 51_001, 52_000].map(admit), [false, true, false, true]);
  t.strictSame([60_000, 60_000, 60_000, 60_000].map(admit), [true, true, true, false], 'a pause restores the burst');
});

t.test('what weighs more waits longer, what weighs less is oftener let through', async t => {
  const limit = new RateLimit(1_000, 3);
  const due = limit.admit(0, 50_000, 2.5);
  t.equal(limit.admit(due, 50_000, 1), -1);
  t.ok(limit.admit(due, 50_000, 0.5) > due);
  t.ok(limit.admit(due, 50_500, 1) > due);
});

t.test('over any stretch of time no more than burst + elapsed / interval pass', async () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 700 }), { maxLength: 300 }), gaps => {
      const limit = new RateLimit(500, 4);
      let due = 0;
      let now = 1_000;
      let passed = 0;
      for (const gap of gaps) {
        now += gap;
        const next = limit.admit(due, now);
        if (next < 0) continue;
        due = next;
        passed++;
      }
      return passed <= 4 + (now - 1_000) / 500;
    }),
  );
});

t.test('keys are limited one by one, and how many are remembered is bounded', async t => {
  const limit = new KeyedRateLimit(new RateLimit(60_000, 1), 100);
  t.ok(limit.admit('a', 1_000));
  t.notOk(limit.admit('a', 2_000));
  t.ok(limit.admit('b', 2_000));
  for (let i = 0; i < 10_000; i++) limit.admit(`host ${i}`, 3_000);
  t.ok(limit.size <= 100);
});

t.test('keys that have nothing used up are forgotten, and no key gains by that', async t => {
  const limit = new KeyedRateLimit(new RateLimit(1_000, 2), 1_000);
  for (let i = 0; i < 300; i++) limit.admit(`host ${i}`, 1_000);
  limit.admit('later', 4_000);
  limit.admit('latest', 7_000);
  t.equal(limit.size, 2);
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(5), fc.nat(1_200)), { maxLength: 300 }), events => {
      const rate = new RateLimit(1_000, 3);
      const keyed = new KeyedRateLimit(rate, 1_000);
      const dues = new Map<number, number>();
      let now = 1_000;
      for (const [key, gap] of events) {
        now += gap;
        const due = rate.admit(dues.get(key) ?? 0, now);
        if (due >= 0) dues.set(key, due);
        if (keyed.admit(String(key), now) !== due >= 0) return false;
      }
      return true;
    }),
  );
});
