// Servents on a virtual network publish in their DHT what they share and who passes pushes on.
import t from 'tap';
import { parseAloc } from '../../protocol/dht/aloc.ts';
import { type DhtValue, ValueType } from '../../protocol/dht/dht-value.ts';
import { serventKey } from '../../protocol/dht/kuid.ts';
import { parseNope } from '../../protocol/dht/nope.ts';
import { parseProx } from '../../protocol/dht/prox.ts';
import { formatEndpoint } from '../../protocol/wire/endpoint.ts';
import { SeededRandom } from '../../sim/seeded-random.ts';
import type { VirtualHost } from '../../sim/servents/virtual-host.ts';
import type { VirtualInternet } from '../../sim/servents/virtual-internet.ts';
import { addNode, chain, dhtOf } from '../support/dht-chain.ts';

const SHA1 = Buffer.alloc(20, 5);

/** Looked up from this host; of one type. */
function valuesOf(internet: VirtualInternet, from: VirtualHost, key: Buffer, type: string): readonly DhtValue[] {
  const found: DhtValue[] = [];
  let isOver = false;
  dhtOf(from).node.findValue(key, type, internet.clock.ms, ({ values }) => {
    found.push(...values);
    isOver = true;
  });
  from.stirred();
  internet.run(30_000, () => isOver);
  return found.filter(value => value.type === type);
}

function publishing(host: VirtualHost): string[] {
  const views = dhtOf(host).node.parts?.publisher.views() ?? [];
  return views.map(({ type, storedAt }) => `${type} at ${storedAt}`).toSorted();
}

t.test('a shared file can be found by its hash, and no more once it is unshared', async t => {
  const internet = chain(6);
  const [first, , , , , last] = internet.hosts;
  if (first === undefined || last === undefined) throw new Error('no host');
  last.library.add('a song.ogg', SHA1);
  internet.run(60_000);
  t.strictSame(publishing(last), ['ALOC at 5', 'PROX at 5']);
  const [value, ...others] = valuesOf(internet, first, SHA1, ValueType.AltLocation);
  t.strictSame(others, []);
  t.strictSame(value?.creator.kuid, dhtOf(last).node.kuid);
  const aloc = parseAloc(value?.data ?? Buffer.alloc(0), value?.version ?? 0);
  t.match(aloc, { firewalled: false, port: last.endpoint.port, length: 1_000, available: null, tls: false });
  t.strictSame(aloc.serventGuid, last.serventGuid);
  last.library.removeFile(SHA1);
  last.servent.onLibraryChanged();
  last.stirred();
  internet.run(20_000);
  t.strictSame(publishing(last), ['PROX at 5']);
  t.strictSame(valuesOf(internet, first, SHA1, ValueType.AltLocation), []);
});

t.test('a servent that can be connected to names itself as its push proxy', async t => {
  const internet = chain(3);
  const [first, , last] = internet.hosts;
  if (first === undefined || last === undefined) throw new Error('no host');
  internet.run(60_000);
  const [value] = valuesOf(internet, first, serventKey(last.serventGuid), ValueType.PushProxies);
  const { proxies, serventGuid } = parseProx(value?.data ?? Buffer.alloc(0));
  t.strictSame(proxies, [{ endpoint: last.endpoint, tls: false }]);
  t.strictSame(serventGuid, last.serventGuid);
});

t.test(
  'a firewalled leaf publishes its push proxies, and they publish that they are; both end with the link',
  async t => {
    const internet = chain(6);
    const { clock } = internet;
    const [first, second, third] = internet.hosts;
    if (first === undefined || second === undefined || third === undefined) throw new Error('no host');
    const leaf = addNode(internet, new SeededRandom(77), { mode: 'leaf', reachable: 'no' }, true);
    leaf.join(first);
    leaf.join(second);
    internet.run(120_000);
    t.equal(dhtOf(leaf).mode, 'passive');
    const key = serventKey(leaf.serventGuid);
    const proxies = (): string[] =>
      valuesOf(internet, third, key, ValueType.PushProxies).flatMap(({ data }) =>
        parseProx(data).proxies.map(({ endpoint }) => formatEndpoint(endpoint)),
      );
    const named = (): string[] =>
      valuesOf(internet, third, key, ValueType.PushProxy).map(({ data, creator }) => {
        const { serventGuid, port } = parseNope(data);
        t.strictSame(serventGuid, leaf.serventGuid);
        return formatEndpoint({ host: creator.endpoint.host, port });
      });
    const both = [first, second].map(({ endpoint }) => formatEndpoint(endpoint)).toSorted();
    t.strictSame(proxies().toSorted(), both);
    t.strictSame(named().toSorted(), both);
    const [link] = first.links.filter(({ ourRole }) => ourRole === 'ultrapeer').filter(({ role }) => role === 'leaf');
    if (link === undefined) throw new Error('no leaf');
    first.servent.overlay.bye(link, 200, 'enough');
    first.stirred();
    internet.run(60_000);
    t.strictSame(proxies(), both.slice(1));
    t.strictSame(named(), both.slice(1));
    const found: string[] = [];
    dhtOf(third).findProxies(leaf.serventGuid, clock.ms, each => {
      found.push(...each.map(({ endpoint }) => formatEndpoint(endpoint)));
    });
    third.stirred();
    internet.run(10_000);
    t.strictSame(found, both.slice(1));
  },
);

t.test('nothing is published while the DHT is off, and all of it again when it is on', async t => {
  const internet = chain(3);
  const [first] = internet.hosts;
  if (first === undefined) throw new Error('no host');
  first.library.add('a song.ogg', SHA1);
  internet.run(60_000);
  t.equal(publishing(first).length, 2);
  first.settings.dht = 'off';
  first.stirred();
  internet.run(20_000);
  t.strictSame(publishing(first), []);
  first.settings.dht = 'auto';
  first.stirred();
  internet.run(60_000);
  t.strictSame(publishing(first), ['ALOC at 2', 'PROX at 2']);
});
