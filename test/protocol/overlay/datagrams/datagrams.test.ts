import fc from 'fast-check';
import t from 'tap';
import { Type } from '../../../../protocol/constants.ts';
import type { PingAnswer } from '../../../../protocol/overlay/datagrams/datagram-pings.ts';
import { RateLimit } from '../../../../protocol/rate-limit.ts';
import { encodeDescriptor } from '../../../../protocol/wire/header.ts';
import { encodePing } from '../../../../protocol/wire/ping.ts';
import { encodePong, PLAIN_PONG, parsePong } from '../../../../protocol/wire/pong.ts';
import { encodePush, parsePush } from '../../../../protocol/wire/push.ts';
import { formatSha1Urn } from '../../../../protocol/wire/urn.ts';
import { CrawlFlag, encodeCrawlerPing, parseCrawlerPong } from '../../../../protocol/wire/vendor/crawler.ts';
import { encodeHeadPing } from '../../../../protocol/wire/vendor/head-ping.ts';
import { encodeTimeSyncRequest, parseTimeSyncReply, timeSyncGuid } from '../../../../protocol/wire/vendor/time-sync.ts';
import { parseVendorMessage } from '../../../../protocol/wire/vendor-message.ts';
import { readCapture } from '../../../support/captures.ts';
import { readFixture } from '../../../support/fixtures.ts';
import { carry, type SentDatagram, VirtualDatagrams } from '../../../support/virtual-datagrams.ts';
import { SeededRandom, type ServentOptions, VirtualNetwork } from '../../../support/virtual-network.ts';

const random = new SeededRandom(5);
const NOBODY = Buffer.alloc(0);
const STRANGER = { host: '5.5.2.98', port: 6346 };

function lone(options: ServentOptions = {}) {
  const network = new VirtualNetwork();
  const wire: SentDatagram[] = [];
  const servent = network.add('a', options);
  const datagrams = new VirtualDatagrams(servent, network, wire);
  return { network, wire, servent, datagrams };
}

const ping = (
  ggep: { id: string; payload: Buffer }[] = [],
  supportsCachedPongs: number | null = null,
  guid = random.guid(),
) => encodeDescriptor(guid, Type.Ping, 1, 0, encodePing({ supportsCachedPongs, ggep }));

t.test('a ping by UDP is answered with what we are, once a minute to one address', async t => {
  const { network, wire, servent, datagrams } = lone();
  servent.library.share('one');
  const asked = ping();
  t.equal(datagrams.receive(asked, STRANGER), 'taken');
  const [answer] = wire;
  t.strictSame(answer?.to, STRANGER);
  t.ok(answer?.bytes.subarray(0, 16).equals(asked.subarray(0, 16)), 'under the GUID of the ping');
  const pong = parsePong(answer?.bytes.subarray(23) ?? NOBODY);
  t.match(pong, { endpoint: servent.endpoint, files: 1, ultrapeer: true, vendor: 'TEST', guess: 2, hosts: [] });
  t.equal(datagrams.receive(ping(), STRANGER), 'answer_rate');
  t.equal(datagrams.receive(ping(), { host: STRANGER.host, port: 99 }), 'answer_rate', 'the port does not matter');
  t.equal(datagrams.receive(ping(), { host: '5.5.2.99', port: 6346 }), 'taken');
  network.clock.ms += 60_000;
  t.equal(datagrams.receive(ping(), STRANGER), 'taken');
});

t.test(
  'a host that pinged us for hosts a moment ago still gets a GUESS query key, as gtk-gnutella asks for both',
  async t => {
    const { network, wire, datagrams } = lone();
    datagrams.known = [{ host: '5.6.7.8', port: 6346 }];
    const QK = { id: 'QK', payload: NOBODY };
    const asked = (ggep: (typeof QK)[], scp: number | null) => {
      wire.length = 0;
      const end = datagrams.receive(ping(ggep, scp), STRANGER);
      const pong = wire[0] === undefined ? null : parsePong(wire[0].bytes.subarray(23));
      return [end, pong?.hosts.length ?? 0, pong?.ggep.some(({ id }) => id === 'QK') ?? false];
    };
    t.strictSame(asked([], null), ['taken', 0, false]);
    t.strictSame(asked([], 1), ['taken', 1, false], 'a ping for hosts has an allowance of its own');
    t.strictSame(asked([QK], null), ['taken', 0, true], 'and so has one for a key');
    t.strictSame(asked([QK], 1), ['taken', 0, true], 'what is asked for too often is left out');
    t.strictSame(asked([QK], 1), ['answer_rate', 0, false]);
    t.strictSame(asked([], null), ['answer_rate', 0, false]);
    for (let minute = 0; minute < 10; minute++) {
      network.clock.ms += 60_000;
      t.strictSame(asked([], null), ['taken', 0, false]);
      t.strictSame(asked([QK], 1), ['taken', 1, true]);
    }
  },
);

