import fc from 'fast-check';
import t, { type Test } from 'tap';
import { K } from '../../../protocol/dht/bucket.ts';
import { TIMEOUTS_MAX } from '../../../protocol/dht/known-node.ts';
import { commonBits, compareDistance, randomKuid } from '../../../protocol/dht/kuid.ts';
import { NETWORK_LIMITS, NO_NETWORK_LIMITS, networkOf } from '../../../protocol/dht/network-limits.ts';
import { ALIVE_MS, RoutingTable } from '../../../protocol/dht/routing-table.ts';
import { SizeEstimate } from '../../../protocol/dht/size-estimate.ts';
import { Surroundings } from '../../../protocol/dht/surroundings.ts';
import { SeededRandom } from '../../../sim/seeded-random.ts';
import { anyContact, contactOf, endpointOf } from '../../support/dht-contacts.ts';

const RTT_MS = 50;

function table(random: SeededRandom, options: { active?: boolean; limited?: boolean } = {}): RoutingTable {
  const limits = options.limited === false ? NO_NETWORK_LIMITS : NETWORK_LIMITS;
  return new RoutingTable({ own: randomKuid(random), limits, active: options.active ?? true });
}

/** So many nodes that have answered, each in a network of its own. */
function filled(random: SeededRandom, nodes: number, now = 1): RoutingTable {
  const filled = table(random);
  for (let i = 0; i < nodes; i++) filled.heard(anyContact(random, endpointOf(i)), 1, now, RTT_MS);
  return filled;
}

function check(t: Test, subject: RoutingTable): void {
  const hosts = new Map<string, number>();
  const kuids = new Set<string>();
  const addresses = new Set<string>();
  let size = 0;
  for (const bucket of subject.buckets()) {
    const inBucket = new Map<string, number>();
    t.ok(bucket.good.length <= K && bucket.pending.length <= K, 'lists are bounded');
    t.ok(bucket.good.length + bucket.stale.length <= K + K / 2, 'stale ones too');
    t.equal(bucket.isOurs, bucket.covers(subject.own), 'one bucket is ours');
    for (const node of bucket) {
      size++;
      kuids.add(node.kuid.toString('hex'));
      addresses.add(node.endpoint.host);
      const network = networkOf(node.endpoint.host);
      hosts.set(network, (hosts.get(network) ?? 0) + 1);
      inBucket.set(network, (inBucket.get(network) ?? 0) + 1);
      if (!bucket.covers(node.kuid)) t.fail('a node lies outside of its bucket');
      if (node.state !== 'pending' && !node.proven) t.fail('a node is good without an answer');
    }
    for (const list of [bucket.good, bucket.stale, bucket.pending])
      t.ok(
        list.every((node, i) => i === 0 || (list[i - 1]?.seenAt ?? 0) <= node.seenAt),
        'least recently seen first',
      );
    for (const [network, counted] of inBucket)
      if (bucket.hasRoomFor(`${network}.9`) !== counted < NETWORK_LIMITS.bucket)
        t.fail('a network has room up to its limit');
    t.ok(Math.max(0, ...inBucket.values()) <= NETWORK_LIMITS.bucket, 'three of a /24 in a bucket');
  }
  t.equal(subject.size, size);
  t.equal(kuids.size, size, 'no KUID twice');
  t.equal(addresses.size, size, 'no address twice');
  t.ok(Math.max(0, ...hosts.values()) <= NETWORK_LIMITS.table, 'ten of a /24 in the table');
}

t.test('whatever is heard, lost and forgotten, the table stays in order', async t => {
  const event = fc.record({
    node: fc.nat(400),
    host: fc.nat(600),
    what: fc.constantFrom('answer', 'answer', 'answer', 'request', 'timeout', 'leaving', 'merge'),
    ms: fc.nat(60_000),
  });
  fc.assert(
    fc.property(fc.nat(1_000), fc.array(event, { minLength: 300, maxLength: 900 }), (seed, events) => {
      const random = new SeededRandom(seed);
      const subject = table(random);
      const kuids = Array.from({ length: 401 }, (_, i) => randomKuid(random, subject.own, i % 12));
      let now = 1;
      for (const { node, host, what, ms } of events) {
        now += ms;
        const kuid = kuids[node] as Buffer;
        // a third shares networks
        const endpoint = host < 200 ? { host: `5.5.${host % 20}.${host}`, port: 6346 } : endpointOf(node);
        const known = subject.find(kuid);
        if (what === 'merge') subject.merge();
        else if (what === 'timeout') known !== null && subject.timedOut(known);
        else if (what === 'leaving') known !== null && subject.leaving(known);
        else subject.heard(contactOf(kuid, endpoint), 1, now, what === 'answer' ? RTT_MS : null);
      }
      check(t, subject);
    }),
    { numRuns: 12, seed: 7 },
  );
});

