// The time to distribute a file: the formulas of the lecture, and what the simulated transfers take.
import t from 'tap';
import { clientServer, peerTime, type Rates, serverTime } from '../../../sim/models/client-server.ts';
import { simulate } from '../../../sim/simulation.ts';

const alike = (peers: number, rates: Partial<Rates> = {}): Rates => ({
  ...{ server: 10, downlink: 20, uplinks: new Array<number>(peers).fill(1) },
  ...rates,
});

t.test('the formulas, term by term', async t => {
  t.equal(serverTime(alike(30)), 3);
  t.equal(serverTime(alike(30, { downlink: 0.25 })), 4, 'the slowest downlink');
  t.equal(peerTime(alike(30)), 0.75);
  t.equal(peerTime(alike(30, { downlink: 0.25 })), 4);
  t.equal(peerTime(alike(30, { server: 0.2 })), 5, 'the server sends each bit once at least');
});

t.test('no transfer is faster than the least time that is possible', async t => {
  const { series } = simulate(clientServer, { servents: 12, parameters: { server: 3 } });
  const [fromServer, leastFromServer, withPeers, leastWithPeers] = series.map(({ y }) => y);
  t.equal(fromServer?.length, 5);
  for (const i of [0, 1, 2, 3, 4]) {
    t.ok((fromServer?.[i] ?? 0) > (leastFromServer?.[i] ?? 0) - 1e-6);
    t.ok((withPeers?.[i] ?? 0) > (leastWithPeers?.[i] ?? 0) - 1e-6);
  }
});

t.test('smaller chunks come closer to it', async t => {
  const last = (chunks: number): number => simulate(clientServer, { parameters: { chunks } }).series[2]?.y.at(-1) ?? 0;
  const [coarse, fine] = [last(2), last(40)];
  t.ok(fine < coarse, `${fine} < ${coarse}`);
});
