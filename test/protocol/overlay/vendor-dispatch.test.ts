import fc from 'fast-check';
import t from 'tap';
import { Type } from '../../../protocol/constants.ts';
import { LinkState } from '../../../protocol/overlay/links/link.ts';
import { Priority } from '../../../protocol/overlay/links/send-queue.ts';
import { Firewall } from '../../../protocol/overlay/reach/firewall.ts';
import { UNDERSTOOD } from '../../../protocol/overlay/vendor-dispatch.ts';
import { encodeDescriptor } from '../../../protocol/wire/header.ts';
import { encodePush } from '../../../protocol/wire/push.ts';
import { encodeQuery } from '../../../protocol/wire/query.ts';
import { parseQueryHit } from '../../../protocol/wire/query-hit.ts';
import {
  encodePushProxyAck,
  encodePushProxyRequest,
  parsePushProxyAck,
} from '../../../protocol/wire/vendor/push-proxy.ts';
import {
  encodeMessagesSupported,
  parseCapabilityList,
  parseMessagesSupported,
} from '../../../protocol/wire/vendor/supported.ts';
import { encodeTimeSyncRequest, parseTimeSyncReply, timeSyncGuid } from '../../../protocol/wire/vendor/time-sync.ts';
import { parseVendorMessage, VendorId, vendorId, vendorPayload } from '../../../protocol/wire/vendor-message.ts';
import { readCapture } from '../../support/captures.ts';
import { bodyOf, heard, Scene } from '../../support/vendor-scene.ts';
import { SeededRandom } from '../../support/virtual-network.ts';

const random = new SeededRandom(13);
const NO_GUID = Buffer.alloc(16);

t.test('a neighbour is told what we understand, if it understands that', async t => {
  const scene = new Scene();
  const modern = scene.peer(null);
  const old = scene.peer(null, 'ultrapeer', false);
  scene.network.settle();
  const [list] = heard(modern, VendorId.MessagesSupported);
  t.strictSame([list?.ttl, list?.hops, list?.guid.equals(NO_GUID)], [1, 0, true]);
  t.strictSame(parseMessagesSupported(bodyOf(list)), UNDERSTOOD);
  const [capabilities] = heard(modern, VendorId.Capabilities);
  t.strictSame(
    [...parseCapabilityList(bodyOf(capabilities))],
    [
      ['TCPI', 1],
      ['WHAT', 1],
    ],
    'never QRP1',
  );
  t.strictSame(old.ofType(Type.Vendor), []);
});

t.test('LimeWire finds among our capabilities that we speak TLS, when we do', async t => {
  const said = (tls: boolean): ReadonlyMap<string, number> => {
    const scene = new Scene();
    scene.servent.tls = tls;
    const peer = scene.peer(null);
    scene.network.settle();
    return parseCapabilityList(bodyOf(heard(peer, VendorId.Capabilities)[0]));
  };
  const lists = ['leaf_in_plain', 'leaf_out_plain', 'up_in_plain'].map(name => {
    const { descriptors } = readCapture(`limewire/${name}.json`);
    const messages = descriptors.filter(({ from, bytes }) => from === 'servent' && bytes[16] === Type.Vendor);
    const parsed = messages.map(({ bytes }) => parseVendorMessage(bytes.subarray(23)));
    return parsed.find(message => vendorId(message) === VendorId.Capabilities);
  });
  for (const list of lists) {
    t.equal(
      said(true).get('TLS!'),
      list === undefined ? -1 : parseCapabilityList(list).get('TLS!'),
      'as LimeWire says',
    );
  }
  t.equal(said(false).get('TLS!'), undefined);
});

