import fc from 'fast-check';
import t from 'tap';
import { qrpHash, queryHashes, slotOf, urnHashes, wordHash } from '../../../protocol/qrp/hash.ts';
import { delimitedWords, isPlain } from '../../../protocol/search/tokenizer.ts';
import { parseUrn } from '../../../protocol/wire/urn.ts';
import { readFixture } from '../../support/fixtures.ts';

interface Vectors {
  qrp_hash_published: { word: string; bits: number; hash: number; lowercase?: boolean }[];
  qrp_hash: { word: string; hash: Record<string, number> }[];
  qrp_hash_case: { word: string; hash: Record<string, number> }[];
  qrp_hash_urn: { text: string; limewire_lowercases: Record<string, number>; gtkg_raw: Record<string, number> }[];
}
const vectors = readFixture<Vectors>('vectors/vectors.json');

t.test('published hashes', async t => {
  for (const { word, bits, hash } of vectors.qrp_hash_published) {
    // The non-ASCII ones were hashed as given.
    const raw = /[^\0-\x7f]/.test(word);
    t.equal(raw ? slotOf(wordHash(word, true), bits) : qrpHash(word, bits), hash, JSON.stringify(word));
  }
});

t.test('hashes of 13 to 21 bits', async t => {
  for (const { word, hash } of vectors.qrp_hash) {
    for (const [bits, expected] of Object.entries(hash))
      t.equal(qrpHash(word, Number(bits)), expected, `${word} ${bits}`);
  }
});

t.test('upper case is lowered unit by unit', async t => {
  for (const { word, hash } of vectors.qrp_hash_case) {
    for (const [bits, expected] of Object.entries(hash))
      t.equal(qrpHash(word, Number(bits)), expected, `${word} ${bits}`);
  }
});

t.test('URNs hash both ways', async t => {
  for (const { text, limewire_lowercases, gtkg_raw } of vectors.qrp_hash_urn) {
    const [lowered, raw] = urnHashes(parseUrn(text).sha1 ?? Buffer.alloc(20));
    for (const [bits, expected] of Object.entries(limewire_lowercases))
      t.equal(slotOf(lowered, Number(bits)), expected);
    for (const [bits, expected] of Object.entries(gtkg_raw)) t.equal(slotOf(raw, Number(bits)), expected);
  }
});

t.test('a table of one slot has slot 0', async t => {
  t.equal(slotOf(0xffffffff, 0), 0);
  t.equal(slotOf(0xffffffff, 1), 1);
  t.equal(slotOf(0xffffffff, 21), 2 ** 21 - 1);
});

t.test('a query is looked up by its words, LimeWire’s too where they differ', async t => {
  const plain = queryHashes('Alpha song', []);
  t.strictSame(plain, { urns: [], words: [wordHash('alpha'), wordHash('song')], delimited: [] });
  t.strictSame(queryHashes("don't stop", []), {
    urns: [],
    words: [wordHash('don'), wordHash('stop')],
    delimited: [wordHash('dont'), wordHash('stop')],
  });
  t.strictSame(queryHashes('ab', []), { urns: [], words: [], delimited: [wordHash('ab')] });
  t.equal(queryHashes('', [Buffer.alloc(20)]).urns.length, 2);
  t.equal(queryHashes('', Array(100).fill(Buffer.alloc(20))).urns.length, 32);
});

t.test('a text that is plain is split once, to the same hashes as if LimeWire’s words were made too', async () => {
  const plain = fc.string({ unit: fc.constantFrom(...'aBz09 -._*(),/\\'), maxLength: 60 });
  fc.assert(
    fc.property(plain, text => {
      const { words, delimited } = queryHashes(text, []);
      const made = delimitedWords(text).map(word => wordHash(word));
      return isPlain(text) && JSON.stringify(made) === JSON.stringify(delimited.length === 0 ? words : delimited);
    }),
  );
});
