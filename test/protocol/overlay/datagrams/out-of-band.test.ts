import t from 'tap';
import { Type } from '../../../../protocol/constants.ts';
import { type DatagramLimits, LOCAL_DATAGRAM_LIMITS } from '../../../../protocol/overlay/datagrams/datagrams.ts';
import type { Identity } from '../../../../protocol/overlay/identity.ts';
import { hitDatagrams } from '../../../../protocol/overlay/queries/own-hits.ts';
import { addressGuid, addressInGuid } from '../../../../protocol/wire/guid-address.ts';
import { encodeDescriptor } from '../../../../protocol/wire/header.ts';
import { encodeQuery, parseQuery, QueryFlag } from '../../../../protocol/wire/query.ts';
import { parseQueryHit } from '../../../../protocol/wire/query-hit.ts';
import {
  encodeOutOfBandAck,
  encodeOutOfBandOffer,
  parseOutOfBandAck,
  parseOutOfBandOffer,
} from '../../../../protocol/wire/vendor/out-of-band.ts';
import { parseVendorMessage } from '../../../../protocol/wire/vendor-message.ts';
import { type Capture, readCapture } from '../../../support/captures.ts';
import { carry, type SentDatagram, VirtualDatagrams } from '../../../support/virtual-datagrams.ts';
import { SeededRandom, VirtualNetwork } from '../../../support/virtual-network.ts';

const random = new SeededRandom(9);
const SEARCHER = { host: '5.5.2.45', port: 6346 };
const SO = { id: 'SO', payload: Buffer.alloc(0) };

/** A servent with a library, and a neighbour played by the test. */
function replier(names: readonly string[], limits: Partial<DatagramLimits> = {}) {
  const network = new VirtualNetwork();
  const wire: SentDatagram[] = [];
  const servent = network.add('replier');
  servent.library.share(...names);
  const datagrams = new VirtualDatagrams(servent, network, wire, limits);
  const peer = network.puppet(servent);
  network.settle();
  peer.seen = [];
  return { network, wire, servent, datagrams, peer };
}

function query(flags = QueryFlag.Marked | QueryFlag.OutOfBand, ggep = [SO], hops = 1, to = SEARCHER) {
  const guid = addressGuid(random.guid(), to);
  return { guid, bytes: encodeDescriptor(guid, Type.Query, 2, hops, encodeQuery({ text: 'song', flags, ggep })) };
}

const claim = (guid: Buffer, wanted = 255, token: Buffer | null = Buffer.from('token')) =>
  encodeDescriptor(guid, Type.Vendor, 1, 0, encodeOutOfBandAck({ wanted, token }));

t.test('the address in a GUID is found again', async t => {
  const guid = addressGuid(random.guid(), SEARCHER);
  t.strictSame(addressInGuid(guid), SEARCHER);
  t.strictSame([guid[8], guid[15]], [0xff, 0], 'the marks stay');
});

t.test('hits are offered by UDP, claimed with a token, and carry it', async t => {
  const { network, wire, datagrams, peer } = replier(['alpha song', 'beta song']);
  const { guid, bytes } = query();
  peer.send(bytes);
  network.settle();
  t.strictSame(peer.ofType(Type.QueryHit), [], 'none over the link');
  const [offered] = wire.splice(0);
  t.strictSame(offered?.to, SEARCHER);
  t.ok(offered?.bytes.subarray(0, 16).equals(guid));
  const offer = parseOutOfBandOffer(parseVendorMessage(offered?.bytes.subarray(23) ?? Buffer.alloc(0)));
  t.strictSame(offer, { hits: 2, unsolicited: false, secure: true });

  const natted = { host: SEARCHER.host, port: 40_000 };
  t.equal(datagrams.receive(claim(guid), natted), 'taken');
  const [delivered] = wire.splice(0);
  t.strictSame(delivered?.to, natted, 'to where the claim came from');
  const hit = parseQueryHit(delivered?.bytes.subarray(23) ?? Buffer.alloc(0));
  t.strictSame(
    hit.hits.map(({ name }) => name),
    ['alpha song', 'beta song'],
  );
  t.strictSame(
    hit.ggep.map(({ id, payload }) => [id, payload.toString()]),
    [['SO', 'token']],
  );
  datagrams.receive(claim(guid), SEARCHER);
  t.strictSame(wire, [], 'one claim an offer');
});

