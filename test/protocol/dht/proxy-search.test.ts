// Push proxies found in the DHT: which are used, in which order, and who waits for the same lookup.
import t from 'tap';
import { type DhtValue, ValueType } from '../../../protocol/dht/dht-value.ts';
import { serventKey } from '../../../protocol/dht/kuid.ts';
import { encodeNope } from '../../../protocol/dht/nope.ts';
import { encodeProx } from '../../../protocol/dht/prox.ts';
import { ProxySearch } from '../../../protocol/dht/proxy-search.ts';
import type { OnValues } from '../../../protocol/dht/value-searches.ts';
import { formatEndpoint, parseEndpoint } from '../../../protocol/wire/endpoint.ts';
import { SeededRandom } from '../../../sim/seeded-random.ts';
import { anyContact } from '../../support/dht-contacts.ts';

const random = new SeededRandom(7);
const GUID = random.guid();
const OTHER = random.guid();

function aValue(type: string, data: Buffer, address: string): DhtValue {
  return { creator: anyContact(random, parseEndpoint(address)), key: serventKey(GUID), type, version: 0, data };
}

function prox(guid: Buffer, ...addresses: string[]): DhtValue {
  return proxOf(guid, 0, ...addresses);
}

function proxOf(guid: Buffer, firewallTransferVersion: number, ...addresses: string[]): DhtValue {
  const proxies = addresses.map(text => ({ endpoint: parseEndpoint(text), tls: false }));
  const data = encodeProx({ serventGuid: guid, features: 0, firewallTransferVersion, port: 6346, proxies });
  return aValue(ValueType.PushProxies, data, '5.5.5.5:6346');
}

function nope(guid: Buffer, address: string, tls = false): DhtValue {
  const { port } = parseEndpoint(address);
  return aValue(ValueType.PushProxy, encodeNope({ serventGuid: guid, port, tls }), address);
}

function searchOf(values: readonly DhtValue[] = [], mayReach: (text: string) => boolean = () => true) {
  const lookups: { readonly key: Buffer; readonly type: string; readonly end: OnValues }[] = [];
  const search = new ProxySearch({
    searches: { find: (key, type, _now, end) => lookups.push({ key, type, end }) },
    mayReach: endpoint => mayReach(formatEndpoint(endpoint)),
  });
  const told: string[] = [];
  const find = (now = 0, guid = GUID): void =>
    search.find(guid, now, proxies =>
      told.push(proxies.map(({ endpoint, tls }) => formatEndpoint(endpoint) + (tls ? ' tls' : '')).join()),
    );
  const end = (now = 0): void => {
    for (const lookup of lookups.splice(0)) lookup.end(values, now);
  };
  return { search, lookups, told, find, end };
}

t.test('any type is asked for, and proxies that name themselves come first', async t => {
  const scene = searchOf([prox(GUID, '7.7.7.1:1', '7.7.7.2:2', '8.8.8.8:3'), nope(GUID, '8.8.8.8:3', true)]);
  scene.find();
  t.match(scene.lookups, [{ key: serventKey(GUID), type: '****' }]);
  scene.end();
  t.strictSame(scene.told, ['8.8.8.8:3 tls,7.7.7.1:1,7.7.7.2:2']);
  t.match(scene.search, { asked: 1, found: 1 });
});

t.test('a servent says where it takes streams by UDP', async t => {
  for (const [values, may, expected] of [
    [[proxOf(GUID, 1, '7.7.7.1:1')], true, { host: '5.5.5.5', port: 6346 }],
    [[proxOf(GUID, 1, '7.7.7.1:1')], false, null],
    [[proxOf(GUID, 0, '7.7.7.1:1')], true, null],
    [[proxOf(OTHER, 1, '7.7.7.1:1'), nope(GUID, '8.8.8.8:3')], true, null],
  ] as const) {
    const { search, end } = searchOf(values, text => may || !text.startsWith('5.5.5.5'));
    const streams: unknown[] = [];
    search.find(GUID, 0, (_proxies, _now, stream) => streams.push(stream));
    end();
    search.find(GUID, 1, (_proxies, _now, stream) => streams.push(stream));
    t.strictSame(streams[0], expected);
    end();
    t.strictSame(streams[1], expected, 'the kept answer says so too');
  }
});

t.test('what is malformed, of another servent, or not to be reached is dropped and counted', async t => {
  const values = [
    nope(OTHER, '8.8.8.8:3'),
    prox(OTHER, '7.7.7.1:1'),
    aValue(ValueType.PushProxies, Buffer.from('nonsense'), '5.5.5.5:6346'),
    aValue(ValueType.PushProxy, Buffer.alloc(3), '5.5.5.5:6346'),
    aValue(ValueType.AltLocation, Buffer.alloc(3), '5.5.5.5:6346'),
    prox(GUID, '10.0.0.1:1', '9.9.9.9:9'),
  ];
  const scene = searchOf(values, text => !text.startsWith('10.'));
  scene.find();
  scene.end();
  t.strictSame(scene.told, ['9.9.9.9:9']);
  t.match(scene.search.drops.toRecord(), { other_servent: 2, malformed: 2, unreachable: 1, too_many: 0 });
});

t.test('eight proxies at most', async t => {
  const values = Array.from({ length: 12 }, (_, i) => nope(GUID, `8.8.8.${i + 1}:1`));
  const scene = searchOf(values);
  scene.find();
  scene.end();
  t.equal(scene.told[0]?.split(',').length, 8);
  t.equal(scene.search.drops.of('too_many'), 4);
});

t.test('those who ask for one servent share a lookup and, for a minute, its answer', async t => {
  const scene = searchOf([nope(GUID, '8.8.8.8:3')]);
  scene.find();
  scene.find();
  t.equal(scene.lookups.length, 1);
  scene.end(1_000);
  scene.find(60_000);
  t.strictSame(scene.told, ['8.8.8.8:3', '8.8.8.8:3', '8.8.8.8:3']);
  t.equal(scene.lookups.length, 0);
  scene.find(61_000);
  t.equal(scene.lookups.length, 1);
});

t.test('without a proxy it is looked up anew', async t => {
  const scene = searchOf([]);
  scene.find();
  scene.end();
  scene.find();
  t.strictSame(scene.told, ['']);
  t.equal(scene.lookups.length, 1);
});

t.test('64 servents at one time; further ones get none', async t => {
  const scene = searchOf([]);
  for (let i = 0; i < 65; i++) scene.find(0, random.guid());
  t.equal(scene.lookups.length, 64);
  t.strictSame(scene.told, ['']);
  t.equal(scene.search.drops.of('crowded'), 1);
});
