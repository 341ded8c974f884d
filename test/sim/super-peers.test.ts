// Super-peers: who takes whom, what they find, and what becomes of descendants when one goes.
import t from 'tap';
import { DESCENDANTS_MOST, SuperPeers } from '../../sim/super-peers.ts';
import { modelRun } from '../support/model-run.ts';

t.test('a full super-peer sends descendants to others', async t => {
  const peers = new SuperPeers(modelRun(2_000, 1, { descendants: 700 }));
  t.equal(peers.superPeers, 4);
  t.ok(peers.descendants.every(count => count <= DESCENDANTS_MOST));
  t.equal(
    peers.descendants.reduce((sum, count) => sum + count, 0),
    1_996,
    'all found a place',
  );
});

t.test('one super-peer answers its own descendants with two messages', async t => {
  const peers = new SuperPeers(modelRun(100, 1));
  peers.search(50);
  t.ok(peers.outcomes.every(({ found }) => found));
  t.ok(peers.network.messages <= 100);
});

t.test('descendants of super-peers that failed find again once they joined others', async t => {
  const peers = new SuperPeers(modelRun(2_000, 3, { descendants: 200 }));
  peers.failSuperPeers(0.3);
  peers.rejoin();
  for (let peer = peers.superPeers; peer < 2_000; peer++)
    if (!peers.network.isUp(peers.parents[peer] ?? 0)) t.fail(`${peer} has no super-peer`);
  peers.search(100);
  t.ok(peers.outcomes.filter(({ found }) => found).length >= 0.97 * peers.outcomes.length);
});