t.test('neighbours are told again when others can reach us or no longer can, once a minute at most', async t => {
  const scene = new Scene({}, 'firewalled');
  scene.servent.tls = true;
  const peers = [scene.peer([]), scene.peer([], 'leaf'), scene.peer(null, 'ultrapeer', false)];
  const { clock } = scene.network;
  const told = () =>
    peers.map(peer => heard(peer, VendorId.Capabilities).map(frame => parseCapabilityList(bodyOf(frame)).get('TCPI')));
  scene.tick(1_000);
  t.strictSame(told(), [[0], [0], []], 'nothing has changed');
  scene.firewall.setOverride('open', clock.ms);
  scene.tick(1_000);
  t.strictSame(told(), [[0, 1], [0, 1], []]);
  const [first] = peers;
  t.strictSame(
    first && heard(first, VendorId.Capabilities).map(frame => [...parseCapabilityList(bodyOf(frame)).keys()]),
    [
      ['TCPI', 'WHAT', 'TLS!'],
      ['TCPI', 'WHAT', 'TLS!'],
    ],
    'the whole list, as it takes the place of the first',
  );
  scene.firewall.setOverride('firewalled', clock.ms);
  for (let second = 1; second < 60; second++) scene.tick(1_000);
  t.strictSame(told(), [[0, 1], [0, 1], []], 'not within a minute');
  scene.tick(1_000);
  t.strictSame(told(), [[0, 1, 0], [0, 1, 0], []], 'but then');
  for (let second = 0; second < 600; second++) {
    scene.firewall.setOverride(second % 2 === 0 ? 'open' : 'firewalled', clock.ms);
    scene.tick(1_000);
  }
  const [modern = []] = told();
  t.ok(modern.length <= 3 + 10, 'a minute between two, however often it changes');
});

t.test('what LimeWire needs to see in the list is there', async t => {
  const ids = UNDERSTOOD.map(vendorId);
  for (const id of ['LIME/21', 'LIME/7', 'LIME/8', 'BEAR/11', 'BEAR/4']) t.ok(ids.includes(id), id);
  t.notOk(ids.some(id => id.startsWith('null/')));
});

t.test('only the first list counts', async t => {
  const scene = new Scene();
  const peer = scene.peer(['LIME/21']);
  scene.say(peer, encodeMessagesSupported([{ vendor: 'BEAR', selector: 7, version: 1 }]));
  t.equal(scene.vendor.supports(peer.link, 'LIME/21'), true);
  t.equal(scene.vendor.supports(peer.link, 'BEAR/7'), false);
  t.strictSame(scene.vendor.supporting('LIME/21'), [peer.link]);
  scene.vendor.onUnlinked(peer.link);
  t.strictSame(scene.vendor.supporting('LIME/21'), []);
});

t.test('a leaf that asks gets its pushes through us, as gtk-gnutella answers', async t => {
  const scene = new Scene();
  const leaf = scene.peer([], 'leaf');
  const other = scene.peer([], 'leaf');
  const guid = random.guid();
  scene.say(leaf, encodePushProxyRequest(), guid);
  const [ack] = heard(leaf, VendorId.PushProxyAck);
  t.ok(ack?.guid.equals(guid));
  t.strictSame(parsePushProxyAck(bodyOf(ack)), scene.servent.endpoint);
  scene.say(other, encodePushProxyRequest(), guid);
  t.strictSame(heard(other, VendorId.PushProxyAck), [], 'nobody takes the pushes of another');
  scene.say(other, encodePushProxyRequest(), scene.servent.serventGuid);
  t.strictSame(heard(other, VendorId.PushProxyAck), [], 'nor ours');
  const push = {
    serventGuid: guid,
    fileIndex: 0,
    endpoint: { host: '5.6.7.8', port: 1 },
    ipv6: null,
    tls: false,
    ggep: [],
  };
  t.equal(scene.servent.sendPush(push), 1);
  scene.network.settle();
  t.ok(leaf.ofType(Type.Push)[0]?.payload.equals(encodePush(push)));
  scene.servent.overlay.removeLink(leaf.link, 'gone');
  t.equal(scene.servent.sendPush(push), 0);
  scene.say(other, encodePushProxyRequest(), guid);
  t.equal(heard(other, VendorId.PushProxyAck).length, 1, 'free again');

  const { descriptors } = readCapture('gtk-gnutella/vendor-messages-and-bye.json');
  const theirs = descriptors.find(({ from, bytes }) => from === 'servent' && bytes.indexOf('LIME\x16\0') === 23)?.bytes;
  t.strictSame(
    ack?.bytes.subarray(16, 31).toString('hex'),
    theirs?.toString('hex', 16, 31),
    'byte for byte up to the address',
  );
});

