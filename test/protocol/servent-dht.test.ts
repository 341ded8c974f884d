// Servents on a virtual network that are nodes of one DHT, which they hear of through their neighbours.
import t from 'tap';
import { dhtContactsIn, dhtModeIn } from '../../protocol/dht/dht-items.ts';
import { ValueType } from '../../protocol/dht/dht-value.ts';
import { randomKuid, serventKey } from '../../protocol/dht/kuid.ts';
import { encodeNope } from '../../protocol/dht/nope.ts';
import { formatEndpoint } from '../../protocol/wire/endpoint.ts';
import { parseCapabilityList } from '../../protocol/wire/vendor/supported.ts';
import { parseVendorMessage, VendorId, vendorId } from '../../protocol/wire/vendor-message.ts';
import type { VirtualHost } from '../../sim/servents/virtual-host.ts';
import { chain, dhtOf } from '../support/dht-chain.ts';

t.test('twelve servents in a chain form one DHT: each finds what another has published', async t => {
  const internet = chain(12);
  const { hosts, clock } = internet;
  const ready = () => hosts.every(host => dhtOf(host).state === 'ready');
  t.ok(internet.run(60_000, ready), 'all have joined');
  internet.run(60_000);
  for (const [n, host] of hosts.entries()) t.equal(dhtOf(host).mode, 'active', `host ${n}`);
  const keys = hosts.map(() => randomKuid(internet.random));
  for (const [n, host] of hosts.entries()) {
    const data = Buffer.from(`value of ${n}`);
    dhtOf(host).node.publish({ key: keys[n] as Buffer, type: ValueType.AltLocation, version: 0, data }, clock.ms);
    host.stirred();
  }
  internet.run(30_000);
  const found: string[] = [];
  for (const [n, host] of hosts.entries()) {
    const key = keys[(n + 5) % hosts.length] as Buffer;
    dhtOf(host).node.findValue(key, ValueType.AltLocation, clock.ms, ({ values }) => {
      found.push(`${n}: ${values.map(({ data }) => data.toString()).join()}`);
    });
    host.stirred();
  }
  internet.run(30_000);
  t.strictSame(found.toSorted(), hosts.map((_, n) => `${n}: value of ${(n + 5) % hosts.length}`).toSorted());
});

t.test('two DHTs become one when their servents are linked', async t => {
  const internet = chain(12, [6]);
  const { hosts } = internet;
  const ready = () => hosts.every(host => dhtOf(host).state === 'ready');
  t.ok(internet.run(60_000, ready), 'all have joined');
  internet.run(60_000);
  const nodes = (host: VirtualHost) => dhtOf(host).node.parts?.table.goodNodes ?? 0;
  t.ok(
    hosts.every(host => nodes(host) <= 5),
    'two of them',
  );
  hosts[5]?.join(hosts[6] as VirtualHost);
  t.ok(
    internet.run(300_000, () => hosts.every(host => nodes(host) === 11)),
    hosts.map(nodes).join(),
  );
});

t.test('a firewalled servent is passive: it finds values, and no node takes it up', async t => {
  const internet = chain(6);
  const { clock } = internet;
  const firewalled = internet.add({
    dht: { kuid: randomKuid(internet.random), contacts: [] },
    firewalled: true,
    settings: { dht: 'auto', mode: 'leaf', reachable: 'no', seek: 0 },
  });
  const [first] = internet.hosts;
  if (first === undefined) throw new Error('no host');
  firewalled.join(first);
  internet.run(120_000);
  t.equal(dhtOf(firewalled).mode, 'passive');
  t.equal(dhtOf(firewalled).state, 'ready');
  const { node } = dhtOf(first);
  t.equal(node.parts?.table.find(dhtOf(firewalled).node.kuid), null);
  const key = randomKuid(internet.random);
  node.publish({ key, type: ValueType.AltLocation, version: 0, data: Buffer.from('here') }, clock.ms);
  first.stirred();
  internet.run(30_000);
  let found = '';
  dhtOf(firewalled).node.findValue(key, ValueType.AltLocation, clock.ms, ({ values }) => {
    found = values.map(({ data }) => data.toString()).join();
  });
  firewalled.stirred();
  internet.run(30_000);
  t.equal(found, 'here');
});

t.test(
  'nodes of the last run are enough to join without a link, and a servent names nodes to one that asks',
  async t => {
    const internet = chain(6);
    internet.run(60_000);
    const [first] = internet.hosts;
    if (first === undefined) throw new Error('no host');
    const late = internet.add({
      dht: { kuid: randomKuid(internet.random), contacts: [first.endpoint] },
      settings: { dht: 'auto', reachable: 'yes', seek: 0 },
    });
    const asking = internet.add({ settings: { seek: 0 } });
    t.ok(internet.run(60_000, () => dhtOf(late).state === 'ready'));
    t.ok(internet.run(60_000, () => dhtOf(late).contacts(20).length === 6));
    const told: unknown[] = [];
    const wish = { hosts: null, address: false, nodes: true };
    asking.servent.datagrams.ask(
      late.endpoint,
      wish,
      answer => told.push(dhtModeIn(answer?.pong.ggep ?? []), dhtContactsIn(answer?.pong.ggep ?? []).length),
      internet.clock.ms,
    );
    internet.run(5_000);
    t.strictSame(told, ['active', 6]);
  },
);