t.test('who is one hop away, or does not ask for it, gets hits over the link', async t => {
  const { network, wire, peer } = replier(['alpha song']);
  peer.send(query(undefined, undefined, 0).bytes);
  peer.send(query(QueryFlag.Marked, []).bytes);
  peer.send(query(undefined, undefined, 1, { host: '127.0.0.1', port: 6346 }).bytes);
  peer.send(query(undefined, undefined, 1, { host: '5.5.5.5', port: 0 }).bytes);
  network.settle();
  t.equal(peer.ofType(Type.QueryHit).length, 4, 'as do those whose address is none');
  t.strictSame(wire, []);
});

t.test('claims from elsewhere, without a token, for nothing or too late bring nothing', async t => {
  const { network, wire, datagrams, peer } = replier(['alpha song']);
  const { core } = datagrams;
  const { guid, bytes } = query();
  peer.send(bytes);
  network.settle();
  wire.length = 0;
  datagrams.receive(claim(guid), { host: '5.5.9.9', port: 6346 });
  datagrams.receive(claim(guid, 255, null), SEARCHER);
  datagrams.receive(claim(random.guid()), SEARCHER);
  network.clock.ms += 80_001;
  datagrams.receive(claim(guid), SEARCHER);
  t.strictSame(wire, []);
  t.equal(core.replies.refused, 4);
  core.tick(network.clock.ms);
  t.equal(core.waiting.offers, 0);
});

t.test(
  'many hits leave in datagrams of at most 645 bytes, one at once and the others in 2.5 to 7.5 s each',
  async t => {
    const names = Array.from({ length: 20 }, (_, i) => `song number ${i} with a name of some length, as they have.ogg`);
    const { network, wire, datagrams, peer } = replier(names);
    const { guid, bytes } = query();
    peer.send(bytes);
    network.settle();
    wire.length = 0;
    datagrams.receive(claim(guid, 12), SEARCHER);
    t.equal(wire.length, 1);
    const sentAt: number[] = [];
    let seen = wire.length;
    while (datagrams.core.waiting.deliveries > 0) {
      network.clock.ms += 100;
      datagrams.core.tick(network.clock.ms);
      if (wire.length > seen) sentAt.push(network.clock.ms);
      seen = wire.length;
    }
    const gaps = sentAt.slice(1).map((at, i) => at - (sentAt[i] ?? 0));
    t.ok(
      gaps.every(gap => gap >= 2_500 && gap <= 7_600),
      `gaps ${gaps}`,
    );
    t.ok(wire.every(({ bytes: { length } }) => length <= 645));
    const records = wire.flatMap(sent => parseQueryHit(sent.bytes.subarray(23)).hits.map(({ name }) => name));
    t.strictSame(records, names.slice(0, 12), 'as many as were wanted, none twice');
  },
);

t.test('hits tell the root of the hash tree once it is known', async t => {
  const { servent, network } = replier([]);
  const file = {
    index: 1,
    name: 'a',
    size: 1,
    sha1: Buffer.alloc(20, 1),
    tigerRoot: Buffer.alloc(24, 2),
    modifiedAt: 0,
  };
  const files = [file, { ...file, index: 2, tigerRoot: null }];
  const [bytes = Buffer.alloc(0)] = hitDatagrams(servent, files, network.random.guid(), [], 0);
  const { hits } = parseQueryHit(bytes.subarray(23));
  t.strictSame(
    hits.map(({ sha1, tigerRoot }) => ({ sha1, tigerRoot })),
    files.map(({ sha1, tigerRoot }) => ({ sha1, tigerRoot })),
  );
});

t.test('a hit names other servents that have the file, where some are known', async t => {
  const { servent, network } = replier([]);
  const [known, alone] = [Buffer.alloc(20, 1), Buffer.alloc(20, 2)];
  const asked: unknown[] = [];
  const identity: Identity = Object.assign(servent, {
    alternatesOf: (sha1: Buffer, max: number, now: number) => {
      asked.push([max, now]);
      return sha1.equals(known) ? ['192.0.2.1', '192.0.2.2', '2001:db8::1'].map(host => ({ host, port: 6346 })) : [];
    },
  });
  const files = [known, alone].map((sha1, index) => ({
    index,
    name: 'a',
    size: 1,
    sha1,
    tigerRoot: null,
    modifiedAt: 0,
  }));
  const [bytes = Buffer.alloc(0)] = hitDatagrams(identity, files, network.random.guid(), [], 7);
  const { hits } = parseQueryHit(bytes.subarray(23));
  t.strictSame(
    hits.map(({ alternates }) => alternates.map(({ host }) => host)),
    [['192.0.2.1', '192.0.2.2', '2001:db8::1'], []],
  );
  t.strictSame(asked[0], [10, 7]);
});

