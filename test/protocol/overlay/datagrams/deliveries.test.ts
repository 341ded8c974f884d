import fc from 'fast-check';
import t from 'tap';
import { DELIVERY_PACE, Deliveries, type DeliveryPace } from '../../../../protocol/overlay/datagrams/deliveries.ts';
import type { Endpoint } from '../../../../protocol/wire/endpoint.ts';
import { SeededRandom } from '../../../support/virtual-network.ts';

const ASKER = { host: '5.5.2.45', port: 6346 };
const BURST = 10;

interface Sent {
  readonly text: string;
  readonly to: Endpoint;
  readonly at: number;
}

/** Deliveries on a clock of the test, and what they sent. */
function deliveries(pace: DeliveryPace = DELIVERY_PACE) {
  const sent: Sent[] = [];
  const clock = { now: 1_000_000 };
  const core = new Deliveries({
    send: (bytes, to) => sent.push({ text: bytes.toString(), to, at: clock.now }),
    random: new SeededRandom(7),
    pace,
    addressKey: ({ host }) => host,
  });
  const answer = (name: string, count: number, to = ASKER) =>
    core.add(
      to,
      Array.from({ length: count }, (_, i) => Buffer.from(`${name}${i}`)),
      clock.now,
    );
  /** Ticks when it asks to be ticked. */
  const pass = (ms: number) => {
    const until = clock.now + ms;
    for (let next = core.tick(clock.now); next <= until; next = core.tick(clock.now)) {
      if (next < clock.now) throw new Error('a deadline in the past');
      clock.now = Math.max(next, clock.now);
    }
    clock.now = until;
    core.tick(until);
  };
  const texts = () => sent.splice(0).map(({ text }) => text);
  return { core, clock, sent, answer, pass, texts };
}

t.test('the second search is not late: its first hits go at once, whatever the first search left behind', async t => {
  const { answer, pass, texts } = deliveries();
  answer('a', 1);
  answer('b', 1);
  t.strictSame(texts(), ['a0', 'b0'], 'nothing waits, so nothing is paced');
  answer('c', 20);
  t.strictSame(texts(), ['c0']);
  pass(1_000);
  answer('d', 2);
  t.strictSame(texts(), ['d0'], 'past nineteen that wait');
});

t.test('the k-th datagram of a new answer goes before later ones of an old answer', async t => {
  const { answer, pass, texts } = deliveries();
  answer('a', 5);
  pass(10_000);
  answer('b', 3);
  const before = texts().length;
  t.ok(before >= 3, `a0, b0 and ${before - 2} of a`);
  pass(60_000);
  const rest = texts();
  t.ok(rest.indexOf('b1') < rest.indexOf('a4'));
  t.ok(rest.indexOf('b2') < rest.indexOf('a4'));
});

t.test('queries without end make us send no more than ten datagrams at once, then one a second', async t => {
  const { core, clock, sent, answer, pass } = deliveries();
  for (let i = 0; i < 500; i++) answer(`${i} `, 3, { ...ASKER, port: 1_024 + i });
  t.equal(sent.length, BURST, 'the ports of one host are one victim');
  const began = clock.now;
  for (let second = 0; second < 100; second++) {
    for (let i = 0; i < 20; i++) answer('more', 3, { ...ASKER, port: 1_024 + i });
    pass(1_000);
    t.ok(sent.length <= BURST + (clock.now - began) / 1_000, `${sent.length} after ${second + 1} s`);
  }
  t.ok(core.size <= 512);
  t.ok(core.dropped + core.late > 0, 'what is too much is counted');
});

t.test('hits whose asker listens no more are dropped and counted, not sent', async t => {
  const { core, answer, pass, sent } = deliveries();
  answer('a', 33);
  pass(600_000);
  t.ok(sent.every(({ at }) => at < 1_000_000 + 120_000));
  t.equal(sent.length + core.late, 33);
  t.ok(core.late > 0);
  t.equal(core.size, 0);
});

t.test('a full table of destinations takes nothing from the first datagram of another', async t => {
  const { core, answer, texts } = deliveries();
  for (let i = 0; i < 600; i++) answer('a', 2, { host: `5.${i >> 8}.${i & 255}.1`, port: 1 });
  t.equal(core.size, 512);
  t.equal(core.dropped, 88, 'the second ones of those that came too late');
  t.equal(texts().length, 600);
});

t.test('what waits is bounded at once and in all, goes in order, and is not lost below the bounds', async () => {
  const event = fc.record({
    gap: fc.integer({ min: 0, max: 9_000 }),
    host: fc.integer({ min: 1, max: 3 }),
    port: fc.integer({ min: 1, max: 3 }),
    count: fc.integer({ min: 1, max: 6 }),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), events => {
      const { core, sent, answer, pass } = deliveries();
      let added = 0;
      for (const [i, { gap, host, port, count }] of events.entries()) {
        pass(gap);
        answer(`${i}/`, count, { host: `5.5.2.${host}`, port });
        added += count;
      }
      pass(121_000);
      if (core.size !== 0 || sent.length + core.dropped + core.late !== added) return false;
      return [1, 2, 3].every(host => {
        const times = sent.filter(({ to }) => to.host === `5.5.2.${host}`).map(({ at }) => at);
        return times.every((at, i) => at - (times[i - BURST] ?? 0) >= 1_000);
      });
    }),
  );
});

t.test('askers who ask no faster than people do lose nothing and get the first hits at once', async () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 8_000, max: 30_000 }), fc.integer({ min: 1, max: 2 })), { maxLength: 40 }),
      asked => {
        const { core, clock, sent, answer, pass } = deliveries();
        for (const [i, [gap, count]] of asked.entries()) {
          pass(gap);
          answer(`${i}/`, count);
          if (!sent.some(({ text, at }) => text === `${i}/0` && at === clock.now)) return false;
        }
        pass(121_000);
        return core.dropped === 0 && core.late === 0 && core.size === 0;
      },
    ),
  );
});
