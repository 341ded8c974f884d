import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { Type } from '../../../protocol/constants.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import * as connectBack from '../../../protocol/wire/vendor/connect-back.ts';
import * as crawler from '../../../protocol/wire/vendor/crawler.ts';
import * as headPing from '../../../protocol/wire/vendor/head-ping.ts';
import * as guidance from '../../../protocol/wire/vendor/leaf-guidance.ts';
import * as outOfBand from '../../../protocol/wire/vendor/out-of-band.ts';
import * as pushProxy from '../../../protocol/wire/vendor/push-proxy.ts';
import * as supported from '../../../protocol/wire/vendor/supported.ts';
import * as timeSync from '../../../protocol/wire/vendor/time-sync.ts';
import {
  encodeVendorMessage,
  parseVendorMessage,
  VendorId,
  type VendorMessage,
  vendorId,
  vendorPayload,
} from '../../../protocol/wire/vendor-message.ts';
import { readCaptures } from '../../support/captures.ts';
import { vectorMessage, vectorPayload } from '../../support/vectors.ts';
import { bytes, endpoint4, hostileBytes, plain, port } from '../../support/wire-arbitraries.ts';

const serventGuid = Buffer.from('aabbccddeeff00112233445566778899', 'hex');
const vector = (name: string) => parseVendorMessage(vectorPayload(name, Type.Vendor));
const guidOf = (name: string) => vectorMessage(name).subarray(0, 16);

/** Checks that `encoded` is the vector's payload. */
function written(t: Test, name: string, encoded: Buffer): void {
  t.equal(encoded.toString('hex'), vectorPayload(name, Type.Vendor).toString('hex'), name);
}

t.test('the envelope: who, which, version, body', async t => {
  const message = vector('vm_push_proxy_ack_v2');
  t.strictSame(message, { vendor: 'LIME', selector: 22, version: 2, body: Buffer.from('c6336407cc18', 'hex') });
  t.equal(vendorId(message), VendorId.PushProxyAck);
  t.equal(vendorId(vector('vm_messages_supported')), VendorId.MessagesSupported);
  t.throws(() => parseVendorMessage(Buffer.alloc(7)), { code: 'WIRE_TRUNCATED' });
});

t.test('null/0 and null/10: what a peer understands', async t => {
  const names = (list: supported.SupportedMessage[]) => list.map(entry => `${vendorId(entry)}v${entry.version}`);
  const list = supported.parseMessagesSupported(vector('vm_messages_supported'));
  const wanted = ['BEAR/4v1', 'BEAR/7v1', 'BEAR/11v1', 'BEAR/12v1', 'GTKG/7v2', 'LIME/21v1', 'LIME/12v3'];
  t.strictSame(names(list), wanted);
  written(t, 'vm_messages_supported', supported.encodeMessagesSupported(list));

  const capabilities = supported.parseCapabilityList(vector('vm_capabilities'));
  t.strictSame(
    [...capabilities],
    [
      ['WHAT', 1],
      ['TCPI', 1],
      ['TLS!', 1],
      ['HSEP', 1],
    ],
  );
  written(t, 'vm_capabilities', supported.encodeCapabilityList(capabilities));
});

t.test('BEAR/4, 11, 12: hops flow and query status', async t => {
  t.equal(guidance.parseHopsFlow(vector('vm_hops_flow_stop')), 0);
  written(t, 'vm_hops_flow_stop', guidance.encodeHopsFlow(0));
  written(t, 'vm_query_status_req', guidance.encodeQueryStatusRequest());
  t.equal(guidance.parseQueryStatus(vector('vm_query_status_resp')), 25);
  written(t, 'vm_query_status_resp', guidance.encodeQueryStatus(25));
  t.equal(guidance.parseQueryStatus(parseVendorMessage(guidance.encodeQueryStatus(1e6))), guidance.QUERY_STATUS_STOP);
});

