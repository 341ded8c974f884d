// Whole daemons in this process: what goes by UDP and by push between them.
import { createSocket } from 'node:dgram';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Client, createClient } from '../../../api/client.ts';
import { type RunningDaemon, startDaemon } from '../../../daemon/daemon.ts';
import { silentLog } from '../../../daemon/log.ts';
import { readApiToken } from '../../../daemon/runtime-files.ts';
import { resolveSettings } from '../../../daemon/settings/resolve.ts';
import type { SettingKey } from '../../../daemon/settings.ts';
import { Type } from '../../../protocol/constants.ts';
import { formatEndpoint } from '../../../protocol/wire/endpoint.ts';
import { encodeDescriptor } from '../../../protocol/wire/header.ts';
import { encodePing } from '../../../protocol/wire/ping.ts';
import { parsePong } from '../../../protocol/wire/pong.ts';
import { random } from '../../support/descriptors.ts';

interface Servent extends RunningDaemon {
  client: Client;
}

async function start(t: Test, dataDir: string, flags: Partial<Record<SettingKey, unknown>> = {}): Promise<Servent> {
  const resolved = await resolveSettings({
    flags: { profile: 'local', dataDir, 'gnutella.port': 0, 'api.port': 0, 'gnutella.mode': 'ultrapeer', ...flags },
    env: {},
  });
  const daemon = await startDaemon(resolved, silentLog);
  t.teardown(() => daemon.stop());
  const token = (await readApiToken(dataDir)) ?? '';
  return { ...daemon, client: createClient({ url: daemon.api, token }) };
}

async function until<T>(ask: () => Promise<T | null>): Promise<T> {
  for (let tries = 0; tries < 400; tries++) {
    const found = await ask();
    if (found !== null) return found;
    await new Promise(resolve => setTimeout(resolve, 25));
  }
  throw new Error('not in time');
}

const hashed = (client: Client, files: number) =>
  until(async () => ((await client.status()).library.files === files ? true : null));

async function find(seeker: Servent, text: string) {
  const search = await seeker.client.startSearch({ text });
  const result = await until(async () => (await seeker.client.results({ id: search.id })).items[0] ?? null);
  return { search, result };
}

async function fetched(seeker: Servent, search: string, result: string): Promise<string> {
  const { id } = await seeker.client.startDownload({ search, result });
  const download = await until(async () => {
    const now = await seeker.client.download({ id });
    return now.state === 'completed' ? now : null;
  });
  return readFile(download.path ?? '', 'utf8');
}

t.test('UDP answers on the port that TCP got', async t => {
  const servent = await start(t, t.testdir());
  const socket = createSocket('udp4');
  t.teardown(() => socket.close());
  const answer = new Promise<Buffer>(resolve => socket.once('message', resolve));
  const ping = encodeDescriptor(random.guid(), Type.Ping, 1, 0, encodePing({ supportsCachedPongs: 1, ggep: [] }));
  socket.send(ping, servent.gnutella.port, '127.0.0.1');
  const pong = await answer;
  t.ok(pong.subarray(0, 16).equals(ping.subarray(0, 16)));
  t.match(parsePong(pong.subarray(23)), { endpoint: servent.gnutella, ultrapeer: true, udpHostCache: '' });
});

t.test('a file of a firewalled servent two hops away is pushed', async t => {
  const ours = t.testdir({ a: {}, b: {}, c: { shared: { 'harbour lights.txt': 'a round for two voices' } } });
  const [seeker, hub] = await Promise.all([start(t, join(ours, 'a')), start(t, join(ours, 'b'))]);
  const walled = await start(t, join(ours, 'c'), { 'gnutella.reachable': 'no' });
  await hashed(walled.client, 1);
  await seeker.client.connect({ address: formatEndpoint(hub.gnutella) });
  await walled.client.connect({ address: formatEndpoint(hub.gnutella) });
  const { search, result } = await find(seeker, 'harbour lights');
  t.match(result.sources, [{ push: true }]);
  t.equal(await fetched(seeker, search.id, result.id), 'a round for two voices');
});

t.test('with out-of-band searching hits come by UDP past the neighbour between', async t => {
  const ours = t.testdir({ a: {}, b: {}, c: { shared: { 'harbour lights.txt': 'a round for two voices' } } });
  const seeker = await start(t, join(ours, 'a'), { 'gnutella.outOfBand': true });
  const [hub, sharer] = await Promise.all([start(t, join(ours, 'b')), start(t, join(ours, 'c'))]);
  await hashed(sharer.client, 1);
  await seeker.client.connect({ address: formatEndpoint(hub.gnutella) });
  await sharer.client.connect({ address: formatEndpoint(hub.gnutella) });
  const { search, result } = await find(seeker, 'harbour lights');
  t.match(result.sources, [{ hops: null, push: false }], 'by no link');
  t.equal(await fetched(seeker, search.id, result.id), 'a round for two voices');
});
