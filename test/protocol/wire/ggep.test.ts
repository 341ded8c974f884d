import assert from 'node:assert/strict';
import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import t from 'tap';
import { ProtocolError } from '../../../protocol/errors.ts';
import { ByteWriter } from '../../../protocol/wire/byte-writer.ts';
import {
  decodeCobs,
  encodeCobs,
  encodeGgep,
  encodeGgepUint,
  GGEP_ITEMS_MAX,
  type GgepItem,
  ggepPayload,
  InflateBudget,
  parseGgep,
  readGgep,
  readGgepUint,
  writeGgepLength,
} from '../../../protocol/wire/ggep.ts';
import { readFixture } from '../../support/fixtures.ts';
import { bytes, ggepItems, hostileBytes } from '../../support/wire-arbitraries.ts';

interface Vectors {
  ggep: { name: string; items: { id: string; payload: string }[]; cobs_if_nul: boolean; hex: string }[];
  ggep_length: { length: number; hex: string }[];
  cobs: { raw: string; cobs: string }[];
}
const vectors = readFixture<Vectors>('vectors/vectors.json');

function hex(text: string): Buffer {
  return Buffer.from(text, 'hex');
}

function lengthField(payloadBytes: number): Buffer {
  const writer = new ByteWriter();
  writeGgepLength(writer, payloadBytes);
  return writer.copy();
}

t.test('blocks of the vectors are read and, but for zlib bytes, written alike', async t => {
  for (const { name, items, cobs_if_nul: cobs, hex: text } of vectors.ggep) {
    const expected = items.map(({ id, payload }) => ({ id, payload: hex(payload) }));
    const block = parseGgep(Buffer.concat([hex('ff00'), hex(text), hex('c3')]), 2);
    t.strictSame(block.items, expected, name);
    t.equal(block.end, 2 + text.length / 2, `${name}: end`);
    if (!name.startsWith('deflated')) t.equal(encodeGgep(expected, { cobs }).toString('hex'), text, `${name}: written`);
    else t.strictSame(parseGgep(encodeGgep(expected, { cobs, deflate: true }), 0).items, expected);
  }
});

t.test('length fields are those of the vectors', async t => {
  for (const { length, hex: text } of vectors.ggep_length) {
    t.equal(lengthField(length).toString('hex'), text, `${length}`);
    const block = Buffer.concat([hex('c38158'), hex(text), Buffer.alloc(length, 1)]);
    t.equal(parseGgep(block, 0).items[0]?.payload.length, length);
    t.throws(() => parseGgep(block.subarray(0, -1), 0), { code: 'GGEP_MALFORMED' });
  }
  t.throws(() => lengthField(262_144), RangeError);
});

t.test('COBS is that of the vectors', async t => {
  for (const { raw, cobs } of vectors.cobs) {
    t.equal(encodeCobs(hex(raw)).toString('hex'), cobs);
    t.equal(decodeCobs(hex(cobs))?.toString('hex'), raw);
  }
  for (const bad of ['', '00', '05', '0311', '031100', '0211ff']) t.equal(decodeCobs(hex(bad)), null, bad);
});

t.test('COBS leaves no NUL and is undone', async () => {
  const runs = fc
    .array(fc.tuple(fc.nat(2), fc.nat(600)), { maxLength: 6 })
    .map(parts => Buffer.concat(parts.map(([value, length]) => Buffer.alloc(length, value))));
  fc.assert(
    fc.property(fc.oneof(bytes(0, 900), runs), raw => {
      const stuffed = encodeCobs(raw);
      return !stuffed.includes(0) && decodeCobs(stuffed)?.equals(raw) === true;
    }),
  );
});

t.test('what is written is read, and no NUL appears where COBS was asked for', async () => {
  fc.assert(
    fc.property(ggepItems, fc.boolean(), fc.boolean(), bytes(0, 9), (items, cobs, deflate, before) => {
      fc.pre(items.length > 0);
      const block = encodeGgep(items, { cobs, deflate });
      assert.ok(!cobs || !block.includes(0));
      const read = parseGgep(Buffer.concat([before, block, before]), before.length);
      assert.deepEqual(read.items, items);
      assert.equal(read.end, before.length + block.length);
      for (let cut = 0; cut < block.length; cut += 1 + (cut >> 2)) {
        assert.throws(() => parseGgep(block.subarray(0, cut), 0), ProtocolError);
      }
    }),
  );
});

t.test('numbers are little-endian and as short as can be', async t => {
  fc.assert(
    fc.property(fc.maxSafeNat(), value => {
      const payload = encodeGgepUint(value);
      assert.equal(readGgepUint(payload), value);
      assert.ok(payload.length === 0 || payload[payload.length - 1] !== 0);
    }),
  );
  t.equal(encodeGgepUint(0).length, 0);
  t.equal(readGgepUint(hex('0000004001')), 5 * 2 ** 30);
  t.equal(readGgepUint(hex('0100000000000000')), 1, 'zeros that nobody needs');
  t.equal(readGgepUint(hex('0000000000002000')), null, 'no safe integer');
  t.equal(readGgepUint(hex('010000000000000000')), null);
  for (const value of [-1, 1.5, 2 ** 53]) t.throws(() => encodeGgepUint(value), RangeError);
});

