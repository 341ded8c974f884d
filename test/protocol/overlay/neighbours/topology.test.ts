import fc from 'fast-check';
import t from 'tap';
import { FreeSlots } from '../../../../protocol/overlay/neighbours/free-slots.ts';
import { HostCache } from '../../../../protocol/overlay/neighbours/host-cache.ts';
import {
  type LinkFacts,
  PUBLIC_TOPOLOGY,
  Topology,
  type TopologyFacts,
  ultrapeerSlots,
  ultrapeersSought,
} from '../../../../protocol/overlay/neighbours/topology.ts';
import { SeededRandom } from '../../../support/virtual-network.ts';

const { windowMs, replaceEveryMs } = PUBLIC_TOPOLOGY;

const link = (id: number, changes: Partial<LinkFacts> = {}): LinkFacts => ({
  id,
  role: 'ultrapeer',
  framesIn: 0,
  framesOut: 0,
  dropped: 0,
  queryHopsMax: 255,
  pinned: false,
  leafSlotsFree: null,
  ...changes,
});

const facts = (changes: Partial<TopologyFacts> = {}): TopologyFacts => ({
  role: 'ultrapeer',
  links: [],
  seek: 32,
  ultrapeersMax: 32,
  leavesMax: 200,
  dialling: 0,
  roomElsewhere: 0,
  spare: () => true,
  ...changes,
});

/** What is given up after two windows in which the links grew to what is given. */
function given(changes: Partial<TopologyFacts>) {
  const topology = new Topology(PUBLIC_TOPOLOGY, 0);
  const after = facts(changes);
  const fresh = after.links.map(({ id, role }) => link(id, { role }));
  topology.plan({ ...after, links: fresh, roomElsewhere: 0 }, windowMs);
  return topology.plan(after, 2 * windowMs).drop;
}

t.test('a leaf looks for 4 ultrapeers and takes 5, an ultrapeer looks for as many as it is told', async t => {
  t.equal(ultrapeersSought(PUBLIC_TOPOLOGY, 'leaf', 32, 32), 4);
  t.equal(ultrapeersSought(PUBLIC_TOPOLOGY, 'leaf', 1, 32), 1);
  t.equal(ultrapeersSought(PUBLIC_TOPOLOGY, 'ultrapeer', 32, 20), 20);
  t.equal(ultrapeersSought(PUBLIC_TOPOLOGY, 'ultrapeer', 0, 20), 0, 'its place is given by hand');
  t.equal(ultrapeerSlots(PUBLIC_TOPOLOGY, 'leaf', 32), 5);
  t.equal(ultrapeerSlots(PUBLIC_TOPOLOGY, 'ultrapeer', 32), 32);
});

t.test('dials fill what is missing, a few at a time', async t => {
  const dial = (changes: Partial<TopologyFacts>) => new Topology(PUBLIC_TOPOLOGY, 0).plan(facts(changes), 1).dial;
  t.equal(dial({}), 4);
  t.equal(dial({ dialling: 3 }), 1);
  t.equal(dial({ dialling: 4 }), 0);
  t.equal(dial({ role: 'leaf', links: [link(1), link(2)] }), 2);
  t.equal(dial({ role: 'leaf', links: [link(1), link(2)], dialling: 1 }), 1);
  t.equal(dial({ role: 'leaf', links: [1, 2, 3, 4, 5].map(id => link(id)) }), 0);
  t.equal(dial({ links: [1, 2, 3].map(id => link(id, { role: 'leaf' })), seek: 2 }), 2, 'leaves are not counted');
  t.equal(dial({ seek: 0 }), 0);
});

t.test('a clogged link is given up, and an idle one beside busy ones', async t => {
  const busy = [1, 2, 3].map(id => link(id, { framesIn: 4_000, framesOut: 4_000 }));
  const seek = 4;
  const clogged = link(4, { framesIn: 4_000, framesOut: 400, dropped: 600 });
  t.match(given({ seek, links: [...busy, clogged] }), { id: 4, cause: 'clogged', code: 202 });
  t.equal(given({ seek, links: [...busy, { ...clogged, dropped: 400 }] }), null, 'half of it gets through');
  t.equal(given({ seek, links: [...busy, { ...clogged, pinned: true }] }), null, 'a person wants it');
  t.equal(given({ seek, links: [...busy, clogged], spare: () => false }), null, 'nobody to take its place');
  t.equal(given({ seek: 5, links: [...busy, clogged] }), null, 'there are too few already');

  const idle = link(4, { framesIn: 199 });
  t.match(given({ seek, links: [...busy, idle] }), { id: 4, cause: 'idle', code: 202 });
  t.equal(given({ seek, links: [...busy, link(4, { framesIn: 200 })] }), null);
  t.equal(given({ seek, links: [1, 2, 3, 4].map(id => link(id, { framesIn: id })) }), null, 'all are quiet');
});

