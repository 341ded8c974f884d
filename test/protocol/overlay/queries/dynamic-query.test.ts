import fc from 'fast-check';
import t from 'tap';
import {
  type Ask,
  DYNAMIC_QUERY_LIMITS,
  DynamicQuery,
  hostsWithin,
  NextStep,
  type Prospect,
  ttlFor,
  weightedHosts,
} from '../../../../protocol/overlay/queries/dynamic-query.ts';
import { readFixture } from '../../../support/fixtures.ts';

interface Vectors {
  dq_horizon: { degree: number; ttl: number; hosts: number; gtkg_weighted: number }[];
  dq_limewire_ttl: { hosts_per_connection: number; degree: number; max_ttl: number; ttl: number }[];
}
/** As LimeWire takes it. */
const LEAVES_PER_ULTRAPEER = 16;
const vectors = readFixture<Vectors>('vectors/vectors.json');

t.test('horizons are those of the vectors', async t => {
  for (const { degree, ttl, hosts, gtkg_weighted } of vectors.dq_horizon) {
    t.equal(hostsWithin(degree, ttl), hosts, `degree ${degree} TTL ${ttl}`);
    t.ok(Math.abs(weightedHosts(degree, ttl) - gtkg_weighted) < 1e-6, `degree ${degree} TTL ${ttl}, weighted`);
  }
  t.equal(weightedHosts(1000, 9), weightedHosts(50, 5), 'a peer that boasts is not believed');
});

t.test('a TTL is LimeWire’s for so many hosts', async t => {
  for (const { hosts_per_connection, degree, max_ttl, ttl } of vectors.dq_limewire_ttl) {
    const ultrapeers = hosts_per_connection / LEAVES_PER_ULTRAPEER;
    t.equal(ttlFor(ultrapeers, degree, max_ttl), ttl, `${hosts_per_connection} hosts`);
  }
});

const prospect = (id: number, changes: Partial<Prospect> = {}): Prospect => ({
  id,
  degree: 32,
  ttlMax: 4,
  matches: null,
  again: true,
  queuedBytes: 0,
  ...changes,
});
const start = (goal: number, leaves: readonly number[] = []) => new DynamicQuery(DYNAMIC_QUERY_LIMITS, goal, leaves, 0);

/** One step at the time that the query asked for. */
function step(query: DynamicQuery, prospects: readonly Prospect[]): { next: NextStep; asks: Ask[] } {
  const asks: Ask[] = [];
  const next = query.step(query.nextAt, prospects, asks);
  return { next, asks };
}

