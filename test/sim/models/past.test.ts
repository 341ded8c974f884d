// PAST: k replicas on the closest nodes, room that is never exceeded, diversion, and nothing left of a refused file.
import t from 'tap';
import { drawIdentifiers } from '../../../sim/keys/identifiers.ts';
import { keyOfFile, type PastMessage, PastStores } from '../../../sim/keys/past-stores.ts';
import { PastryNodes } from '../../../sim/keys/pastry-nodes.ts';
import { SeededRandom } from '../../../sim/seeded-random.ts';

function stores(
  capacityOf: (node: number) => number,
  retries = 0,
): { pastry: PastryNodes<PastMessage>; past: PastStores } {
  const random = new SeededRandom(1);
  const pastry = new PastryNodes<PastMessage>({ ids: drawIdentifiers(30, random), random, latencyMs: () => 10 });
  const capacity = Float64Array.from({ length: 30 }, (_, node) => capacityOf(node));
  return { pastry, past: new PastStores({ pastry, capacity, k: 3, primaryShare: 0.1, divertedShare: 0.05, retries }) };
}

const nodesWith = (past: PastStores, file: number): number[] =>
  [...past.replicas.keys()].filter(node => past.replicas[node]?.has(file));

t.test('a file goes to the k nodes closest to its key, and is found from everywhere', async t => {
  const { pastry, past } = stores(() => 10_000);
  past.insert(4, 7, 100);
  pastry.network.run();
  t.ok(past.inserted.has(7));
  t.strictSame(
    nodesWith(past, 7),
    pastry.closestLeaves(pastry.ownerOf(keyOfFile(7, 0)), keyOfFile(7, 0), 3).sort((a, b) => a - b),
  );
  for (let node = 0; node < 30; node++) {
    past.found.clear();
    past.lookUp(node, 7);
    pastry.network.run();
    t.ok(past.found.has(7));
  }
});

t.test('a full node diverts its replica to a leaf and points to it', async t => {
  const plain = stores(() => 10_000);
  const [full = 0] = plain.pastry.closestLeaves(plain.pastry.ownerOf(keyOfFile(7, 0)), keyOfFile(7, 0), 3);
  const { pastry, past } = stores(node => (node === full ? 100 : 10_000));
  past.insert(4, 7, 100);
  pastry.network.run();
  t.ok(past.inserted.has(7));
  const pointer = past.pointers[full]?.get(7) ?? -1;
  t.ok(nodesWith(past, 7).includes(pointer));
  t.equal(nodesWith(past, 7).length, 3);
  t.notOk(nodesWith(past, 7).includes(full));
});

t.test('a file that is too large for some of the k leaves nothing behind', async t => {
  const { pastry, past } = stores(() => 900, 2);
  past.insert(4, 7, 100);
  pastry.network.run();
  t.notOk(past.inserted.has(7));
  t.equal(past.fileDiversions, 2);
  t.strictSame(nodesWith(past, 7), []);
  t.ok(past.used.every(bytes => bytes === 0));
});