t.test('one address that pings for everything there is gets few answers', async t => {
  const { network, wire, datagrams } = lone();
  const QK = { id: 'QK', payload: NOBODY };
  for (let second = 0; second < 600; second++) {
    network.clock.ms += 1_000;
    for (const scp of [null, 1]) for (const ggep of [[], [QK]]) datagrams.receive(ping(ggep, scp), STRANGER);
  }
  t.ok(wire.length <= 10 + 10 + 2 + 20, `${wire.length} answers in ten minutes`);
});

t.test('asked with SCP we name up to 30 hosts, neither the asker nor ourselves', async t => {
  const { wire, servent, datagrams } = lone();
  const others = Array.from({ length: 40 }, (_, i) => ({ host: `5.6.7.${i + 1}`, port: 6346 }));
  datagrams.known = [servent.endpoint, STRANGER, ...others];
  datagrams.receive(ping([], 1), STRANGER);
  const pong = parsePong(wire[0]?.bytes.subarray(23) ?? NOBODY);
  t.strictSame(pong.hosts, others.slice(0, 28), 'of the first thirty');
  t.equal(pong.udpHostCache, '');
  t.ok((wire[0]?.bytes.length ?? 999) <= 508);
});

t.test('hosts of IPv6 are for those who want them', async t => {
  const { wire, datagrams } = lone();
  datagrams.known = [
    { host: '5.6.7.8', port: 1 },
    { host: '2001:470::1', port: 2 },
  ];
  datagrams.receive(ping([], 1), { host: '5.5.0.1', port: 1 });
  datagrams.receive(ping([], 4), { host: '5.5.0.2', port: 1 });
  datagrams.receive(ping([], 12), { host: '5.5.0.3', port: 1 });
  const hosts = wire.map(({ bytes }) => parsePong(bytes.subarray(23)).hosts.map(({ host }) => host));
  t.strictSame(hosts, [['5.6.7.8'], ['5.6.7.8', '2001:470::1'], ['2001:470::1']]);
});

t.test('asked with IP we echo the address; DHT contacts are passed over', async t => {
  const { wire, datagrams } = lone();
  datagrams.receive(
    ping([
      { id: 'IP', payload: NOBODY },
      { id: 'DHTIPP', payload: NOBODY },
    ]),
    STRANGER,
  );
  const { ggep } = parsePong(wire[0]?.bytes.subarray(23) ?? NOBODY);
  t.strictSame(
    ggep.map(({ id, payload }) => [id, payload.toString('hex')]),
    [['IP', '05050262ca18']],
  );
});

t.test('two servents: one asks, the other answers, hosts and our address are learnt', async t => {
  const network = new VirtualNetwork();
  const wire: SentDatagram[] = [];
  const [a, b] = ['a', 'b'].map(name => new VirtualDatagrams(network.add(name), network, wire));
  if (a === undefined || b === undefined) throw new Error('two were made');
  b.known = [{ host: '5.6.7.8', port: 6346 }];
  const answers: (PingAnswer | null)[] = [];
  a.core.ask(b.servent.endpoint, { hosts: 'leaf', address: true }, answer => answers.push(answer), network.clock.ms);
  network.clock.ms += 30;
  t.equal(carry(wire, [a, b]), 2);
  t.equal(answers.length, 1);
  t.match(answers[0], { rttMs: 30, from: b.servent.endpoint, seen: a.servent.endpoint });
  t.strictSame(a.seen, [a.servent.endpoint.host]);
  t.strictSame(
    a.hosts.map(({ endpoint, source }) => [endpoint.host, source]),
    [
      ['5.6.7.8', 'cache'],
      [b.servent.endpoint.host, 'pong'],
    ],
  );
  t.equal(a.firewall.status(network.clock.now()).udpSolicited, true);
  t.equal(a.firewall.status(network.clock.now()).udp, 'unknown', 'an answer proves nothing');
  t.equal(b.firewall.status(network.clock.now()).udp, 'open', 'a ping that nobody had asked for does');
});

