import { createHash } from 'node:crypto';
import { deflateSync, inflateSync } from 'node:zlib';
import fc from 'fast-check';
import t from 'tap';
import { Type } from '../../../protocol/constants.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { qrpHash } from '../../../protocol/qrp/hash.ts';
import { encodeTable, TableReceiver } from '../../../protocol/qrp/patch.ts';
import { QrpTable } from '../../../protocol/qrp/table.ts';
import { Frame, FrameReader, ReadResult } from '../../../protocol/wire/frame-reader.ts';
import {
  type EntryBits,
  encodeRouteTableUpdate,
  parseRouteTableUpdate,
  type RouteTableUpdate,
  type TablePatch,
} from '../../../protocol/wire/route-table-update.ts';
import { readFixture } from '../../support/fixtures.ts';

const reset = (slots: number): RouteTableUpdate => ({ kind: 'reset', slots, infinity: 7 });
const patch = (data: Buffer | number[], over: Partial<TablePatch> = {}): TablePatch => ({
  kind: 'patch',
  sequence: 1,
  count: 1,
  deflated: false,
  entryBits: 4,
  data: Buffer.from(data),
  ...over,
});
const received = (...updates: RouteTableUpdate[]): QrpTable => {
  const receiver = new TableReceiver();
  for (const update of updates) receiver.receive(update);
  return receiver.table ?? new QrpTable(1);
};
const tableOf = (slots: number, present: number[]): QrpTable => {
  const table = new QrpTable(slots);
  for (const slot of present) table.set(slot);
  return table;
};
/** Through the bytes of the wire. */
const travelled = (updates: RouteTableUpdate[]): RouteTableUpdate[] =>
  updates.map(update => parseRouteTableUpdate(encodeRouteTableUpdate(update)));

interface Vectors {
  qrp_table_64k: {
    style: 'limewire' | 'gtkg';
    set_slots: number[];
    raw_patch_length: number;
    raw_patch_sha1: string;
    zlib_level6_hex_here: string;
  }[];
  messages: { name: string; hex: string }[];
}
const vectors = readFixture<Vectors>('vectors/vectors.json');

t.test('a table of 65536 slots is encoded as LimeWire does', async t => {
  const vector = vectors.qrp_table_64k.find(({ style }) => style === 'limewire');
  if (vector === undefined) throw new Error('no such vector');
  const table = tableOf(65536, vector.set_slots);
  const [first, ...patches] = encodeTable(null, table, { deflate: false });
  t.strictSame(first, reset(65536));
  const raw = Buffer.concat(patches.map(update => (update.kind === 'patch' ? update.data : Buffer.alloc(0))));
  t.equal(raw.length, vector.raw_patch_length);
  t.equal(createHash('sha1').update(raw).digest('hex'), vector.raw_patch_sha1);
  t.strictSame(
    patches.map(update => (update.kind === 'patch' ? [update.sequence, update.count, update.data.length] : [])),
    [1, 2, 3, 4, 5, 6, 7, 8].map(n => [n, 8, 4096]),
  );
  const [, deflated, ...more] = encodeTable(null, table);
  t.equal(more.length, 0);
  t.ok(deflated?.kind === 'patch' && deflated.deflated && inflateSync(deflated.data).equals(raw));
});

t.test('tables of both vendors are read', async t => {
  for (const { style, set_slots, zlib_level6_hex_here } of vectors.qrp_table_64k) {
    const data = Buffer.from(zlib_level6_hex_here, 'hex');
    t.strictSame([...received(reset(65536), patch(data, { deflated: true })).present()], set_slots, style);
  }
});

