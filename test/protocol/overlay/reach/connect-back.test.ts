// Whether servents can be reached: who asks whom, who probes, and who hands it on.
import t from 'tap';
import { Firewall, PROOF_MS } from '../../../../protocol/overlay/reach/firewall.ts';
import type { Endpoint } from '../../../../protocol/wire/endpoint.ts';
import {
  encodeTcpConnectBack,
  encodeTcpConnectBackRedirect,
  encodeUdpConnectBack,
  encodeUdpConnectBackRedirect,
  parseConnectBackRedirect,
  parseTcpConnectBack,
  parseUdpConnectBack,
} from '../../../../protocol/wire/vendor/connect-back.ts';
import { VendorId, vendorPayload } from '../../../../protocol/wire/vendor-message.ts';
import { bodyOf, heard, Scene } from '../../../support/vendor-scene.ts';
import { type Puppet, SeededRandom } from '../../../support/virtual-network.ts';

const random = new SeededRandom(13);
const NO_GUID = Buffer.alloc(16);

t.test('connect-backs are done for a neighbour at its own address, twice, then one in five minutes', async t => {
  const scene = new Scene();
  const peer = scene.peer([]);
  const guid = random.guid();
  for (const port of [1001, 1002, 1003]) scene.say(peer, encodeTcpConnectBack(port));
  scene.say(peer, encodeUdpConnectBack({ port: 2001, guid }));
  scene.say(peer, vendorPayload(VendorId.UdpConnectBack, 2, Buffer.of(0xd2, 7)), guid);
  t.strictSame(scene.tcp, ['10.9.9.9:1001', '10.9.9.9:1002']);
  t.strictSame(scene.udp, [`10.9.9.9:2001 ${guid.toString('hex')}`, `10.9.9.9:2002 ${guid.toString('hex')}`]);
  scene.network.clock.ms += 5 * 60_000;
  scene.say(peer, encodeTcpConnectBack(1002));
  t.equal(scene.tcp.length, 2, 'nobody is probed twice in ten minutes');
  t.equal(scene.vendor.connectBacks.refused, 2);
});

t.test('for third parties we connect to ten at once, never to ourselves or where nobody can be', async t => {
  const scene = new Scene();
  const peer = scene.peer([]);
  const redirect = (endpoint: Endpoint) => scene.say(peer, encodeTcpConnectBackRedirect(endpoint));
  redirect(scene.servent.endpoint);
  redirect({ host: '127.0.0.1', port: 6346 });
  redirect({ host: '224.0.0.1', port: 6346 });
  for (let i = 1; i <= 20; i++) redirect({ host: `5.6.7.${i}`, port: 6346 });
  t.strictSame(
    scene.tcp,
    Array.from({ length: 7 }, (_, i) => `5.6.7.${i + 1}:6346`),
  );
  scene.network.clock.ms += 60_000;
  const guid = random.guid();
  scene.say(peer, encodeUdpConnectBackRedirect({ host: '5.6.8.1', port: 6346 }), guid);
  t.strictSame(scene.udp, [`5.6.8.1:6346 ${guid.toString('hex')}`]);
});

t.test('ultrapeers alone ask for third parties, of ultrapeers, and for no port below 1024', async t => {
  const elsewhere = (port: number) => encodeTcpConnectBackRedirect({ host: '5.6.7.8', port });
  const byLeaf = new Scene();
  byLeaf.say(byLeaf.peer([], 'leaf'), elsewhere(6346));
  byLeaf.say(byLeaf.peer([], 'leaf'), encodeUdpConnectBackRedirect({ host: '5.6.7.8', port: 6346 }), random.guid());
  const atLeaf = new Scene({ role: 'leaf' });
  atLeaf.say(atLeaf.peer([]), elsewhere(6346));
  t.strictSame([byLeaf.tcp, byLeaf.udp, atLeaf.tcp], [[], [], []]);
  t.strictSame(
    [byLeaf, atLeaf].map(({ vendor }) => vendor.connectBacks.refused),
    [2, 1],
  );
  const scene = new Scene();
  const peer = scene.peer([]);
  for (const port of [25, 1_023, 1_024]) scene.say(peer, elsewhere(port));
  t.strictSame(scene.tcp, ['5.6.7.8:1024']);
  const leaf = byLeaf.peer([], 'leaf');
  byLeaf.say(leaf, encodeTcpConnectBack(80));
  t.equal(byLeaf.tcp.length, 1, 'for itself a leaf may ask, with any port');
});