t.test('a full ultrapeer drops a leaf that takes no queries', async t => {
  const leaves = [1, 2, 3].map(id => link(id, { role: 'leaf', queryHopsMax: id === 2 ? 1 : 255 }));
  t.match(given({ leavesMax: 3, links: leaves }), { id: 2, cause: 'useless_leaf', code: 503 });
  t.equal(given({ leavesMax: 4, links: leaves }), null, 'while there is room it may stay');
});

t.test('a leaf moves from a full ultrapeer to one with room, when it has all that it looks for', async t => {
  const links = [link(1, { leafSlotsFree: 3 }), link(2, { leafSlotsFree: 0 }), link(3), link(4)];
  const changes: Partial<TopologyFacts> = { role: 'leaf', links, roomElsewhere: 2 };
  t.match(given(changes), { id: 2, cause: 'crowded', code: 202 });
  t.equal(given({ ...changes, roomElsewhere: 1 }), null);
  t.equal(given({ ...changes, links: links.slice(0, 3) }), null);
  t.equal(given({ ...changes, role: 'ultrapeer', seek: 4 }), null);
});

t.test('links come and go at a bounded rate, whatever the facts', async () => {
  const anyLink = fc.record({
    id: fc.nat(5),
    role: fc.constantFrom('leaf', 'ultrapeer', 'legacy'),
    framesIn: fc.nat(1e5),
    framesOut: fc.nat(1e5),
    dropped: fc.nat(1e5),
    queryHopsMax: fc.constantFrom(0, 255),
    pinned: fc.boolean(),
    leafSlotsFree: fc.constantFrom(null, 0, 5),
  }) as fc.Arbitrary<LinkFacts>;
  const anyFacts = fc.record({
    role: fc.constantFrom('leaf', 'ultrapeer'),
    links: fc.uniqueArray(anyLink, { selector: ({ id }) => id }),
    seek: fc.nat(6),
    ultrapeersMax: fc.nat(6),
    leavesMax: fc.nat(3),
    dialling: fc.nat(6),
    roomElsewhere: fc.nat(4),
    spare: fc.constantFrom(
      () => true,
      () => false,
    ),
  }) as fc.Arbitrary<TopologyFacts>;
  fc.assert(
    fc.property(fc.array(fc.tuple(anyFacts, fc.nat(windowMs)), { maxLength: 60 }), steps => {
      const topology = new Topology(PUBLIC_TOPOLOGY, 0);
      let now = 0;
      let droppedAt = 0;
      return steps.every(([step, passed]) => {
        now += passed;
        const plan = topology.plan(step, now);
        if (plan.dial < 0 || plan.dial + step.dialling > Math.max(PUBLIC_TOPOLOGY.dialsMax, step.dialling))
          return false;
        const { drop } = plan;
        if (drop === null) return true;
        const target = step.links.find(({ id }) => id === drop.id);
        const spared = target === undefined || (target.pinned && target.role !== 'leaf');
        const rested = now - droppedAt >= replaceEveryMs;
        droppedAt = now;
        return rested && !spared;
      });
    }),
  );
});

t.test('free slots are believed for a while, and the roomiest is found', async t => {
  const hosts = new HostCache(new SeededRandom(1), { reaches: ['loopback'] });
  const slots = new FreeSlots(hosts, 1_000);
  const at = (port: number) => ({ host: '127.0.0.1', port });
  for (let port = 1; port <= 4; port++) {
    hosts.add({ endpoint: at(port), source: 'pong', ultrapeer: true, dailyUptimeSeconds: null }, 0);
  }
  slots.note(at(1), 3, 0);
  slots.note(at(2), 7, 500);
  slots.note(at(3), 0, 500);
  slots.note(at(5), 9, 500);
  t.equal(slots.total(500), 10, 'without a host that is not known');
  t.strictSame(
    slots.roomiest(500, () => false),
    { endpoint: at(2), free: 7 },
  );
  t.strictSame(
    slots.roomiest(500, ({ port }) => port === 2),
    { endpoint: at(1), free: 3 },
  );
  t.equal(
    slots.roomiest(500, ({ port }) => port < 3),
    null,
    'a full one has no room',
  );
  t.equal(slots.of(at(3), 500), 0);
  t.equal(slots.of(at(1), 1_001), null);
  t.equal(slots.total(1_001), 7);
  slots.forget(at(2));
  t.equal(slots.total(1_001), 0);
  slots.note(at(4), 3, 400);
  t.strictSame(
    slots.roomiest(900, () => false),
    { endpoint: at(1), free: 3 },
    'of equals the one heard of longest ago',
  );
});