t.test('BEAR/7, GTKG/7, LIME/7, LIME/8: connect-backs', async t => {
  t.equal(connectBack.parseTcpConnectBack(vector('vm_tcp_connect_back')), 6346);
  written(t, 'vm_tcp_connect_back', connectBack.encodeTcpConnectBack(6346));
  const wanted = { port: 6346, guid: serventGuid };
  const version2 = vector('vm_udp_connect_back_v2');
  t.strictSame(connectBack.parseUdpConnectBack(version2, guidOf('vm_udp_connect_back_v2')), wanted);
  const version1 = parseVendorMessage(connectBack.encodeUdpConnectBack(wanted));
  t.equal(version1.version, 1);
  t.equal(version1.body.length, 18, 'LimeWire wants exactly these');
  t.strictSame(connectBack.parseUdpConnectBack(version1, Buffer.alloc(16)), wanted);
  for (const encode of [connectBack.encodeTcpConnectBackRedirect, connectBack.encodeUdpConnectBackRedirect]) {
    const message = parseVendorMessage(encode({ host: '1.2.3.4', port: 5 }));
    t.strictSame(connectBack.parseConnectBackRedirect(message), { host: '1.2.3.4', port: 5 });
  }
  const portless = parseVendorMessage(vendorPayload(VendorId.TcpConnectBack, 1, Buffer.alloc(2)));
  t.throws(() => connectBack.parseTcpConnectBack(portless), { code: 'WIRE_MALFORMED' });
});

t.test('GTKG/9, 10: time sync, two times in the GUID', async t => {
  const sentAt = { seconds: 1_700_000_000, microseconds: 250_000 };
  const receivedAt = { seconds: 1_700_000_001, microseconds: 100 };
  const repliedAt = { seconds: 1_700_000_001, microseconds: 400 };
  const [request, reply] = ['vm_time_sync_req', 'vm_time_sync_reply'];
  t.strictSame(timeSync.parseTimeSyncRequest(vector(request), guidOf(request)), { ntp: true, sentAt });
  written(t, request, timeSync.encodeTimeSyncRequest(true));
  t.ok(timeSync.timeSyncGuid(sentAt).equals(guidOf(request)));
  const times = { ntp: true, sentAt, receivedAt, repliedAt };
  t.strictSame(timeSync.parseTimeSyncReply(vector(reply), guidOf(reply)), times);
  written(t, reply, timeSync.encodeTimeSyncReply(true, receivedAt));
  t.ok(timeSync.timeSyncGuid(sentAt, repliedAt).equals(guidOf(reply)));
});

t.test('LIME/21, 22, GTKG/21: push proxies', async t => {
  written(t, 'vm_push_proxy_req', pushProxy.encodePushProxyRequest());
  const ack = { host: '198.51.100.7', port: 6348 };
  t.strictSame(pushProxy.parsePushProxyAck(vector('vm_push_proxy_ack_v2')), ack);
  written(t, 'vm_push_proxy_ack_v2', pushProxy.encodePushProxyAck(ack));
  const version1 = parseVendorMessage(vendorPayload(VendorId.PushProxyAck, 1, Buffer.from('cc18', 'hex')));
  t.strictSame(pushProxy.parsePushProxyAck(version1), { host: null, port: 6348 });
  t.equal(vendorId(parseVendorMessage(pushProxy.encodePushProxyCancel())), VendorId.PushProxyCancel);
});