t.test('a name that fits no datagram is left out, the others are not', async t => {
  const { servent, network } = replier([]);
  const file = (name: string, index: number) => ({
    index,
    name,
    size: 1,
    sha1: Buffer.alloc(20),
    tigerRoot: null,
    modifiedAt: 0,
  });
  const files = [file('a', 1), file('x'.repeat(2_000), 2), file('b', 3)];
  const names = hitDatagrams(servent, files, network.random.guid(), [], 0).flatMap(bytes =>
    parseQueryHit(bytes.subarray(23)).hits.map(({ name }) => name),
  );
  t.strictSame(names, ['a', 'b']);
});

t.test('an address that claims nothing gets 25 offers a minute, then none for ten minutes', async t => {
  const { network, wire, peer } = replier(['alpha song']);
  for (let i = 0; i < 40; i++) peer.send(query().bytes);
  network.settle();
  t.equal(wire.length, 26);
  t.equal(peer.ofType(Type.QueryHit).length, 14, 'the others go over the link');
  wire.length = 0;
  network.clock.ms += 300_000;
  peer.send(query().bytes);
  network.settle();
  t.equal(wire.length, 0);
  network.clock.ms += 300_000;
  peer.send(query().bytes);
  network.settle();
  t.equal(wire.length, 1);
});

t.test('the ports of one host are one address, but in a lab', async t => {
  for (const byPort of [false, true]) {
    const { network, wire, peer } = replier(['alpha song'], { byPort });
    for (let i = 0; i < 40; i++) peer.send(query(undefined, undefined, 1, { ...SEARCHER, port: 1_024 + i }).bytes);
    network.settle();
    t.equal(wire.length, byPort ? 40 : 26);
  }
});

t.test('offers are bounded: 200 at once and 50 a second, 1,024 that wait', async t => {
  const { network, wire, datagrams, peer } = replier(['alpha song']);
  let sent = 0;
  const ask = (count: number) => {
    for (let end = sent + count; sent < end; sent++)
      peer.send(query(undefined, undefined, 1, { host: `5.${sent >> 8}.${sent & 255}.1`, port: 1 }).bytes);
    network.settle();
  };
  ask(300);
  t.equal(wire.length, 200);
  t.equal(peer.ofType(Type.QueryHit).length, 100, 'the others go over the link');
  for (let second = 1; second <= 20; second++) {
    network.clock.ms += 1_000;
    ask(60);
    t.equal(wire.length, 200 + second * 50);
  }
  t.equal(datagrams.core.waiting.offers, 1_024);
});

t.test('two servents: a search over two hops, hits by UDP', async t => {
  const network = new VirtualNetwork();
  const wire: SentDatagram[] = [];
  const [a, b, c] = ['a', 'b', 'c'].map(
    name => new VirtualDatagrams(network.add(name), network, wire, LOCAL_DATAGRAM_LIMITS),
  );
  if (a === undefined || b === undefined || c === undefined) throw new Error('three were made');
  network.connect(a.servent, b.servent);
  network.connect(b.servent, c.servent);
  network.settle();
  a.servent.datagramEndpoint = a.servent.endpoint;
  b.servent.library.share('near song');
  c.servent.library.share('far song');
  const search = a.servent.search({ text: 'song' });
  t.strictSame(addressInGuid(search.guid), a.servent.endpoint);
  const sent = parseQuery(search.payload);
  t.ok((sent.flags & QueryFlag.OutOfBand) !== 0);
  t.strictSame(
    sent.ggep.map(({ id }) => id),
    ['SO'],
  );
  network.settle();
  t.equal(carry(wire, [a, b, c]), 3, 'offer, claim, hit');
  t.strictSame(
    a.servent.hits.map(({ hit }) => hit.hits[0]?.name),
    ['near song'],
  );
  t.match(a.hits, [{ search, from: c.servent.endpoint, hit: { hits: [{ name: 'far song' }] } }]);
  t.equal(search.hits, 2);
});

