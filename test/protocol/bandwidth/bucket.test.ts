import fc from 'fast-check';
import t from 'tap';
import { Bucket, burstBytes } from '../../../protocol/bandwidth/bucket.ts';

t.test('in no window is more let through than the limit and one burst', async t => {
  const steps = fc.array(fc.tuple(fc.double({ min: 0, max: 3000, noNaN: true }), fc.nat(2_000_000)), {
    minLength: 1,
    maxLength: 40,
  });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000_000 }), steps, (rate, steps) => {
      const bucket = new Bucket();
      bucket.limit(rate, 0);
      let now = 0;
      const used: { at: number; bytes: number }[] = [];
      for (const [passed, want] of steps) {
        now += passed;
        const bytes = Math.min(want, bucket.available(now));
        bucket.spend(bytes);
        used.push({ at: Math.floor(now), bytes });
      }
      for (const [i, first] of used.entries()) {
        let sum = 0;
        for (const { at, bytes } of used.slice(i)) {
          sum += bytes;
          if (1000 * sum > rate * (at - first.at) + 1000 * burstBytes(rate)) return false;
        }
      }
      return true;
    }),
  );
  t.pass();
});

t.test('a limit of 1 byte per second gives one byte each second', async t => {
  const bucket = new Bucket();
  bucket.limit(1, 0);
  const given = [0, 999, 1000, 1999.9, 2000, 60_000].map(now => {
    const bytes = bucket.available(now);
    bucket.spend(bytes);
    return bytes;
  });
  t.strictSame(given, [0, 0, 1, 0, 1, 1], 'a long silence saves nothing up');
});

t.test('nothing is lost between rounds, however they fall', async t => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1000, max: 100_000_000 }),
      fc.array(fc.integer({ min: 1, max: 190 })),
      (rate, waits) => {
        const bucket = new Bucket();
        bucket.limit(rate, 0);
        let [now, sum] = [0, 0];
        for (const ms of waits) {
          now += ms;
          const bytes = bucket.available(now);
          bucket.spend(bytes);
          sum += bytes;
        }
        return sum === Math.floor((rate * now) / 1000);
      },
    ),
  );
  t.pass();
});

t.test('what is sent in advance is paid for first, at most for the given time', async t => {
  const bucket = new Bucket();
  bucket.limit(1000, 0);
  bucket.spend(500);
  t.strictSame([bucket.available(500), bucket.msUntil(100, 500)], [0, 100]);
  bucket.spend(1_000_000, 2000);
  t.equal(bucket.msUntil(1, 500), 2001);
});

t.test('a clock that stands still or goes back gives nothing; no limit gives everything', async t => {
  const bucket = new Bucket();
  t.equal(bucket.available(0), Number.POSITIVE_INFINITY);
  bucket.limit(1000, 5000);
  t.strictSame([bucket.available(4000), bucket.available(5100), bucket.available(100)], [0, 100, 100]);
  bucket.limit(0, 6000);
  t.strictSame([bucket.available(6000), bucket.msUntil(1e9, 6000)], [Number.POSITIVE_INFINITY, 0]);
});

t.test('a changed limit holds at once', async t => {
  const bucket = new Bucket();
  bucket.limit(1_000_000, 0);
  bucket.limit(1000, 10_000);
  t.equal(bucket.available(10_000), burstBytes(1000));
});
