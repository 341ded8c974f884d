import { createHash } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { INPUT_BYTES, TigerEngine, tiger } from '../../../protocol/digest/tiger-engine.ts';
import { readFixture } from '../../support/fixtures.ts';
import { slowTiger, tables } from '../../support/tiger-oracle.ts';

const { tiger: published } = readFixture<{
  tiger: { sbox_sha1_of_8192_LE_bytes: string; vectors: { ascii: string; tiger192_3: string }[] };
}>('vectors/transfer-vectors.json');

t.test('Tiger gives the published digests', async t => {
  for (const { ascii, tiger192_3 } of published.vectors) {
    t.equal(tiger(Buffer.from(ascii)).toString('hex'), tiger192_3, ascii);
    t.equal(slowTiger(Buffer.from(ascii)).toString('hex'), tiger192_3, `${ascii}, slowly`);
  }
  const bytes = Buffer.alloc(8192);
  for (const [i, word] of tables.flat().entries()) bytes.writeBigUInt64LE(word, 8 * i);
  t.equal(createHash('sha1').update(bytes).digest('hex'), published.sbox_sha1_of_8192_LE_bytes);
});

t.test('Tiger agrees with its description in big integers, at every length of the last block', async t => {
  for (let length = 0; length <= 130; length++) {
    const bytes = Buffer.from(Array.from({ length }, (_, i) => (7 * i + length) % 256));
    if (!tiger(bytes).equals(slowTiger(bytes))) t.fail(`${length} bytes`);
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1100 }), bytes => tiger(bytes).equals(slowTiger(bytes))),
    { numRuns: 100 },
  );
  t.pass('they agree');
});

t.test('more than the engine has room for is refused before it is touched', async t => {
  const engine = TigerEngine.shared;
  for (const length of [-1, 0.5, INPUT_BYTES + 1, Number.NaN]) {
    t.throws(() => engine.leaves(length), RangeError);
    t.throws(() => engine.digest(length), RangeError);
  }
  t.throws(() => engine.merge(1025), RangeError);
  t.throws(() => tiger(Buffer.alloc(INPUT_BYTES + 1)), RangeError);
});