t.test('the sixteen-slot messages of the vectors set and clear what they say', async t => {
  const message = (name: string): RouteTableUpdate => {
    const hex = vectors.messages.find(message => message.name === name)?.hex ?? '';
    return parseRouteTableUpdate(Buffer.from(hex, 'hex').subarray(23));
  };
  const receiver = new TableReceiver();
  receiver.receive(message('qrp_reset_16'));
  receiver.receive(message('qrp_patch_16_add_test'));
  t.strictSame([...(receiver.table?.present() ?? [])], [qrpHash('test', 4)]);
  receiver.receive(message('qrp_patch_16_add_qrp'));
  t.strictSame([...(receiver.table?.present() ?? [])], [5, 14]);
  receiver.receive(message('qrp_patch_16_remove_test'));
  t.strictSame([...(receiver.table?.present() ?? [])], [14]);
});

t.test('captured sequences give the tables that were captured with them', async t => {
  interface Side {
    slots: number;
    set?: number[];
  }
  interface Capture {
    events: { from: 'servent' | 'peer'; hex: string }[];
    inflated?: Record<string, string>;
    messages: Record<string, { offset: number; kind: string }[]>;
    qrp: Record<string, Side>;
  }
  const names =
    'accept-up-to-leaf gtkg-leaf-dials-up-deflate gtkg-leaf-dials-up gtkg-up-dials-up handshake-up-to-up-deflate handshake-up-to-up oob-query ping-pong-up push-giv query-hits-leaf query-hits-up routing-leaf routing-up vendor-messages-and-bye';
  let sequences = 0;
  for (const name of names.split(' ')) {
    const capture = readFixture<Capture>(`gtk-gnutella/${name}.json`);
    for (const side of Object.keys(capture.qrp)) {
      const expected = capture.qrp[side];
      const first = capture.messages[side]?.[0];
      if (expected === undefined || first === undefined) continue;
      const inflated = capture.inflated?.[side];
      const bytes = Buffer.concat(
        capture.events.filter(({ from }) => from === side).map(({ hex }) => Buffer.from(hex, 'hex')),
      );
      // Offsets count from the end of the handshake, which ends with the last empty line before a binary byte.
      const plain = inflated === undefined ? bytes.subarray(endOfHandshake(bytes)) : Buffer.from(inflated, 'hex');
      const receiver = new TableReceiver();
      const reader = new FrameReader(65536);
      const frame = new Frame();
      reader.push(plain);
      while (reader.next(frame) === ReadResult.Frame) {
        if (frame.type === Type.Qrp) receiver.receive(parseRouteTableUpdate(frame.payload()));
      }
      t.equal(receiver.table?.slots, expected.slots, `${name} ${side}`);
      t.strictSame([...(receiver.table?.present() ?? [])], expected.set ?? [], `${name} ${side}`);
      t.equal(receiver.whole, expected.set !== undefined);
      sequences++;
    }
  }
  t.equal(sequences, 15);
});

function endOfHandshake(bytes: Buffer): number {
  let end = 0;
  for (;;) {
    const text = bytes.subarray(end, end + 12).toString('latin1');
    if (!/^GNUTELLA/.test(text)) return end;
    end = bytes.indexOf('\r\n\r\n', end) + 4;
  }
}

t.test('sequences captured from LimeWire and its peers are read', async t => {
  interface Capture {
    messages: { type: string; dir: string; hex: string }[];
  }
  for (const name of ['leaf_in_plain', 'leaf_out_deflate', 'up_in_forwarding', 'up_in_plain']) {
    const receivers = { '<': new TableReceiver(), '>': new TableReceiver() };
    let seen = 0;
    for (const { type, dir, hex } of readFixture<Capture>(`limewire/${name}.json`).messages) {
      if (type !== 'QRP') continue;
      seen++;
      const receiver = dir === '<' ? receivers['<'] : receivers['>'];
      receiver.receive(parseRouteTableUpdate(Buffer.from(hex, 'hex').subarray(23)));
    }
    t.ok(seen > 0, name);
    for (const receiver of Object.values(receivers))
      t.ok(receiver.table === null || receiver.table.slots === 65536 || receiver.table.slots === 131072);
  }
});

