import t from 'tap';
import { K } from '../../../protocol/dht/bucket.ts';
import { randomKuid } from '../../../protocol/dht/kuid.ts';
import { DhtNetwork } from '../../../sim/dht/dht-network.ts';
import { SeededRandom } from '../../../sim/seeded-random.ts';

const TYPE = 'ALOC';

/** All have joined one after the other, each by way of three that were there. */
function joined(hosts: number, seed: number, loss = 0): DhtNetwork {
  const internet = new DhtNetwork({ hosts, random: new SeededRandom(seed), loss });
  for (let i = 0; i < hosts; i++) {
    internet.start(internet.add());
    internet.run(200);
  }
  internet.run(40_000);
  return internet;
}

t.test('nodes that join find each other, and values outlive half of the nodes', async t => {
  const internet = joined(100, 1);
  const { random, hosts } = internet;
  t.ok(hosts.every(({ dht }) => dht.joined));
  const [, second] = hosts;
  if (second === undefined) throw new Error('nobody');
  for (let i = 0; i < 20; i++) internet.lookUp(second, randomKuid(random));
  const { networkSize } = second.dht;
  t.ok(networkSize > 70 && networkSize < 140, `an estimate of ${networkSize}`);

  const keys = hosts.slice(0, 20).map(host => {
    const key = randomKuid(random);
    t.ok(host.dht.publish({ key, type: TYPE, version: 1, data: Buffer.from('here') }, internet.now));
    host.wake();
    return key;
  });
  internet.run(30_000);
  for (const { dht } of hosts.slice(0, 20)) t.equal(dht.parts?.publisher.views()[0]?.storedAt, K);
  const holders = hosts.filter(({ dht }) => dht.parts?.values.has(keys[0] as Buffer)).map(({ dht }) => dht.kuid);
  const nearest = internet.trulyNearest(keys[0] as Buffer, K, hosts[0] as (typeof hosts)[0]);
  t.strictSame(new Set(holders.map(String)), new Set(nearest.map(String)), 'the twenty nearest keep it');

  for (const host of hosts.slice(20)) if (random.chance(0.5)) host.fail();
  for (const key of keys) {
    const seeker = internet.anyUp();
    const result = seeker === null ? null : internet.lookUp(seeker, key, TYPE);
    t.strictSame(
      result?.values.map(({ data }) => data.toString()),
      ['here'],
    );
  }

  const [first] = hosts;
  const [key] = keys;
  if (first === undefined || key === undefined) throw new Error('nobody');
  t.ok(first.dht.unpublish(key, TYPE, internet.now));
  internet.run(60_000);
  const left = hosts.filter(({ dht, isUp }) => isUp && dht.parts?.values.has(key));
  t.strictSame(left, [], 'withdrawn');
});

t.test('values are found and nearly all of the nearest nodes too although one datagram in twenty is lost', async t => {
  const internet = joined(50, 2, 0.05);
  const { random, hosts } = internet;
  const targets = hosts.slice(0, 20).map(creator => {
    const target = randomKuid(random);
    creator.dht.publish({ key: target, type: TYPE, version: 1, data: Buffer.from('here') }, internet.now);
    creator.wake();
    return target;
  });
  internet.run(30_000);
  const seeker = hosts[20];
  if (seeker === undefined) throw new Error('nobody');
  let [recall, values] = [0, 0];
  for (const target of targets) {
    const nearest = internet.trulyNearest(target, K, seeker).map(String);
    const found = internet.lookUp(seeker, target)?.nearest.map(({ contact }) => String(contact.kuid)) ?? [];
    recall += found.filter(kuid => nearest.includes(kuid)).length / (targets.length * K);
    values += internet.lookUp(seeker, target, TYPE)?.values.length ?? 0;
  }
  t.equal(values, targets.length);
  t.ok(recall >= 0.98, `${recall}`);
});

t.test('the same seed gives the same run', async t => {
  const hashes = [3, 3, 4].map(seed => joined(15, seed).network.trace.hex);
  t.equal(hashes[0], hashes[1]);
  t.not(hashes[0], hashes[2]);
});