t.test('LIME/11, 12: out-of-band hits', async t => {
  const offer = { hits: 7, unsolicited: true, secure: true };
  t.strictSame(outOfBand.parseOutOfBandOffer(vector('vm_oob_reply_number_v3')), offer);
  written(t, 'vm_oob_reply_number_v3', outOfBand.encodeOutOfBandOffer(offer));
  const ack = { wanted: 7, token: Buffer.from('deadbeef', 'hex') };
  for (const name of ['vm_oob_ack_v3', 'vm_oob_ack_v3_can_inflate']) {
    t.strictSame(outOfBand.parseOutOfBandAck(vector(name)), ack);
    written(t, name, outOfBand.encodeOutOfBandAck(ack));
  }
  const plainAck = parseVendorMessage(outOfBand.encodeOutOfBandAck({ wanted: 1000, token: null }));
  t.equal(plainAck.version, 2);
  t.strictSame(outOfBand.parseOutOfBandAck(plainAck), { wanted: 255, token: null });

  const message = (version: number, hex: string) =>
    parseVendorMessage(vendorPayload(VendorId.OutOfBandAck, version, Buffer.from(hex, 'hex')));
  t.throws(() => outOfBand.parseOutOfBandAck(message(1, '07')), { code: 'WIRE_MALFORMED' });
  t.throws(() => outOfBand.parseOutOfBandAck(message(3, '07')), { code: 'WIRE_MALFORMED' }, 'no token');
  t.throws(() => outOfBand.parseOutOfBandAck(message(3, '07c382534f40')), { code: 'WIRE_MALFORMED' }, 'empty token');
  t.throws(() => outOfBand.parseOutOfBandAck(message(3, `07c382534f51${'aa'.repeat(17)}`)), { code: 'WIRE_MALFORMED' });
  t.throws(() => outOfBand.parseOutOfBandAck(message(3, '07ff')), { code: 'GGEP_MALFORMED' });
  t.throws(() => outOfBand.parseOutOfBandOffer(message(1, '0700')), { code: 'WIRE_MALFORMED' });
});

t.test('LIME/5, 6: the UDP crawler', async t => {
  const ping = { ultrapeers: 10, leaves: 255, flags: crawler.CrawlFlag.ConnectionTime | crawler.CrawlFlag.UserAgents };
  t.strictSame(crawler.parseCrawlerPing(vector('vm_crawler_ping')), ping);
  written(t, 'vm_crawler_ping', crawler.encodeCrawlerPing(ping));

  const neighbour = {
    endpoint: { host: '1.2.3.4', port: 5 },
    connectedMinutes: 70_000,
    locale: 'de',
    replies: 9,
    userAgent: 'a;b\\c',
  };
  const pong = {
    ultrapeers: [neighbour],
    leaves: [{ ...neighbour, endpoint: { host: '6.7.8.9', port: 10 }, connectedMinutes: 3, userAgent: 'X/1' }],
    flags: 0x7b,
    uptimeSeconds: 3600,
    dhtStatus: 2,
    userAgent: 'own/1',
  };
  t.strictSame(crawler.parseCrawlerPong(parseVendorMessage(crawler.encodeCrawlerPong(pong))), {
    ...pong,
    ultrapeers: [{ ...neighbour, connectedMinutes: 65_535 }],
  });
  const bare = crawler.parseCrawlerPong(parseVendorMessage(crawler.encodeCrawlerPong({ ...pong, flags: 0 })));
  t.strictSame(bare.leaves[0], {
    endpoint: { host: '6.7.8.9', port: 10 },
    connectedMinutes: 0,
    locale: '',
    replies: 0,
    userAgent: '',
  });

  const withAgents = (packed: Buffer) => {
    const head = Buffer.from([0, 0, crawler.CrawlFlag.UserAgents, packed.length & 0xff, packed.length >> 8]);
    return parseVendorMessage(vendorPayload(VendorId.CrawlerPong, 1, Buffer.concat([head, packed])));
  };
  t.throws(() => crawler.parseCrawlerPong(withAgents(Buffer.from('not gzip'))), { code: 'WIRE_MALFORMED' });
  const bomb = withAgents(gzipSync(Buffer.alloc(1 << 20)));
  t.throws(() => crawler.parseCrawlerPong(bomb), { code: 'WIRE_MALFORMED' }, 'more than anybody has to say');
});

t.test('a crowded crawler pong is cut to what its counts and lengths can say', async t => {
  const neighbour = { endpoint: { host: '1.2.3.4', port: 5 }, connectedMinutes: 1, locale: 'en', replies: 1 };
  const crowd = Array.from({ length: 300 }, () => ({ ...neighbour, userAgent: ';'.repeat(300) }));
  const pong = { ultrapeers: crowd, leaves: crowd, flags: 0x7f, uptimeSeconds: 1, dhtStatus: 0, userAgent: 'own/1' };
  const read = crawler.parseCrawlerPong(parseVendorMessage(crawler.encodeCrawlerPong(pong)));
  t.strictSame([read.ultrapeers.length, read.leaves.length, read.userAgent], [255, 255, 'own/1']);
  t.equal(read.leaves[254]?.userAgent, ';'.repeat(63));
});