t.test(
  'as a firewalled leaf we ask ultrapeers for their service and name them in our hits, until we are not',
  async t => {
    const scene = new Scene({ firewalled: true, role: 'leaf' }, 'firewalled');
    const { servent, vendor, network } = scene;
    servent.library.share('song');
    const willing = scene.peer(['LIME/21']);
    const silent = scene.peer([]);
    scene.tick(1_000);
    const later = scene.peer(['LIME/21']);
    const asked = [willing, silent, later].map(peer => heard(peer, VendorId.PushProxyRequest));
    t.strictSame(
      asked.map(frames => frames.map(({ guid }) => guid.equals(servent.serventGuid))),
      [[true], [], [true]],
    );
    const proxy = { host: '5.6.7.8', port: 6346 };
    scene.say(willing, encodePushProxyAck(proxy), servent.serventGuid);
    scene.say(later, encodePushProxyAck({ host: '127.0.0.1', port: 6346 }), servent.serventGuid);
    scene.say(later, encodePushProxyAck({ host: '5.6.7.9', port: 6346 }), random.guid());
    scene.say(silent, vendorPayload(VendorId.PushProxyAck, 1, Buffer.of(1, 2)), servent.serventGuid);
    t.strictSame(vendor.pushProxies.endpoints, [proxy, { host: '10.9.9.9', port: 513 }]);

    servent.proxies = [...vendor.pushProxies.endpoints];
    willing.seen = [];
    willing.send(encodeDescriptor(random.guid(), Type.Query, 2, 0, encodeQuery({ text: 'song' })));
    network.settle();
    const [hit] = willing.ofType(Type.QueryHit);
    t.match(parseQueryHit(hit?.payload ?? Buffer.alloc(0)), { push: true, pushProxies: servent.proxies });

    vendor.onUnlinked(silent.link);
    t.strictSame(vendor.pushProxies.endpoints, [proxy]);
  },
);

t.test('an ultrapeer asks nobody, whether it knows that it can be reached or not', async t => {
  const scene = new Scene({ firewalled: true }, 'firewalled');
  const before = scene.peer(['LIME/21']);
  scene.tick(1_000);
  const after = scene.peer(['LIME/21']);
  for (const peer of [before, after]) t.strictSame(heard(peer, VendorId.PushProxyRequest), []);
});

t.test('swamped by our own queue to a neighbour, we ask it for no more queries until it is empty', async t => {
  const scene = new Scene();
  const peer = scene.peer(['BEAR/4']);
  const deaf = scene.peer([]);
  scene.network.settle();
  for (const one of [peer, deaf]) {
    one.seen = [];
    one.wire.stalled = true;
    for (let i = 0; i < 4_000; i++) one.link.queue.enqueue(Buffer.alloc(60, 0x41), Priority.Query);
  }
  t.ok(peer.link.queue.congested);
  scene.network.clock.ms += 1_000;
  scene.vendor.tick(scene.network.clock.ms);
  scene.vendor.tick(scene.network.clock.ms);
  for (const one of [peer, deaf]) one.link.queue.take(1 << 20);
  scene.network.clock.ms += 1_000;
  scene.vendor.tick(scene.network.clock.ms);
  const last = peer.link.queue.take(1 << 20);
  t.equal(last?.toString('hex', 23), '424541520400' + '0100' + 'ff', 'open again');
  t.equal(deaf.link.queue.size, 0, 'those who do not know hops flow are told nothing');
});

t.test('clocks are compared, five times, then once in ten seconds', async t => {
  const scene = new Scene();
  const peer = scene.peer([]);
  const sentAt = { seconds: 1_600_000_000, microseconds: 7 };
  for (let i = 0; i < 9; i++) scene.say(peer, encodeTimeSyncRequest(true), timeSyncGuid(sentAt));
  const replies = heard(peer, VendorId.TimeSyncReply);
  t.equal(replies.length, 5);
  t.strictSame(parseTimeSyncReply(bodyOf(replies[0]), replies[0]?.guid ?? NO_GUID).sentAt, sentAt);
});

