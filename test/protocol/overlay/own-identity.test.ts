import t from 'tap';
import { type IdentityFacts, OwnIdentity } from '../../../protocol/overlay/own-identity.ts';
import type { ServentSettings } from '../../../protocol/servent-settings.ts';
import { usualSettings } from '../../../sim/servents/usual-settings.ts';

function identity(settings: Partial<ServentSettings>, facts: Partial<IdentityFacts> = {}) {
  return new OwnIdentity({
    serventGuid: Buffer.alloc(16),
    settings: usualSettings(settings),
    machine: { bestUpload: null, dailyUptimeSeconds: 0 },
    liveSince: 'Thu, 01 Jan 1970 00:00:00 +0000',
    uploadsFull: () => false,
    role: () => 'leaf',
    listen: () => ({ host: '127.0.0.1', port: 6346 }),
    ipv6: () => null,
    firewalled: () => false,
    pushProxies: () => [],
    outOfBand: () => null,
    datagrams: () => true,
    links: () => ({ leaves: 0, ultrapeers: 0 }),
    ...facts,
  });
}

t.test('the degree is the number of ultrapeers that may be connected, in either role', async t => {
  t.equal(identity({ maxUltrapeers: 20 }).hello().degree, 20);
  t.equal(identity({ maxUltrapeers: 20 }, { role: () => 'ultrapeer' }).hello().degree, 20);
});

t.test('the speed is the one configured, else the best measured, else none', async t => {
  const measured = { machine: { bestUpload: 250_000, dailyUptimeSeconds: 0 } };
  t.equal(identity({ uploadSpeed: 1_250_000 }, measured).speedKbps, 10_000);
  t.equal(identity({}, measured).speedKbps, 2_000);
  t.equal(identity({}).speedKbps, 0);
});

t.test('free slots are what the settings leave, never less than none', async t => {
  const links = { links: () => ({ leaves: 5, ultrapeers: 9 }) };
  const settings = usualSettings({ maxLeaves: 8, maxUltrapeers: 4 });
  const { leafSlotsFree, ultrapeerSlotsFree } = identity(settings, links);
  t.strictSame([leafSlotsFree, ultrapeerSlotsFree], [3, 0]);
});
