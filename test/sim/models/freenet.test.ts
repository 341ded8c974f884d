// Freenet: the way of a request, its budget of hops, and what stays on the way back.
import fc from 'fast-check';
import t from 'tap';
import { FreenetNetwork } from '../../../sim/freenet/freenet-network.ts';
import { FreenetNode, keyDistance, keyOf } from '../../../sim/freenet/freenet-node.ts';
import { SeededRandom } from '../../../sim/seeded-random.ts';

const network = (servents: number, seed = 1): FreenetNetwork =>
  new FreenetNetwork({ servents, random: new SeededRandom(seed), parameters: {} });

t.test('keys lie on a circle', async t => {
  t.equal(keyDistance(0.9, 0.2).toFixed(9), '0.300000000');
  t.equal(keyDistance(0.25, 0.75), 0.5);
});

t.test('a node remembers what it used last, and asks the nearest that it may', async t => {
  const node = new FreenetNode();
  for (const [key, other] of [
    [0.1, 1],
    [0.5, 2],
    [0.9, 3],
  ] as const)
    node.learn(key, other, 3);
  t.equal(
    node.nearest(0.97, () => true),
    3,
  );
  t.equal(
    node.nearest(0.97, other => other !== 3),
    1,
    'over the end of the circle',
  );
  t.equal(
    node.nearest(0.97, () => false),
    null,
  );
  node.learn(0.1, 1, 3);
  node.learn(0.2, 4, 3);
  t.equal(
    node.nearest(0.5, () => true),
    4,
    'the one used longest ago made room',
  );
  for (const file of [1, 2, 1, 3]) node.keep(file, 2);
  t.strictSame([node.has(1), node.has(2), node.has(3)], [true, false, true]);
});

t.test('a request takes the nearest key, comes back from a dead end, and leaves copies behind it', async t => {
  const freenet = network(5);
  const key = keyOf(7);
  const at = (distance: number): number => (key + distance) % 1;
  const know = (node: number, distance: number, other: number): void =>
    freenet.nodes[node]?.learn(at(distance), other, 9);
  know(0, 0.01, 1); // a dead end
  know(0, 0.2, 2);
  know(2, 0.05, 1); // where it has been
  know(2, 0.1, 3);
  freenet.nodes[3]?.keep(7, 9);
  t.match(freenet.request(0, 7, 1), { found: false, hops: 1 }, 'its hops are used up at 1: no other way is tried');
  freenet.network.resetCounts();
  t.match(freenet.request(0, 7, 2), { found: true, hops: 2 }, 'to 1 and back, to 2, to 1 again and back, to 3');
  t.equal(freenet.network.messages, 2 + 1 + 2 + 1 + 2);
  t.strictSame(
    [0, 1, 2, 3].map(node => freenet.nodes[node]?.has(7)),
    [true, false, true, true],
  );
  t.equal(
    freenet.nodes[0]?.nearest(key, () => true),
    3,
    'and the asker knows who had it',
  );
});

t.test('no request takes more hops than it was given, and a node that finds something has a copy', async t => {
  const property = fc.property(fc.nat(), fc.integer({ min: 1, max: 30 }), (seed, htl) => {
    const freenet = network(60, seed);
    freenet.startAsSmallWorld(3, new SeededRandom(seed));
    freenet.request(seed % 60, 1, htl, { inserts: true });
    return [...Array(20).keys()].every(from => {
      const { found, hops } = freenet.request(from, 1, htl);
      return hops <= htl && found === (freenet.nodes[from]?.has(1) === true);
    });
  });
  t.doesNotThrow(() => fc.assert(property, { seed: 1, numRuns: 40 }));
});
