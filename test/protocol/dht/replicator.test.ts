import t from 'tap';
import { KnownNode } from '../../../protocol/dht/known-node.ts';
import { Replicator } from '../../../protocol/dht/replicator.ts';
import { SeededRandom } from '../../../sim/seeded-random.ts';
import { anyContact, endpointOf } from '../../support/dht-contacts.ts';

t.test('keys are gone through for one new node a tick, and for each in the end', async t => {
  let passes = 0;
  const keysHeld = (): Buffer[] => {
    passes++;
    return [];
  };
  const parts = { table: {}, values: { size: 1, keysHeld }, requests: {} };
  const replicator = new Replicator(parts as unknown as ConstructorParameters<typeof Replicator>[0]);
  const random = new SeededRandom(1);
  for (let n = 0; n < 5; n++) {
    const node = new KnownNode(anyContact(random, endpointOf(n)), 1, 1_000);
    node.state = 'good';
    replicator.onGoodNode(node, 1_000);
  }
  t.equal(replicator.nextAt, 61_000);
  for (let ticks = 1; ticks <= 5; ticks++) {
    t.ok(replicator.nextAt <= 61_000);
    replicator.tick(61_000);
    t.equal(passes, ticks);
  }
  t.equal(replicator.nextAt, Number.POSITIVE_INFINITY);
});
