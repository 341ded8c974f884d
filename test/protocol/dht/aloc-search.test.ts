// Who has a content, as the DHT says: which values are believed.
import fc from 'fast-check';
import t from 'tap';
import {
  ALOC_WITH_LENGTH,
  ALOC_WITHOUT_LENGTH,
  type Aloc,
  alocVersion,
  encodeAloc,
} from '../../../protocol/dht/aloc.ts';
import { AlocSearch, type LookedFor, type PublishedSource } from '../../../protocol/dht/aloc-search.ts';
import { type DhtValue, ValueType } from '../../../protocol/dht/dht-value.ts';
import type { OnValues } from '../../../protocol/dht/value-searches.ts';
import { NETWORK_RULES } from '../../../protocol/network-rules.ts';
import { type Endpoint, formatEndpoint, reachOf } from '../../../protocol/wire/endpoint.ts';
import { SeededRandom } from '../../../sim/seeded-random.ts';
import { anyContact } from '../../support/dht-contacts.ts';

const random = new SeededRandom(3);
const OWN = random.guid();
const GUID = random.guid();
const SHA1 = Buffer.alloc(20, 1);
const ROOT = Buffer.alloc(24, 2);
const ANYTHING: LookedFor = { sha1: SHA1, size: null, tigerRoot: null };
const ALOC: Aloc = {
  ...{ serventGuid: GUID, firewalled: false, port: 6346, length: 1_000 },
  ...{ available: null, tls: false, tigerRoot: ROOT, hostName: null },
};

function aValue(changes: Partial<Aloc> = {}, host = '5.5.5.5'): DhtValue {
  const aloc = { ...ALOC, ...changes };
  const creator = { ...anyContact(random, { host, port: 9 }), vendor: 'LIME' };
  return { creator, key: SHA1, type: ValueType.AltLocation, version: alocVersion(aloc), data: encodeAloc(aloc) };
}

const isPublic = (endpoint: Endpoint): boolean => reachOf(endpoint.host) === 'public' && endpoint.port !== 0;

function searchOf(mayReach: (endpoint: Endpoint) => boolean = isPublic) {
  const lookups: OnValues[] = [];
  const search = new AlocSearch({
    searches: { find: (_key, _type, _now, end) => lookups.push(end) },
    serventGuid: OWN,
    mayReach,
  });
  const find = (values: readonly DhtValue[], wanted: LookedFor = ANYTHING): readonly PublishedSource[] => {
    const found: PublishedSource[] = [];
    search.find(wanted, 0, sources => found.push(...sources));
    for (const end of lookups.splice(0)) end(values, 0);
    return found;
  };
  return { search, find, lookups };
}

t.test('a servent that can be connected to is a source at the address of its value', async t => {
  const { search, find } = searchOf();
  const [found, ...others] = find([aValue({ available: 10 })]);
  t.strictSame(others, []);
  t.match(found, {
    source: { endpoint: { host: '5.5.5.5', port: 6346 }, serventGuid: GUID, push: false, target: null },
    ...{ size: 1_000, tigerRoot: ROOT, available: 10, vendor: 'LIME' },
  });
  t.match(search, { asked: 1, found: 1 });
});

t.test('a firewalled one is reached by push, wherever it is', async t => {
  const { find } = searchOf();
  t.match(find([aValue({ firewalled: true }, '10.0.0.1')]), [{ source: { push: true, serventGuid: GUID } }]);
});

t.test('a value of LimeWire has no length', async t => {
  const { find } = searchOf();
  const value = aValue({ length: null });
  t.equal(value.version, ALOC_WITHOUT_LENGTH);
  t.match(find([value], { ...ANYTHING, size: 77 }), [{ size: null }]);
});

