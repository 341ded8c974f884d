import fc from 'fast-check';
import t from 'tap';
import { ProtocolError } from '../../../protocol/errors.ts';
import { capabilitiesOf } from '../../../protocol/handshake/capabilities.ts';
import { Headers } from '../../../protocol/handshake/header-block.ts';
import { formatGuid, guidKey, markGuid, parseGuid } from '../../../protocol/wire/guid.ts';
import { keptCopy } from '../../../protocol/wire/kept-copy.ts';
import { readFixture } from '../../support/fixtures.ts';
import { bytes } from '../../support/wire-arbitraries.ts';

t.test('a marked GUID has FF at 8, 00 at 15 and is otherwise left alone', async t => {
  const { guid_marking } = readFixture<{ guid_marking: Record<string, string> }>('vectors/vectors.json');
  const guid = Buffer.from(guid_marking['limewire_base'] ?? '', 'hex');
  t.equal(markGuid(guid), guid, 'in place');
  t.equal(guid.toString('hex'), '1011121314151617ff191a1b1c1d1e00');
});

t.test('text and bytes of a GUID are the same thing', async t => {
  fc.assert(fc.property(bytes(16), guid => parseGuid(formatGuid(guid)).equals(guid)));
  t.equal(formatGuid(parseGuid('00112233445566778899AABBCCDDEEFF')), '00112233445566778899aabbccddeeff');
});

t.test('what is not 32 hex digits is no GUID', async t => {
  for (const text of ['', '0011', 'x'.repeat(32), `${'0'.repeat(32)} `, '0'.repeat(34)]) {
    t.throws(() => parseGuid(text), ProtocolError);
  }
});

t.test('a GUID that is kept holds nothing else in memory', async t => {
  const chunk = Buffer.alloc(65_536, 7);
  const kept = keptCopy(chunk.subarray(100, 116));
  t.ok(kept.equals(chunk.subarray(0, 16)));
  t.equal(kept.buffer.byteLength, 16);
  const { guid } = capabilitiesOf(new Headers([['GUID', '00112233445566778899aabbccddeeff']]));
  t.equal(guid?.buffer.byteLength, 16, 'nor does one of a handshake');
});

t.test('keys differ exactly when GUIDs do, wherever the GUID starts', async () => {
  fc.assert(
    fc.property(bytes(16), bytes(16), bytes(0, 9), (a, b, before) => {
      const same = guidKey(a) === guidKey(Buffer.concat([before, b, before]), before.length);
      return same === a.equals(b) && guidKey(a).length === 16;
    }),
  );
});
