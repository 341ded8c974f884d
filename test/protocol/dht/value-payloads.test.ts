import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { type Aloc, alocVersion, encodeAloc, parseAloc } from '../../../protocol/dht/aloc.ts';
import { parseDhtMessage } from '../../../protocol/dht/dht-message.ts';
import { encodeNope, type Nope, parseNope } from '../../../protocol/dht/nope.ts';
import { encodeProx, type Prox, parseProx } from '../../../protocol/dht/prox.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { encodeGgep, type GgepItem, parseGgep } from '../../../protocol/wire/ggep.ts';
import { dhtVectors } from '../../support/dht-vectors.ts';
import { readFixture } from '../../support/fixtures.ts';
import { bytes, endpoint, hostileBytes, plain } from '../../support/wire-arbitraries.ts';

function hex(text: string): Buffer {
  return Buffer.from(text, 'hex');
}

const serventGuid = hex('101112131415161718191a1b1c1d1e1f');
const plainAloc: Aloc = {
  serventGuid,
  firewalled: false,
  port: 6346,
  length: 1024,
  available: null,
  tls: false,
  tigerRoot: hex('5fbd0e62ad016d596b77d1d28883b94fed78ecbaf4640914'),
  hostName: null,
};
const plainProx: Prox = {
  serventGuid,
  features: 0,
  firewallTransferVersion: 0,
  port: 6346,
  proxies: [{ endpoint: { host: '198.51.100.4', port: 6347 }, tls: false }],
};
const plainNope: Nope = { serventGuid, port: 6346, tls: false };

t.test('values of the vectors are read and written', async t => {
  t.strictSame(parseAloc(hex(dhtVectors.aloc_value_hex), 1), plainAloc);
  t.equal(encodeAloc(plainAloc).toString('hex'), dhtVectors.aloc_value_hex);
  t.equal(alocVersion(plainAloc), 1);
  t.strictSame(parseProx(hex(dhtVectors.prox_value_hex)), plainProx);
  t.equal(encodeProx(plainProx).toString('hex'), dhtVectors.prox_value_hex);
  t.strictSame(parseNope(hex(dhtVectors.nope_value_hex)), plainNope);
  t.equal(encodeNope(plainNope).toString('hex'), dhtVectors.nope_value_hex);
});

t.test('places of files are read as gtk-gnutella stores them, and as it passes ours on', async t => {
  const { store, value } = readFixture<{ store: string; value: string }>('dht/gtk-gnutella-aloc.json');
  const stored = parseDhtMessage(hex(store));
  const passedOn = parseDhtMessage(hex(value));
  if (stored?.kind !== 'store' || passedOn?.kind !== 'value') throw new Error('not a STORE and a VALUE');
  const [theirs] = stored.values;
  const [ours] = passedOn.values;
  if (theirs === undefined || ours === undefined) throw new Error('no value');
  const aloc = parseAloc(theirs.data, theirs.version);
  t.match(aloc, { firewalled: false, port: 6346, length: 3_000_000, available: null, tls: true, hostName: null });
  t.equal(aloc.tigerRoot?.toString('hex'), '8477ada09c66207cc089ee2488136692b48cfbc196271cdc');
  t.match([ours.creator.vendor, ours.creator.endpoint], ['SRVT', { host: '5.9.1.1', port: 6346 }]);
  const own = parseAloc(ours.data, ours.version);
  t.match(own, { firewalled: false, port: 6346, length: 200_000, tls: true });
  t.equal(encodeAloc(own).toString('hex'), ours.data.toString('hex'));
});

const port = fc.nat(65_535);
const guid = bytes(16);
const hostName = fc
  .string({ unit: fc.constantFrom(...'abcXYZ019'), minLength: 1, maxLength: 60 })
  .map(label => `${label}.example`);
