// Who passes pushes on, published in the DHT: what is there follows what is so.
import fc from 'fast-check';
import t from 'tap';
import { DhtCounters } from '../../../protocol/dht/dht-counters.ts';
import { ValueType } from '../../../protocol/dht/dht-value.ts';
import { serventKey } from '../../../protocol/dht/kuid.ts';
import { parseNope } from '../../../protocol/dht/nope.ts';
import { parseProx } from '../../../protocol/dht/prox.ts';
import { CLIENTS_MAX, ProxyPublications } from '../../../protocol/dht/proxy-publications.ts';
import { Publisher } from '../../../protocol/dht/publisher.ts';
import { type Endpoint, formatEndpoint, parseEndpoint } from '../../../protocol/wire/endpoint.ts';
import { SeededRandom } from '../../../sim/seeded-random.ts';
import { anyContact, endpointOf } from '../../support/dht-contacts.ts';

const random = new SeededRandom(6);
const creator = anyContact(random, endpointOf(1));
const OWN = random.guid();
const LOOK_MS = 5_000;
const guidOf = (n: number): Buffer => Buffer.alloc(16, n + 1);

class Scene {
  now = 0;
  firewalled = false;
  active = true;
  tls = false;
  stream: Endpoint | null = null;
  proxies: Endpoint[] = [];
  clients: Buffer[] = [];
  readonly publisher: Publisher;
  readonly publications: ProxyPublications;

  constructor() {
    // nothing is ever stored: what is to be published is looked at
    const ports = { lookups: { start: () => {} }, requests: {}, counters: new DhtCounters(), creator: () => creator };
    this.publisher = new Publisher(ports as unknown as ConstructorParameters<typeof Publisher>[0]);
    this.publications = new ProxyPublications({
      own: () => ({
        ...{ serventGuid: OWN, firewalled: this.firewalled, tls: this.tls, stream: this.stream },
        endpoint: { host: '9.9.9.9', port: 6346 },
      }),
      proxies: () => this.proxies,
      clients: () => this.clients,
    });
  }

  look(): string[] {
    this.publications.tick(this.publisher, this.active, this.now);
    this.now += LOOK_MS;
    return this.published;
  }

  get published(): string[] {
    return this.publisher
      .views()
      .map(({ type, key, data }) => {
        if (type === ValueType.PushProxies) {
          const { serventGuid, proxies } = parseProx(data);
          if (!key.equals(serventKey(serventGuid)) || !serventGuid.equals(OWN)) throw new Error('a wrong key');
          return `PROX ${proxies.map(({ endpoint, tls }) => formatEndpoint(endpoint) + (tls ? ' tls' : '')).join()}`;
        }
        const { serventGuid, port, tls } = parseNope(data);
        if (!key.equals(serventKey(serventGuid))) throw new Error('a wrong key');
        return `NOPE ${serventGuid[0]} ${port}${tls ? ' tls' : ''}`;
      })
      .toSorted();
  }
}

t.test('a firewalled servent says where it takes streams by UDP', async t => {
  const scene = new Scene();
  const told = () => {
    scene.look();
    const { firewallTransferVersion, port } = parseProx(scene.publisher.views()[0]?.data ?? Buffer.alloc(0));
    return [firewallTransferVersion, port];
  };
  scene.stream = { host: '9.9.9.9', port: 7000 };
  t.strictSame(told(), [0, 6346], 'it can be connected to');
  scene.firewalled = true;
  scene.proxies = [parseEndpoint('7.7.7.1:1')];
  t.strictSame(told(), [1, 7000]);
  scene.stream = null;
  t.strictSame(told(), [0, 6346]);
});

t.test('a servent that can be connected to names itself', async t => {
  const scene = new Scene();
  scene.proxies = [parseEndpoint('7.7.7.7:1')];
  t.strictSame(scene.look(), ['PROX 9.9.9.9:6346']);
  scene.tls = true;
  t.strictSame(scene.look(), ['PROX 9.9.9.9:6346 tls']);
});

t.test('a firewalled one names its push proxies, eight at most, as they change; without any it names none', async t => {
  const scene = new Scene();
  scene.firewalled = true;
  t.strictSame(scene.look(), []);
  scene.proxies = [parseEndpoint('7.7.7.7:1'), parseEndpoint('7.7.7.8:2')];
  t.strictSame(scene.look(), ['PROX 7.7.7.7:1,7.7.7.8:2']);
  scene.proxies.shift();
  t.strictSame(scene.look(), ['PROX 7.7.7.8:2']);
  scene.proxies = Array.from({ length: 12 }, (_, i) => parseEndpoint(`7.7.7.${i + 1}:1`));
  t.equal(scene.look()[0]?.split(',').length, 8);
  scene.proxies = [];
  t.strictSame(scene.look(), []);
});

t.test('a node that answers others names those whose push proxy it is, until they go', async t => {
  const scene = new Scene();
  scene.clients = [guidOf(1), guidOf(2)];
  t.strictSame(scene.look(), ['NOPE 2 6346', 'NOPE 3 6346', 'PROX 9.9.9.9:6346']);
  scene.clients.shift();
  t.strictSame(scene.look(), ['NOPE 3 6346', 'PROX 9.9.9.9:6346']);
  scene.active = false;
  t.strictSame(scene.look(), ['PROX 9.9.9.9:6346']);
  scene.active = true;
  scene.firewalled = true;
  t.strictSame(scene.look(), [], 'nobody reaches it');
});

t.test('so many clients at most', async t => {
  const scene = new Scene();
  scene.clients = Array.from({ length: CLIENTS_MAX + 10 }, () => random.guid());
  t.equal(scene.look().length, CLIENTS_MAX + 1);
});

t.test('it looks every 5 seconds, and begins anew after the node was off', async t => {
  const scene = new Scene();
  const { publications, publisher } = scene;
  t.equal(publications.tick(publisher, true, 0), LOOK_MS);
  scene.clients = [guidOf(1)];
  t.equal(publications.tick(publisher, true, 1), LOOK_MS);
  t.equal(publisher.size, 1);
  t.equal(publications.tick(null, false, 2), Number.POSITIVE_INFINITY);
  publications.tick(publisher, true, 3);
  t.equal(publisher.size, 2);
});

t.test('whatever changes, what is published is what is so', async () => {
  const state = fc.record({
    firewalled: fc.boolean(),
    active: fc.boolean(),
    proxies: fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { maxLength: 6 }),
    clients: fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { maxLength: 6 }),
  });
  fc.assert(
    fc.property(fc.array(state, { maxLength: 12 }), states => {
      const scene = new Scene();
      for (const { firewalled, active, proxies, clients } of states) {
        const endpoints = proxies.map(n => parseEndpoint(`7.7.7.${n}:1`));
        Object.assign(scene, { firewalled, active, proxies: endpoints, clients: clients.map(guidOf) });
        const named = firewalled ? endpoints.map(formatEndpoint).join() : '9.9.9.9:6346';
        const wanted = active && !firewalled ? clients.map(n => `NOPE ${n + 1} 6346`) : [];
        if (named !== '') wanted.push(`PROX ${named}`);
        const found = scene.look().join();
        if (found !== wanted.toSorted().join()) throw new Error(`${found} instead of ${wanted}`);
      }
    }),
    { seed: 6, numRuns: 100 },
  );
});
