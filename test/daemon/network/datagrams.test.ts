// Whole daemons in this process: what goes by UDP and by push between them.
import { createSocket } from 'node:dgram';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { Type } from '../../../protocol/constants.ts';
import { encodeDescriptor } from '../../../protocol/wire/header.ts';
import { encodePing } from '../../../protocol/wire/ping.ts';
import { parsePong } from '../../../protocol/wire/pong.ts';
import { random } from '../../support/descriptors.ts';
import { hashed, type RunningServent, startServent, until } from '../../support/running-servent.ts';

async function find(seeker: RunningServent, text: string) {
  const search = await seeker.client.startSearch({ text });
  const result = await until(
    'a result came',
    async () => (await seeker.client.results({ id: search.id })).items[0] ?? null,
  );
  return { search, result };
}

async function fetched(seeker: RunningServent, search: string, result: string): Promise<string> {
  const { id } = await seeker.client.startDownload({ search, result });
  const download = await until('the download is complete', async () => {
    const now = await seeker.client.download({ id });
    return now.state === 'completed' ? now : null;
  });
  return readFile(download.path ?? '', 'utf8');
}

t.test('UDP answers on the port that TCP got', async t => {
  const servent = await startServent(t, t.testdir());
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
  const [seeker, hub] = await Promise.all([startServent(t, join(ours, 'a')), startServent(t, join(ours, 'b'))]);
  const walled = await startServent(t, join(ours, 'c'), { 'gnutella.reachable': 'no' });
  await hashed(walled.client, 1);
  await seeker.client.connect({ address: hub.address });
  await walled.client.connect({ address: hub.address });
  const { search, result } = await find(seeker, 'harbour lights');
  t.match(result.sources, [{ push: true }]);
  t.equal(await fetched(seeker, search.id, result.id), 'a round for two voices');
});

t.test('with out-of-band searching hits come by UDP past the neighbour between', async t => {
  const ours = t.testdir({ a: {}, b: {}, c: { shared: { 'harbour lights.txt': 'a round for two voices' } } });
  const seeker = await startServent(t, join(ours, 'a'), { 'gnutella.outOfBand': true });
  const [hub, sharer] = await Promise.all([startServent(t, join(ours, 'b')), startServent(t, join(ours, 'c'))]);
  await hashed(sharer.client, 1);
  await seeker.client.connect({ address: hub.address });
  await sharer.client.connect({ address: hub.address });
  const { search, result } = await find(seeker, 'harbour lights');
  t.match(result.sources, [{ hops: null, push: false }], 'by no link');
  t.equal(await fetched(seeker, search.id, result.id), 'a round for two voices');
});
