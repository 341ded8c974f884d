import fc from 'fast-check';
import t from 'tap';
import { ProtocolError } from '../../../protocol/errors.ts';
import { encodeGiv, parseGiv } from '../../../protocol/transfer/giv.ts';
import { readFixture } from '../../support/fixtures.ts';

interface Vectors {
  giv: { line: string; out: { index: number; guid: string } | null }[];
}

t.test('the vectors', async t => {
  for (const { line, out } of readFixture<Vectors>('vectors/transfer-vectors.json').giv) {
    if (out === null) t.throws(() => parseGiv(line), { code: 'HTTP_MALFORMED' }, line);
    else t.match(parseGiv(line), { index: out.index, serventGuid: Buffer.from(out.guid, 'hex') }, line);
  }
});

t.test('what gtk-gnutella and LimeWire sent; ours is LimeWire, byte for byte', async t => {
  const gtkg = readFixture<{ giv: string }>('gtk-gnutella/push-giv-connection.json').giv;
  t.match(parseGiv(gtkg), { index: 6, serventGuid: Buffer.from('429231025910e7ac4009f72474c4f462', 'hex') });
  const { giv, giv_hex: hex } = readFixture<{ giv: string; giv_hex: string }>('limewire/push_giv.json');
  t.equal(encodeGiv(parseGiv(giv).serventGuid).toString('hex'), hex);
});

t.test('any line: parsed or refused', async () => {
  fc.assert(
    fc.property(fc.string(), rest => {
      try {
        parseGiv(`GIV ${rest}`);
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
      }
    }),
  );
});
