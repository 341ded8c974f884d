import fc from 'fast-check';
import t from 'tap';
import {
  Election,
  LOCAL_ELECTION,
  PUBLIC_ELECTION,
  type Vitals,
} from '../../../../protocol/overlay/neighbours/election.ts';

const hour = 3_600_000;

/** Fit for the public network, and the network short of ultrapeers. */
const strong: Vitals = {
  uptimeMs: 10 * hour,
  averageUptimeMs: 5 * hour,
  tcpReachable: true,
  udpReachable: true,
  uploadBytesPerSecond: 1e6,
  freeMemoryBytes: 4e9,
  cpuShare: 0.1,
  freeDescriptors: 4096,
  leafSlotsSeen: 0,
  refusedShare: 0.8,
  ultrapeers: 1,
  leaves: 0,
};

t.test('a strong servent in a network short of ultrapeers is promoted, and only after a while', async t => {
  const election = new Election(PUBLIC_ELECTION, 'leaf', 0);
  t.equal(election.evaluate(strong, 0).role, 'leaf');
  t.equal(election.evaluate(strong, PUBLIC_ELECTION.promoteAfterMs - 1).role, 'leaf');
  t.equal(election.evaluate(strong, PUBLIC_ELECTION.promoteAfterMs).role, 'ultrapeer');
});

t.test('each weakness alone keeps a servent a leaf, and is named', async t => {
  const weaknesses: [string, Partial<Vitals>][] = [
    ['uptime', { uptimeMs: 1 }],
    ['average_uptime', { averageUptimeMs: 1 }],
    ['tcp_reachable', { tcpReachable: null }],
    ['udp_reachable', { udpReachable: false }],
    ['upload', { uploadBytesPerSecond: null }],
    ['memory', { freeMemoryBytes: 1 }],
    ['cpu', { cpuShare: 0.9 }],
    ['descriptors', { freeDescriptors: 10 }],
    ['need', { ultrapeers: 3, leafSlotsSeen: 50, refusedShare: 0 }],
  ];
  for (const [name, weakness] of weaknesses) {
    const election = new Election(PUBLIC_ELECTION, 'leaf', 0);
    election.evaluate({ ...strong, ...weakness }, 0);
    const report = election.evaluate({ ...strong, ...weakness }, 100 * hour);
    t.equal(report.role, 'leaf', name);
    t.strictSame(
      report.criteria.filter(({ met }) => !met).map(criterion => criterion.name),
      [name],
    );
  }
});

t.test('an ultrapeer survives a short weakness and gives up after a long one', async t => {
  const election = new Election(PUBLIC_ELECTION, 'ultrapeer', 0);
  const weak = { ...strong, leaves: 10, tcpReachable: false };
  t.equal(election.evaluate(weak, 1).role, 'ultrapeer');
  t.equal(election.evaluate({ ...strong, leaves: 10 }, hour).role, 'ultrapeer');
  election.evaluate(weak, 2 * hour);
  t.equal(election.evaluate(weak, 2 * hour + PUBLIC_ELECTION.demoteAfterMs - 1).role, 'ultrapeer');
  t.equal(election.evaluate(weak, 2 * hour + PUBLIC_ELECTION.demoteAfterMs).role, 'leaf');
});

t.test('an ultrapeer that no leaf wants steps down, unless it would be alone', async t => {
  const alone = new Election(LOCAL_ELECTION, 'ultrapeer', 0);
  const idle = { ...strong, refusedShare: 0, leafSlotsSeen: 9 };
  for (let now = 0; now < hour; now += 1000) alone.evaluate({ ...idle, ultrapeers: 0 }, now);
  t.equal(alone.role, 'ultrapeer');
  const spare = new Election(LOCAL_ELECTION, 'ultrapeer', 0);
  for (let now = 0; now < hour; now += 1000) spare.evaluate({ ...idle, ultrapeers: 3 }, now);
  t.equal(spare.role, 'leaf');
  const last = new Election(LOCAL_ELECTION, 'ultrapeer', 0);
  for (let now = 0; now < hour; now += 1000) last.evaluate({ ...idle, ultrapeers: 3, leafSlotsSeen: 0 }, now);
  t.equal(last.role, 'ultrapeer', 'the others are full');
});

t.test('whatever is measured, the role changes ever more rarely', async () => {
  const vitals = fc.record({
    ...Object.fromEntries(Object.entries(strong).map(([key, value]) => [key, fc.constant(value)])),
    leaves: fc.nat(3),
    ultrapeers: fc.nat(4),
    refusedShare: fc.constantFrom(0, 1),
    cpuShare: fc.constantFrom(0, 1),
  }) as unknown as fc.Arbitrary<Vitals>;
  fc.assert(
    fc.property(fc.array(vitals, { maxLength: 300 }), series => {
      const election = new Election(LOCAL_ELECTION, 'leaf', 0);
      const changes: number[] = [];
      series.forEach((measured, i) => {
        const before = election.role;
        if (election.evaluate(measured, i * 1000).role !== before) changes.push(i * 1000);
      });
      return changes.every((at, i) => i === 0 || at - (changes[i - 1] ?? 0) >= LOCAL_ELECTION.switchDelayMs);
    }),
  );
});

t.test('of many that feel the same need one answers first, and the others see it answered', async t => {
  const shares = [0.9, 0.2, 0.7];
  const elections = shares.map(share => new Election(LOCAL_ELECTION, 'leaf', 0, () => share));
  let promoted = 0;
  for (let now = 0; now < 60_000 && promoted === 0; now += 500) {
    for (const election of elections) if (election.evaluate(strong, now).role === 'ultrapeer') promoted++;
  }
  t.equal(promoted, 1);
  t.equal(elections[1]?.role, 'ultrapeer');
  t.ok(elections[1]?.elected);
  const relieved = { ...strong, leafSlotsSeen: 3, refusedShare: 0 };
  for (let now = 60_000; now < 120_000; now += 500) {
    for (const election of elections) election.evaluate({ ...relieved, leaves: 1 }, now);
  }
  t.strictSame(
    elections.map(({ role }) => role),
    ['leaf', 'ultrapeer', 'leaf'],
  );
});

t.test('who follows the guidance of a neighbour is its leaf at once, and is not elected', async t => {
  const election = new Election(LOCAL_ELECTION, 'ultrapeer', 0);
  election.yield(100);
  t.equal(election.role, 'leaf');
  t.notOk(election.elected);
  const content = { ...strong, ultrapeers: 3, refusedShare: 0 };
  for (let now = 100; now < hour; now += 1000) election.evaluate(content, now);
  t.equal(election.role, 'leaf');
});

t.test('a leaf without a full set of ultrapeers waits while one of them has slots to give', async t => {
  const election = new Election(LOCAL_ELECTION, 'leaf', 0);
  for (let now = 0; now < hour; now += 1000) {
    election.evaluate({ ...strong, ultrapeers: 1, leafSlotsSeen: 4, refusedShare: 1 }, now);
  }
  t.equal(election.role, 'leaf');
});