t.test('a searcher takes only hits that it claimed, from where it claimed them', async t => {
  const network = new VirtualNetwork();
  const wire: SentDatagram[] = [];
  const a = new VirtualDatagrams(network.add('a'), network, wire);
  const other = network.add('other');
  other.library.share('song');
  a.servent.datagramEndpoint = a.servent.endpoint;
  const search = a.servent.search({ text: 'song' });
  const from = { host: '5.5.1.1', port: 6346 };
  const offer = (guid: Buffer, secure: boolean) =>
    encodeDescriptor(guid, Type.Vendor, 1, 0, encodeOutOfBandOffer({ hits: 300, unsolicited: true, secure }));
  const hit = (guid: Buffer, token: Buffer | null) =>
    hitDatagrams(
      other,
      other.library.match(parseQuery(search.payload), 1),
      guid,
      token === null ? [] : [{ id: 'SO', payload: token }],
      0,
    )[0] ?? Buffer.alloc(0);
  t.equal(a.receive(offer(random.guid(), true), from), 'offer_unasked');
  t.equal(a.receive(hit(search.guid, null), from), 'hit_unasked', 'before any claim');
  t.equal(a.receive(offer(search.guid, true), from), 'taken');
  const ack = parseOutOfBandAck(parseVendorMessage(wire[0]?.bytes.subarray(23) ?? Buffer.alloc(0)));
  t.equal(ack.wanted, 255, 'all of them');
  const token = ack.token ?? Buffer.alloc(0);
  t.equal(a.receive(hit(search.guid, Buffer.alloc(8)), from), 'hit_unasked', 'a wrong token');
  t.equal(a.receive(hit(search.guid, null), from), 'hit_unasked', 'no token');
  t.equal(a.receive(hit(search.guid, token), { host: '5.5.1.1', port: 99 }), 'hit_unasked', "another's token");
  t.equal(a.receive(hit(random.guid(), token), from), 'hit_unasked', 'another query');
  t.equal(a.receive(hit(search.guid, token), from), 'taken');
  const old = { host: '5.5.1.2', port: 6346 };
  t.equal(a.receive(offer(search.guid, false), old), 'taken');
  t.equal(a.receive(hit(search.guid, null), old), 'taken', 'version 2 knows no tokens');
  network.clock.ms += 1_800_001;
  t.equal(a.receive(hit(search.guid, token), from), 'hit_unasked', 'half an hour later');
  t.equal(a.hits.length, 2);
});

t.test('what gtk-gnutella and LimeWire said out of band is what we say', async t => {
  const said = ({ descriptors }: Capture) => descriptors.filter(({ over }) => over === 'udp').map(({ bytes }) => bytes);
  const [offer, ack, hit] = said(readCapture('gtk-gnutella/oob-query.json')).slice(-3);
  if (offer === undefined || ack === undefined || hit === undefined) throw new Error('the capture has three');
  const theirs = parseOutOfBandOffer(parseVendorMessage(offer.subarray(23)));
  t.ok(encodeDescriptor(offer.subarray(0, 16), 0x31, 1, 0, encodeOutOfBandOffer(theirs)).equals(offer));
  const claimed = parseOutOfBandAck(parseVendorMessage(ack.subarray(23)));
  t.ok(encodeDescriptor(ack.subarray(0, 16), 0x31, 1, 0, encodeOutOfBandAck(claimed)).equals(ack));
  const token = parseQueryHit(hit.subarray(23)).ggep.find(({ id }) => id === 'SO')?.payload;
  t.ok(claimed.token !== null && token?.equals(claimed.token));
  t.strictSame(addressInGuid(offer), SEARCHER);

  const { network, wire, peer, servent } = replier(['fixture alpha song.ogg']);
  const [query] = readCapture('gtk-gnutella/oob-query.json').descriptors.filter(
    ({ from, bytes }) => from === 'peer' && bytes[16] === Type.Query,
  );
  peer.send(query?.bytes ?? Buffer.alloc(0));
  network.settle();
  t.equal(servent.passed.length, 1);
  t.strictSame(wire[0]?.to, SEARCHER, 'their query asks us, too');
  t.ok(wire[0]?.bytes.subarray(0, 31).equals(offer.subarray(0, 31)), 'and our offer is theirs but for the flags');
});