t.test('a ping that nobody answers ends after 20 s, and its pong is not taken later', async t => {
  const { network, wire, datagrams } = lone();
  const answers: (PingAnswer | null)[] = [];
  datagrams.core.ask(
    STRANGER,
    { hosts: 'ultrapeer', address: false },
    answer => answers.push(answer),
    network.clock.ms,
  );
  network.clock.ms += 19_999;
  datagrams.core.tick(network.clock.ms);
  t.strictSame(answers, []);
  network.clock.ms += 1;
  datagrams.core.tick(network.clock.ms);
  t.strictSame(answers, [null]);
  const guid = wire[0]?.bytes.subarray(0, 16) ?? NOBODY;
  const late = encodePong({ ...PLAIN_PONG, endpoint: STRANGER, files: 0, kibibytes: 0, ultrapeer: false });
  t.equal(datagrams.receive(encodeDescriptor(guid, Type.Pong, 1, 0, late), STRANGER), 'pong_unasked');
  t.strictSame(datagrams.hosts, [], 'nor are its hosts');
});

t.test('pings under way are bounded; the oldest gives way', async t => {
  const { datagrams } = lone();
  let failed = 0;
  for (let i = 0; i < 1_100; i++) {
    const done = (answer: PingAnswer | null) => {
      if (answer === null) failed++;
    };
    datagrams.core.ask({ host: '5.6.7.8', port: 1 + i }, { hosts: null, address: false }, done, 0);
  }
  t.equal(datagrams.core.waiting.pings, 1_024);
  t.equal(failed, 76);
});

t.test('a crawler is told of neighbours with what it asks for, once in two minutes', async t => {
  const { network, wire, servent, datagrams } = lone();
  const listening = (host: string) => ({ listen: { host, port: 6346 }, userAgent: `x;y\\${host}` });
  network.puppet(servent, 'ultrapeer', listening('5.6.7.1'));
  network.puppet(servent, 'ultrapeer', listening('5.6.7.2'));
  network.puppet(servent, 'leaf', listening('5.6.7.3'));
  network.puppet(servent, 'leaf', listening('5.6.7.3')); // a second link of it
  network.puppet(servent, 'leaf');
  network.clock.ms += 120_000;
  const flags = CrawlFlag.ConnectionTime | CrawlFlag.UserAgents | CrawlFlag.DhtStatus;
  const asked = encodeDescriptor(
    random.guid(),
    Type.Vendor,
    1,
    0,
    encodeCrawlerPing({ ultrapeers: 1, leaves: 255, flags }),
  );
  t.equal(datagrams.receive(asked, STRANGER), 'taken');
  const pong = parseCrawlerPong(parseVendorMessage(wire[0]?.bytes.subarray(23) ?? NOBODY));
  t.strictSame(
    [pong.ultrapeers, pong.leaves].map(list => list.map(({ endpoint }) => endpoint.host)),
    [['5.6.7.1'], ['5.6.7.3']],
  );
  t.match(pong.ultrapeers[0], { connectedMinutes: 2, userAgent: 'x;y\\5.6.7.1' });
  t.equal(pong.flags, CrawlFlag.ConnectionTime | CrawlFlag.UserAgents, 'only what we can say');
  t.equal(pong.userAgent, 'virtual/1');
  t.equal(datagrams.receive(asked, STRANGER), 'answer_rate');
});

t.test('with hundreds of neighbours a crawler gets as many as one small datagram holds', async t => {
  const { network, wire, servent, datagrams } = lone();
  for (let i = 0; i < 300; i++) {
    network.puppet(servent, 'leaf', { listen: { host: `5.6.${i >> 8}.${i & 255}`, port: 6346 } });
  }
  const body = encodeCrawlerPing({ ultrapeers: 255, leaves: 255, flags: 0 });
  datagrams.receive(encodeDescriptor(random.guid(), Type.Vendor, 1, 0, body), STRANGER);
  const { bytes } = wire[0] ?? { bytes: NOBODY };
  t.ok(bytes.length <= 508 && bytes.length > 300, `${bytes.length} bytes`);
  t.ok(parseCrawlerPong(parseVendorMessage(bytes.subarray(23))).leaves.length > 40);
});

