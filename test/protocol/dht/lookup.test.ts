import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { K } from '../../../protocol/dht/bucket.ts';
import type { DhtContact } from '../../../protocol/dht/dht-contact.ts';
import { compareDistance, randomKuid } from '../../../protocol/dht/kuid.ts';
import { ALPHA, type Candidate, Lookup } from '../../../protocol/dht/lookup.ts';
import type { Endpoint } from '../../../protocol/wire/endpoint.ts';
import { SeededRandom } from '../../../sim/seeded-random.ts';
import { anyContact, contactOf, endpointOf } from '../../support/dht-contacts.ts';

const now = 1;
const always = (): number => 0;

const OWN = Buffer.alloc(20, 7);
const BLOCKED = { host: '77.7.7.7', port: 6346 };

function lookup(random: SeededRandom, commonBitsMax: number | null = 14): Lookup {
  const target = randomKuid(random);
  const refuses = ({ host }: Endpoint): boolean => host === BLOCKED.host;
  return new Lookup({ target, own: OWN, reaches: ['public'], refuses, ofNetworkMax: 3, commonBitsMax }, now);
}

t.test(
  'a lookup ends with the nearest nodes that answer, though others are silent, and asks three at a time',
  async () => {
    const finds = fc.property(fc.nat(10_000), fc.double({ min: 0, max: 0.6, noNaN: true }), (seed, silent) => {
      const random = new SeededRandom(seed);
      const subject = lookup(random, null);
      const nodes = Array.from({ length: 200 }, (_, i) => anyContact(random, endpointOf(i)));
      const dead = nodes.filter(() => random.chance(silent));
      const nearest = nodes
        .filter(node => !dead.includes(node))
        .sort((a, b) => compareDistance(subject.target, a.kuid, b.kuid));
      subject.offer(random.sample(nodes, K));
      const inFlight: Candidate[] = [];
      for (let steps = 0; !subject.isOver(now); steps++) {
        for (let next = subject.next(now, always); next !== null; next = subject.next(now, always)) inFlight.push(next);
        if (subject.isOver(now)) break;
        const first = inFlight.filter(({ tries }) => tries === 1);
        if (first.length > ALPHA || steps > 1_000) throw new Error(`${inFlight.length} asked, ${steps} steps`);
        const [candidate] = inFlight.splice(random.below(inFlight.length), 1);
        if (candidate === undefined) throw new Error('it waits for nobody');
        const isDead = dead.some(({ kuid }) => kuid.equals(candidate.contact.kuid));
        // a node knows some of those around the target, and some that are gone
        const known = [...random.sample(nearest.slice(0, 25), 15), ...random.sample(dead, 5)];
        if (isDead) subject.failed(candidate, 'silent');
        else subject.answered(candidate, known, Buffer.alloc(4));
      }
      const hex = (list: readonly DhtContact[]): string[] => list.map(({ kuid }) => kuid.toString('hex'));
      assert.deepEqual(hex(subject.nearest().map(({ contact }) => contact)), hex(nearest.slice(0, K)));
    });
    fc.assert(finds, { numRuns: 40, seed: 3 });
  },
);

t.test('contacts that cannot be true are not asked', async t => {
  const random = new SeededRandom(1);
  const subject = lookup(random);
  const bad: DhtContact[] = [
    contactOf(randomKuid(random), { host: '192.168.1.1', port: 6346 }),
    contactOf(randomKuid(random), { host: '127.0.0.1', port: 6346 }),
    contactOf(randomKuid(random), { host: '11.1.1.1', port: 0 }),
    contactOf(randomKuid(random), { host: '2001:db8::1', port: 6346 }),
    contactOf(randomKuid(random), BLOCKED),
    contactOf(OWN, endpointOf(2)),
    contactOf(randomKuid(random, subject.target, 15), endpointOf(1)), // nearer than anybody is by chance
  ];
  subject.offer(bad);
  t.equal(subject.next(now, always), null);
  t.strictSame(
    { ...subject.doubts.toRecord() },
    { address: 4, refused: 1, own_kuid: 1, too_near: 1, asked: 0, silent: 0, network: 0, crowded: 0 },
  );
  t.ok(subject.isOver(now));
});

t.test('a hundred thousand KUIDs of one network near a key get three requests', async t => {
  const random = new SeededRandom(2);
  const subject = lookup(random);
  subject.offer([anyContact(random, endpointOf(1))]);
  let inNetwork = 0;
  let others = 0;
  for (let i = 0; i < 10_000; i++) {
    const candidate = subject.next(now, always);
    if (candidate === null) break;
    const isSybil = candidate.contact.endpoint.host.startsWith('66.6.6.');
    if (isSybil) inNetwork++;
    else others++;
    const lies = Array.from({ length: 20 }, (_, j) =>
      anyContact(random, { host: `66.6.6.${(i * 20 + j) % 256}`, port: 6346 }, subject.target, 10),
    );
    const truth = Array.from({ length: 10 }, (_, j) => anyContact(random, endpointOf(100 + (i % 20) * 10 + j)));
    subject.answered(candidate, isSybil ? lies : [...truth, ...lies.slice(10)], null);
  }
  t.equal(inNetwork, 3);
  t.ok(others >= K - 3, `${others} others were asked`);
  t.ok(subject.isOver(now));
  t.ok(subject.nearest().filter(({ contact }) => contact.endpoint.host.startsWith('66.6.6.')).length <= 3);
});

t.test('a victim that contacts name under many KUIDs is asked once', async t => {
  const random = new SeededRandom(3);
  const subject = lookup(random);
  const victim = { host: '99.9.9.9', port: 53 };
  subject.offer(Array.from({ length: 20 }, () => anyContact(random, victim)));
  let asked = 0;
  for (let next = subject.next(now, always); next !== null; next = subject.next(now, always)) {
    asked++;
    subject.failed(next, 'another');
  }
  t.equal(asked, 1);
  t.ok(subject.isOver(now));
});

t.test('silent nodes of a network do not use up what may be asked of it', async t => {
  const random = new SeededRandom(6);
  const subject = lookup(random);
  const four = Array.from({ length: 4 }, (_, i) => anyContact(random, { host: `66.6.6.${i}`, port: 6346 }));
  subject.offer(four);
  for (let i = 0; i < 3; i++) subject.failed(subject.next(now, always) as Candidate, 'another');
  t.ok(subject.next(now, always), 'the fourth is asked');
});

t.test('candidates are bounded, and who has answered stays', async t => {
  const random = new SeededRandom(4);
  const subject = lookup(random, null);
  subject.offer([anyContact(random, endpointOf(1))]);
  for (let i = 0; i < 500; i++) {
    const candidate = subject.next(now, always);
    if (candidate === null) break;
    subject.answered(
      candidate,
      Array.from({ length: 300 }, (_, j) => anyContact(random, endpointOf(2 + i * 300 + j), subject.target, i)),
      null,
    );
  }
  t.ok(subject.asked <= 200, `${subject.asked}`);
});

t.test('a node that was asked lately waits its turn, and the time of a lookup is limited', async t => {
  const random = new SeededRandom(5);
  const subject = lookup(random);
  const contact = anyContact(random, endpointOf(1));
  subject.offer([contact]);
  t.equal(
    subject.next(now, () => 5_000),
    null,
  );
  t.equal(subject.wakeAt, 5_000);
  t.notOk(subject.isOver(now));
  t.ok(subject.next(5_000, () => 5_000));
  t.notOk(subject.isOver(subject.deadline - 1));
  t.ok(subject.isOver(subject.deadline));
});