t.test('LIME/23: HEAD pings', async t => {
  const urn = 'urn:sha1:PLSTHIPQGSSZTS5FJUPAKUZWUGYQYPFB';
  const flags = headPing.HeadFlag.Ranges | headPing.HeadFlag.Locations;
  for (const target of [null, serventGuid]) {
    const ping = { version: 2, flags, urn, target };
    t.strictSame(headPing.parseHeadPing(parseVendorMessage(headPing.encodeHeadPing(ping))), ping);
  }
  const other = parseVendorMessage(vendorPayload(VendorId.HeadPing, 1, Buffer.alloc(42, 'x')));
  t.throws(() => headPing.parseHeadPing(other), { code: 'WIRE_MALFORMED' });
});

/** Every parser that we have, as the descriptor's handler would call it. */
const parsers: Record<string, (message: VendorMessage) => unknown> = {
  [VendorId.MessagesSupported]: supported.parseMessagesSupported,
  [VendorId.Capabilities]: supported.parseCapabilityList,
  [VendorId.HopsFlow]: guidance.parseHopsFlow,
  [VendorId.QueryStatus]: guidance.parseQueryStatus,
  [VendorId.TcpConnectBack]: connectBack.parseTcpConnectBack,
  [VendorId.UdpConnectBack]: message => connectBack.parseUdpConnectBack(message, serventGuid),
  [VendorId.TcpConnectBackRedirect]: connectBack.parseConnectBackRedirect,
  [VendorId.UdpConnectBackRedirect]: connectBack.parseConnectBackRedirect,
  [VendorId.TimeSyncRequest]: message => timeSync.parseTimeSyncRequest(message, serventGuid),
  [VendorId.TimeSyncReply]: message => timeSync.parseTimeSyncReply(message, serventGuid),
  [VendorId.CrawlerPing]: crawler.parseCrawlerPing,
  [VendorId.CrawlerPong]: crawler.parseCrawlerPong,
  [VendorId.OutOfBandAck]: outOfBand.parseOutOfBandAck,
  [VendorId.OutOfBandOffer]: outOfBand.parseOutOfBandOffer,
  [VendorId.PushProxyAck]: pushProxy.parsePushProxyAck,
  [VendorId.HeadPing]: headPing.parseHeadPing,
};

t.test('every captured vendor message is read, envelope and body', async t => {
  const seen = new Map<string, number>();
  for (const capture of readCaptures()) {
    for (const { bytes: descriptor } of capture.descriptors) {
      if (descriptor[16] !== Type.Vendor && descriptor[16] !== Type.StandardVendor) continue;
      const payload = descriptor.subarray(23);
      const message = parseVendorMessage(payload);
      const id = vendorId(message);
      t.ok(encodeVendorMessage(message).equals(payload), capture.file);
      t.doesNotThrow(() => parsers[id]?.(message), `${capture.file} ${id}`);
      seen.set(id, (seen.get(id) ?? 0) + 1);
      if (id === VendorId.MessagesSupported) {
        t.ok(supported.encodeMessagesSupported(supported.parseMessagesSupported(message)).equals(payload));
      }
    }
  }
  for (const id of [
    'null/0',
    'null/10',
    'BEAR/4',
    'BEAR/7',
    'GTKG/7',
    'LIME/5',
    'LIME/6',
    'LIME/11',
    'LIME/12',
    'LIME/22',
    'LIME/23',
  ]) {
    t.ok((seen.get(id) ?? 0) > 0, `${id} was captured`);
  }
});

