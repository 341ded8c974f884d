// Calls: the way of each follows from who is behind NAT, and the directory outlives one of its keepers.
import t from 'tap';
import { CallNetwork } from '../../sim/call-network.ts';
import { modelRun } from '../support/model-run.ts';

const ways = (nat: number): Set<string | null> => {
  const network = new CallNetwork(modelRun(200, 1, { nat }));
  network.call(100);
  return new Set(network.calls.map(({ way }) => way));
};

t.test('with nobody behind NAT all calls are direct, with everybody all are relayed', async t => {
  t.strictSame(ways(0), new Set(['direct']));
  t.strictSame(ways(1), new Set(['relayed']));
  t.strictSame(ways(0.5), new Set(['direct', 'reversed', 'relayed']));
});

t.test('a call fails when both keepers of the entry are gone, not when one is', async t => {
  const network = new CallNetwork(modelRun(200, 1, { nat: 0, perSuperPeer: 50 })); // four super-peers
  network.failSuperPeer(0);
  network.call(100);
  t.ok(network.calls.every(({ way }) => way === 'direct'));
  network.failSuperPeer(1);
  network.call(200);
  const later = network.calls.slice(100);
  for (const { callee, way } of later) t.equal(way, callee % 4 === 0 ? null : 'direct');
  t.ok(later.some(({ way }) => way === null));
});