t.test('HEAD pings: found, busy, unknown, for another servent; both versions as LimeWire has them', async t => {
  const { wire, servent, datagrams } = lone();
  servent.library.share('one');
  const sha1 = Buffer.alloc(20, 1);
  const guid = random.guid();
  const ask = (version: number, urn: string, target: Buffer | null = null) => {
    wire.length = 0;
    const body = encodeHeadPing({ version, flags: 0, urn, target });
    datagrams.receive(encodeDescriptor(guid, Type.Vendor, 1, 0, body), STRANGER);
    return wire[0]?.bytes.subarray(31).toString('hex') ?? null;
  };
  const vendor = Buffer.from('TEST').toString('hex');
  t.equal(ask(1, formatSha1Urn(sha1)), `0001${vendor}ff`);
  t.equal(ask(2, formatSha1Urn(sha1)), `c301434101015141ff815644${vendor}`);
  servent.busy = () => true;
  t.equal(ask(1, formatSha1Urn(sha1)), `0001${vendor}7f`);
  const unknown = readCapture('limewire/udp.json').descriptors.find(({ note }) => note === 'head ping unknown urn');
  t.equal(ask(2, formatSha1Urn(Buffer.alloc(20))), 'c381434100', 'the bytes that LimeWire sends');
  t.ok(unknown, 'which it did for this question');
  t.equal(ask(2, formatSha1Urn(sha1), random.guid()), null);
  t.not(ask(2, formatSha1Urn(sha1), servent.serventGuid), null);
});

t.test('clocks are compared', async t => {
  const { network, wire, datagrams } = lone();
  const sentAt = { seconds: 1_700_000_000, microseconds: 250 };
  const asked = encodeDescriptor(timeSyncGuid(sentAt), Type.Vendor, 1, 0, encodeTimeSyncRequest(false));
  datagrams.receive(asked, STRANGER);
  const { bytes } = wire[0] ?? { bytes: NOBODY };
  const reply = parseTimeSyncReply(parseVendorMessage(bytes.subarray(23)), bytes.subarray(0, 16));
  t.strictSame(reply.sentAt, sentAt);
  t.equal(reply.receivedAt.seconds, Math.floor(network.clock.wallTime() / 1000));
});

t.test('a push by datagram reaches us, or our leaf one hop further; else it ends here', async t => {
  const { network, servent, datagrams } = lone();
  const leafGuid = random.guid();
  const leaf = network.puppet(servent, 'leaf', { guid: leafGuid });
  network.settle();
  leaf.seen = [];
  const push = (serventGuid: Buffer) =>
    encodeDescriptor(
      random.guid(),
      Type.Push,
      2,
      0,
      encodePush({ serventGuid, fileIndex: 3, endpoint: STRANGER, ipv6: null, tls: false, ggep: [] }),
    );
  t.equal(datagrams.receive(push(servent.serventGuid), STRANGER), 'taken');
  t.match(servent.pushes, [{ fileIndex: 3, endpoint: STRANGER }]);
  t.equal(datagrams.receive(push(leafGuid), STRANGER), 'taken');
  network.settle();
  const [passed] = leaf.ofType(Type.Push);
  t.equal(passed?.hops, 1);
  t.ok(parsePush(passed?.payload ?? NOBODY).serventGuid.equals(leafGuid));
  t.equal(datagrams.receive(push(random.guid()), STRANGER), 'push_unasked');
});