t.test('the closest nodes are those of a search through all', async t => {
  const random = new SeededRandom(3);
  const subject = filled(random, 2_000);
  check(t, subject);
  const all = subject.buckets().flatMap(bucket => bucket.good);
  t.ok(all.length > 200);
  for (let i = 0; i < 50; i++) {
    const target = i % 2 === 0 ? randomKuid(random) : randomKuid(random, subject.own, i);
    const expected = all.toSorted((a, b) => compareDistance(target, a.kuid, b.kuid)).slice(0, K);
    t.strictSame(
      subject.closest(target, K).map(({ kuid }) => kuid),
      expected.map(({ kuid }) => kuid),
    );
  }
});

t.test('all of the nodes nearest to us are known, few of those far away', async t => {
  const random = new SeededRandom(4);
  const subject = table(random);
  const kuids = Array.from({ length: 3_000 }, () => randomKuid(random));
  for (const [i, kuid] of kuids.entries()) subject.heard(contactOf(kuid, endpointOf(i)), 1, 1, RTT_MS);
  const nearest = kuids.toSorted((a, b) => compareDistance(subject.own, a, b)).slice(0, K);
  t.strictSame(
    subject.closest(subject.own, K).map(({ kuid }) => kuid),
    nearest,
  );
  const far = subject.buckets().filter(({ prefix, depth }) => depth > 0 && commonBits(prefix, subject.own) === 0);
  t.equal(far.length, 8, 'the half of the space that is not ours is split three more times');
  const size = new SizeEstimate();
  t.equal(new Surroundings(subject, size).ballBits(0), commonBits(subject.own, nearest.at(-1) as Buffer));
  t.ok(size.size > 1_500 && size.size < 6_000, `${size.size} nodes`);
});

t.test('a passive node keeps a small table', async t => {
  const random = new SeededRandom(5);
  const subject = table(random, { active: false });
  for (let i = 0; i < 5_000; i++) subject.heard(anyContact(random, endpointOf(i)), 1, 1, RTT_MS);
  t.equal(subject.buckets().length, 16);
  t.ok(subject.size <= 16 * 2 * K);
});

t.test('a hundred thousand KUIDs of one network take ten places', async t => {
  const random = new SeededRandom(6);
  const subject = filled(random, 200);
  const before = subject.size;
  for (let i = 0; i < 100_000; i++) {
    const endpoint = { host: `66.6.6.${i % 256}`, port: 1 + (i % 60_000) };
    const kuid = randomKuid(random, subject.own, i % 40);
    subject.heard(contactOf(kuid, endpoint), 1, 2, i % 2 === 0 ? RTT_MS : null);
  }
  t.ok(subject.size <= before + NETWORK_LIMITS.table, `${subject.size - before} got in`);
  check(t, subject);
});

t.test('a hundred thousand nodes at one address stay bounded where networks are not limited', async t => {
  const random = new SeededRandom(7);
  const subject = table(random, { limited: false });
  for (let i = 0; i < 100_000; i++)
    subject.heard(
      anyContact(random, { host: '127.0.0.1', port: 1 + (i % 65_000) }, subject.own, i % 150),
      1,
      1,
      RTT_MS,
    );
  t.equal(subject.size, 4_096);
});

t.test(
  'a message whose source may be forged gives no place among the good, and no node loses its place by it',
  async t => {
    const random = new SeededRandom(8);
    const subject = table(random);
    const contact = anyContact(random, endpointOf(1));
    const first = subject.heard(contact, 1, 1, null);
    t.equal(first.node?.state, 'pending');
    t.equal(first.check, first.node, 'it is asked to prove itself');
    t.equal(subject.closest(contact.kuid, K).length, 0);
    subject.heard(contact, 1, 2, RTT_MS);
    t.equal(subject.find(contact.kuid)?.state, 'good');

    const thief = subject.heard(contactOf(contact.kuid, endpointOf(2)), 2, 3, null);
    t.strictSame(thief, { node: null, check: subject.find(contact.kuid) }, 'the old address is asked');
    subject.heard(contact, 1, 4, RTT_MS);
    t.equal(subject.find(contact.kuid)?.contested, false, 'it has answered and stays');
    t.strictSame(subject.find(contact.kuid)?.endpoint, contact.endpoint);

    subject.heard(contactOf(contact.kuid, endpointOf(2)), 2, 5, RTT_MS);
    const old = subject.find(contact.kuid);
    if (old !== null) subject.timedOut(old);
    t.equal(subject.find(contact.kuid), null, 'an old address that is silent gives the KUID free');
    subject.heard(contactOf(contact.kuid, endpointOf(2)), 2, 6, RTT_MS);
    t.strictSame(subject.find(contact.kuid)?.endpoint, endpointOf(2));
  },
);

