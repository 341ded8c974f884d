import { createHash } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import {
  base32OrNull,
  formatBase32,
  formatBitprint,
  formatSha1Urn,
  formatUrn,
  parseUrn,
  urnOfGgepH,
  urnOrNull,
} from '../../../protocol/wire/urn.ts';
import { readFixture } from '../../support/fixtures.ts';
import { bytes } from '../../support/wire-arbitraries.ts';

interface Vectors {
  sha1_base32: { data_hex: string; sha1_hex: string; urn: string }[];
}
interface TransferVectors {
  base32: { hex: string; base32: string }[];
  hashes: { sha1_hex: string; urn_sha1: string; tth: string; tth_hex: string; bitprint: string }[];
}

const sha1Text = 'PLSTHIPQGSSZTS5FJUPAKUZWUGYQYPFB';
const tigerText = 'L66Q4YVNAFWVS23X2HJIRA5ZJ7WXR3F26RSASFA';

t.test('SHA-1 URNs are those of the vectors', async t => {
  for (const { data_hex, sha1_hex, urn } of readFixture<Vectors>('vectors/vectors.json').sha1_base32) {
    const sha1 = createHash('sha1').update(Buffer.from(data_hex, 'hex')).digest();
    t.equal(sha1.toString('hex'), sha1_hex);
    t.equal(formatSha1Urn(sha1), urn);
    t.strictSame(parseUrn(urn), { sha1, tigerRoot: null });
    t.strictSame(parseUrn(urn.toLowerCase()), { sha1, tigerRoot: null });
  }
});

t.test('base32 and bitprints are those of the vectors', async t => {
  const { base32, hashes } = readFixture<TransferVectors>('vectors/transfer-vectors.json');
  for (const { hex, base32: text } of base32) {
    t.equal(formatBase32(Buffer.from(hex, 'hex')), text);
    t.equal(base32OrNull(text)?.toString('hex'), hex);
  }
  for (const { sha1_hex, urn_sha1, tth, tth_hex, bitprint } of hashes) {
    const sha1 = Buffer.from(sha1_hex, 'hex');
    const tigerRoot = Buffer.from(tth_hex, 'hex');
    t.equal(formatUrn({ sha1, tigerRoot: null }), urn_sha1);
    t.equal(formatBitprint(sha1, tigerRoot), bitprint);
    t.strictSame(parseUrn(bitprint), { sha1, tigerRoot });
    t.strictSame(parseUrn(`urn:tree:tiger:${tth}`), { sha1: null, tigerRoot });
    t.strictSame(parseUrn(`urn:tree:tiger/:${tth}`), { sha1: null, tigerRoot });
  }
});

t.test('text and hashes of a URN are the same thing, in any case', async () => {
  fc.assert(
    fc.property(fc.option(bytes(20)), fc.option(bytes(24)), fc.boolean(), (sha1, tigerRoot, lower) => {
      fc.pre(sha1 !== null || tigerRoot !== null);
      const text = formatUrn({ sha1, tigerRoot });
      const urn = parseUrn(lower ? text.toLowerCase() : text.toUpperCase());
      return (
        (sha1 === null ? urn.sha1 === null : urn.sha1?.equals(sha1) === true) &&
        (tigerRoot === null ? urn.tigerRoot === null : urn.tigerRoot?.equals(tigerRoot) === true)
      );
    }),
  );
});

t.test('base32 is undone for any length, padded or not', async () => {
  fc.assert(
    fc.property(bytes(0, 50), plain => {
      const text = formatBase32(plain);
      const padded = text.padEnd(Math.ceil(text.length / 8) * 8, '=');
      return base32OrNull(text.toLowerCase())?.equals(plain) === true && base32OrNull(padded)?.equals(plain) === true;
    }),
  );
});

t.test('wrong lengths, digits and names are no URN', async t => {
  const bad = [
    '',
    'urn:',
    'urn:sha1:',
    'urn:sha1:TOOSHORT',
    `urn:sha1:${sha1Text}A`,
    `urn:sha1:${sha1Text.replace('P', '1')}`,
  ];
  const worse = [`sha1:${sha1Text}`, `urn:md5:${sha1Text}`, `urn:bitprint:${sha1Text}`, `urn:bitprint:${sha1Text}.`];
  const worst = [
    `urn:bitprint:${sha1Text}-${tigerText}`,
    `urn:bitprint:${sha1Text}.${tigerText}A`,
    ` urn:sha1:${sha1Text}`,
  ];
  for (const text of [...bad, ...worse, ...worst, `urn:tree:tiger:${sha1Text}`]) {
    t.throws(() => parseUrn(text), { code: 'URN_MALFORMED' }, text);
    t.equal(urnOrNull(text), null);
  }
  for (const text of ['A', 'AAA', 'AAAAAA', 'A1', '=A', 'A B']) t.equal(base32OrNull(text), null, text);
  t.throws(() => formatUrn({ sha1: null, tigerRoot: null }), RangeError);
});

t.test('GGEP H is a SHA-1 or a bitprint of the right length', async t => {
  const sha1 = Buffer.alloc(20, 1);
  const tigerRoot = Buffer.alloc(24, 2);
  t.strictSame(urnOfGgepH(Buffer.concat([Buffer.of(1), sha1])), { sha1, tigerRoot: null });
  t.strictSame(urnOfGgepH(Buffer.concat([Buffer.of(2), sha1, tigerRoot])), { sha1, tigerRoot });
  for (const payload of [Buffer.of(), Buffer.of(1), Buffer.concat([Buffer.of(2), sha1]), Buffer.alloc(21, 3)]) {
    t.equal(urnOfGgepH(payload), null);
  }
});

t.test('base32 digits of any kind and number are read or refused, never an exception', async t => {
  const digit = fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567abc=');
  fc.assert(
    fc.property(fc.array(digit, { maxLength: 60 }), digits => {
      const text = digits.join('');
      const decoded = base32OrNull(text);
      return decoded === null || formatBase32(decoded) === text.replace(/=+$/, '').toUpperCase();
    }),
  );
  const spare = `urn:bitprint:${sha1Text}.${tigerText.slice(0, -1)}B`;
  t.equal(urnOrNull(spare), null, 'bits that no encoder sets');
  t.throws(() => parseUrn(spare), { code: 'URN_MALFORMED' });
});
