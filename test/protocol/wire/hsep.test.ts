import fc from 'fast-check';
import t from 'tap';
import { Type } from '../../../protocol/constants.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { encodeHsep, type HorizonTriple, HSEP_TRIPLES_MAX, parseHsep } from '../../../protocol/wire/hsep.ts';
import { vectorPayload } from '../../support/vectors.ts';
import { bytes } from '../../support/wire-arbitraries.ts';

const own = { nodes: 1, files: 42, kibibytes: 123_457 };
const near = { nodes: 33, files: 900, kibibytes: 5_000_000 };

t.test('the vectors', async t => {
  t.strictSame(parseHsep(vectorPayload('hsep_leaf', Type.Hsep)), [own]);
  t.ok(encodeHsep([own]).equals(vectorPayload('hsep_leaf', Type.Hsep)));
  const trimmed = vectorPayload('hsep_7_triples_suffix_trimmed', Type.Hsep);
  t.strictSame(parseHsep(trimmed), [own, near]);
  t.ok(encodeHsep([own, near, near, near, near, near, near]).equals(trimmed), 'equal triples at the end are left out');
});

t.test('what breaks the rules is refused', async t => {
  const raw = (...numbers: number[]) => {
    const payload = Buffer.alloc(numbers.length * 8);
    for (const [i, number] of numbers.entries()) payload.writeBigUInt64LE(BigInt(number), i * 8);
    return payload;
  };
  t.throws(() => parseHsep(Buffer.alloc(0)), { code: 'WIRE_TRUNCATED' });
  t.throws(() => parseHsep(Buffer.alloc(23)), { code: 'WIRE_TRUNCATED' });
  t.throws(() => parseHsep(raw(2, 0, 0)), { code: 'WIRE_MALFORMED' }, 'the sender is one node');
  t.throws(() => parseHsep(raw(1, 5, 5, 2, 4, 5)), { code: 'WIRE_MALFORMED' }, 'fewer files further out');
  t.throws(() => parseHsep(raw(1, 2 ** 53, 0)), { code: 'WIRE_MALFORMED' }, 'no number of ours');
  t.equal(parseHsep(raw(...Array.from({ length: 30 }, () => 1))).length, HSEP_TRIPLES_MAX);
});

const growing = fc.array(fc.tuple(fc.nat(1000), fc.nat(100_000), fc.nat(1e9)), { maxLength: 6 }).map(steps => {
  const triples: HorizonTriple[] = [own];
  for (const [nodes, files, kibibytes] of steps) {
    const last = triples.at(-1) ?? own;
    triples.push({ nodes: last.nodes + nodes + 1, files: last.files + files, kibibytes: last.kibibytes + kibibytes });
  }
  return triples;
});

t.test('encode and parse are inverse', async t => {
  fc.assert(
    fc.property(growing, triples => t.same(parseHsep(encodeHsep(triples)), triples) === true),
    { numRuns: 50 },
  );
});

t.test('any bytes: only ProtocolError', async () => {
  fc.assert(
    fc.property(bytes(0, 200), payload => {
      try {
        return parseHsep(payload).length <= HSEP_TRIPLES_MAX;
      } catch (error) {
        return error instanceof ProtocolError;
      }
    }),
  );
});
