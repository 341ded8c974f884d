import { inflateSync } from 'node:zlib';
import fc from 'fast-check';
import t from 'tap';
import { Type } from '../../../protocol/constants.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import {
  encodeRouteTableUpdate,
  parseRouteTableUpdate,
  QRP_SLOTS_MAX,
  type RouteTableUpdate,
} from '../../../protocol/wire/route-table-update.ts';
import { readCaptures } from '../../support/captures.ts';
import { vectorPayload } from '../../support/vectors.ts';
import { bytes, plain } from '../../support/wire-arbitraries.ts';

t.test('the vectors', async t => {
  const patch = { kind: 'patch', sequence: 1, count: 1, deflated: false, entryBits: 4 } as const;
  const vectors: Record<string, RouteTableUpdate> = {
    qrp_reset_65536_inf7: { kind: 'reset', slots: 65_536, infinity: 7 },
    qrp_reset_16: { kind: 'reset', slots: 16, infinity: 7 },
    qrp_patch_16_add_test: { ...patch, data: Buffer.from('00000a0000000000', 'hex') },
    qrp_patch_16_add_qrp: { ...patch, data: Buffer.from('00000000000000a0', 'hex') },
    qrp_patch_16_remove_test: { ...patch, data: Buffer.from('0000060000000000', 'hex') },
  };
  for (const [name, update] of Object.entries(vectors)) {
    const payload = vectorPayload(name, Type.Qrp);
    t.strictSame(parseRouteTableUpdate(payload), update, name);
    t.ok(encodeRouteTableUpdate(update).equals(payload), name);
  }
});

t.test('every captured RESET and PATCH is read, written as it was, and the patches inflate to their table', async t => {
  let patches = 0;
  for (const capture of readCaptures()) {
    const slots = { servent: 0, peer: 0 };
    for (const { from, bytes: descriptor } of capture.descriptors) {
      if (descriptor[16] !== Type.Qrp) continue;
      const payload = descriptor.subarray(23);
      const update = parseRouteTableUpdate(payload);
      t.ok(encodeRouteTableUpdate(update).equals(payload), capture.file);
      if (update.kind === 'reset') {
        slots[from] = update.slots;
        continue;
      }
      patches++;
      t.equal(update.count, 1, 'captured patches fit one message');
      const data = update.deflated ? inflateSync(update.data) : update.data;
      t.equal(data.length * 8, slots[from] * update.entryBits, capture.file);
    }
  }
  t.ok(patches >= 20, `${patches}`);
});

t.test('what breaks the rules is refused', async t => {
  const code = (hex: string) => {
    try {
      parseRouteTableUpdate(Buffer.from(hex, 'hex'));
      return 'none';
    } catch (error) {
      return error instanceof ProtocolError ? error.code : 'not a ProtocolError';
    }
  };
  t.equal(code(''), 'WIRE_TRUNCATED');
  t.equal(code('02'), 'WIRE_MALFORMED', 'variant');
  t.equal(code('0000000100'), 'WIRE_TRUNCATED', 'short RESET');
  t.equal(code('000000010007'), 'none');
  t.equal(code('00000001000700'), 'none', 'a longer RESET');
  t.equal(code('000100010007'), 'WIRE_MALFORMED', 'not a power of two');
  t.equal(code('000000000007'), 'WIRE_MALFORMED', 'no slots');
  t.equal(code('000000010000'), 'WIRE_MALFORMED', 'infinity 0');
  t.equal(code('000000010080'), 'WIRE_MALFORMED', 'infinity 128');
  t.equal(code('000000200007'), 'none', `${QRP_SLOTS_MAX} slots`);
  t.equal(code('000000400007'), 'WIRE_TOO_LONG');
  t.equal(code('000000008007'), 'WIRE_TOO_LONG');
  t.equal(code('01010100'), 'WIRE_TRUNCATED', 'short PATCH');
  t.equal(code('0101010004'), 'none', 'an empty PATCH');
  t.equal(code('0100010004'), 'WIRE_MALFORMED', 'sequence 0');
  t.equal(code('0102010004'), 'WIRE_MALFORMED', '2 of 1');
  t.equal(code('0101000004'), 'WIRE_MALFORMED', '1 of 0');
  t.equal(code('01ffff0104'), 'none', '255 of 255');
  t.equal(code('0101010204'), 'WIRE_MALFORMED', 'compressor 2');
  for (const bits of ['00', '03', '05', '10']) t.equal(code(`01010100${bits}`), 'WIRE_MALFORMED', `${bits} bits`);
  for (const bits of ['01', '02', '04', '08']) t.equal(code(`01010100${bits}`), 'none', `${bits} bits`);
});

const reset = fc.record(
  {
    kind: fc.constant('reset' as const),
    slots: fc.integer({ min: 0, max: 21 }).map(bits => 2 ** bits),
    infinity: fc.integer({ min: 1, max: 127 }),
  },
  plain,
);
const patch = fc
  .record(
    {
      kind: fc.constant('patch' as const),
      sequence: fc.integer({ min: 1, max: 255 }),
      count: fc.integer({ min: 1, max: 255 }),
      deflated: fc.boolean(),
      entryBits: fc.constantFrom(1 as const, 2 as const, 4 as const, 8 as const),
      data: bytes(0, 600),
    },
    plain,
  )
  .filter(({ sequence, count }) => sequence <= count);

t.test('encode and parse are inverse', async t => {
  fc.assert(
    fc.property(fc.oneof(reset, patch), update => {
      return t.same(parseRouteTableUpdate(encodeRouteTableUpdate(update)), update) === true;
    }),
    { numRuns: 60 },
  );
});

t.test('any bytes: only ProtocolError', async () => {
  fc.assert(
    fc.property(bytes(0, 40), fc.integer({ min: 0, max: 3 }), (tail, variant) => {
      try {
        const update = parseRouteTableUpdate(Buffer.concat([Buffer.of(variant), tail]));
        return update.kind === 'patch' || update.slots <= QRP_SLOTS_MAX;
      } catch (error) {
        return error instanceof ProtocolError;
      }
    }),
    { numRuns: 500 },
  );
});
