import fc from 'fast-check';
import t from 'tap';
import { Type } from '../../../../protocol/constants.ts';
import { NETWORK_RULES, type Profile } from '../../../../protocol/network-rules.ts';
import type { QueryRateSettings } from '../../../../protocol/overlay/queries/query-rates.ts';
import { query } from '../../../support/descriptors.ts';
import { VirtualNetwork } from '../../../support/virtual-network.ts';

type Rates = { -readonly [Key in keyof QueryRateSettings]: number };

const PUBLIC: Rates = { queriesPerSecond: 200, leafQueriesPerSecond: 1 };

/** A servent under the rules of a profile, whose rates a test may change, and a neighbour that counts what is passed on. */
function scene(given: Partial<Rates> = {}, profile: Profile = 'public') {
  const network = new VirtualNetwork();
  const rates = { ...PUBLIC, ...given };
  const { leavesOfAddress, queries } = NETWORK_RULES[profile].overlay;
  const servent = network.add('a', { limits: { leavesOfAddress, queries }, rates });
  const other = network.puppet(servent);
  let asked = 0;
  /** How many of so many different queries at once are passed on. */
  const passed = (from: ReturnType<typeof network.puppet>, count: number): number => {
    from.send(...Array.from({ length: count }, () => query(3, from.link.role === 'leaf' ? 0 : 1, `words ${asked++}`)));
    network.settle();
    const { length } = other.ofType(Type.Query);
    other.seen = [];
    from.seen = [];
    return length;
  };
  const reasons = () => servent.overlay.drops.toRecord();
  return { network, servent, rates, passed, reasons };
}

t.test('an ultrapeer that keeps to the rate loses nothing, whatever the rate', async () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 500 }), queriesPerSecond => {
      const { network, servent, passed, reasons } = scene({ queriesPerSecond });
      const peer = network.puppet(servent);
      for (let n = 0; n < 60; n++) {
        if (passed(peer, 1) !== 1) return false;
        network.clock.ms += 1_000 / queriesPerSecond;
      }
      return reasons()['query_too_soon'] === undefined;
    }),
    { numRuns: 20 },
  );
});

t.test('an ultrapeer may send 10 s worth at once, a leaf 20 s, and then as many as the rate', async t => {
  const { network, servent, passed, reasons } = scene();
  const leaf = network.puppet(servent, 'leaf');
  t.equal(passed(leaf, 50), 20);
  t.equal(reasons()['query_too_soon'], 30);
  network.clock.ms += 3_000;
  t.equal(passed(leaf, 50), 3);
  const ultrapeer = network.puppet(servent);
  t.equal(passed(ultrapeer, 2_100), 2_000);
  network.clock.ms += 1_000;
  t.equal(passed(ultrapeer, 300), 200);
  t.equal(passed(network.puppet(servent), 10), 10, 'each link has a rate of its own');
});

t.test('after a burst an ultrapeer that keeps to the rate loses nothing', async () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100 }), queriesPerSecond => {
      const { network, servent, passed } = scene({ queriesPerSecond });
      const peer = network.puppet(servent);
      if (passed(peer, 10 * queriesPerSecond + 5) !== 10 * queriesPerSecond) return false;
      for (let n = 0; n < 30; n++) {
        network.clock.ms += 1_000 / queriesPerSecond;
        if (passed(peer, 2) !== 1) return false;
      }
      return true;
    }),
    { numRuns: 10 },
  );
});

t.test('peers of 0.4 count as ultrapeers', async t => {
  const { network, servent, passed } = scene({ queriesPerSecond: 2 });
  t.equal(passed(network.puppet(servent, 'legacy'), 50), 20);
});

t.test('a change acts on the next query of links that are open', async t => {
  const { network, servent, rates, passed } = scene();
  const peer = network.puppet(servent);
  t.equal(passed(peer, 2_100), 2_000);
  rates.queriesPerSecond = 1;
  network.clock.ms += 1_000;
  t.equal(passed(peer, 100), 1, 'what was used up stays used up');
  network.clock.ms += 60_000;
  t.equal(passed(peer, 100), 10);
  rates.queriesPerSecond = 200;
  network.clock.ms += 1_000;
  t.equal(passed(peer, 300), 200);
  rates.queriesPerSecond = 0;
  t.equal(passed(peer, 3_000), 3_000);
});

