// A whole servent behind a SOCKS5 proxy: it links, searches and downloads, and nothing goes past the proxy.
import { join } from 'node:path';
import t from 'tap';
import { hashed, startServent, until } from '../../support/running-servent.ts';
import { startSocksServer } from '../../support/socks-server.ts';

t.test('links and downloads go through the proxy, and nobody can connect', async t => {
  const dir = t.testdir({ one: {}, other: { shared: { 'harbour lights.txt': 'a round for two voices' } } });
  const proxy = await startSocksServer(t);
  const other = await startServent(t, join(dir, 'other'));
  await hashed(other.client, 1);
  const one = await startServent(t, join(dir, 'one'), {
    'proxy.socks': `socks5://127.0.0.1:${proxy.port}`,
    'proxy.isolate': true,
    'gnutella.mode': 'leaf',
  });
  await one.client.connect({ address: other.address });
  const [peer] = (await other.client.peers({})).items;
  t.ok(proxy.from.has(Number(peer?.address.split(':')[1])), 'the other sees the proxy');
  const status = await one.client.status();
  t.match(status.reachability, { tcp: { state: 'firewalled' }, udp: { state: 'firewalled' } });
  t.equal((await one.client.dht()).mode, 'off');
  t.equal((await one.client.ready()).status, 'ok');
  const { findings } = await one.client.doctor();
  t.match(findings.find(({ name }) => name === 'proxy')?.detail, /no UDP, no DHT, no port mapping/);

  const search = await one.client.startSearch({ text: 'harbour lights' });
  const result = await until('it is found', async () => {
    const { items } = await one.client.results({ id: search.id });
    return items[0] ?? null;
  });
  const download = await one.client.startDownload({ search: search.id, result: result.id });
  await until('it is fetched', async () =>
    (await one.client.download({ id: download.id })).state === 'completed' ? true : null,
  );
  t.ok(proxy.asked.length >= 2);
  t.ok(
    proxy.asked.every(asked => asked.startsWith('127.0.0.1>')),
    'with a user of each address',
  );

  await t.rejects(one.client.connect({ address: 'servent.example:6346' }), { message: /names are not looked up/ });
});

t.test('a proxy outside the reach of the profile is not connected to', async t => {
  const one = await startServent(t, t.testdir({}), { 'proxy.socks': 'socks5://5.6.7.8:1080' });
  const { attention } = await one.client.status();
  t.match(attention.find(({ name }) => name === 'proxy')?.detail, /not within what profile local reaches/);
  await t.rejects(one.client.connect({ address: '127.0.0.1:6346' }), { message: /nothing is sent/ });
});
