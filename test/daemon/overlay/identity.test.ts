import t from 'tap';
import { type IdentityFacts, ServentIdentity } from '../../../daemon/overlay/identity.ts';
import { resolveSettings } from '../../../daemon/settings/resolve.ts';
import type { SettingKey } from '../../../daemon/settings.ts';

async function identity(flags: Partial<Record<SettingKey, unknown>>, facts: Partial<IdentityFacts> = {}) {
  const { settings } = await resolveSettings({ flags, env: {} });
  return new ServentIdentity({
    serventGuid: Buffer.alloc(16),
    settings,
    startedAt: new Date(0),
    role: () => 'leaf',
    listen: () => ({ host: '127.0.0.1', port: 6346 }),
    ipv6: () => null,
    uploadsFull: () => false,
    bestUpload: () => null,
    dailyUptimeSeconds: () => 0,
    firewalled: () => false,
    pushProxies: () => [],
    outOfBand: () => null,
    datagrams: () => true,
    free: () => ({ leafSlots: 0, ultrapeerSlots: 0 }),
    ...facts,
  });
}

t.test('the degree is the number of ultrapeers that may be connected, in either role', async t => {
  const flags = { 'gnutella.maxUltrapeers': 20 };
  t.equal((await identity(flags)).hello().degree, 20);
  t.equal((await identity(flags, { role: () => 'ultrapeer' })).hello().degree, 20);
});

t.test('the speed is the one configured, else the best measured, else none', async t => {
  const measured = { bestUpload: () => 250_000 };
  t.equal((await identity({ 'uploads.speed': 1_250_000 }, measured)).speedKbps, 10_000);
  t.equal((await identity({}, measured)).speedKbps, 2_000);
  t.equal((await identity({})).speedKbps, 0);
});