t.test('an address has one KUID: that with which it has answered last', async t => {
  const random = new SeededRandom(9);
  const subject = table(random);
  const [one, two] = [anyContact(random, endpointOf(1)), anyContact(random, endpointOf(1))];
  subject.heard(one, 1, 1, RTT_MS);
  t.equal(subject.heard(two, 1, 2, null).node, null);
  t.ok(subject.find(one.kuid), 'a claim is not enough');
  subject.heard(two, 1, 3, RTT_MS);
  t.equal(subject.find(one.kuid), null);
  t.equal(subject.find(two.kuid)?.state, 'good');
});

t.test('a node that does not answer is doubted, replaced by one that waits, and dead in the end', async t => {
  const random = new SeededRandom(10);
  const subject = table(random);
  const far = Buffer.from(subject.own);
  far[0] = far.readUInt8(0) ^ 0xff; // eight bits away: its bucket is full at depth 4
  const contacts = Array.from({ length: K + 5 }, (_, i) => anyContact(random, endpointOf(i), far, 12));
  for (const [i, contact] of contacts.entries()) subject.heard(contact, 1, 1 + i, RTT_MS);
  const bucket = subject.bucketOf(far);
  t.strictSame([bucket.good.length, bucket.pending.length], [K, 5]);
  const [eldest] = bucket.good;
  if (eldest === undefined) throw new Error('no node');
  const waits = subject.heard(anyContact(random, endpointOf(90), far, 12), 1, ALIVE_MS + 10, RTT_MS);
  t.equal(waits.check, eldest, 'the least recently seen is asked');
  for (let i = 1; i < TIMEOUTS_MAX; i++) {
    subject.timedOut(eldest);
    t.equal(eldest.state, 'stale');
  }
  t.equal(bucket.good.length, K - 1, 'it keeps its place until it is dead');
  subject.timedOut(eldest);
  t.equal(subject.find(eldest.kuid), null);
  t.equal(bucket.good.length, K, 'the last seen of those that wait has it now');
  t.ok(subject.bucketOf(far).good.some(({ endpoint }) => endpoint.host === endpointOf(90).host));
});

t.test('while we are cut off nobody dies', async t => {
  const random = new SeededRandom(11);
  const subject = filled(random, 10);
  for (const bucket of subject.buckets())
    for (const node of [...bucket]) for (let i = 0; i < 10; i++) subject.timedOut(node, false);
  t.equal(subject.size, 10);
});

t.test('our own KUID is nobody else', async t => {
  const random = new SeededRandom(12);
  const subject = table(random);
  t.equal(subject.heard(contactOf(subject.own, endpointOf(1)), 1, 1, RTT_MS).node, null);
  t.equal(subject.size, 0);
});

t.test('forged sources keep no node out that answers: not its KUID, nor its address, nor its network', async t => {
  const random = new SeededRandom(9);
  const subject = filled(random, 200);
  const honest = anyContact(random, { host: '77.7.7.7', port: 6346 }, subject.own, 12);
  const forge = (kuid: Buffer, host: string, port = 1): unknown =>
    subject.heard(contactOf(kuid, { host, port }), 1, 2, null);
  const place = (): boolean => subject.heard(honest, 1, 3, RTT_MS).node?.state === 'good';
  forge(honest.kuid, '66.6.6.6');
  t.ok(place(), 'another address with its KUID');
  const lose = (): void => {
    const node = subject.find(honest.kuid);
    if (node !== null) subject.remove(node);
  };
  lose();
  forge(randomKuid(random), honest.endpoint.host);
  t.equal(subject.at({ host: honest.endpoint.host, port: 1 })?.proven, false);
  t.ok(place(), 'another port of its address');
  lose();
  for (let n = 10; n < 30; n++) forge(randomKuid(random, subject.own, n % 12), `77.7.7.${n}`);
  t.ok(place(), 'others of its network');
  lose();
  for (let n = 10; n < 30; n++) forge(randomKuid(random, honest.kuid, 16), `77.7.7.${n}`);
  t.ok(place(), 'others of its network in its bucket');
  check(t, subject);
});