t.test('only what changed is sent to a peer that has the table', async t => {
  const before = tableOf(65536, [1, 2, 3]);
  const after = tableOf(65536, [2, 3, 4]);
  t.strictSame(encodeTable(before, before), []);
  const updates = encodeTable(before, after, { deflate: false });
  const raw = Buffer.concat(updates.map(update => (update.kind === 'patch' ? update.data : Buffer.alloc(0))));
  t.equal(raw.subarray(0, 3).toString('hex'), '0600a0', 'slot 1 goes, slot 4 comes');
  t.ok(raw.subarray(3).every(byte => byte === 0));
  t.equal(encodeTable(before, tableOf(131072, [1]))[0]?.kind, 'reset', 'another size begins anew');
  t.equal(encodeTable(null, new QrpTable(16384)).length, 2, 'an empty table is a table');
});

t.test('every width of entry is read, the lower slot in the higher bits', async t => {
  const cases: [EntryBits, number[], number[]][] = [
    [8, [0, 0xfa, 6, 0xff, 0, 0, 0, 0x80], [1, 3, 7]],
    [4, [0x0a, 0x6f, 0, 0x08], [1, 3, 7]],
    [2, [0b00100111, 0b00000010], [1, 3, 7]], // 00 10 01 11, 00 00 00 10
    [1, [0b01010001], [1, 3, 7]],
  ];
  for (const [entryBits, data, present] of cases) {
    t.strictSame([...received(reset(8), patch(data, { entryBits })).present()], present, `${entryBits} bits`);
  }
  const flipped = received(reset(8), patch([0b11000000], { entryBits: 1 }), patch([0b10100000], { entryBits: 1 }));
  t.strictSame([...flipped.present()], [1, 2], 'one-bit entries flip');
});

t.test('a table of one slot takes one byte', async t => {
  t.strictSame([...received(...encodeTable(null, tableOf(1, [0]))).present()], [0]);
});

t.test('every rule of a sequence is kept', async t => {
  const broken = (what: string, detail: RegExp, ...updates: RouteTableUpdate[]): void => {
    t.throws(() => received(...updates), { code: 'QRP_SEQUENCE', message: detail }, what);
  };
  const zeros = Buffer.alloc(8);
  const half = { count: 2, data: Buffer.alloc(4) };
  broken('no reset', /before any RESET/, patch(zeros));
  broken('begins in the middle', /expected 1/, reset(16), patch(zeros, { sequence: 2, count: 2 }));
  broken('one missing', /expected 2/, reset(32), patch(zeros, { count: 3 }), patch(zeros, { sequence: 3, count: 3 }));
  broken('one twice', /expected 2/, reset(16), patch([], half), patch([], half));
  broken('count changes', /3 messages, 2/, reset(16), patch([], half), patch([], { ...half, sequence: 2, count: 3 }));
  broken(
    'width changes',
    /entries of 8/,
    reset(16),
    patch([], half),
    patch([], { ...half, sequence: 2, entryBits: 8 }),
  );
  broken(
    'compressor changes',
    /in part/,
    reset(16),
    patch([], half),
    patch([], { ...half, sequence: 2, deflated: true }),
  );
  broken('too much', /more than/, reset(16), patch(Buffer.alloc(9)));
  broken('too much in all', /more than/, reset(16), patch([], half), patch(Buffer.alloc(5), { sequence: 2, count: 2 }));
  broken('too little', /covered/, reset(16), patch(Buffer.alloc(7)));
  broken('too little inflated', /covered/, reset(16), patch(deflateSync(Buffer.alloc(7)), { deflated: true }));
  broken('too much inflated', /bad deflate/, reset(16), patch(deflateSync(Buffer.alloc(9)), { deflated: true }));
  broken('a bomb', /bad deflate/, reset(16), patch(deflateSync(Buffer.alloc(1e6)), { deflated: true }));
  broken('no zlib', /bad deflate/, reset(16), patch(zeros, { deflated: true }));
  const stream = deflateSync(zeros);
  broken(
    'the stream ends early',
    /before the last/,
    reset(16),
    patch(Buffer.concat([stream, Buffer.alloc(3)]), { deflated: true, count: 2 }),
    patch([1], { deflated: true, sequence: 2, count: 2 }),
  );
  broken(
    'deflated data without end',
    /more than/,
    reset(2 ** 21),
    ...Array.from({ length: 200 }, (_, i) =>
      patch(Buffer.alloc(4096), { deflated: true, sequence: i + 1, count: 255 }),
    ),
  );
});

