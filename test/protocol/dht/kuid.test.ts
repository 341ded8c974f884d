import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import {
  bitAt,
  commonBits,
  compareDistance,
  distance,
  formatKuid,
  kuidKey,
  parseKuid,
  randomKuid,
  serventKey,
} from '../../../protocol/dht/kuid.ts';
import { parseUrn } from '../../../protocol/wire/urn.ts';
import { SeededRandom } from '../../../sim/seeded-random.ts';
import { kuid } from '../../support/dht-arbitraries.ts';
import { dhtVectors } from '../../support/dht-vectors.ts';

/** A pair that shares any number of bits, not only a few. */
const pair = fc.tuple(kuid, kuid, fc.integer({ min: 0, max: 160 })).map(([a, b, shared]) => {
  const near = Buffer.from(a);
  for (let i = shared; i < 160; i++) {
    const mask = 0x80 >> (i & 7);
    near[i >> 3] = (near.readUInt8(i >> 3) & ~mask) | (b.readUInt8(i >> 3) & mask);
  }
  return [a, near] as const;
});

function number(kuid: Buffer): bigint {
  return BigInt(`0x${kuid.toString('hex')}`);
}

t.test('keys and distances are those of the vectors', async t => {
  const { xor, kuid_from_guid: ofGuid, kuid_from_urn: ofUrn } = dhtVectors;
  t.equal(formatKuid(distance(parseKuid(xor.a), parseKuid(xor.b))), xor.distance);
  t.equal(formatKuid(serventKey(Buffer.from(ofGuid.guid, 'hex'))), ofGuid.kuid);
  t.equal(parseUrn(ofUrn.urn).sha1?.toString('hex'), ofUrn.kuid, 'the key of a file is its SHA-1');
});

t.test('distance is a metric: identity, symmetry, triangle, and one KUID at each distance', async () => {
  fc.assert(
    fc.property(pair, kuid, ([a, b], c) => {
      assert.equal(number(distance(a, a)), 0n);
      assert.equal(number(distance(a, b)) === 0n, a.equals(b));
      assert.ok(distance(a, b).equals(distance(b, a)));
      assert.ok(number(distance(a, c)) <= number(distance(a, b)) + number(distance(b, c)));
      assert.ok(distance(a, distance(a, b)).equals(b));
    }),
  );
});

t.test('distances are compared as unsigned big-endian numbers', async () => {
  fc.assert(
    fc.property(pair, kuid, ([a, b], target) => {
      const expected = number(distance(target, a)) - number(distance(target, b));
      assert.equal(Math.sign(compareDistance(target, a, b)), expected === 0n ? 0 : expected < 0n ? -1 : 1);
      assert.equal(Math.sign(compareDistance(target, b, a)), -Math.sign(compareDistance(target, a, b)) + 0);
    }),
  );
});

t.test('common bits are counted from the most significant one', async t => {
  fc.assert(
    fc.property(pair, ([a, b]) => {
      const digits = (kuid: Buffer): string => number(kuid).toString(2).padStart(160, '0');
      let expected = 0;
      while (expected < 160 && digits(a)[expected] === digits(b)[expected]) expected++;
      assert.equal(commonBits(a, b), expected);
      for (const index of [0, 7, 8, 158, 159]) assert.equal(String(bitAt(a, index)), digits(a)[index]);
    }),
  );
  t.equal(commonBits(Buffer.alloc(20), Buffer.alloc(20)), 160);
});

t.test('a random KUID has the prefix that was asked for, and other bits of chance', async t => {
  fc.assert(
    fc.property(kuid, fc.integer({ min: 0, max: 160 }), fc.nat(), (prefix, bits, seed) => {
      const made = randomKuid(new SeededRandom(seed), prefix, bits);
      assert.ok(commonBits(made, prefix) >= bits);
      const again = randomKuid(new SeededRandom(seed));
      for (let i = bits; i < 160; i++) assert.equal(bitAt(made, i), bitAt(again, i));
    }),
  );
  const random = new SeededRandom(1);
  for (const bits of [-1, 0.5, 161]) t.throws(() => randomKuid(random, Buffer.alloc(21), bits), RangeError);
  t.throws(() => randomKuid(random, Buffer.alloc(1), 9), RangeError, 'more bits than the prefix has');
  const prefix = Buffer.from('a5c0', 'hex');
  t.match(formatKuid(randomKuid(random, prefix, 12)), /^a5c/, 'a prefix shorter than a KUID');
});

t.test('text is 40 hex digits, in lower case when written', async t => {
  fc.assert(fc.property(kuid, value => parseKuid(formatKuid(value).toUpperCase()).equals(value)));
  for (const bad of ['', 'a'.repeat(39), 'a'.repeat(41), `${'a'.repeat(39)}g`, ` ${'a'.repeat(39)}`]) {
    t.throws(() => parseKuid(bad), { code: 'DHT_MALFORMED' });
  }
  t.equal(kuidKey(Buffer.alloc(20, 0xe9)), 'é'.repeat(20));
});
