// Two servents in a network namespace of their own, one of them bound to the interface tun0, which goes and comes back: node interface-process.ts FOLDER
// Prints one line of JSON for each thing to be checked.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { createClient } from '../../api/client.ts';
import { readApiToken } from '../../api/runtime-files.ts';
import { startDaemon } from '../../daemon/daemon.ts';
import { silentLog } from '../../daemon/log.ts';
import { formatEndpoint } from '../../protocol/wire/endpoint.ts';
import { resolveSettings } from '../../settings/resolve.ts';
import type { SettingKey } from '../../settings/settings.ts';
import { until } from './running-servent.ts';

const TUNNEL = '10.77.1.1';
const LAN = '10.77.2.1';
const ip = (words: string) => execFileSync('ip', words.split(' '));

ip('link set lo up');
ip('link add tun0 type veth peer name lan0');
for (const [name, address] of [
  ['tun0', TUNNEL],
  ['lan0', LAN],
] as const) {
  ip(`addr add ${address}/24 dev ${name}`);
  ip(`link set ${name} up`);
}

async function start(name: string, flags: Partial<Record<SettingKey, unknown>>) {
  const dataDir = join(process.argv[2] ?? '', name);
  const resolved = await resolveSettings({
    flags: { profile: 'lan', dataDir, 'gnutella.port': 0, 'api.port': 0, 'gnutella.mode': 'ultrapeer', ...flags },
    env: {},
  });
  const daemon = await startDaemon(resolved, silentLog);
  const client = createClient({ url: daemon.api, token: (await readApiToken(dataDir)) ?? '' });
  return { ...daemon, client };
}

const told: Record<string, unknown> = {};
const bound = await start('bound', { 'gnutella.interface': 'tun0' });
const other = await start('other', { 'gnutella.host': LAN });
const peers = async () => (await other.client.peers({})).items;
const reconnect = () => bound.client.connect({ address: formatEndpoint(other.gnutella) });

told['host'] = bound.gnutella.host;
await reconnect();
told['from'] = (await peers()).map(({ address }) => address.split(':')[0]);

ip(`addr del ${TUNNEL}/24 dev tun0`);
// no word of it can reach the other side: there is no address to send it from
await until('the link is closed', async () => ((await bound.client.peers({})).items.length === 0 ? true : null));
told['attention'] = (await bound.client.status()).attention.map(({ name, detail }) => `${name}: ${detail}`);
told['doctor'] = (await bound.client.doctor()).findings.filter(({ name }) => name === 'interface').length;
told['dial'] = await reconnect().then(
  () => 'connected',
  (error: Error) => error.message,
);
told['ready'] = (await bound.client.ready().catch(() => ({ status: 'unavailable' }))).status;

ip(`addr add ${TUNNEL}/24 dev tun0`);
await until('nothing is in the way', async () =>
  (await bound.client.status()).attention.every(({ name }) => name !== 'interface') ? true : null,
);
await until('it listens again', async () => await reconnect().catch(() => null));
told['again'] = (await bound.client.peers({})).items.length;
await bound.stop();
await other.stop();
process.stdout.write(`${JSON.stringify(told)}\n`);
process.exit(0);
