import fc from 'fast-check';
import t from 'tap';
import { PLAIN_WRITES, WritePace } from '../../../../protocol/overlay/links/write-pace.ts';

interface Traffic {
  queriesPerSecond: number;
  links: number;
  seconds: number;
}

/** Queries at even distances, each for all links, in virtual time: how many writes, and how long each query waited. */
function gathered({ queriesPerSecond, links, seconds }: Traffic): { writesPerMs: number; waits: number[] } {
  const pace = new WritePace(PLAIN_WRITES);
  const waits: number[] = [];
  let waiting: number[] = [];
  let roundAt = Number.POSITIVE_INFINITY;
  let writes = 0;
  const round = (): void => {
    for (const arrivedAt of waiting) waits.push(roundAt - arrivedAt);
    writes += links;
    pace.wrote(links, links * waiting.length, roundAt);
    waiting = [];
    roundAt = Number.POSITIVE_INFINITY;
  };
  for (let n = 0; n < queriesPerSecond * seconds; n++) {
    const now = (n * 1000) / queriesPerSecond;
    if (roundAt <= now) round();
    if (waiting.length === 0) roundAt = now + pace.waitMs(now);
    waiting.push(now);
  }
  return { writesPerMs: writes / (seconds * 1000), waits };
}

t.test('one query after the other is written at once, 8,000 a second', async t => {
  const { waits } = gathered({ queriesPerSecond: 8000, links: 1, seconds: 2 });
  t.ok(
    waits.every(ms => ms === 0),
    'none waits',
  );
});

t.test('1,000 queries a second to 14 links or to 30 are written at once', async t => {
  for (const links of [14, 30]) {
    const { waits, writesPerMs } = gathered({ queriesPerSecond: 1000, links, seconds: 5 });
    t.ok(
      waits.every(ms => ms === 0),
      `none waits for ${links} links`,
    );
    t.ok(Math.abs(writesPerMs - links) < 0.01, 'a write for each');
  }
});

t.test('the dearer the traffic, the fewer writes, and no query waits longer than the bound', async t => {
  const writes = [1000, 4000, 8000, 32_000].map(queriesPerSecond => {
    const { waits, writesPerMs } = gathered({ queriesPerSecond, links: 14, seconds: 2 });
    t.ok(Math.max(...waits) <= PLAIN_WRITES.waitMsMax, `${queriesPerSecond} a second`);
    return writesPerMs;
  });
  const [few = 0, some = 0, many = 0, most = 0] = writes;
  t.ok(few < 15 && some < 40, 'a third of a processor holds no more');
  t.ok(many < few && many < some, '8,000 queries a second take fewer writes than 1,000');
  t.ok(most <= 7.1, 'a round each two milliseconds');
});

t.test('a burst goes at once, then the pace holds, and a quiet time gives the burst back', async t => {
  const pace = new WritePace({ writeUs: 10, frameUs: 0, usPerMs: 100, burstUs: 100, waitMsMax: 5 });
  t.equal(pace.waitMs(1000), 0, 'nothing has been written');
  pace.wrote(10, 10, 1000);
  t.equal(pace.waitMs(1000), 0, 'the whole burst');
  pace.wrote(10, 10, 1000);
  t.equal(pace.waitMs(1000), 1);
  t.equal(pace.waitMs(1000.75), 0.25);
  t.equal(pace.waitMs(1001), 0);
  pace.wrote(1000, 1000, 1001);
  t.equal(pace.waitMs(1001), 5, 'however much it was');
  pace.wrote(10, 10, 2000);
  t.equal(pace.waitMs(2000), 0);
});

t.test('whatever was written, the next round is never further away than the bound', async () => {
  const round = fc.record({
    after: fc.double({ min: 0, max: 10, noNaN: true }),
    writes: fc.nat(500),
    frames: fc.nat(50_000),
  });
  fc.assert(
    fc.property(fc.array(round), rounds => {
      const pace = new WritePace(PLAIN_WRITES);
      let now = 0;
      for (const { after, writes, frames } of rounds) {
        now += after;
        pace.wrote(writes, frames, now);
        const wait = pace.waitMs(now);
        if (!(wait >= 0 && wait <= PLAIN_WRITES.waitMsMax + 1e-6)) return false;
      }
      return true;
    }),
  );
});
