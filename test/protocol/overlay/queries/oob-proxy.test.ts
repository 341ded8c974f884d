// An ultrapeer has hits for its leaves sent to itself by UDP: what travels, what the leaf gets, and what does not pass.
import t from 'tap';
import { Type } from '../../../../protocol/constants.ts';
import { addressInGuid } from '../../../../protocol/wire/guid-address.ts';
import { encodeDescriptor } from '../../../../protocol/wire/header.ts';
import { encodeQuery, parseQuery, QueryFlag } from '../../../../protocol/wire/query.ts';
import { encodeQueryHit, PLAIN_HIT, PLAIN_QUERY_HIT } from '../../../../protocol/wire/query-hit.ts';
import { encodeOutOfBandOffer, parseOutOfBandAck } from '../../../../protocol/wire/vendor/out-of-band.ts';
import { encodeVendorMessage, parseVendorMessage } from '../../../../protocol/wire/vendor-message.ts';
import { hitFor, hitPayload, query, random } from '../../../support/descriptors.ts';
import { LIMITS, tableFrames, vendor } from '../../../support/route-tables.ts';
import { type SentDatagram, VirtualDatagrams } from '../../../support/virtual-datagrams.ts';
import { type Puppet, VirtualNetwork } from '../../../support/virtual-network.ts';

const OWN = { host: '80.9.9.9', port: 6346 };
const RESPONDER = { host: '81.1.1.1', port: 7777 };
const SO = { id: 'SO', payload: Buffer.alloc(0) };

/** An ultrapeer that takes datagrams, its leaf, and another ultrapeer whose table has the word. */
function scene() {
  const network = new VirtualNetwork();
  const hub = network.add('hub', { limits: { ...LIMITS, proxyOutOfBand: true } });
  hub.datagramEndpoint = OWN;
  const wire: SentDatagram[] = [];
  const datagrams = new VirtualDatagrams(hub, network, wire, {}, 'open');
  const leaf = network.puppet(hub, 'leaf');
  const far = network.puppet(hub);
  network.settle();
  far.send(...tableFrames(['words']));
  network.settle();
  const ask = (bytes: Buffer): Buffer[] => {
    leaf.send(bytes);
    network.pass(5_000, 100);
    return far.ofType(Type.Query).map(({ guid }) => Buffer.from(guid));
  };
  return { network, hub, wire, datagrams, leaf, far, ask };
}

const offer = (guid: Buffer, hits: number, secure = true) =>
  encodeDescriptor(guid, Type.Vendor, 1, 0, encodeOutOfBandOffer({ hits, unsolicited: true, secure }));

function hit(guid: Buffer, token: Buffer | null, records = 2): Buffer {
  const payload = encodeQueryHit({
    ...PLAIN_QUERY_HIT,
    endpoint: RESPONDER,
    speedKbps: 1,
    vendor: 'TEST',
    hits: Array.from({ length: records }, (_, index) => ({ ...PLAIN_HIT, index, size: 5, name: `words ${index}` })),
    serventGuid: random.guid(),
    ggep: token === null ? [] : [{ id: 'SO', payload: token }],
  });
  return encodeDescriptor(guid, Type.QueryHit, 1, 0, payload);
}

const tokenOf = ({ bytes }: SentDatagram) => parseOutOfBandAck(parseVendorMessage(bytes.subarray(23)));
const hitsOf = (leaf: Puppet) => leaf.ofType(Type.QueryHit).map(({ guid }) => Buffer.from(guid));