t.test(
  'a push for a transfer by UDP that we pass on names the address it came from, as gtk-gnutella passes it on',
  async t => {
    const { descriptors } = readCapture('gtk-gnutella/push-firewall-to-firewall.json');
    const pushes = descriptors.filter(({ bytes }) => bytes.readUInt8(16) === Type.Push).map(({ bytes }) => bytes);
    const [streamPassed, filePassed, stream, file] = pushes.map(bytes => bytes.subarray(23));
    const { network, servent, datagrams } = lone();
    const leaf = network.puppet(servent, 'leaf', { guid: parsePush(stream ?? NOBODY).serventGuid });
    network.settle();
    leaf.seen = [];
    const from = { host: '5.5.2.12', port: 7000 };
    for (const bytes of pushes.slice(2)) t.equal(datagrams.receive(bytes, from), 'taken');
    network.settle();
    const passed = leaf.ofType(Type.Push);
    t.match(passed, [{ hops: 1 }, { hops: 1 }]);
    t.strictSame(
      passed.map(({ payload }) => payload.toString('hex')),
      [streamPassed, filePassed].map(payload => payload?.toString('hex')),
    );
    t.equal(parsePush(stream ?? NOBODY).endpoint.port, 7001, 'as it names another port');
    t.equal(parsePush(streamPassed ?? NOBODY).endpoint.port, 7000);
    t.strictSame(filePassed, file, 'any other push stays as it is');
  },
);

t.test('datagrams of others are counted and cost nothing', async t => {
  const { wire, datagrams } = lone();
  const { core } = datagrams;
  const good = ping();
  t.equal(datagrams.receive(Buffer.from('hello there'), STRANGER), 'malformed');
  t.equal(datagrams.receive(good.subarray(0, 22), STRANGER), 'malformed');
  t.equal(datagrams.receive(Buffer.concat([good, NOBODY, Buffer.of(0)]), STRANGER), 'malformed', 'longer than it says');
  t.equal(datagrams.receive(Buffer.alloc(3_000), STRANGER), 'too_long');
  t.equal(datagrams.receive(good, { host: '127.0.0.1', port: 1 }), 'address', 'out of reach');
  t.equal(datagrams.receive(good, { host: STRANGER.host, port: 0 }), 'address');
  t.equal(datagrams.receive(encodeDescriptor(random.guid(), Type.Dht, 0, 0, Buffer.alloc(40)), STRANGER), 'not_spoken');
  t.equal(datagrams.receive(encodeDescriptor(random.guid(), 0x41, 1, 0, NOBODY), STRANGER), 'not_spoken');
  t.equal(datagrams.receive(encodeDescriptor(random.guid(), 0x99, 1, 0, NOBODY), STRANGER), 'unknown');
  t.equal(datagrams.receive(encodeDescriptor(random.guid(), Type.Ping, 0x81, 0, NOBODY), STRANGER), 'malformed');
  t.equal(
    datagrams.receive(encodeDescriptor(random.guid(), Type.Ping, 1, 0, Buffer.from('xx')), STRANGER),
    'malformed',
  );
  t.strictSame(wire, []);
  t.equal(core.ends.of('malformed'), 5);
  t.equal(core.ends.of('not_spoken'), 2);
});

t.test(
  'a datagram of a protocol that is not spoken goes to its owner, which counts it; it proves that UDP reaches us',
  async t => {
    const { network, wire, datagrams } = lone();
    const { core, firewall } = datagrams;
    // flags where a descriptor has its TTL
    for (const flags of [0, 0x80, 0xff])
      t.equal(
        datagrams.receive(encodeDescriptor(random.guid(), Type.Dht, flags, 9, Buffer.alloc(40)), STRANGER),
        'not_spoken',
      );
    t.equal(datagrams.receive(encodeDescriptor(random.guid(), 0x41, 0x90, 0, NOBODY), STRANGER), 'not_spoken');
    t.match(
      [core.dht, core.rudp],
      [
        { datagrams: 3, bytes: 3 * 63 },
        { datagrams: 1, bytes: 23 },
      ],
    );
    t.equal(firewall.status(network.clock.now()).udp, 'open');
    t.strictSame(wire, [], 'nothing is answered');
    for (let n = 0; n < 100; n++) datagrams.receive(encodeDescriptor(random.guid(), Type.Dht, 0, 0, NOBODY), STRANGER);
    t.ok(core.dht.datagrams < 70, 'the limit of an address stands before its owner');
  },
);

t.test('one address that sends without end is heard twenty times a second', async t => {
  const { network, datagrams } = lone();
  const taken = () => {
    let heard = 0;
    for (let i = 0; i < 500; i++) if (datagrams.receive(ping(), STRANGER) !== 'rate') heard++;
    return heard;
  };
  t.equal(taken(), 60, 'a burst');
  network.clock.ms += 1_000;
  t.equal(taken(), 20);
});

