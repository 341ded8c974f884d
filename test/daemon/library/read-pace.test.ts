import t from 'tap';
import { ReadPace, readBytes } from '../../../daemon/library/read-pace.ts';

t.test('reads are held to the limit, however fast the disk is', async t => {
  const pace = new ReadPace();
  const limit = 1_000_000;
  let now = 5000;
  let read = 0;
  while (now < 15_000) {
    read += readBytes(limit);
    now += 1 + pace.waitMs(readBytes(limit), limit, now);
  }
  t.ok(read <= 10 * limit + readBytes(limit) && read > 9.5 * limit, `${read} bytes in 10 s`);
});

t.test('a slow disk is not held back, and saves nothing up', async t => {
  const pace = new ReadPace();
  pace.waitMs(1000, 1000, 0);
  t.equal(pace.waitMs(1000, 1000, 60_000), 1000);
});

t.test('without a limit nothing waits; a new one counts from its beginning', async t => {
  const pace = new ReadPace();
  t.equal(pace.waitMs(1 << 20, 0, 0), 0);
  t.equal(pace.waitMs(1_000_000, 1, 0), 1e9);
  pace.reset();
  t.equal(pace.waitMs(1000, 1000, 10), 1000);
  t.strictSame(
    [readBytes(0), readBytes(1), readBytes(1_000_000), readBytes(1e12)],
    [1 << 20, 16_384, 250_000, 1 << 20],
  );
});