t.test(
  'what a leaf asks is handed on to five of our ultrapeers: LimeWire takes no proof from who is linked to it',
  async t => {
    const scene = new Scene();
    const redirects = ['LIME/7', 'LIME/8'];
    const able = Array.from({ length: 8 }, () => scene.peer(redirects));
    const others = [scene.peer(['LIME/8']), scene.peer([]), scene.peer(redirects, 'leaf')];
    const leaf = scene.peer([], 'leaf');
    const told = (peers: readonly Puppet[], id: string) => peers.flatMap(peer => heard(peer, id));

    scene.say(leaf, encodeTcpConnectBack(6346));
    const tcp = told(able, 'LIME/7');
    t.equal(tcp.length, 5);
    const target = { host: '10.9.9.9', port: 6346 };
    for (const frame of tcp) t.strictSame(parseConnectBackRedirect(bodyOf(frame)), target);
    t.strictSame([tcp[0]?.ttl, tcp[0]?.hops], [1, 0]);
    t.strictSame(told([...others, leaf], 'LIME/7'), []);

    const guid = random.guid();
    const asking = scene.peer(redirects);
    scene.say(asking, encodeUdpConnectBack({ port: 6347, guid }));
    const udp = told([...able, ...others, asking], 'LIME/8');
    t.equal(udp.length, 5);
    t.ok(udp.every(frame => frame.guid.equals(guid)));
    t.strictSame(told([asking], 'LIME/8'), [], 'not to who asked');
    t.strictSame([scene.tcp, scene.udp.length], [['10.9.9.9:6346'], 1], 'and we try ourselves');
    t.equal(scene.vendor.connectBacks.handedOn, 2);

    scene.say(scene.peer([], 'leaf'), encodeTcpConnectBack(6346));
    scene.say(scene.peer([], 'leaf'), encodeTcpConnectBack(80));
    t.equal(told(able, 'LIME/7').length, 5, 'neither the same target again, nor a port below 1024');
    for (let port = 7001; port < 7100; port++) scene.say(scene.peer([], 'leaf'), encodeTcpConnectBack(port));
    t.equal(
      scene.vendor.connectBacks.handedOn,
      20,
      'twenty at once from all neighbours together, then one in ten seconds',
    );
  },
);

t.test('as a leaf we hand nothing on, and as an ultrapeer nothing that was handed on to us', async t => {
  const atLeaf = new Scene({ role: 'leaf' });
  const [above, beside] = [atLeaf.peer(['LIME/7']), atLeaf.peer(['LIME/7'])];
  atLeaf.say(above, encodeTcpConnectBack(6346));
  t.strictSame(heard(beside, 'LIME/7'), []);
  const scene = new Scene();
  const [from, other] = [scene.peer(['LIME/7']), scene.peer(['LIME/7'])];
  scene.say(from, encodeTcpConnectBackRedirect({ host: '5.6.7.8', port: 6346 }));
  t.strictSame(scene.tcp, ['5.6.7.8:6346']);
  t.strictSame(heard(other, 'LIME/7'), []);
});

