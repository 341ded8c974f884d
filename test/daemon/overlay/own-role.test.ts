import t from 'tap';
import { silentLog } from '../../../daemon/log.ts';
import { OwnRole, type OwnRoleOptions } from '../../../daemon/overlay/own-role.ts';
import { resolveSettings } from '../../../daemon/settings/resolve.ts';
import type { SettingKey } from '../../../daemon/settings.ts';
import type { Role } from '../../../protocol/handshake/capabilities.ts';
import type { Vitals } from '../../../protocol/overlay/election.ts';
import { VirtualClock } from '../../support/virtual-network.ts';

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

async function ownRole(flags: Partial<Record<SettingKey, unknown>>, changes: Partial<OwnRoleOptions> = {}) {
  const { settings } = await resolveSettings({ flags, env: {} });
  const told: Role[] = [];
  const role = new OwnRole({
    settings,
    seeks: true,
    clock: new VirtualClock(),
    random: { below: () => 0 },
    log: silentLog,
    vitals: () => vitals,
    onChange: changed => told.push(changed),
    ...changes,
  });
  return { role, told };
}

t.test('who begins as what', async t => {
  const begins = async (mode: string, profile: string, seeks: boolean) => {
    const { role } = await ownRole({ 'gnutella.mode': mode, profile }, { seeks });
    return [role.role, role.active, role.mayBecomeLeaf];
  };
  t.strictSame(await begins('leaf', 'public', true), ['leaf', false, false]);
  t.strictSame(await begins('ultrapeer', 'public', true), ['ultrapeer', false, false]);
  t.strictSame(await begins('auto', 'public', true), ['leaf', true, true], 'others are there already');
  t.strictSame(await begins('auto', 'local', true), ['ultrapeer', true, true], 'somebody must begin');
  t.strictSame(await begins('auto', 'local', false), ['ultrapeer', false, false], 'its place is given by hand');
});

t.test('the guidance of a neighbour is followed once, and told', async t => {
  const { role, told } = await ownRole({ profile: 'local' });
  role.yield();
  role.yield();
  t.equal(role.role, 'leaf');
  t.strictSame(told, ['leaf']);
});

t.test('the report says why, elections or not', async t => {
  const { role } = await ownRole({ profile: 'public', 'gnutella.mode': 'leaf', 'gnutella.maxLeaves': 10 });
  const report = role.report();
  t.match(report, { mode: 'leaf', active: false, role: 'leaf', fit: false, needed: true, heldForMs: 0 });
  const unmet = report.criteria.filter(({ met }) => !met).map(({ name }) => name);
  t.strictSame(unmet, ['uptime', 'average_uptime', 'tcp_reachable', 'udp_reachable', 'upload']);
  t.match(report.criteria[0], { name: 'uptime', value: 60, wanted: 3600 });
  t.match(
    report.criteria.find(({ name }) => name === 'memory'),
    { wanted: 10 * 64 * 1024, met: true },
  );
});