const aloc: fc.Arbitrary<Aloc> = fc.record(
  {
    serventGuid: guid,
    firewalled: fc.boolean(),
    port,
    length: fc.option(fc.maxSafeNat()),
    available: fc.option(fc.maxSafeNat()),
    tls: fc.boolean(),
    tigerRoot: fc.option(bytes(24)),
    hostName: fc.option(hostName),
  },
  plain,
);
const prox: fc.Arbitrary<Prox> = fc.record(
  {
    serventGuid: guid,
    features: fc.nat(255),
    firewallTransferVersion: fc.nat(65_535),
    port,
    proxies: fc.array(fc.record({ endpoint, tls: fc.boolean() }, plain), { maxLength: 8 }),
  },
  plain,
);
const nope: fc.Arbitrary<Nope> = fc.record({ serventGuid: guid, port, tls: fc.boolean() }, plain);

/** Fails unless each cut is refused. */
function cutAnywhere(data: Buffer, parse: (data: Buffer) => unknown): void {
  for (let cut = 0; cut < data.length; cut++) assert.throws(() => parse(data.subarray(0, cut)), ProtocolError);
}

t.test('what is written is read, and a value cut anywhere is refused', async () => {
  fc.assert(
    fc.property(aloc, value => {
      const data = encodeAloc(value);
      assert.deepEqual(parseAloc(data, alocVersion(value)), value);
      assert.ok(encodeAloc(parseAloc(data, 0)).equals(data));
      cutAnywhere(data, cut => parseAloc(cut, 0));
    }),
    { numRuns: 50 },
  );
  fc.assert(
    fc.property(prox, value => {
      const data = encodeProx(value);
      assert.deepEqual(parseProx(data), value);
      assert.ok(encodeProx(parseProx(data)).equals(data));
      cutAnywhere(data, parseProx);
    }),
    { numRuns: 50 },
  );
  fc.assert(
    fc.property(nope, value => {
      const data = encodeNope(value);
      assert.deepEqual(parseNope(data), value);
      cutAnywhere(data, parseNope);
    }),
    { numRuns: 50 },
  );
});

t.test('foreign bytes throw nothing but ProtocolError', async () => {
  const vectors = [dhtVectors.aloc_value_hex, dhtVectors.prox_value_hex, dhtVectors.nope_value_hex].map(hex);
  const changed = fc.tuple(fc.constantFrom(...vectors), fc.nat(), fc.nat(255)).map(([vector, at, octet]) => {
    const copy = Buffer.from(vector);
    copy[at % copy.length] = octet;
    return copy;
  });
  fc.assert(
    fc.property(fc.oneof(changed, hostileBytes, bytes(0, 100)), fc.nat(2), (data, version) => {
      for (const parse of [parseProx, parseNope, (data: Buffer) => parseAloc(data, version)]) {
        try {
          parse(data);
        } catch (error) {
          assert.ok(error instanceof ProtocolError, String(error));
        }
      }
    }),
    { numRuns: 500 },
  );
});

/** The fields of a value with one replaced, added or (null) left out. */
function withField(data: string, id: string, payload: Buffer | null): Buffer {
  const items: GgepItem[] = parseGgep(hex(data), 0).items.filter(item => item.id !== id);
  if (payload !== null) items.push({ id, payload });
  return encodeGgep(items, { cobs: false });
}