t.test("LimeWire's capability list: numbers that do not fit 16 bits come again after it", async t => {
  const lists = readCaptures()
    .filter(capture => capture.servent === 'limewire')
    .flatMap(capture => capture.descriptors)
    .filter(({ bytes: descriptor, over }) => over === 'tcp' && descriptor[16] === Type.Vendor)
    .map(({ bytes: descriptor }) => parseVendorMessage(descriptor.subarray(23)))
    .filter(message => vendorId(message) === VendorId.Capabilities && message.version === 1);
  const [first] = lists;
  if (first === undefined) throw new Error('none captured');
  const capabilities = supported.parseCapabilityList(first);
  t.equal(capabilities.get('IMPP'), 0x7fffffff);
  t.equal(capabilities.get('WHAT'), 1);
  t.ok(supported.encodeCapabilityList(capabilities).equals(encodeVendorMessage(first)), 'written as LimeWire does');
});

t.test("LimeWire's crawler pong: its own agent in gzip", async t => {
  const pongs = readCaptures()
    .flatMap(capture => capture.descriptors)
    .filter(({ bytes: descriptor }) => descriptor[16] === Type.Vendor)
    .map(({ bytes: descriptor }) => parseVendorMessage(descriptor.subarray(23)))
    .filter(message => vendorId(message) === VendorId.CrawlerPong)
    .map(crawler.parseCrawlerPong);
  t.hasStrict(pongs, [
    { ultrapeers: [{ endpoint: { host: '5.5.2.91', port: 6346 }, connectedMinutes: 0 }], leaves: [], userAgent: '' },
    { ultrapeers: [], leaves: [], flags: 0x1f, uptimeSeconds: 91, userAgent: 'LimeWire/5.5.16' },
  ]);
});

t.test('lists are cut: no peer has so much to list', async t => {
  const body = Buffer.alloc(2 + 8 * 8000);
  body.writeUInt16LE(8000);
  const message = parseVendorMessage(vendorPayload(VendorId.MessagesSupported, 0, body));
  t.equal(supported.parseMessagesSupported(message).length, supported.SUPPORTED_MAX);
});

t.test('encode and parse are inverse', async t => {
  const entry = fc.record(
    { vendor: bytes(4).map(code => code.toString('latin1')), selector: fc.nat(65_535), version: fc.nat(65_535) },
    plain,
  );
  fc.assert(
    fc.property(
      fc.array(entry, { maxLength: 40 }),
      fc.dictionary(fc.stringMatching(/^[A-Z!0-9]{4}$/), fc.nat(0xffffffff), { maxKeys: 20 }),
      port,
      endpoint4,
      bytes(1, 16),
      (entries, capabilities, number, endpoint, token) => {
        const same = (parse: (message: VendorMessage) => unknown, payload: Buffer, value: unknown) =>
          t.same(parse(parseVendorMessage(payload)), value);
        const list = new Map(Object.entries(capabilities));
        same(supported.parseMessagesSupported, supported.encodeMessagesSupported(entries), entries);
        same(supported.parseCapabilityList, supported.encodeCapabilityList(list), list);
        same(connectBack.parseTcpConnectBack, connectBack.encodeTcpConnectBack(number), number);
        same(connectBack.parseConnectBackRedirect, connectBack.encodeTcpConnectBackRedirect(endpoint), endpoint);
        same(pushProxy.parsePushProxyAck, pushProxy.encodePushProxyAck(endpoint), endpoint);
        const ack = { wanted: number & 0xff, token };
        same(outOfBand.parseOutOfBandAck, outOfBand.encodeOutOfBandAck(ack), ack);
      },
    ),
    { numRuns: 40 },
  );
});

t.test('any bytes in any body: only ProtocolError', async () => {
  const body = fc.oneof(bytes(0, 64), hostileBytes, fc.tuple(bytes(1, 3), hostileBytes).map(Buffer.concat));
  fc.assert(
    fc.property(
      fc.constantFrom(...Object.keys(parsers)),
      fc.integer({ min: 0, max: 4 }),
      body,
      (id, version, bytes) => {
        try {
          parsers[id]?.(parseVendorMessage(vendorPayload(id, version, bytes)));
          return true;
        } catch (error) {
          return error instanceof ProtocolError;
        }
      },
    ),
    { numRuns: 3000 },
  );
});
