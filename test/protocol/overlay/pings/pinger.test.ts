import t from 'tap';
import { Type } from '../../../../protocol/constants.ts';
import { Drop } from '../../../../protocol/overlay/links/drops.ts';
import { formatEndpoint } from '../../../../protocol/wire/endpoint.ts';
import { encodeDescriptor } from '../../../../protocol/wire/header.ts';
import { encodePong, PLAIN_PONG, type Pong, parsePong } from '../../../../protocol/wire/pong.ts';
import { type Puppet, SeededRandom, type SeenFrame, VirtualNetwork } from '../../../support/virtual-network.ts';

const random = new SeededRandom(11);
const ping = (ttl: number, hops = 0, guid = random.guid()): Buffer =>
  encodeDescriptor(guid, Type.Ping, ttl, hops, Buffer.alloc(0));

function pong(host: string, changes: Partial<Pong> = {}): Buffer {
  return encodePong({
    ...PLAIN_PONG,
    endpoint: { host, port: 6346 },
    files: 1,
    kibibytes: 8,
    ultrapeer: true,
    ...changes,
  });
}

/** Answers the ping that greeted it. */
function answer(peer: Puppet, payload: Buffer, hops = 0): void {
  const [asked] = peer.ofType(Type.Ping);
  peer.send(encodeDescriptor(asked?.guid ?? random.guid(), Type.Pong, 1, hops, payload));
}

function addressesOf(frames: SeenFrame[]): string[] {
  return frames.map(({ payload }) => formatEndpoint(parsePong(payload).endpoint)).sort();
}

t.test('an alive ping is answered at once with what we are, before anything else in the queue', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a');
  servent.library.share('one', 'two');
  const peer = network.puppet(servent);
  network.settle();
  peer.seen = [];
  servent.search({ text: 'words' });
  const sent = ping(1);
  peer.send(sent);
  network.settle();
  t.strictSame(
    peer.seen.map(({ type }) => type),
    [Type.Pong, Type.Query],
  );
  const [own] = peer.ofType(Type.Pong);
  t.ok(own?.guid.equals(sent.subarray(0, 16)));
  t.strictSame([own?.ttl, own?.hops], [1, 0]);
  const said = parsePong(own?.payload ?? Buffer.alloc(0));
  t.match(said, { endpoint: servent.endpoint, files: 2, ultrapeer: true, vendor: 'TEST', dailyUptimeS: 3600 });
  t.strictSame(said.slots, { leaf: 5, ultrapeer: 5 });
});

t.test('a servent of 0.4 gets a pong without extensions', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a');
  const peer = network.puppet(servent, 'legacy', { ggep: false });
  peer.send(ping(1));
  network.settle();
  t.equal(peer.ofType(Type.Pong)[0]?.payload.length, 14);
});

t.test('pings are never passed on', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a');
  const [from, other] = [network.puppet(servent), network.puppet(servent)];
  network.settle();
  other.seen = [];
  from.send(ping(7), ping(2, 3), ping(1, 4));
  network.settle();
  t.equal(other.ofType(Type.Ping).length, 0);
});

t.test('a ping is answered from what others have said, never with what the asker itself brought', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a');
  const [from, other] = [network.puppet(servent), network.puppet(servent)];
  network.settle();
  answer(from, pong('80.1.1.1'));
  answer(other, pong('80.2.2.2'));
  answer(other, pong('80.3.3.3'), 2);
  const sent = ping(4);
  from.send(sent);
  network.settle();
  const pongs = from.ofType(Type.Pong);
  t.strictSame(addressesOf(pongs), [formatEndpoint(servent.endpoint), '80.2.2.2:6346', '80.3.3.3:6346']);
  t.ok(pongs.every(({ guid, ttl }) => guid.equals(sent.subarray(0, 16)) && ttl === 1));
  t.strictSame(pongs.map(({ hops }) => hops).sort(), [0, 1, 3]);
});

t.test('a link that pings too often is not answered and not punished', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a');
  const peer = network.puppet(servent);
  for (let i = 0; i < 30; i++) peer.send(ping(4));
  network.settle();
  t.equal(peer.ofType(Type.Pong).length, 2);
  t.equal(peer.link.drops?.of(Drop.PingTooSoon), 28);
  network.clock.ms += 3_000;
  peer.send(ping(4));
  network.settle();
  t.equal(peer.ofType(Type.Pong).length, 3);
  t.equal(servent.overlay.links.size, 1);
});

t.test('without free slots only the first ping of a link gets our own pong', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a');
  servent.leafSlotsFree = 0;
  servent.ultrapeerSlotsFree = 0;
  const peer = network.puppet(servent);
  peer.send(ping(4), ping(4));
  network.settle();
  t.equal(peer.ofType(Type.Pong).length, 1);
});