t.test('the end of the stream may be missing or alone in the last message', async t => {
  const raw = Buffer.alloc(8);
  raw[0] = 0xa0;
  const stream = deflateSync(raw);
  const cut = { deflated: true, count: 2 };
  const two = [patch(stream.subarray(0, -2), cut), patch(stream.subarray(-2), { ...cut, sequence: 2 })];
  t.strictSame([...received(reset(16), ...two).present()], [0]);
  t.strictSame([...received(reset(16), patch(stream.subarray(0, -4), { deflated: true })).present()], [0]);
});

t.test('a RESET in the middle of a sequence begins anew', async t => {
  const receiver = new TableReceiver();
  t.ok(receiver.receive(reset(16)));
  t.notOk(receiver.receive(patch(Buffer.alloc(4, 0xaa), { count: 2 })));
  t.ok(receiver.receive(reset(8)));
  t.equal(receiver.table?.count, 0);
  t.notOk(receiver.whole);
  t.ok(receiver.receive(patch([0xa0, 0, 0, 0])));
  t.ok(receiver.whole);
});

t.test('what is encoded is what is read, as a whole and as a change, however it is cut', async () => {
  const slots = fc.array(fc.nat(2 ** 14 - 1), { maxLength: 300 });
  fc.assert(
    fc.property(
      slots,
      slots,
      fc.integer({ min: 0, max: 14 }),
      fc.boolean(),
      fc.integer({ min: 1, max: 5000 }),
      (first, second, bits, deflate, pieceBytes) => {
        const fold = (present: number[]): QrpTable => tableOf(2 ** 14, present).resized(1 << bits);
        const [before, after] = [fold(first), fold(second)];
        const receiver = new TableReceiver();
        const style = { deflate, pieceBytes };
        for (const update of travelled(encodeTable(null, before, style))) receiver.receive(update);
        const same = receiver.table?.equals(before) === true;
        for (const update of travelled(encodeTable(before, after, style))) receiver.receive(update);
        return same && receiver.table?.equals(after) === true;
      },
    ),
    { numRuns: 200 },
  );
});

t.test('the largest table at its fullest goes through', async t => {
  const table = new QrpTable(2 ** 21);
  for (let i = 0, slot = 1; i < 200_000; i++) {
    slot = (Math.imul(slot, 1664525) + 1013904223) >>> 0;
    table.set(slot >>> 11);
  }
  const updates = encodeTable(null, table);
  t.ok(updates.length <= 256);
  t.ok(received(...updates).equals(table));
  const plain = encodeTable(null, table, { deflate: false });
  t.equal(plain.length, 256, 'larger messages rather than more than 255');
  t.ok(received(...plain).equals(table));
});

t.test('any messages at all are read or refused', async () => {
  const update = fc.oneof(
    fc.record({ kind: fc.constant('reset' as const), slots: fc.nat(12).map(n => 1 << n), infinity: fc.constant(7) }),
    fc.record({
      kind: fc.constant('patch' as const),
      sequence: fc.integer({ min: 1, max: 3 }),
      count: fc.integer({ min: 1, max: 3 }),
      deflated: fc.boolean(),
      entryBits: fc.constantFrom<EntryBits>(1, 2, 4, 8),
      data: fc.uint8Array({ maxLength: 40 }).map(bytes => Buffer.from(bytes)),
    }),
  );
  fc.assert(
    fc.property(fc.array(update, { maxLength: 12 }), updates => {
      const receiver = new TableReceiver();
      for (const update of updates) {
        try {
          receiver.receive(update);
        } catch (error) {
          if (!(error instanceof ProtocolError) || error.code !== 'QRP_SEQUENCE') return false;
        }
      }
      return true;
    }),
    { numRuns: 500 },
  );
});