t.test('fields that are missing, too long or unknown', async t => {
  const { aloc_value_hex: aloc, prox_value_hex: prox, nope_value_hex: nope } = dhtVectors;
  const malformed = { code: 'DHT_MALFORMED' };
  for (const payload of [null, Buffer.alloc(15), Buffer.alloc(17)]) {
    t.throws(() => parseAloc(withField(aloc, 'client-id', payload), 1), malformed);
    t.throws(() => parseProx(withField(prox, 'client-id', payload)), malformed);
    t.throws(() => parseNope(withField(nope, 'guid', payload)), malformed);
  }
  for (const payload of [null, Buffer.alloc(1), Buffer.alloc(3)]) {
    t.throws(() => parseAloc(withField(aloc, 'port', payload), 1), malformed);
    t.throws(() => parseProx(withField(prox, 'port', payload)), malformed);
    t.throws(() => parseNope(withField(nope, 'port', payload)), malformed);
  }
  t.throws(() => parseAloc(withField(aloc, 'length', null), 1), malformed, 'version 0.1 has the length');
  t.equal(parseAloc(withField(aloc, 'length', null), 0).length, null, 'version 0.0 has not');
  t.throws(() => parseAloc(withField(aloc, 'length', Buffer.alloc(9, 1)), 1), malformed);
  t.throws(() => parseAloc(withField(aloc, 'length', Buffer.alloc(8, 0xff)), 1), malformed);
  t.equal(parseAloc(withField(aloc, 'length', hex('0004000000')), 1).length, 1024, 'zeros that nobody needs');
  t.equal(parseAloc(withField(aloc, 'firewalled', hex('01')), 1).firewalled, true);
  t.equal(parseAloc(withField(aloc, 'firewalled', null), 1).firewalled, false, 'gtk-gnutella can do without');
  t.equal(parseAloc(withField(aloc, 'ttroot', Buffer.alloc(23)), 1).tigerRoot, null);
  t.equal(parseAloc(withField(aloc, 'HNAME', Buffer.from('servent.example')), 1).hostName, 'servent.example');
  for (const name of ['', 'a b', 'a\n', '-a', 'a'.repeat(254), 'é.example']) {
    t.equal(parseAloc(withField(aloc, 'HNAME', Buffer.from(name)), 1).hostName, null);
  }
  t.strictSame(parseAloc(withField(aloc, 'xyz', Buffer.alloc(9)), 1), plainAloc, 'an unknown field');
  t.throws(() => parseAloc(Buffer.alloc(0), 0), { code: 'GGEP_MALFORMED' });
  t.throws(() => parseProx(withField(prox, 'features', Buffer.alloc(9))), malformed);
  t.equal(parseProx(withField(prox, 'fwt-version', null)).firewallTransferVersion, 0);
});

t.test('proxies with foreign lengths, TLS bits and more than eight of them', async t => {
  const { prox_value_hex: prox } = dhtVectors;
  const proxies = (packed: string): Prox['proxies'] => parseProx(withField(prox, 'proxies', hex(packed))).proxies;
  for (const packed of ['00', '05c63364041800', '07c633640418cb00', '12c633640418cb']) {
    t.throws(() => proxies(packed), ProtocolError, packed);
  }
  t.strictSame(proxies(''), []);
  t.equal(proxies('06c633640418cb'.repeat(9)).length, 8);
  const [first, second] = proxies('1220010db800000000000000000000000118cb06c633640418cb');
  t.strictSame(first?.endpoint, { host: '2001:db8::1', port: 6347 });
  t.strictSame(second?.endpoint, { host: '198.51.100.4', port: 6347 });
  const ten = parseProx(
    withField(withField(prox, 'tls', hex('a0ff')).toString('hex'), 'proxies', hex('06c633640418cb'.repeat(3))),
  );
  t.strictSame(
    ten.proxies.map(({ tls }) => tls),
    [true, false, true],
    'the most significant bit is the first proxy',
  );
  const tls = { ...plainProx, proxies: ten.proxies };
  t.equal(parseGgep(encodeProx(tls), 0).items.at(-1)?.payload.toString('hex'), 'a0');
});

t.test('what does not fit is not written', async t => {
  const proxy = { endpoint: { host: '198.51.100.4', port: 6347 }, tls: false };
  const bad = [
    () => encodeAloc({ ...plainAloc, serventGuid: Buffer.alloc(15) }),
    () => encodeAloc({ ...plainAloc, tigerRoot: Buffer.alloc(20) }),
    () => encodeAloc({ ...plainAloc, hostName: 'a b' }),
    () => encodeAloc({ ...plainAloc, length: -1 }),
    () => encodeAloc({ ...plainAloc, port: 65_536 }),
    () => encodeProx({ ...plainProx, proxies: new Array(9).fill(proxy) }),
    () => encodeNope({ ...plainNope, serventGuid: Buffer.alloc(17) }),
  ];
  for (const [i, encode] of bad.entries()) t.throws(encode, RangeError, `${i}`);
  const full = { ...plainAloc, available: Number.MAX_SAFE_INTEGER, length: Number.MAX_SAFE_INTEGER, tls: true };
  t.ok(encodeAloc({ ...full, hostName: 'a'.repeat(253) }).length <= 511, 'the largest value fits');
});
