import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { Type } from '../../../protocol/constants.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { encodePing, PING_GGEP_BYTES_MAX, type Ping, parsePing, ScpFlag } from '../../../protocol/wire/ping.ts';
import { readCaptures } from '../../support/captures.ts';
import { vectorPayload } from '../../support/vectors.ts';
import { bytes, ggepItems, hostileBytes, plain } from '../../support/wire-arbitraries.ts';

t.test('the pings of the vectors are read, and written alike', async t => {
  const vectors: Record<string, Ping> = {
    ping_alive: { supportsCachedPongs: null, ggep: [] },
    ping_uhc_udp: {
      supportsCachedPongs: ScpFlag.Ultrapeer,
      ggep: [{ id: 'VC', payload: Buffer.from('GTKG\x12') }],
    },
  };
  for (const [name, ping] of Object.entries(vectors)) {
    const payload = vectorPayload(name, Type.Ping);
    t.strictSame(parsePing(payload), ping, name);
    t.equal(encodePing(ping).toString('hex'), payload.toString('hex'), name);
  }
});

t.test('every captured ping is read; all but two forms are written alike', async t => {
  const seen = { servent: 0, peer: 0 };
  const others = new Set<string>();
  for (const { file, descriptors } of readCaptures()) {
    for (const { from, bytes, note } of descriptors) {
      if (bytes[16] !== Type.Ping) continue;
      const payload = bytes.subarray(23);
      const ping = parsePing(payload);
      seen[from]++;
      if (from === 'servent' && file.startsWith('gtk-gnutella')) {
        t.ok(ping.supportsCachedPongs !== null && ping.supportsCachedPongs & ScpFlag.Tls, `${file}: knows TLS`);
      }
      if (/SCP/.test(note)) t.not(ping.supportsCachedPongs, null, note);
      if (!encodePing(ping).equals(payload)) others.add(payload.toString('hex'));
    }
  }
  t.strictSame(seen, { servent: 28, peer: 36 });
  // an empty SCP of the capture script, and LimeWire's NUL after the block
  t.strictSame([...others], ['c38353435040', 'c3834c4f4342656e00']);
});

t.test('what is written is read', async () => {
  const pings: fc.Arbitrary<Ping> = fc.record(
    {
      supportsCachedPongs: fc.option(fc.nat(255)),
      ggep: fc.array(ggepItems.map(items => items.slice(0, 1))).map(lists => lists.flat().slice(0, 2)),
    },
    plain,
  );
  fc.assert(
    fc.property(pings, ping => {
      assert.deepEqual(parsePing(encodePing(ping)), ping);
    }),
  );
});

t.test('an empty SCP asks for hosts with no wish', async t => {
  t.strictSame(parsePing(Buffer.from('c38353435040', 'hex')), { supportsCachedPongs: 0, ggep: [] });
});

t.test('the NUL that LimeWire adds is borne', async t => {
  const { ggep } = parsePing(Buffer.from('c3834c4f4342656e00', 'hex'));
  t.strictSame(ggep, [{ id: 'LOC', payload: Buffer.from('en') }]);
  t.strictSame(parsePing(Buffer.alloc(1)), { supportsCachedPongs: null, ggep: [] });
});

t.test('tails that are long or no GGEP are refused', async t => {
  t.throws(() => parsePing(Buffer.from('hello')), { code: 'GGEP_MALFORMED' });
  t.throws(() => parsePing(Buffer.alloc(PING_GGEP_BYTES_MAX + 1)), { code: 'GGEP_TOO_LONG' });
});

t.test('any bytes are a ping or a ProtocolError', async () => {
  fc.assert(
    fc.property(fc.oneof(bytes(0, 80), hostileBytes), fc.boolean(), (tail, magic) => {
      try {
        parsePing(magic ? Buffer.concat([Buffer.of(0xc3), tail]) : tail);
      } catch (error) {
        assert.ok(error instanceof ProtocolError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});
