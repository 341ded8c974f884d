import fc from 'fast-check';
import t from 'tap';
import { Type } from '../../../protocol/constants.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { encodePush, FIREWALL_TO_FIREWALL_INDEX, type Push, parsePush } from '../../../protocol/wire/push.ts';
import { readCaptures } from '../../support/captures.ts';
import { vectorPayload } from '../../support/vectors.ts';
import { bytes, endpoint4, endpoint6, ggepItems, hostileBytes, ipv6, plain } from '../../support/wire-arbitraries.ts';

const serventGuid = Buffer.from('aabbccddeeff00112233445566778899', 'hex');

t.test('the vectors', async t => {
  const push: Push = {
    serventGuid,
    fileIndex: 1,
    endpoint: { host: '192.0.2.44', port: 6346 },
    ipv6: null,
    tls: false,
    ggep: [],
  };
  t.strictSame(parsePush(vectorPayload('push', Type.Push)), push);
  t.ok(encodePush(push).equals(vectorPayload('push', Type.Push)));
  const byUdp = { ...push, fileIndex: FIREWALL_TO_FIREWALL_INDEX, tls: true };
  t.strictSame(parsePush(vectorPayload('push_tls', Type.Push)), byUdp);
  t.ok(encodePush(byUdp).equals(vectorPayload('push_tls', Type.Push)));
});

t.test('every captured push is read, and written as it was', async t => {
  let count = 0;
  for (const capture of readCaptures()) {
    for (const descriptor of capture.descriptors) {
      if (descriptor.bytes[16] !== Type.Push) continue;
      const payload = descriptor.bytes.subarray(23);
      t.ok(encodePush(parsePush(payload)).equals(payload), capture.file);
      count++;
    }
  }
  t.ok(count >= 4, `${count}`);
});

t.test('a requester with IPv6 only stands behind 127.0.0.0', async t => {
  const push: Push = {
    serventGuid,
    fileIndex: 0,
    endpoint: { host: '2001:db8::1', port: 1 },
    ipv6: null,
    tls: false,
    ggep: [],
  };
  const payload = encodePush(push);
  t.equal(payload.readUInt32BE(20), 0x7f000000);
  t.strictSame(parsePush(payload), push);
  payload.writeUInt32BE(0x01020304, 20);
  t.strictSame(parsePush(payload), { ...push, endpoint: { host: '1.2.3.4', port: 1 }, ipv6: '2001:db8::1' });
});

t.test('refused: short, port 0, a tail that is no GGEP, too long a tail', async t => {
  const good = vectorPayload('push', Type.Push);
  t.throws(() => parsePush(good.subarray(0, 25)), { code: 'WIRE_TRUNCATED' });
  const portless = Buffer.from(good);
  portless.writeUInt16LE(0, 24);
  t.throws(() => parsePush(portless), { code: 'WIRE_MALFORMED' });
  t.throws(() => parsePush(Buffer.concat([good, Buffer.from('x')])), { code: 'GGEP_MALFORMED' });
  t.throws(() => parsePush(Buffer.concat([good, Buffer.alloc(2000, 0xc3)])), { code: 'GGEP_TOO_LONG' });
});

const push: fc.Arbitrary<Push> = fc
  .record(
    {
      serventGuid: bytes(16),
      fileIndex: fc.nat({ max: 0xffffffff }),
      endpoint: fc.oneof(endpoint4, endpoint6),
      ipv6: fc.option(ipv6),
      tls: fc.boolean(),
      ggep: ggepItems.filter(items => items.reduce((sum, item) => sum + item.payload.length + 20, 0) < 1400),
    },
    plain,
  )
  .map(value => (value.endpoint.host.includes(':') ? { ...value, ipv6: null } : value));

t.test('encode and parse are inverse', async t => {
  fc.assert(
    fc.property(push, value => t.same(parsePush(encodePush(value)), value) === true),
    { numRuns: 60 },
  );
});

t.test('any bytes: only ProtocolError', async () => {
  fc.assert(
    fc.property(fc.oneof(bytes(0, 200), fc.tuple(bytes(26), hostileBytes).map(Buffer.concat)), payload => {
      try {
        return parsePush(payload).serventGuid.length === 16;
      } catch (error) {
        return error instanceof ProtocolError;
      }
    }),
    { numRuns: 500 },
  );
});
