// Servents on a virtual network find contents in their DHT, beyond the reach of queries.
import t from 'tap';
import { formatEndpoint } from '../../protocol/wire/endpoint.ts';
import { formatSha1Urn } from '../../protocol/wire/urn.ts';
import type { VirtualHost } from '../../sim/servents/virtual-host.ts';
import type { VirtualInternet } from '../../sim/servents/virtual-internet.ts';
import { chain, dhtOf } from '../support/dht-chain.ts';

const SHA1 = Buffer.alloc(20, 5);
const WANTED = { sha1: SHA1, words: null, size: null, tigerRoot: null };

/** Twelve in a chain: the tenth shares the file, eight links from the second. */
function longChain(): { internet: VirtualInternet; seeker: VirtualHost; sharer: VirtualHost } {
  const internet = chain(12);
  const [, seeker, , , , , , , , sharer] = internet.hosts;
  if (seeker === undefined || sharer === undefined) throw new Error('no host');
  sharer.library.add('far away.ogg', SHA1);
  internet.run(120_000, () => (dhtOf(sharer).node.parts?.publisher.views()[0]?.storedAt ?? 0) > 0);
  internet.run(10_000);
  return { internet, seeker, sharer };
}

t.test('a file eight links away is found by its hash in the DHT, as no query reaches it', async t => {
  const { internet, seeker, sharer } = longChain();
  const { clock } = internet;
  seeker.servent.overlay.search({ text: '', urns: [SHA1] }, clock.ms);
  seeker.stirred();
  internet.run(30_000);
  t.strictSame(seeker.hits, [], 'nothing by the overlay');
  seeker.servent.contents.locator.locate(WANTED, clock.ms);
  seeker.stirred();
  internet.run(10_000);
  t.match(seeker.offers, [
    {
      sha1: SHA1,
      size: 1_000,
      sources: [],
      hearsay: [{ endpoint: sharer.endpoint, serventGuid: sharer.serventGuid, push: false }],
    },
  ]);
  t.equal(seeker.offers.length, 1);
});

t.test('a search by hash asks the DHT first, and its result names the servent', async t => {
  const { internet, seeker, sharer } = longChain();
  const session = seeker.servent.searches.start({ text: '', urns: [SHA1] }, internet.clock.ms);
  t.equal(session.search?.held, true);
  t.equal(session.search?.linksAsked, 0);
  seeker.stirred();
  internet.run(10_000);
  const [content, ...others] = session.found.values();
  t.strictSame(others, []);
  t.match(content, { name: formatSha1Urn(SHA1), size: 1_000, sha1: SHA1 });
  t.strictSame(
    content?.sources.map(({ endpoint, serventGuid, push, vendor, hops }) => ({
      address: formatEndpoint(endpoint),
      isSharer: serventGuid.equals(sharer.serventGuid),
      ...{ push, vendor, hops },
    })),
    [{ address: formatEndpoint(sharer.endpoint), isSharer: true, push: false, vendor: 'SRVT', hops: null }],
  );
  t.equal(session.search?.held, false, 'one source is too few');
  t.ok((session.search?.linksAsked ?? 0) > 0, 'so neighbours were asked too');
});

t.test('a result of the DHT takes the name that a hit tells', async t => {
  const internet = chain(3);
  const [first, , last] = internet.hosts;
  if (first === undefined || last === undefined) throw new Error('no host');
  last.library.add('near.ogg', SHA1);
  internet.run(60_000);
  const session = first.servent.searches.start({ text: '', urns: [SHA1] }, internet.clock.ms);
  first.stirred();
  internet.run(10_000);
  t.match(session.found.values(), [{ name: 'near.ogg', size: 1_000 }]);
});

t.test('neighbours are asked at once for words, and where the DHT is not ready', async t => {
  const internet = chain(3);
  const [first] = internet.hosts;
  if (first === undefined) throw new Error('no host');
  const early = first.servent.searches.start({ text: '', urns: [SHA1] }, internet.clock.ms);
  t.equal(early.search?.held, false);
  internet.run(60_000);
  t.equal(first.servent.searches.start({ text: 'far away' }, internet.clock.ms).search?.held, false);
});

t.test('a search that the DHT does not answer in time goes to the neighbours', async t => {
  const internet = chain(3);
  const [first, second, third] = internet.hosts;
  if (first === undefined || second === undefined || third === undefined) throw new Error('no host');
  internet.run(60_000);
  for (const host of [second, third]) host.settings.dht = 'off';
  for (const host of [second, third]) host.stirred();
  internet.run(12_000);
  const session = first.servent.searches.start({ text: '', urns: [SHA1] }, internet.clock.ms);
  first.stirred();
  internet.run(1_500);
  t.equal(session.search?.held, true);
  internet.run(1_500);
  t.equal(session.search?.held, false);
});
