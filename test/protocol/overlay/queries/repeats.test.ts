// Our own searches asked again, while the neighbours say nothing to the repeat.
import t from 'tap';
import { Type } from '../../../../protocol/constants.ts';
import { hitDatagrams } from '../../../../protocol/overlay/queries/own-hits.ts';
import { encodeDescriptor } from '../../../../protocol/wire/header.ts';
import { parseQuery } from '../../../../protocol/wire/query.ts';
import { encodeOutOfBandOffer, parseOutOfBandAck } from '../../../../protocol/wire/vendor/out-of-band.ts';
import { parseVendorMessage } from '../../../../protocol/wire/vendor-message.ts';
import { hitFor } from '../../../support/descriptors.ts';
import { type SentDatagram, VirtualDatagrams } from '../../../support/virtual-datagrams.ts';
import { VirtualNetwork } from '../../../support/virtual-network.ts';

t.test('hits that come late for a search are hits for its repeat, over the link', async t => {
  const network = new VirtualNetwork();
  const leaf = network.add('leaf', { role: 'leaf' });
  const ultrapeer = network.puppet(leaf);
  const ask = () => {
    const search = leaf.search({ text: 'blue moon' });
    network.settle();
    const [asked] = ultrapeer.ofType(Type.Query).slice(-1);
    if (asked === undefined) throw new Error('nothing was asked');
    return { search, asked: asked.bytes };
  };
  const first = ask();
  leaf.overlay.cancelSearch(first.search);
  ultrapeer.send(hitFor(first.asked, 3, 1));
  network.settle();
  t.equal(leaf.hits.length, 0, 'nobody waits for them');
  network.clock.ms += 40_000;
  const second = ask();
  t.equal(ultrapeer.ofType(Type.Query).length, 2, 'the repeat is sent, as some neighbours may take it');
  t.notSame(second.search.guid, first.search.guid, 'under a GUID of its own');
  t.equal(second.search.askedBefore, network.clock.ms - 40_000);
  ultrapeer.send(hitFor(first.asked, 3, 1));
  network.settle();
  t.strictSame(
    leaf.hits.map(({ search }) => search),
    [second.search],
  );
  t.equal(second.search.hits, 1);
});

t.test('hits that are offered late for a search are claimed for its repeat, under the GUID of the offer', async t => {
  const network = new VirtualNetwork();
  const wire: SentDatagram[] = [];
  const seeker = new VirtualDatagrams(network.add('seeker'), network, wire);
  const other = network.add('other');
  other.library.share('blue moon');
  seeker.servent.datagramEndpoint = seeker.servent.endpoint;
  network.connect(seeker.servent, other);
  const { servent } = seeker;
  const { overlay } = servent;
  const first = servent.search({ text: 'blue moon' });
  overlay.cancelSearch(first);
  const from = { host: '5.5.1.1', port: 6346 };
  const payload = encodeOutOfBandOffer({ hits: 1, unsolicited: true, secure: true });
  const offer = encodeDescriptor(first.guid, Type.Vendor, 1, 0, payload);
  t.equal(seeker.receive(offer, from), 'offer_unasked');
  const second = servent.search({ text: 'blue moon' });
  t.equal(seeker.receive(offer, from), 'taken');
  const claim = wire[0]?.bytes ?? Buffer.alloc(23);
  t.strictSame(claim.subarray(0, 16), first.guid);
  const token = parseOutOfBandAck(parseVendorMessage(claim.subarray(23))).token ?? Buffer.alloc(0);
  const files = other.library.match(parseQuery(first.payload), 1);
  const [hit = Buffer.alloc(0)] = hitDatagrams(other, files, first.guid, [{ id: 'SO', payload: token }], 0);
  t.equal(seeker.receive(hit, from), 'taken');
  t.equal(second.hits, 1);
});