t.test('broken blocks are refused', async t => {
  const broken = {
    nothing: '',
    'no magic': '82534f40',
    'magic alone': 'c3',
    'no length': 'c382534f',
    'no id': 'c38040',
    'id cut off': 'c38f4142',
    'reserved flag': 'c392534f40',
    'blank in id': 'c382200040',
    'NUL in id': 'c382530040',
    'length bits 00': 'c382534f00',
    'length bits 11': 'c382534fc0',
    'four length groups': 'c382534f80808040',
    'payload cut off': 'c382534f4211',
    'no last item': 'c302534f40',
    'bad COBS': 'c3c2534f4105',
    'empty COBS': 'c3c2534f40',
    'bad zlib': 'c3a2534f46010203040506',
    'zlib too short': 'c3a2534f45789c030000',
  };
  for (const [name, text] of Object.entries(broken)) {
    t.throws(() => parseGgep(hex(text), 0), { code: 'GGEP_MALFORMED' }, name);
  }
  t.throws(() => parseGgep(hex('c382534f4411111111'), 0, { payloadBytesMax: 3 }), { code: 'GGEP_TOO_LONG' });
  t.throws(() => parseGgep(hex('c382534f40'), 0, { end: 4 }), { code: 'GGEP_MALFORMED' });
});

t.test('a broken block leaves nothing behind', async t => {
  const items: GgepItem[] = [{ id: 'A', payload: Buffer.alloc(0) }];
  t.equal(readGgep(hex('c301424001434081'), 0, 8, items, new InflateBudget()), -1);
  t.equal(items.length, 1);
});

t.test('the number of items is bounded', async t => {
  const item = { id: 'X', payload: Buffer.alloc(0) };
  const full = new Array<GgepItem>(GGEP_ITEMS_MAX).fill(item);
  t.equal(parseGgep(encodeGgep(full, { cobs: false }), 0).items.length, GGEP_ITEMS_MAX);
  t.throws(() => encodeGgep([...full, item], { cobs: false }), RangeError);
  const endless = Buffer.concat([hex('c3'), Buffer.alloc(30_000, hex('015840'))]);
  t.throws(() => parseGgep(endless, 0), { code: 'GGEP_TOO_LONG' });
});

t.test('inflation is bounded in bytes and in streams', async t => {
  const bomb = deflateSync(Buffer.alloc(1_000_000));
  const item = (payload: Buffer, last: boolean) =>
    Buffer.concat([Buffer.of(last ? 0xa1 : 0x21, 0x58), lengthField(payload.length), payload]);
  t.throws(() => parseGgep(Buffer.concat([hex('c3'), item(bomb, true)]), 0), { code: 'GGEP_MALFORMED' });

  const small = deflateSync(Buffer.alloc(100, 7));
  const many = Buffer.concat([hex('c3'), ...new Array<Buffer>(8).fill(item(small, false)), item(small, true)]);
  t.throws(() => parseGgep(many, 0), { code: 'GGEP_MALFORMED' });
  t.equal(parseGgep(many, 0, { budget: new InflateBudget(9) }).items.length, 9);

  const budget = new InflateBudget(100, 250);
  t.equal(budget.inflate(small)?.length, 100);
  t.equal(budget.inflate(small)?.length, 100);
  t.equal(budget.inflate(small), null, 'the bytes are shared');
});

t.test('any bytes are a block or a ProtocolError', async () => {
  fc.assert(
    fc.property(fc.oneof(bytes(0, 60), hostileBytes), tail => {
      const block = Buffer.concat([hex('c3'), tail]);
      try {
        assert.ok(parseGgep(block, 0).end <= block.length);
      } catch (error) {
        assert.ok(error instanceof ProtocolError, String(error));
      }
    }),
    { numRuns: 3000 },
  );
});

t.test('payloads are found by id', async t => {
  const { items } = parseGgep(hex('c302445542c0a8825643400000'), 0);
  t.equal(ggepPayload(items, 'DU')?.toString('hex'), 'c0a8');
  t.equal(ggepPayload(items, 'VC')?.length, 0);
  t.equal(ggepPayload(items, 'UP'), null);
});

t.test('only ids that can be read back are written', async t => {
  for (const id of ['', 'A B', 'é', 'X'.repeat(16), '\0']) {
    t.throws(() => encodeGgep([{ id, payload: Buffer.alloc(0) }], { cobs: true }), RangeError);
  }
  t.equal(encodeGgep([], { cobs: true }).length, 0, 'no item, no block');
});