t.test('leaves are asked first: four, then no more of them than the goal needs', async t => {
  const query = start(6, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  t.strictSame(
    step(query, []).asks.map(({ id, ttl }) => [id, ttl]),
    [1, 2, 3, 4].map(id => [id, 1]),
  );
  t.equal(query.step(query.nextAt - 1, [], []), NextStep.Wait);
  query.seen = 4;
  t.strictSame(
    step(query, []).asks.map(({ id }) => id),
    [5, 6, 7],
  );
  query.seen = 6;
  t.equal(step(query, [prospect(1)]).next, NextStep.Done);
});

t.test('how many more leaves are asked follows from what the first ones had', async t => {
  const askedAfter = (goal: number, seen: number): number => {
    const query = start(
      goal,
      Array.from({ length: 100 }, (_, id) => id),
    );
    step(query, []);
    query.seen = seen;
    return step(query, []).asks.length;
  };
  t.strictSame([askedAfter(50, 48), askedAfter(150, 40), askedAfter(50, 4), askedAfter(50, 0)], [1, 17, 69, 75]);
  t.equal(step(start(2, [1, 2, 3, 4]), []).asks.length, 3, 'a goal of two needs no four');
});

t.test('steps wait as long as neighbours take to answer, within bounds', async t => {
  const { leafWaitMs, leafWaitMsMin, probeWaitMs, waitMsMax } = DYNAMIC_QUERY_LIMITS;
  const waits = (answerMs: number | null): number[] => {
    const query = start(50, [1]);
    query.answerMs = answerMs;
    step(query, []);
    const ofLeaf = query.nextAt;
    step(query, [prospect(2, { matches: true })]);
    return [ofLeaf, query.nextAt - ofLeaf];
  };
  t.strictSame(waits(null), [leafWaitMs, probeWaitMs]);
  t.strictSame(waits(1), [leafWaitMsMin, probeWaitMs]);
  t.strictSame(waits(3_000), [3_000, 6_000], 'the hits of its leaves come over two links');
  t.strictSame(waits(9_000), [9_000, waitMsMax]);
});

t.test('a probe goes to three ultrapeers whose tables match, and no further', async t => {
  const prospects = [
    prospect(1),
    prospect(2, { matches: false }),
    ...[3, 4, 5, 6].map(id => prospect(id, { matches: true })),
  ];
  const { asks } = step(start(50), prospects);
  t.strictSame(asks, [
    { id: 3, ttl: 1 },
    { id: 4, ttl: 1 },
    { id: 5, ttl: 1 },
  ]);
});

t.test('the more our leaves had, the fewer are probed', async t => {
  const probesAfter = (seen: number): number => {
    const query = start(50, [1]);
    step(query, []);
    query.seen = seen;
    return step(
      query,
      [3, 4, 5, 6].map(id => prospect(id, { matches: true })),
    ).asks.length;
  };
  t.strictSame([0, 16, 17, 33, 34, 49].map(probesAfter), [3, 3, 2, 2, 1, 1]);
});

t.test('where no table matches the probe goes one step further, past those that say no', async t => {
  const { asks } = step(
    start(50),
    [1, 2, 3, 4].map(id => prospect(id, { matches: false })),
  );
  t.strictSame(
    asks.map(({ ttl }) => ttl),
    [2, 2, 2],
  );
});

t.test('the less was found the further it goes', async t => {
  const ttlAfter = (seen: number): number | undefined => {
    const query = start(150);
    const prospects = Array.from({ length: 20 }, (_, id) => prospect(id, { matches: true }));
    step(query, prospects);
    query.seen = seen;
    return step(query, prospects).asks[0]?.ttl;
  };
  t.strictSame([ttlAfter(140), ttlAfter(40), ttlAfter(1), ttlAfter(0)], [1, 1, 2, 4]);
});

t.test('a popular file is left alone after the probe', async t => {
  const query = start(50);
  const prospects = Array.from({ length: 32 }, (_, id) => prospect(id, { matches: true }));
  step(query, prospects);
  query.seen = 60;
  t.strictSame(step(query, prospects), { next: NextStep.Done, asks: [] });
});

const anyProspect = fc.record({
  degree: fc.integer({ min: 2, max: 60 }),
  ttlMax: fc.integer({ min: 1, max: 7 }),
  matches: fc.constantFrom(true, false, null),
  again: fc.boolean(),
  queuedBytes: fc.nat(1000),
});
const anyProspects = fc
  .array(anyProspect, { maxLength: 40 })
  .map(list => list.map((changes, id) => prospect(id, changes)));

t.test('in the end everybody has been asked with all the TTL that it takes; nobody the same twice', async () => {
  fc.assert(
    fc.property(anyProspects, fc.boolean(), (prospects, findsOne) => {
      const query = start(1000);
      const asked = new Map<number, number>();
      for (let steps = 0; ; steps++) {
        if (steps > 3 * prospects.length + 10) return false;
        const { next, asks } = step(query, prospects);
        for (const { id, ttl } of asks) {
          const { ttlMax = 0, again } = prospects[id] ?? {};
          const before = asked.get(id) ?? 0;
          if (ttl > ttlMax || ttl <= before || (before > 1 && !again)) return false;
          asked.set(id, ttl);
        }
        if (findsOne && steps === 1) query.seen = 1;
        if (next === NextStep.Done) return query.horizon >= DYNAMIC_QUERY_LIMITS.horizonMax;
        if (next === NextStep.Exhausted) break;
      }
      return prospects.every(({ id, ttlMax, matches }) => {
        const pointless = ttlMax === 1 && matches === false;
        return pointless || asked.get(id) === ttlMax;
      });
    }),
  );
});

t.test('what comes later is asked too', async t => {
  const query = start(50);
  t.equal(step(query, []).next, NextStep.Exhausted);
  t.strictSame(step(query, [prospect(7)]), { next: NextStep.Send, asks: [{ id: 7, ttl: 4 }] });
});

t.test('it ends after its time, at a stop, and when twenty times the goal went by', async t => {
  const old = start(50);
  t.equal(old.step(DYNAMIC_QUERY_LIMITS.lifeMs, [prospect(1)], []), NextStep.Done);
  const stopped = start(50);
  stopped.stop();
  t.equal(step(stopped, [prospect(1)]).next, NextStep.Done);
  const flooded = start(50);
  flooded.seen = 1000;
  flooded.onStatus(0, 0);
  t.equal(step(flooded, [prospect(1)]).next, NextStep.Done);
});

t.test(
  'a guided leaf is asked for its count after three ultrapeers and twenty results; its answer is what counts',
  async t => {
    const query = start(50);
    query.guided = true;
    const prospects = Array.from({ length: 10 }, (_, id) => prospect(id, { matches: true }));
    t.equal(step(query, prospects).asks.length, 3);
    query.seen = 45;
    t.equal(step(query, prospects).next, NextStep.AskStatus);
    t.equal(query.step(query.nextAt - 1, prospects, []), NextStep.Wait);
    query.onStatus(30, query.nextAt - 1);
    t.equal(query.results, 10);
    t.equal(step(query, prospects).next, NextStep.Send);
    query.seen += 40;
    t.equal(step(query, prospects).next, NextStep.Done, 'ten and forty more');
  },
);

t.test('a leaf that does not answer twice is asked no more', async t => {
  const query = start(1000);
  query.guided = true;
  query.seen = 20;
  const prospects = Array.from({ length: 10 }, (_, id) => prospect(id, { matches: true }));
  let asked = 0;
  for (let n = 0; n < 40; n++) {
    if (step(query, prospects).next === NextStep.AskStatus) asked++;
    query.seen += 20;
  }
  t.equal(asked, 2);
  t.notOk(query.guided);
});
