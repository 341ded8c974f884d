// An attack on one key of the DHT: thirty nodes that say to lie around it and hide what is stored under it.
import t from 'tap';
import { crowded } from '../../../protocol/dht/crowding.ts';
import { randomKuid } from '../../../protocol/dht/kuid.ts';
import { DhtNetwork } from '../../../sim/dht/dht-network.ts';
import { Sybils } from '../../../sim/dht/sybils.ts';
import { startWarm } from '../../../sim/dht/warm-start.ts';
import { SeededRandom } from '../../../sim/seeded-random.ts';

const TYPE = 'ALOC';
const NODES = 300;
const SYBILS = 30;
const SEEKERS = 10;

t.test(
  'honest nodes lie as chance has it and are left in; nodes packed around a key are left out but a few',
  async t => {
    const random = new SeededRandom(1);
    let cut = 0;
    for (let trial = 0; trial < 300; trial++) {
      const distances = Array.from({ length: 1_000 }, () => random.float()).sort((a, b) => a - b);
      cut += crowded(bitsOf(distances.slice(0, 20)), 1_000).length;
    }
    t.ok(cut <= 6, `${cut} of 6,000`);
    for (const bits of [11, 13, 17]) t.ok(crowded(new Array(20).fill(bits), 1_000).length >= 15, `${bits} bits`);
    t.strictSame(crowded(new Array(19).fill(15), 1_000), [], 'too few to tell');
    t.strictSame(crowded(new Array(20).fill(15), 20), [], 'all of a small network are near');
  },
);

t.test('thirty Sybils around a key do not hide a value', async t => {
  const internet = new DhtNetwork({ hosts: NODES + SYBILS, random: new SeededRandom(7) });
  startWarm(internet, NODES, 250);
  internet.run(20_000);
  const honest = internet.hosts.slice(0, NODES);
  const [creator] = honest;
  if (creator === undefined) throw new Error('nobody');
  const key = randomKuid(internet.random);
  const sybils = new Sybils(internet, key, SYBILS, 11);
  sybils.greet(honest);
  internet.run(20_000);
  creator.dht.publish({ key, type: TYPE, version: 1, data: Buffer.from('here') }, internet.now);
  creator.wake();
  internet.run(60_000);
  t.ok(sybils.swallowed > 0, 'some of them were asked to keep it');
  const holders = honest.filter(({ dht }) => dht.parts?.values.has(key) === true);
  t.ok(holders.length >= 5, `${holders.length} honest nodes keep it`);
  const seekers = honest.filter(host => host !== creator && !holders.includes(host)).slice(0, SEEKERS);
  const results = internet.lookUpAll(seekers.map(host => ({ host, target: key, type: TYPE })));
  const found = results.filter(result => (result?.values.length ?? 0) > 0).length;
  t.ok(found >= 0.7 * SEEKERS, `${found} of ${SEEKERS} find it`);
  t.ok(
    seekers.some(({ dht }) => dht.counters.doubts.of('crowded') > 0),
    'others were asked in the place of the Sybils',
  );
});

t.test('nodes that answer with invented values do not hide those of others', async t => {
  const liars = 3;
  const internet = new DhtNetwork({ hosts: NODES + liars, random: new SeededRandom(8) });
  startWarm(internet, NODES, 250);
  internet.run(20_000);
  const honest = internet.hosts.slice(0, NODES);
  const [creator] = honest;
  if (creator === undefined) throw new Error('nobody');
  const key = randomKuid(internet.random);
  creator.dht.publish({ key, type: TYPE, version: 1, data: Buffer.from('here') }, internet.now);
  creator.wake();
  internet.run(60_000);
  const sybils = new Sybils(internet, key, liars, 9);
  sybils.invented = Buffer.from('lies');
  sybils.greet(honest);
  internet.run(20_000);
  const seekers = honest.filter(({ dht }) => dht.parts?.values.has(key) === false).slice(0, 2 * SEEKERS);
  const results = internet.lookUpAll(seekers.map(host => ({ host, target: key, type: TYPE })));
  const texts = results.map(result => result?.values.map(({ data }) => data.toString()) ?? []);
  t.ok(texts.filter(each => each.includes('lies')).length >= SEEKERS, 'most are lied to');
  const found = texts.filter(each => each.includes('here')).length;
  t.ok(found >= 0.9 * seekers.length, `${found} of ${seekers.length} find it too`);
});

function bitsOf(distances: readonly number[]): number[] {
  return distances.map(distance => Math.floor(-Math.log2(distance)));
}