t.test('0 is no limit, for a leaf and for all leaves at its address', async t => {
  const { network, servent, passed, reasons } = scene({ leafQueriesPerSecond: 0, queriesPerSecond: 0 });
  t.equal(passed(network.puppet(servent), 3_000), 3_000);
  t.equal(passed(network.puppet(servent, 'leaf'), 500), 500);
  t.strictSame(reasons(), {});
});

t.test('all leaves at one address together send four times what one may, after 15 s worth', async t => {
  const { network, servent, rates, passed, reasons } = scene();
  const leaves = Array.from({ length: 10 }, () => network.puppet(servent, 'leaf'));
  const sum = () => leaves.reduce((total, leaf) => total + passed(leaf, 20), 0);
  t.equal(sum(), 60);
  t.strictSame(reasons(), { query_too_soon_of_address: 140 });
  rates.leafQueriesPerSecond = 2;
  network.clock.ms += 60_000;
  t.equal(sum(), 120);
});

t.test('in the profile local rates hold once they are set, and none for an address that all share', async t => {
  const { network, servent, rates, passed, reasons } = scene({ queriesPerSecond: 0, leafQueriesPerSecond: 0 }, 'local');
  const peer = network.puppet(servent);
  t.equal(passed(peer, 1_000), 1_000);
  rates.queriesPerSecond = 3;
  rates.leafQueriesPerSecond = 1;
  t.equal(passed(peer, 100), 30);
  t.equal(reasons()['query_too_soon'], 70);
  for (let n = 0; n < 5; n++) t.equal(passed(network.puppet(servent, 'leaf'), 30), 20);
  t.equal(reasons()['query_too_soon_of_address'], undefined);
});

t.test('duplicates use up nothing of the rate', async t => {
  const { network, servent, passed } = scene({ queriesPerSecond: 1 });
  const peer = network.puppet(servent);
  const one = query(3, 1, 'one');
  for (let n = 0; n < 20; n++) peer.send(one);
  t.equal(passed(peer, 20), 10, 'the one and nine others');
});

t.test('a link that never stops asking is sent away with a Bye', async t => {
  const { network, servent, passed } = scene();
  const leaf = network.puppet(servent, 'leaf');
  for (let n = 0; n < 21 && !leaf.hungUp; n++) passed(leaf, 100);
  t.equal(leaf.hungUp, true);
  t.equal(leaf.link.ended?.code, 410);
});

t.test(
  'a leaf that keeps to its own rate stays connected, though others at its address use up what all may send',
  async t => {
    const { network, servent, passed, reasons } = scene();
    const greedy = Array.from({ length: 3 }, () => network.puppet(servent, 'leaf'));
    const modest = network.puppet(servent, 'leaf');
    for (let n = 0; n < 55; n++) {
      for (const leaf of greedy) passed(leaf, 20);
      passed(modest, 20);
      network.clock.ms += 20_000;
    }
    t.strictSame(reasons(), { query_too_soon_of_address: 1_100 });
    t.equal(modest.hungUp, false);
  },
);

t.test('what holds for a link is told with its burst', async t => {
  const { network, servent, rates } = scene();
  const { queryRates } = servent.overlay;
  const { link } = network.puppet(servent);
  t.strictSame(queryRates.ofLink(link), { perSecond: 200, burst: 2_000 });
  t.strictSame(queryRates.ofLink(network.puppet(servent, 'leaf').link), { perSecond: 1, burst: 20 });
  t.strictSame(queryRates.ofAddress(), { perSecond: 4, burst: 60 });
  rates.queriesPerSecond = 0;
  t.strictSame(queryRates.ofLink(link), { perSecond: 0, burst: 0 });
});