t.test(
  'datagrams of the DHT: refused and counted while it is off; the setting turns a node off while it runs',
  async t => {
    const internet = chain(2);
    const off = internet.add({ settings: { seek: 0 } });
    const [first, second] = internet.hosts;
    if (first === undefined || second === undefined) throw new Error('no host');
    internet.run(10_000);
    dhtOf(first).onNodes([off.endpoint], internet.clock.ms);
    first.stirred();
    internet.run(10_000);
    t.ok(off.servent.datagrams.dht.datagrams > 0);
    t.equal(off.servent.datagrams.ends.of('not_spoken'), off.servent.datagrams.dht.datagrams);
    t.ok(first.servent.datagrams.ends.of('taken') > 0);
    t.equal(first.servent.datagrams.dht.datagrams, 0);
    first.settings.dht = 'off';
    first.stirred();
    internet.run(20_000);
    t.equal(dhtOf(first).state, 'off');
    t.strictSame(dhtOf(first).contacts(20), []);
  },
);

t.test('neighbours are told of the mode, and of another one', async t => {
  const internet = chain(2);
  const [first, second] = internet.hosts;
  if (first === undefined || second === undefined) throw new Error('no host');
  const listed: string[] = [];
  const { vendor } = second.servent;
  const onMessage = vendor.onMessage.bind(vendor);
  vendor.onMessage = (link, frame, now) => {
    const message = parseVendorMessage(frame.payload());
    if (vendorId(message) === VendorId.Capabilities)
      listed.push([...parseCapabilityList(message).keys()].filter(name => name.endsWith('DHT')).join());
    onMessage(link, frame, now);
  };
  internet.run(10_000);
  first.settings.dht = 'off';
  first.stirred();
  internet.run(100_000);
  t.strictSame(listed, ['', 'ADHT', '']);
});

t.test('a pong on a link says that its servent is a node, and that one is pinged', async t => {
  const internet = chain(3);
  const [first, , third] = internet.hosts;
  if (first === undefined || third === undefined) throw new Error('no host');
  const told = new Set<string>();
  const { servent } = first;
  const onHosts = servent.onHosts.bind(servent);
  servent.onHosts = (hosts, link, now) => {
    for (const { endpoint, dht } of hosts) if (dht === true) told.add(formatEndpoint(endpoint));
    onHosts(hosts, link, now);
  };
  internet.run(60_000);
  t.ok(told.has(formatEndpoint(third.endpoint)), 'of a servent two links away');
  const lone = chain(1).hosts[0];
  if (lone === undefined) throw new Error('no host');
  lone.servent.tick(0);
  const host = { endpoint: third.endpoint, source: 'pong' as const, ultrapeer: true, dailyUptimeSeconds: null };
  dhtOf(lone).onHosts([host], 0);
  t.equal(dhtOf(lone).node.parts?.seeds.size, 0);
  dhtOf(lone).onHosts([{ ...host, dht: true }], 0);
  t.equal(dhtOf(lone).node.parts?.seeds.size, 1);
});

t.test(
  'push proxies of a servent are found by its GUID; none while the DHT is not ready, and when it is turned off',
  async t => {
    const internet = chain(6);
    const { clock } = internet;
    const [first, , , , , last] = internet.hosts;
    if (first === undefined || last === undefined) throw new Error('no host');
    const serventGuid = internet.random.guid();
    const told: string[] = [];
    const find = (): void => {
      dhtOf(first).findProxies(serventGuid, clock.ms, proxies =>
        told.push(proxies.map(({ endpoint }) => formatEndpoint(endpoint)).join()),
      );
      first.stirred();
    };
    find();
    t.strictSame(told.splice(0), [''], 'not ready');
    internet.run(120_000);
    const data = encodeNope({ serventGuid, port: last.endpoint.port, tls: false });
    const key = serventKey(serventGuid);
    dhtOf(last).node.publish({ key, type: ValueType.PushProxy, version: 0, data }, clock.ms);
    last.stirred();
    internet.run(10_000);
    find();
    internet.run(10_000);
    t.strictSame(told.splice(0), [formatEndpoint(last.endpoint)]);
    internet.run(60_000);
    find();
    dhtOf(first).leave();
    t.strictSame(told, [''], 'it has left');
    t.equal(dhtOf(first).searches.size, 0);
  },
);

t.test('a servent whose neighbours are few nodes is ready within seconds', async t => {
  const internet = chain(4);
  t.ok(internet.run(15_000, () => internet.hosts.every(host => dhtOf(host).state === 'ready')));
});

t.test('values are held over a change of the mode, and those of an earlier run are known at the start', async t => {
  const internet = chain(3);
  const { clock } = internet;
  const [first, second] = internet.hosts;
  if (first === undefined || second === undefined) throw new Error('no host');
  internet.run(60_000);
  const key = randomKuid(internet.random);
  dhtOf(first).node.publish({ key, type: ValueType.AltLocation, version: 0, data: Buffer.from('here') }, clock.ms);
  first.stirred();
  internet.run(10_000);
  const holds = (host: VirtualHost) => dhtOf(host).node.parts?.values.has(key);
  t.equal(holds(second), true);
  const held = [...(dhtOf(second).node.parts?.values.held() ?? [])];
  for (const mode of ['passive', 'off', 'active'] as const) {
    second.settings.dht = mode;
    second.stirred();
    internet.run(11_000);
    t.equal(dhtOf(second).mode, mode);
    t.equal(holds(second) ?? false, mode === 'active', mode);
  }
  const values = held.map(value => ({ ...value, expiresAt: value.expiresAt - clock.ms }));
  const fresh = internet.add({
    dht: { kuid: randomKuid(internet.random), contacts: [], values },
    settings: { dht: 'auto', reachable: 'yes', seek: 0 },
  });
  internet.run(1_000);
  t.equal(holds(fresh), true);
  const [kept] = dhtOf(fresh).node.parts?.values.replicasOf(key, clock.ms) ?? [];
  t.equal(
    Math.round((kept?.expiresAt ?? 0) / 2_000),
    Math.round((held.find(v => v.key.equals(key))?.expiresAt ?? 0) / 2_000),
  );
});