t.test('a crawler is told our neighbours, not ourselves', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a');
  const crawler = network.puppet(servent);
  network.puppet(servent, 'ultrapeer', { listen: { host: '80.1.1.1', port: 1111 } });
  network.puppet(servent, 'ultrapeer', { listen: null });
  network.puppet(servent, 'leaf', { listen: { host: '80.2.2.2', port: 2222 } });
  crawler.send(ping(2));
  network.settle();
  const pongs = crawler.ofType(Type.Pong);
  t.strictSame(addressesOf(pongs), ['80.1.1.1:1111']);
  t.strictSame([pongs[0]?.ttl, pongs[0]?.hops, pongs[0]?.payload.length], [1, 1, 14]);
});

t.test('a leaf answers for itself alone', async t => {
  const network = new VirtualNetwork();
  const leaf = network.add('leaf', { role: 'leaf' });
  const [from, other] = [network.puppet(leaf), network.puppet(leaf)];
  network.settle();
  answer(other, pong('80.2.2.2'));
  from.send(ping(4));
  network.settle();
  t.strictSame(addressesOf(from.ofType(Type.Pong)), [formatEndpoint(leaf.endpoint)]);
});

t.test('so it does when an ultrapeer pings as crawlers do', async t => {
  const network = new VirtualNetwork();
  const leaf = network.add('leaf', { role: 'leaf' });
  const from = network.puppet(leaf);
  network.puppet(leaf, 'ultrapeer', { listen: { host: '80.1.1.1', port: 1111 } });
  network.settle();
  from.send(ping(2));
  network.settle();
  const pongs = from.ofType(Type.Pong);
  t.strictSame(addressesOf(pongs), [formatEndpoint(leaf.endpoint)]);
  t.strictSame([pongs[0]?.ttl, pongs[0]?.hops], [1, 0]);
});

t.test('hosts heard of are told on, with those packed into the pong; unusable ones are not', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a', { limits: { reaches: ['public'] } });
  const peer = network.puppet(servent);
  network.settle();
  answer(peer, pong('80.1.1.1', { hosts: [{ host: '80.2.2.2', port: 22 }], dailyUptimeS: 99 }));
  t.strictSame(servent.hosts, [
    {
      endpoint: { host: '80.1.1.1', port: 6346 },
      source: 'pong',
      ultrapeer: true,
      dailyUptimeSeconds: 99,
      leafSlotsFree: null,
    },
    { endpoint: { host: '80.2.2.2', port: 22 }, source: 'pong', ultrapeer: null, dailyUptimeSeconds: null },
  ]);
  for (const host of ['10.1.1.1', '127.0.0.1', '0.0.0.0', '224.1.1.1']) answer(peer, pong(host));
  answer(
    peer,
    encodePong({ ...PLAIN_PONG, endpoint: { host: '80.1.1.1', port: 0 }, files: 0, kibibytes: 0, ultrapeer: false }),
  );
  t.equal(peer.link.drops?.of(Drop.PongUnusable), 5);
  t.equal(servent.hosts.length, 2);
  t.equal(servent.overlay.pongs.size, 1);
});

t.test('our own address that comes back in a pong is no host', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a');
  const peer = network.puppet(servent);
  answer(peer, pong(servent.endpoint.host));
  t.equal(servent.hosts.length, 0);
  t.strictSame(peer.link.drops?.toRecord(), { pong_own: 1 });
  t.equal(peer.link.drops?.lost, 0, 'nothing that the link could be judged by');
});

t.test(
  'a neighbour that tells others of us sends us our own pong for ever: no fault of its, and none of ours',
  async t => {
    const network = new VirtualNetwork();
    const [a, b, c] = [network.add('a'), network.add('b'), network.add('c')];
    for (const [from, to] of [
      [a, b],
      [b, c],
      [c, a],
    ] as const) {
      network.connect(from, to);
    }
    network.pass(600_000);
    for (const { overlay, hosts } of [a, b, c]) {
      t.equal(overlay.drops.of(Drop.PongUnusable), 0);
      t.equal(overlay.drops.of(Drop.PongOwn), 0, 'servents like ours do not tell us who we are');
      t.equal(new Set(hosts.map(({ endpoint }) => formatEndpoint(endpoint))).size, 2);
    }
  },
);

t.test('a servent with two links to us is told to nobody twice', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a');
  const listen = { host: '80.1.1.1', port: 1111 };
  const twins = [network.puppet(servent, 'ultrapeer', { listen }), network.puppet(servent, 'ultrapeer', { listen })];
  const asking = network.puppet(servent);
  network.settle();
  for (const twin of twins) answer(twin, pong(listen.host, { endpoint: listen }));
  asking.send(ping(2));
  network.settle();
  t.strictSame(addressesOf(asking.ofType(Type.Pong)), ['80.1.1.1:1111'], 'to a crawler');
  asking.seen = [];
  asking.send(ping(4));
  network.settle();
  t.strictSame(addressesOf(asking.ofType(Type.Pong)), ['10.0.0.1:6346', '80.1.1.1:1111']);
  const [twin] = twins;
  twin?.send(ping(4));
  network.settle();
  t.strictSame(addressesOf(twin?.ofType(Type.Pong) ?? []), ['10.0.0.1:6346'], 'nor is it told of itself');
});

