import t from 'tap';
import type { Role } from '../../../../protocol/handshake/capabilities.ts';
import { NETWORK_RULES, type Profile } from '../../../../protocol/network-rules.ts';
import type { Vitals } from '../../../../protocol/overlay/neighbours/election.ts';
import { OwnRole, type OwnRoleOptions } from '../../../../protocol/overlay/neighbours/own-role.ts';
import type { RoleMode } from '../../../../protocol/servent-settings.ts';

const vitals: Vitals = {
  uptimeMs: 60_000,
  averageUptimeMs: 60_000,
  tcpReachable: null,
  udpReachable: null,
  uploadBytesPerSecond: null,
  freeMemoryBytes: 4e9,
  cpuShare: 0.1,
  freeDescriptors: 4096,
  leafSlotsSeen: 0,
  refusedShare: 0,
  ultrapeers: 0,
  leaves: 0,
};

function ownRole(mode: RoleMode, profile: Profile, changes: Partial<OwnRoleOptions> = {}) {
  const told: Role[] = [];
  const role = new OwnRole({
    rules: NETWORK_RULES[profile],
    mode,
    leavesMax: 10,
    seeks: true,
    random: { below: () => 0 },
    now: 0,
    onChange: changed => told.push(changed),
    ...changes,
  });
  return { role, told };
}

t.test('the role before the first election', async t => {
  const begins = (mode: RoleMode, profile: Profile, seeks: boolean) => {
    const { role } = ownRole(mode, profile, { seeks });
    return [role.role, role.active, role.mayBecomeLeaf];
  };
  t.strictSame(begins('leaf', 'public', true), ['leaf', false, false]);
  t.strictSame(begins('ultrapeer', 'public', true), ['ultrapeer', false, false]);
  t.strictSame(begins('auto', 'public', true), ['leaf', true, true], 'others are there already');
  t.strictSame(begins('auto', 'local', true), ['ultrapeer', true, true], 'one must be the first to take leaves');
  t.strictSame(begins('auto', 'local', false), ['ultrapeer', false, false], 'its place is given by hand');
});

t.test('the guidance of a neighbour is followed once, and told', async t => {
  const { role, told } = ownRole('auto', 'local');
  role.yield(1);
  role.yield(2);
  t.equal(role.role, 'leaf');
  t.strictSame(told, ['leaf']);
});

t.test('elections are held at their times, and a leaf that is needed becomes an ultrapeer', async t => {
  const { role, told } = ownRole('auto', 'local');
  role.yield(0);
  const { electionMs, election } = NETWORK_RULES.local;
  let held = 0;
  const now = () => vitals;
  for (let ms = 0; ms <= 60_000 && role.role === 'leaf'; ms += 100) {
    const next = role.tick(ms, 0, () => {
      held++;
      return now();
    });
    t.ok(next > ms && next <= ms + electionMs);
  }
  t.strictSame(told, ['leaf', 'ultrapeer']);
  t.ok(held <= (election.promoteAfterMs + election.switchDelayMaxMs) / electionMs, `${held} elections`);
  t.equal(ownRole('leaf', 'public').role.tick(0, 0, now), Number.POSITIVE_INFINITY, 'none where the settings decide');
});

t.test('a leaf with enough ultrapeers holds no election until it loses one', async t => {
  const { role } = ownRole('auto', 'public');
  const { electionMs, election } = NETWORK_RULES.public;
  let held = 0;
  const tick = (now: number, ultrapeers: number) =>
    role.tick(now, ultrapeers, () => {
      held++;
      return { ...vitals, ultrapeers };
    });
  const enough = election.ultrapeersWanted;
  t.equal(tick(0, 0), electionMs);
  t.equal(tick(electionMs, enough), Number.POSITIVE_INFINITY, 'the one that finds so is held');
  t.equal(tick(10 * electionMs + 1, enough), Number.POSITIVE_INFINITY);
  t.equal(held, 1);
  t.equal(tick(10 * electionMs + 2, enough - 1), 11 * electionMs, 'at its usual time');
  t.equal(tick(11 * electionMs, enough - 1), 12 * electionMs);
  t.equal(held, 2);
});

t.test('the report says why, elections or not', async t => {
  const { role } = ownRole('leaf', 'public');
  const report = role.report(vitals, 0);
  t.match(report, { mode: 'leaf', active: false, role: 'leaf', fit: false, needed: true, heldForMs: 0 });
  const unmet = report.criteria.filter(({ met }) => !met).map(({ name }) => name);
  t.strictSame(unmet, ['uptime', 'average_uptime', 'tcp_reachable', 'udp_reachable', 'upload']);
  t.match(report.criteria[0], { name: 'uptime', value: 60, wanted: 3600 });
  t.match(
    report.criteria.find(({ name }) => name === 'memory'),
    { wanted: 10 * 64 * 1024, met: true },
  );
});

t.test(
  'who is held is a leaf, with elections or without, and has the former role or elections again afterwards',
  async t => {
    const fixed = ownRole('ultrapeer', 'public');
    fixed.role.hold(true, 'the monthly budget is used up', 0);
    fixed.role.hold(true, 'the monthly budget is used up', 1);
    t.equal(fixed.role.role, 'leaf');
    fixed.role.hold(false, 'there is a budget again', 2);
    t.strictSame(fixed.told, ['leaf', 'ultrapeer']);
    const elected = ownRole('auto', 'local');
    elected.role.hold(true, 'the monthly budget is used up', 0);
    t.equal(
      elected.role.tick(100_000, 0, () => vitals),
      Number.POSITIVE_INFINITY,
    );
    t.equal(elected.role.role, 'leaf');
    elected.role.hold(false, 'there is a budget again', 200_000);
    t.ok(elected.role.tick(200_000, 0, () => vitals) < 300_000);
  },
);