t.test('what cannot be right is dropped, and counted with the reason', async t => {
  const { search, find } = searchOf();
  const wrong: [string, DhtValue][] = [
    ['malformed', { ...aValue(), data: Buffer.from('nonsense') }],
    ['malformed', { ...aValue({ length: null }), version: ALOC_WITH_LENGTH }],
    ['own', aValue({ serventGuid: OWN })],
    ['size', aValue({ length: 999 })],
    ['tiger_root', aValue({ tigerRoot: Buffer.alloc(24, 9) })],
    ['unreachable', aValue({}, '192.168.1.1')],
    ['unreachable', aValue({}, '127.0.0.1')],
    ['unreachable', aValue({ port: 0 })],
    ['no_guid', aValue({ serventGuid: Buffer.alloc(16), firewalled: true })],
  ];
  const wanted = { sha1: SHA1, size: 1_000, tigerRoot: ROOT };
  for (const [reason, value] of wrong) {
    const before = search.drops.toRecord();
    t.strictSame(find([value], wanted), [], reason);
    const counts = Object.entries(before).map(([name, count]) => [name, name === reason ? count + 1 : count]);
    t.strictSame(search.drops.toRecord(), Object.fromEntries(counts));
  }
  t.equal(find([aValue({ tigerRoot: null })], wanted).length, 1, 'one without a tree root may be right');
});

t.test('the profile local allows loopback', async t => {
  const { reaches } = NETWORK_RULES.local.dht;
  const { find } = searchOf(({ host }) => reaches.includes(reachOf(host)));
  t.match(
    find([aValue({}, '127.0.0.1'), aValue({}, '5.5.5.5')]).map(({ source }) => formatEndpoint(source.endpoint)),
    ['127.0.0.1:6346'],
  );
});

t.test('64 contents are looked up at one time', async t => {
  const { search, lookups } = searchOf();
  let ended = 0;
  for (let i = 0; i < 65; i++) search.find(ANYTHING, 0, () => ended++);
  t.equal(lookups.length, 64);
  t.equal(ended, 1);
  t.equal(search.drops.of('crowded'), 1);
});

t.test(
  'whatever is published, each source agrees with what is known and can be reached, and every value is counted',
  async () => {
    const host = fc.constantFrom('5.5.5.5', '6.6.6.6', '10.0.0.1', '127.0.0.1', '224.0.0.1');
    const value = fc.oneof(
      fc
        .record({
          serventGuid: fc.constantFrom(GUID, OWN, Buffer.alloc(16)),
          firewalled: fc.boolean(),
          port: fc.constantFrom(0, 1, 6346),
          length: fc.constantFrom(null, 999, 1_000),
          tigerRoot: fc.constantFrom(null, ROOT, Buffer.alloc(24, 9)),
          host,
        })
        .map(({ host: at, ...aloc }) => aValue(aloc, at)),
      fc.uint8Array({ maxLength: 200 }).map(bytes => ({ ...aValue(), data: Buffer.from(bytes) })),
    );
    const known = fc.record({ size: fc.constantFrom(null, 1_000), tigerRoot: fc.constantFrom(null, ROOT) });
    fc.assert(
      fc.property(fc.array(value, { maxLength: 12 }), known, (values, facts) => {
        const { search, find } = searchOf();
        const found = find(values, { sha1: SHA1, ...facts });
        for (const { source, size, tigerRoot } of found) {
          if (facts.size !== null && size !== null && size !== facts.size) throw new Error('another size');
          if (facts.tigerRoot !== null && tigerRoot?.equals(facts.tigerRoot) === false) throw new Error('another root');
          if (source.push ? source.serventGuid === null : !isPublic(source.endpoint)) throw new Error('no way to it');
          if (source.serventGuid?.equals(OWN) === true) throw new Error('ourselves');
        }
        const dropped = Object.values(search.drops.toRecord()).reduce((sum, count) => sum + count, 0);
        if (found.length + dropped !== values.length) throw new Error(`${found.length} and ${dropped}`);
      }),
      { seed: 3, numRuns: 200 },
    );
  },
);