t.test('the query travels with our address, and its hits come back to the leaf under its own GUID', async t => {
  const { hub, network, wire, datagrams, leaf, far, ask } = scene();
  const sent = query(3, 0, 'words');
  const leafGuid = sent.subarray(0, 16);
  const [guid = Buffer.alloc(16)] = ask(sent);
  t.strictSame(addressInGuid(guid), OWN);
  t.ok(guid.subarray(4, 13).equals(leafGuid.subarray(4, 13)));
  const [asked] = far.ofType(Type.Query);
  t.equal((asked === undefined ? 0 : parseQuery(asked.payload).flags) & QueryFlag.OutOfBand, QueryFlag.OutOfBand);
  t.match(asked === undefined ? [] : parseQuery(asked.payload).ggep, [{ id: 'SO' }], 'answers have to repeat a token');

  t.equal(datagrams.receive(hit(guid, Buffer.from('forged')), RESPONDER), 'hit_unasked', 'before it was claimed');
  t.equal(datagrams.receive(offer(guid, 2), RESPONDER), 'taken');
  const [claim] = wire.splice(0);
  t.strictSame(claim?.to, RESPONDER);
  const { token = null, wanted } = claim === undefined ? { wanted: 0 } : tokenOf(claim);
  t.equal(wanted, 2);
  t.equal(datagrams.receive(hit(guid, token), { host: '82.2.2.2', port: 1 }), 'hit_unasked', 'from elsewhere');
  t.equal(datagrams.receive(hit(guid, token), RESPONDER), 'taken');
  far.send(hitFor(guid, 4, 0, hitPayload()));
  network.settle();
  t.strictSame(hitsOf(leaf), [leafGuid, leafGuid], 'by datagram, and over the link');
  t.match(leaf.ofType(Type.QueryHit)[0], { ttl: 1, hops: 1 });
  t.equal(hub.overlay.oobProxy.hitsPassed, 2);
  t.equal(datagrams.receive(offer(Buffer.from(leafGuid), 2), RESPONDER), 'offer_unasked');
});

t.test('an offer is left alone when enough was asked for, or the leaf is gone', async t => {
  const { network, hub, wire, datagrams, leaf, ask } = scene();
  const [guid = Buffer.alloc(16)] = ask(query(3, 0, 'words'));
  for (let i = 0; i < 3; i++) datagrams.receive(offer(guid, 200), { host: `81.1.1.${i + 1}`, port: 1 });
  t.strictSame(
    wire
      .splice(0)
      .map(tokenOf)
      .map(({ wanted }) => wanted),
    [200, 50],
  );
  const [other = Buffer.alloc(16)] = ask(query(3, 0, 'words again')).slice(1);
  t.equal(hub.overlay.oobProxy.size, 2);
  hub.overlay.removeLink(leaf.link, 'gone');
  t.equal(datagrams.receive(offer(other, 2), RESPONDER), 'offer_unasked');
  t.equal(hub.overlay.oobProxy.size, 0);
  network.settle();
});

t.test('who takes hits itself, or does not want it, is left alone', async t => {
  const { hub, network, leaf, ask } = scene();
  const flags = QueryFlag.Marked | QueryFlag.OutOfBand;
  const asking = (draft: Parameters<typeof encodeQuery>[0]) =>
    encodeDescriptor(random.guid(), Type.Query, 3, 0, encodeQuery(draft));
  ask(asking({ text: 'words one', flags }));
  ask(asking({ text: 'words two', ggep: [SO] }));
  t.equal(hub.overlay.oobProxy.outcomes.of('vetoed'), 0);
  ask(asking({ text: 'words three', ggep: [{ id: 'NP', payload: Buffer.alloc(0) }] }));
  t.equal(hub.overlay.oobProxy.outcomes.of('vetoed'), 1);
  const control = (body: number[]) =>
    vendor(encodeVendorMessage({ vendor: 'LIME', selector: 13, version: 1, body: Buffer.from(body) }));
  leaf.send(control([]));
  ask(query(3, 0, 'words four'));
  t.equal(hub.overlay.oobProxy.outcomes.of('vetoed'), 2);
  leaf.send(control([0]));
  ask(query(3, 0, 'words five'));
  t.equal(hub.overlay.oobProxy.outcomes.of('proxied'), 1);
  hub.datagramEndpoint = null;
  ask(query(3, 0, 'words six'));
  t.equal(hub.overlay.oobProxy.outcomes.of('proxied'), 1, 'no datagram would reach us');
  network.settle();
});

t.test('a leaf has 32 such queries, and after eleven minutes none', async t => {
  const { hub, network, leaf } = scene();
  for (let i = 0; i < 100; i++) {
    leaf.send(query(3, 0, `words number ${i}`));
    network.pass(1_000, 500);
  }
  t.ok(hub.overlay.oobProxy.size <= 32, `${hub.overlay.oobProxy.size} queries`);
  network.pass(700_000, 10_000);
  t.equal(hub.overlay.oobProxy.size, 0);
});
