// Kademlia: the closest nodes by exclusive or, buckets that keep old contacts, and look-ups that get round silent nodes.
import fc from 'fast-check';
import t from 'tap';
import { closestByXor, drawIdentifiers } from '../../../sim/keys/identifiers.ts';
import { KademliaNodes } from '../../../sim/keys/kademlia-nodes.ts';
import { SeededRandom } from '../../../sim/seeded-random.ts';

const anyId = fc.integer({ min: 0, max: 0xffff_ffff });

t.test('the closest by exclusive or, in their order', async t => {
  const drawn = fc.uniqueArray(anyId, { minLength: 1, maxLength: 50 });
  const property = fc.property(drawn, anyId, fc.integer({ min: 1, max: 10 }), (numbers, key, count) => {
    const ids = Uint32Array.from(numbers).sort();
    const isMember = (node: number): boolean => node % 3 !== 1;
    const wanted = [...ids.keys()].filter(isMember);
    wanted.sort((a, b) => (((ids[a] ?? 0) ^ key) >>> 0) - (((ids[b] ?? 0) ^ key) >>> 0));
    t.strictSame(closestByXor(ids, key, count, isMember), wanted.slice(0, count));
  });
  fc.assert(property, { seed: 1, numRuns: 200 });
});

t.test('buckets hold only nodes of their prefix, each once, and are full when there are enough', async t => {
  const random = new SeededRandom(1);
  const ids = drawIdentifiers(500, random);
  const kademlia = new KademliaNodes({ ids, random, k: 8 });
  for (const [node, id] of ids.entries())
    for (let bucket = 0; bucket < 5; bucket++) {
      const contacts = [...kademlia.bucket(node, bucket)];
      const there = [...ids].filter(other => other !== id && Math.clz32((other ^ id) >>> 0) === bucket).length;
      const right = contacts.every(contact => Math.clz32(((ids[contact] ?? 0) ^ id) >>> 0) === bucket);
      if (!right || new Set(contacts).size !== Math.min(8, there)) t.fail(`bucket ${bucket} of ${node}`);
    }
  t.equal(kademlia.bucket(0, 0).length, 8);
});

t.test('newcomers take no place of a contact that answers, but one of a contact that is silent', async t => {
  const ids = Uint32Array.of(0x1000_0000, 0x8000_0000, 0x9000_0000, 0xa000_0000, 0xb000_0000);
  const kademlia = new KademliaNodes({ ids, random: new SeededRandom(1), k: 2 });
  const before = [...kademlia.bucket(0, 0)];
  const newcomer = [1, 2, 3, 4].find(node => !before.includes(node)) ?? 0;
  kademlia.probe(newcomer, ids[0] ?? 0);
  kademlia.network.run();
  t.strictSame([...kademlia.bucket(0, 0)].sort(), before.sort(), 'all answer: all stay');
  kademlia.network.fail(before[0] ?? 0);
  kademlia.probe(0, 0x8fff_ffff);
  kademlia.network.run();
  t.notOk(kademlia.bucket(0, 0).includes(before[0] ?? 0));
  t.ok(kademlia.bucket(0, 0).length === 2, 'the one that was waiting has its place');
});

t.test('a node that joins with one contact is found by all', async t => {
  const random = new SeededRandom(1);
  const ids = drawIdentifiers(100, random);
  const kademlia = new KademliaNodes({ ids, random, k: 8 });
  kademlia.network.fail(40);
  kademlia.network.revive(40);
  kademlia.join(40, 90);
  t.notOk(kademlia.isMember(40));
  kademlia.network.run(20_000);
  t.ok(kademlia.isMember(40));
  const probe = kademlia.probe(40, ids[3] ?? 0);
  const sought = kademlia.probe(3, ids[40] ?? 0);
  kademlia.network.run(40_000);
  t.strictSame([probe.at, sought.at], [3, 40]);
});
