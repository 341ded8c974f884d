// The ring of peers: every key is found, peers join, and two successors outlive one failure but not two.
import fc from 'fast-check';
import t from 'tap';
import { drawIdentifiers, NOBODY } from '../../../sim/keys/identifiers.ts';
import { RingPeers } from '../../../sim/keys/ring-peers.ts';
import { SeededRandom } from '../../../sim/seeded-random.ts';

t.test('each look-up ends at the first peer up from the key, with any peers and any shortcuts', async t => {
  const ids = fc.uniqueArray(fc.nat(255), { minLength: 2, maxLength: 20 });
  const property = fc.property(ids, fc.nat(255), fc.nat(8), fc.nat(), (drawn, key, shortcuts, start) => {
    const sorted = Uint32Array.from(drawn).sort();
    const ring = new RingPeers({ ids: sorted, bits: 8, random: new SeededRandom(1), shortcuts });
    const route = ring.probe(start % sorted.length, key);
    ring.network.run();
    const wanted = sorted.find(id => id >= key) ?? sorted[0];
    t.equal(sorted[route.at ?? NOBODY], wanted);
    t.ok(route.hops < sorted.length);
  });
  fc.assert(property, { seed: 1, numRuns: 100 });
});

t.test('a peer that comes back asks its place of the ring, and its neighbours take it in', async t => {
  const ids = Uint32Array.of(1, 3, 4, 5, 8, 10, 12, 15);
  const ring = new RingPeers({ ids, bits: 4, random: new SeededRandom(1), ackMs: 500, pingMs: 15_000 });
  const [four, five, eight, twelve] = [2, 3, 4, 6];
  ring.keepUp();
  ring.network.fail(five);
  ring.network.run(60_000);
  t.strictSame([ring.first[four], ring.predecessor[eight]], [eight, four]);
  ring.network.revive(five);
  ring.join(five, twelve);
  ring.network.run(62_000);
  t.strictSame([ring.first[four], ring.second[four]], [five, eight], 'at once, before the next ping');
  t.strictSame([ring.first[five], ring.predecessor[five], ring.predecessor[eight]], [eight, four, five]);
});

t.test('a peer both of whose successors fail at once says that it is cut off', async t => {
  const ring = new RingPeers({ ids: drawIdentifiers(10, new SeededRandom(2)), random: new SeededRandom(1) });
  const cutOff = new Set<number>();
  ring.onCutOff = peer => cutOff.add(peer);
  ring.keepUp();
  ring.network.fail(4);
  ring.network.fail(5);
  ring.network.run(60_000);
  t.strictSame([...cutOff], [3]);
});