t.test('pongs that nobody asked for run dry', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a');
  const peer = network.puppet(servent);
  for (let i = 0; i < 500; i++) {
    peer.send(encodeDescriptor(random.guid(), Type.Pong, 1, 1, pong(`80.1.${i >> 8}.${i & 255}`)));
  }
  t.ok(servent.hosts.length < 20);
  t.ok((peer.link.drops?.of(Drop.PongUnasked) ?? 0) > 480);
});

t.test('a new neighbour that we dialled is asked for hosts, one that dialled us only whether it lives', async t => {
  const network = new VirtualNetwork();
  const [a, b] = [network.add('a'), network.add('b')];
  const { a: dialled, b: accepted } = network.connect(a, b);
  network.settle();
  t.ok(dialled.rttMs >= 0, 'and the answer gives the round trip');
  t.ok(accepted.rttMs >= 0);
  t.strictSame(
    a.hosts.map(({ endpoint }) => endpoint),
    [b.endpoint],
  );
});

t.test('a round trip is measured by the clock', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a');
  const peer = network.puppet(servent);
  network.settle();
  network.clock.ms += 42;
  answer(peer, pong('80.1.1.1'));
  t.equal(peer.link.rttMs, 42);
});

t.test(
  'a silent peer is asked after 20 s whether it lives; six times without answer end the link with Bye 406',
  async t => {
    const network = new VirtualNetwork();
    const servent = network.add('a', { limits: { refreshMs: 1e9 } });
    const peer = network.puppet(servent);
    network.settle();
    peer.seen = [];
    network.pass(19_000);
    t.equal(peer.ofType(Type.Ping).length, 0);
    network.pass(1_000);
    t.strictSame(
      peer.ofType(Type.Ping).map(({ ttl, hops }) => [ttl, hops]),
      [[1, 0]],
    );
    network.pass(119_000);
    t.equal(peer.ofType(Type.Ping).length, 6);
    t.equal(servent.overlay.links.size, 1);
    network.pass(2_000);
    t.equal(servent.overlay.links.size, 0);
    t.match(servent.ended, [{ code: 406 }]);
    t.equal(peer.ofType(Type.Bye)[0]?.payload.readUInt16LE(0), 406);
  },
);

t.test('whatever a peer says keeps the link; a leaf may be silent for two minutes', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a', { limits: { refreshMs: 1e9 } });
  const [peer, leaf] = [network.puppet(servent), network.puppet(servent, 'leaf')];
  network.settle();
  peer.seen = [];
  leaf.seen = [];
  for (let minute = 0; minute < 10; minute++) {
    network.pass(60_000);
    peer.send(ping(0));
  }
  t.equal(servent.overlay.links.size, 1, 'the leaf never said a word');
  t.equal(leaf.ofType(Type.Ping).length, 4);
  t.ok(peer.ofType(Type.Ping).length >= 10);
});

t.test('two quiet neighbours keep each other alive for ever', async t => {
  const network = new VirtualNetwork();
  const [a, b] = [network.add('a'), network.add('b')];
  network.connect(a, b);
  network.pass(30 * 60_000);
  t.equal(a.overlay.links.size, 1);
  t.equal(b.overlay.links.size, 1);
});

t.test('the cache is refreshed every 20 s by asking a few ultrapeers, old clients less often', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a');
  const peers = Array.from({ length: 10 }, () => network.puppet(servent));
  network.settle();
  for (const peer of peers) peer.seen = [];
  network.clock.ms += 20_000;
  for (const peer of peers) peer.send(ping(0));
  servent.overlay.tick(network.clock.ms);
  network.settle();
  t.equal(peers.filter(peer => peer.ofType(Type.Ping).some(({ ttl }) => ttl === 4)).length, 3);

  const old = network.add('b');
  const client = network.puppet(old, 'legacy', { pongCaching: false });
  network.settle();
  client.seen = [];
  for (let second = 0; second < 180; second++) {
    network.pass(1_000);
    client.send(ping(0));
  }
  t.ok(client.ofType(Type.Ping).length <= 3);
  t.ok(client.ofType(Type.Ping).length >= 2);
});

t.test('malformed pings and pongs are counted and cost nothing else', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a');
  const peer = network.puppet(servent);
  peer.send(encodeDescriptor(random.guid(), Type.Ping, 1, 0, Buffer.alloc(2_000)));
  peer.send(encodeDescriptor(random.guid(), Type.Pong, 1, 0, Buffer.alloc(10)));
  peer.send(encodeDescriptor(random.guid(), Type.Pong, 1, 0, Buffer.alloc(30, 0xc3)));
  peer.send(ping(200), ping(4, 200));
  t.strictSame(peer.link.drops?.toRecord(), { ttl_too_high: 2, size_wrong: 2, malformed: 1 });
  t.equal(servent.overlay.links.size, 1);
});