t.test('answers to strangers are bounded in all', async t => {
  const network = new VirtualNetwork();
  const wire: SentDatagram[] = [];
  const limits = { answers: new RateLimit(10, 5) };
  const datagrams = new VirtualDatagrams(network.add('a'), network, wire, limits);
  for (let i = 0; i < 100; i++) datagrams.receive(ping(), { host: `5.6.7.${i + 1}`, port: 6346 });
  t.equal(wire.length, 5);
  t.equal(datagrams.core.ends.of('answer_rate'), 95);
});

t.test('everything that gtk-gnutella and LimeWire were asked by UDP is understood', async t => {
  interface Fixture {
    exchanges: { note: string; addr: string; sent: string; got: { hex: string }[] }[];
  }
  const { exchanges } = readFixture<Fixture>('gtk-gnutella/udp.json');
  const { network, wire, servent, datagrams } = lone();
  servent.library.share('fixture alpha song.ogg');
  network.puppet(servent, 'ultrapeer', { listen: { host: '5.5.2.91', port: 6346 } });
  for (const { note, addr, sent, got } of exchanges) {
    wire.length = 0;
    network.clock.ms += 120_000;
    const [host = '', port = ''] = addr.split(':');
    const end = datagrams.receive(Buffer.from(sent, 'hex'), { host, port: Number(port) });
    if (note === 'query with the query key (GUESS)') {
      t.equal(wire.length, 1, `${note}: the key was another servent's, so we send ours`);
      continue;
    }
    const theirs = got.map(({ hex }) => hex.slice(32, 38));
    const ours = wire.map(({ bytes }) => bytes.toString('hex', 16, 19));
    t.strictSame(ours, theirs, `${note}: the same kinds of answer (${end})`);
  }
  for (const { from, over, bytes, note } of readCapture('limewire/udp.json').descriptors) {
    if (from !== 'peer' || over !== 'udp') continue;
    network.clock.ms += 120_000;
    t.match(datagrams.receive(bytes, STRANGER), /^(taken|hit_unasked|offer_unasked)$/, note);
  }
});

t.test('any datagram: no exception, answers bounded and only to the sender', async () => {
  const { network, wire, servent, datagrams } = lone();
  servent.library.share('alpha song', 'beta');
  datagrams.known = Array.from({ length: 30 }, (_, i) => ({ host: `5.6.7.${i + 1}`, port: 6346 }));
  const captured = [
    'gtk-gnutella/udp.json',
    'limewire/udp.json',
    'gtk-gnutella/oob-query.json',
    'gtk-gnutella/vendor-messages-and-bye.json',
  ]
    .flatMap(file => readCapture(file).descriptors)
    .map(({ bytes }) => bytes);
  const whole = fc
    .tuple(
      fc.constantFrom(0, 1, 0x31, 0x32, 0x40, 0x41, 0x44, 0x80, 0x81, 0x99),
      fc.nat(16),
      fc.nat(16),
      fc.uint8Array({ maxLength: 200 }),
    )
    .map(([type, ttl, hops, payload]) => encodeDescriptor(random.guid(), type, ttl, hops, payload));
  const bent = fc
    .tuple(fc.constantFrom(...captured), fc.array(fc.tuple(fc.nat(2_000), fc.nat(255)), { maxLength: 6 }))
    .map(([bytes, changes]) => {
      const copy = Buffer.from(bytes);
      for (const [at, value] of changes) copy[at % copy.length] = value;
      if (copy.length >= 23 && changes.length % 2 === 0) copy.writeUInt32LE(copy.length - 23, 19);
      return copy;
    });
  const noise = fc.uint8Array({ maxLength: 80 }).map(bytes => Buffer.from(bytes));
  fc.assert(
    fc.property(fc.oneof(whole, bent, noise), fc.nat(250), (bytes, n) => {
      const from = { host: `5.7.8.${n + 1}`, port: 6346 };
      wire.length = 0;
      network.clock.ms += 130_000;
      datagrams.receive(bytes, from);
      let answered = 0;
      for (const sent of wire) {
        answered += sent.bytes.length;
        if (sent.to.host !== from.host) return false;
      }
      return answered <= Math.max(508, 3 * bytes.length);
    }),
    { numRuns: 1_500 },
  );
});