t.test('a leaf may forbid that out-of-band hits are proxied for it', async t => {
  const scene = new Scene();
  const leaf = scene.peer([], 'leaf');
  scene.say(leaf, vendorPayload(VendorId.OutOfBandProxyControl, 1, Buffer.of(2)));
  t.equal(scene.vendor.counts.get(VendorId.OutOfBandProxyControl), 1);
  t.equal(scene.vendor.unknown, 0);
  t.ok(UNDERSTOOD.some(message => vendorId(message) === VendorId.OutOfBandProxyControl));
});

t.test('every vendor message that was captured is understood or counted, and costs no link', async t => {
  const scene = new Scene();
  const peer = scene.peer(null);
  const files = [
    'gtk-gnutella/vendor-messages-and-bye.json',
    'gtk-gnutella/gtkg-leaf-dials-up.json',
    'limewire/push_giv.json',
    'limewire/leaf_in_plain.json',
    'limewire/up_in_plain.json',
  ];
  let messages = 0;
  for (const { bytes, over } of files.flatMap(file => readCapture(file).descriptors)) {
    if (over !== 'tcp' || (bytes[16] !== Type.Vendor && bytes[16] !== Type.StandardVendor)) continue;
    messages++;
    peer.send(bytes);
    scene.network.settle();
  }
  t.ok(messages > 10, `${messages} messages`);
  t.equal(peer.link.state, LinkState.Open);
  t.equal(scene.vendor.malformed, 0);
  const counted = [...scene.vendor.counts.values()].reduce((sum, n) => sum + n, 0);
  t.ok(counted + scene.vendor.unknown >= messages);
  t.ok((scene.vendor.counts.get('null/0') ?? 0) >= 2);
  t.ok(scene.vendor.unknown >= 1);
});

t.test('any bytes in a vendor message: no exception, nothing kept', async () => {
  const scene = new Scene();
  const peer = scene.peer(['BEAR/7']);
  const ids = Object.values(VendorId);
  fc.assert(
    fc.property(
      fc.constantFrom(...ids, 'XXXX/99'),
      fc.nat(3),
      fc.uint8Array({ maxLength: 60 }),
      (id, version, body) => {
        scene.network.clock.ms += 60_000;
        scene.say(peer, vendorPayload(id, version, Buffer.from(body)), random.guid());
        peer.seen = [];
        return scene.vendor.counts.size <= ids.length && peer.link.state === LinkState.Open;
      },
    ),
    { numRuns: 600 },
  );
});

t.test('what is said of reachability: since when, and how it is known', async t => {
  const firewall = new Firewall({ override: null, isNear: () => false, byPort: false, now: 0 });
  const minute = 60_000;
  t.match(firewall.account(minute), { tcp: { state: 'unknown', since: 0, known: null, provenAt: null } });
  t.match(firewall.account(6 * minute), { tcp: { state: 'firewalled', since: 5 * minute, known: 'silence' } });
  firewall.tcpArrived('192.0.2.1', 10 * minute);
  firewall.tcpArrived('192.0.2.2', 20 * minute);
  t.match(firewall.account(30 * minute), {
    tcp: { state: 'open', since: 10 * minute, known: 'proof', provenAt: 20 * minute },
    udp: { state: 'firewalled', known: 'silence' },
  });
  t.match(firewall.account(52 * minute).tcp, { state: 'unknown', since: 50 * minute, known: null });
  firewall.tcpArrived('192.0.2.1', 60 * minute);
  t.match(firewall.account(61 * minute).tcp, { state: 'open', since: 60 * minute });
  const override = new Firewall({ override: 'firewalled', isNear: () => false, byPort: false, now: 7 });
  t.match(override.account(9).udp, { state: 'firewalled', since: 7, known: 'configured' });
  override.setOverride(null, 60 * minute);
  t.match(override.account(61 * minute).udp, { state: 'unknown', since: 60 * minute }, 'there is time to find out');
  t.match(override.account(66 * minute).udp, { state: 'firewalled', since: 65 * minute, known: 'silence' });
  override.tcpArrived('192.0.2.1', 70 * minute);
  override.setOverride('firewalled', 71 * minute);
  t.match(override.account(72 * minute).tcp, { state: 'firewalled', since: 71 * minute, known: 'configured' });
  override.setOverride(null, 73 * minute);
  t.match(override.account(74 * minute).tcp, { state: 'open', since: 70 * minute }, 'what was proven stays so');
});
