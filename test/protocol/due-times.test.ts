// What is due at a time is done at that time: with fractions of milliseconds too, where `now - then` may be less than the interval.
import t from 'tap';
import { DatagramPings, type DatagramPingsParts } from '../../protocol/overlay/datagrams/datagram-pings.ts';
import { PUBLIC_TOPOLOGY, Topology } from '../../protocol/overlay/neighbours/topology.ts';
import { RouteTable } from '../../protocol/overlay/queries/route-table.ts';
import { RateLimit } from '../../protocol/rate-limit.ts';
import { neighboursOf } from '../support/neighbours.ts';
import { RudpPath } from '../support/rudp-path.ts';
import { SeededRandom, VirtualNetwork } from '../support/virtual-network.ts';

const TIMES = 2_000;

/** Times as performance.now() gives them: fractions that a sum with an interval rounds, at times so that the difference is less. */
function times(): number[] {
  const random = new SeededRandom(3);
  return Array.from({ length: TIMES }, () => random.below(2 ** 31) / 1_000 + random.below(1_000) / 997);
}

t.test('what a rate admits at a time is admitted at that time', async t => {
  const limit = new RateLimit(1_000 / 3, 3);
  let late = 0;
  for (const now of times()) {
    let due = 0;
    for (let next = 0; next >= 0; next = limit.admit(due, now)) due = Math.max(due, next);
    if (limit.admit(due, limit.admitsAt(due)) < 0) late++;
  }
  t.equal(late, 0);
});

t.test('a generation of routes ends when it was said to', async t => {
  let late = 0;
  for (const now of times()) {
    const routes = new RouteTable(
      { entriesMin: 64, entriesMax: 1_024, generationMs: 10_000 },
      new SeededRandom(1),
      now,
    );
    routes.find(Buffer.alloc(16, 1), 0);
    routes.add(1, 0, now);
    const at = routes.tick(now);
    if (routes.tick(at) <= at) late++;
  }
  t.equal(late, 0);
});

t.test('a ping that nobody has answered is given up when it was said to be', async t => {
  let ended = 0;
  for (const now of times()) {
    const parts = { random: new SeededRandom(1), identity: { vendor: 'TEST' }, send: () => {} };
    const pings = new DatagramPings(parts as unknown as DatagramPingsParts);
    pings.ask({ host: '1.2.3.4', port: 1 }, { hosts: null, address: false }, () => ended++, now);
    pings.tick(pings.tick(now));
  }
  t.equal(ended, TIMES);
});

t.test('links are judged when it was said', async t => {
  let late = 0;
  const spare = (): boolean => true;
  const facts = { role: 'leaf', links: [], seek: 0, ultrapeersMax: 0, leavesMax: 0, dialling: 0 } as const;
  for (const now of times()) {
    const topology = new Topology(PUBLIC_TOPOLOGY, now);
    const at = topology.plan({ ...facts, roomElsewhere: 0, spare }, now).nextAt;
    if (topology.plan({ ...facts, roomElsewhere: 0, spare }, at).nextAt <= at) late++;
  }
  t.equal(late, 0);
});

/** Times before a power of two by less than the interval: beyond it fractions are coarser, so that the sum is rounded. */
function* roundedTimes(intervalMs: number): Generator<number> {
  const random = new SeededRandom(4);
  for (let power = 21; power < 42; power++) yield 2 ** power - (random.below(intervalMs * 997) + 0.5) / 997;
}

t.test('a servent of any role sweeps, pings and asks for slots when it said it would', async t => {
  let late = 0;
  for (const role of ['leaf', 'ultrapeer'] as const) {
    const fresh = () => {
      const network = new VirtualNetwork();
      const servent = network.add('a', { role });
      network.puppet(servent);
      network.settle();
      return { servent, neighbours: neighboursOf(servent, network, { seek: 0 }).neighbours };
    };
    const isLate = (part: { tick(now: number): number }, now: number): boolean => {
      const at = part.tick(now);
      return at > now && at < Number.POSITIVE_INFINITY && part.tick(at) <= at;
    };
    for (const now of roundedTimes(1_000)) if (isLate(fresh().servent.overlay, now)) late++;
    for (const now of roundedTimes(60_000)) if (isLate(fresh().neighbours, now)) late++;
  }
  t.equal(late, 0);
});

t.test('a stream without data is kept alive when it was said', async t => {
  let late = 0;
  for (const time of times().slice(0, 100)) {
    const path = new RudpPath(1);
    path.open();
    path.run(1_000, () => path.a.connectedAt !== null && path.b.connectedAt !== null);
    const { connection } = path.a;
    if (connection === null) throw new Error('not connected');
    const drain = (now: number): void => {
      while (connection.poll(now) !== null);
    };
    const begin = 2_600 + (time % 1_400);
    drain(begin);
    const at = connection.tick(begin);
    drain(at);
    if (connection.tick(at) <= at) late++;
  }
  t.equal(late, 0);
});
