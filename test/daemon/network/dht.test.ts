// Whole daemons in this process as nodes of one DHT, and what they keep of it.
import { join } from 'node:path';
import t from 'tap';
import { startServent, until } from '../../support/running-servent.ts';

t.test('two linked servents find each other in the DHT, and after a restart without a link', async t => {
  const folder = t.testdir({ a: {}, b: {} });
  const a = await startServent(t, join(folder, 'a'));
  const dataDir = join(folder, 'b');
  const b = await startServent(t, dataDir);
  await until('the DHT is on', async () => ((await b.client.dht()).mode === 'active' ? true : null));
  t.match(await b.client.dht(), { state: 'seeking', contacts: { good: 0 }, values: 0, publishing: 0 });
  await b.client.connect({ address: a.address });
  const known = (servent: typeof a) =>
    until('the other is a good node', async () => {
      const view = await servent.client.dht();
      return view.contacts.good === 1 ? view : null;
    });
  await known(a);
  const { kuid, size } = await known(b);
  t.match(kuid, /^[0-9a-f]{40}$/);
  t.ok(size >= 1, `${size} nodes`);
  const own = await a.client.dht();
  const { items, next } = await b.client.dhtContacts({ limit: 1, filter: 'state=good' });
  t.match(items, [{ kuid: own.kuid, address: a.address, vendor: 'SRVT', state: 'good', rtt: Number }]);
  t.ok(Math.abs(Date.now() - Date.parse(items[0]?.seenAt ?? '')) < 60_000, `seen at ${items[0]?.seenAt}`);
  t.equal(next, null);
  const lookedUp = async (wish: Parameters<typeof b.client.startDhtLookup>[0]) => {
    const { id } = await b.client.startDhtLookup(wish);
    return until('the lookup is over', async () => {
      const lookup = await b.client.dhtLookup({ id });
      return lookup.state === 'running' ? null : lookup;
    });
  };
  const node = { kuid: own.kuid, address: a.address };
  t.match(await lookedUp({ kuid: own.kuid }), {
    state: 'found',
    path: [{ ...node, distance: '0'.repeat(40) }],
    asked: 1,
  });
  const urn = 'urn:sha1:PLSTHIPQGSSZTS5FJUPAKUZWUGYQYPFB';
  t.match(await lookedUp({ urn }), { state: 'missing', error: null, path: [node], values: [] });
  await until('a has something stored at b', async () => ((await b.client.dht()).values > 0 ? true : null));
  const { values } = await b.client.dht();
  await b.stop();
  await until('a has heard that it leaves', async () => {
    const { contacts } = await a.client.dht();
    return contacts.good === 0 && contacts.stale === 1 ? true : null;
  });
  const again = await startServent(t, dataDir);
  t.ok((await again.client.dht()).values >= values, 'what it holds for others is there at once');
  t.equal((await known(again)).kuid, kuid);
  t.equal((await again.client.peers()).items.length, 0, 'no link');
});

t.test('the setting turns the DHT off and on while the servent runs', async t => {
  const { client } = await startServent(t, t.testdir());
  const { kuid } = await client.dht();
  await client.changeConfig({ dht: { mode: 'off' } });
  t.match(await client.dht(), { mode: 'off', state: 'off', size: 0, contacts: { good: 0, stale: 0, pending: 0 } });
  const lookup = { guid: '0'.repeat(32) };
  await t.rejects(client.startDhtLookup(lookup), /set dht\.mode/);
  await client.changeConfig({ dht: { mode: 'auto' } });
  t.match(await client.startDhtLookup(lookup), { state: 'failed', error: 'no other node of the DHT is known yet' });
  t.match(await client.dht(), { mode: 'active', state: 'seeking' });
  await client.changeConfig({ dht: { mode: 'passive' } });
  t.match(await client.dht(), { mode: 'passive', state: 'seeking', kuid });
  await client.changeConfig({ dht: { mode: 'active' } });
  t.match(await client.dht(), { mode: 'active', state: 'seeking', kuid });
});
