import t from 'tap';
import { PENDING_MAX, type Rpc, Rpcs } from '../../../protocol/dht/rpcs.ts';
import { SeededRandom } from '../../../sim/seeded-random.ts';

const to = { host: '11.1.1.1', port: 6346 };

function scene() {
  const log: string[] = [];
  const rpcs = new Rpcs<string>(new SeededRandom(1));
  const rpc: Rpc<string> = {
    to,
    timeoutMs: 5_000,
    fits: answer => answer === 'pong',
    onAnswer: (answer, rttMs) => log.push(`${answer} ${rttMs}`),
    onTimeout: () => log.push('timeout'),
    onLate: rttMs => log.push(`late ${rttMs}`),
  };
  const start = (now: number): Buffer => rpcs.start(rpc, now) ?? Buffer.alloc(16);
  return { log, rpcs, rpc, start };
}

t.test('an answer counts once, from the address that was asked, and of a fitting kind', async t => {
  const { log, rpcs, start } = scene();
  const muid = start(0);
  t.equal(rpcs.receive(Buffer.alloc(16, 1), 'pong', to, 10), 'unasked', 'another MUID');
  t.equal(rpcs.receive(muid, 'pong', { ...to, host: '11.1.1.2' }, 10), 'unasked', 'another address');
  t.equal(rpcs.receive(muid, 'ack', to, 10), 'unasked', 'another kind');
  t.strictSame(log, []);
  t.equal(rpcs.receive(muid, 'pong', { ...to, port: 9 }, 30), 'taken', 'a router may change the port');
  t.equal(rpcs.receive(muid, 'pong', to, 40), 'unasked', 'again');
  t.strictSame(log, ['pong 30']);
  rpcs.tick(20_000);
  t.strictSame(log, ['pong 30']);
  t.equal(rpcs.waiting, 0);
});

t.test('an answer after the timeout teaches the round-trip time only, and for ten seconds more', async t => {
  const { log, rpcs, start } = scene();
  const [one, two] = [start(0), start(0)];
  t.equal(rpcs.nextAt, 5_000);
  rpcs.tick(4_999);
  t.strictSame(log, []);
  rpcs.tick(5_000);
  t.strictSame(log, ['timeout', 'timeout']);
  t.equal(rpcs.receive(one, 'pong', to, 9_000), 'late');
  t.strictSame(log.at(-1), 'late 9000');
  t.equal(rpcs.nextAt, 15_000);
  rpcs.tick(15_000);
  t.equal(rpcs.receive(two, 'pong', to, 15_001), 'unasked', 'forgotten');
  t.equal(rpcs.nextAt, Number.POSITIVE_INFINITY);
});

t.test('pending requests are bounded', async t => {
  const { rpcs, rpc } = scene();
  for (let i = 0; i < PENDING_MAX; i++) t.ok(rpcs.start(rpc, 0) !== null || i < 0);
  t.equal(rpcs.start(rpc, 0), null);
  rpcs.tick(5_000);
  rpcs.tick(15_000);
  t.ok(rpcs.hasRoom);
});

t.test('when nobody answers any more it is we who are cut off', async t => {
  const { rpcs, start } = scene();
  for (let i = 0; i < 30; i++) start(0);
  rpcs.tick(5_000);
  t.ok(rpcs.isCutOff);
  rpcs.receive(start(6_000), 'pong', to, 6_100);
  t.notOk(rpcs.isCutOff);
});