t.test('whom we are linked to we do not probe for another: it would not count', async t => {
  const scene = new Scene();
  const peer = scene.peer([]);
  scene.say(peer, encodeTcpConnectBackRedirect({ host: '10.9.9.9', port: 7000 }));
  scene.say(peer, encodeUdpConnectBackRedirect({ host: '10.9.9.9', port: 7000 }), random.guid());
  t.strictSame([scene.tcp, scene.udp], [[], []]);
  t.equal(scene.vendor.connectBacks.refused, 2);
  scene.say(peer, encodeTcpConnectBackRedirect({ host: '10.9.9.8', port: 7000 }));
  t.strictSame(scene.tcp, ['10.9.9.8:7000']);
});

t.test(
  'while nothing is proven neighbours are asked whether we can be reached: new ones, then two a round',
  async t => {
    const scene = new Scene({}, null);
    const able = ['BEAR/7', 'GTKG/7'];
    const peers = [able, able, able, ['BEAR/7'], []].map(ids => scene.peer(ids));
    const asked = () => peers.map(peer => heard(peer, 'BEAR/7').length + heard(peer, 'GTKG/7').length);
    t.strictSame(asked(), [2, 2, 2, 1, 0]);
    const [first] = peers;
    if (first === undefined) throw new Error('five were made');
    t.equal(parseTcpConnectBack(bodyOf(heard(first, 'BEAR/7')[0])), 6346);
    const udp = parseUdpConnectBack(bodyOf(heard(first, 'GTKG/7')[0]), NO_GUID);
    t.ok(udp.port === 6346 && udp.guid.equals(scene.vendor.connectBacks.guid));
    const sum = () => asked().reduce((total, n) => total + n, 0);
    scene.tick(59_000);
    t.equal(sum(), 7);
    scene.tick(1_000);
    t.ok(sum() >= 9 && sum() <= 11, `two more were asked: ${sum()}`);
    scene.firewall.tcpArrived('5.6.7.8', scene.network.clock.ms);
    scene.firewall.udpArrived({ host: '5.6.7.8', port: 1 }, scene.network.clock.ms);
    const before = sum();
    scene.tick(60_000);
    t.equal(sum(), before, 'none once somebody came');
    scene.tick(PROOF_MS);
    t.ok(sum() > before, 'again when the proof is old');
  },
);

t.test('reachability: unknown, open, unknown again while it is renewed, firewalled', async t => {
  const firewall = new Firewall({ override: null, isNear: host => host.startsWith('192.168.'), byPort: false, now: 0 });
  const peer = { host: '5.6.7.8', port: 6346 };
  t.match(firewall.status(1), { tcp: 'unknown', udp: 'unknown', udpSolicited: false, tcpProvenAt: null });
  t.equal(firewall.firewalled(1), true, 'a push works either way');
  firewall.tcpArrived('192.168.1.1', 2);
  t.equal(firewall.status(2).tcp, 'unknown', 'a neighbour in the house proves nothing');
  firewall.udpSent(peer, 3);
  t.equal(firewall.udpArrived({ ...peer, port: 99 }, 4), false, 'an answer, whatever the port');
  t.equal(firewall.status(4).udp, 'unknown');
  t.equal(firewall.udpArrived(peer, 120_003), true);
  t.equal(firewall.takesDatagrams(120_003), true);
  firewall.tcpArrived(peer.host, 5);
  t.strictSame([firewall.status(6).tcp, firewall.firewalled(6)], ['open', false]);
  t.strictSame([firewall.status(PROOF_MS + 5).tcp, firewall.firewalled(PROOF_MS + 5)], ['unknown', false]);
  t.strictSame(
    [firewall.status(PROOF_MS + 300_005).tcp, firewall.firewalled(PROOF_MS + 300_005)],
    ['firewalled', true],
  );
  t.equal(
    new Firewall({ override: null, isNear: () => false, byPort: false, now: 0 }).status(300_000).tcp,
    'firewalled',
  );
  const lab = new Firewall({ override: 'open', isNear: () => false, byPort: true, now: 0 });
  t.match(lab.status(9e9), { tcp: 'open', udp: 'open', udpSolicited: true });
  t.strictSame(lab.wantsProof(9e9), { tcp: false, udp: false });
});
