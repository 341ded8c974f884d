import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { ProtocolError } from '../../../protocol/errors.ts';
import { encodeRudpPacket, parseRudpPacket, type RudpPacket } from '../../../protocol/rudp/packet.ts';
import { readFixture } from '../../support/fixtures.ts';
import { bytes, plain } from '../../support/wire-arbitraries.ts';

const { rudp: vectors } = readFixture<{ rudp: { desc: string; hex: string }[] }>('vectors/transfer-vectors.json');

const meanings: RudpPacket[] = [
  { kind: 'syn', peerId: 0, id: 0x2a, version: 1, role: 'requestor', offer: null },
  { kind: 'syn', peerId: 7, id: 0x2a, version: 1, role: 'acceptor', offer: null },
  { kind: 'ack', peerId: 7, sequence: 5, windowStart: 4, windowSpace: 19 },
  { kind: 'keep_alive', peerId: 7, windowStart: 6, windowSpace: 20 },
  { kind: 'data', peerId: 7, sequence: 1, payload: Buffer.from('GET / HTTP/1.1\r\n\r\n') },
  { kind: 'fin', peerId: 7, sequence: 2, reason: 0 },
];

t.test('packets of the vectors are read and written', t => {
  t.equal(meanings.length, vectors.length, 'none is left out');
  vectors.forEach(({ desc, hex }, i) => {
    t.strictSame(parseRudpPacket(Buffer.from(hex, 'hex')), meanings[i], desc);
    t.equal(encodeRudpPacket(meanings[i] as RudpPacket).toString('hex'), hex, `${desc}: written`);
  });
  t.end();
});

t.test('a packet that is a byte shorter or longer than it says is malformed', t => {
  for (const { hex } of vectors) {
    const whole = Buffer.from(hex, 'hex');
    for (let length = 0; length < whole.length; length++)
      assert.throws(() => parseRudpPacket(whole.subarray(0, length)), ProtocolError);
    for (const more of [1, 2, 100]) assert.throws(() => parseRudpPacket(Buffer.concat([whole, Buffer.alloc(more)])));
  }
  t.end();
});

t.test('what a packet says must make sense', t => {
  const changed = (index: number, at: number, byte: number) => {
    const packet = Buffer.from(vectors[index]?.hex ?? '', 'hex');
    packet[at] = byte;
    return packet;
  };
  t.throws(() => parseRudpPacket(changed(0, 4, 0)), { code: 'WIRE_MALFORMED' }, 'a SYN of connection 0');
  t.throws(() => parseRudpPacket(changed(4, 1, 0x3d)), { code: 'WIRE_MALFORMED' }, '13 bytes in a field of 12');
  t.throws(() => parseRudpPacket(changed(0, 1, 0x50)), { code: 'WIRE_MALFORMED' }, 'an unknown opcode');
  t.throws(() => parseRudpPacket(changed(0, 16, 0x44)), { code: 'WIRE_MALFORMED' }, 'another protocol');
  const long = encodeRudpPacket({ kind: 'data', peerId: 1, sequence: 1, payload: Buffer.alloc(4_097) });
  t.throws(() => parseRudpPacket(long), { code: 'WIRE_TOO_LONG' });
  t.match(parseRudpPacket(changed(0, 7, 3)), { role: null }, 'a role that nobody knows');
  const old = Buffer.from(vectors[0]?.hex ?? '', 'hex');
  old.fill(0, 5, 8);
  t.match(parseRudpPacket(old), { version: 0, role: null }, 'BearShare names no role');
  t.end();
});

t.test('the offer of the extension lies where LimeWire has zeros, and changes nothing else', t => {
  const packet = { kind: 'syn', peerId: 0, id: 0x2a, version: 1, role: 'requestor' } as const;
  const offered = encodeRudpPacket({ ...packet, offer: { datagramBytes: 1_400, tag: 0xdeadbeef } });
  const plainSyn = Buffer.from(vectors[0]?.hex ?? '', 'hex');
  t.equal(offered.length, plainSyn.length);
  t.equal(offered.subarray(0, 8).toString('hex'), plainSyn.subarray(0, 8).toString('hex'));
  t.equal(offered.subarray(8, 16).toString('hex'), '535601afdeadbeef');
  offered.fill(0, 8, 16);
  t.strictSame(offered, plainSyn);
  offered.set([0x53, 0x56, 2, 175], 8);
  t.match(parseRudpPacket(offered), { offer: null }, 'another version of the extension');
  offered.set([0x53, 0x56, 1, 2], 8);
  t.match(parseRudpPacket(offered), { offer: null }, 'datagrams of 16 bytes');
  t.end();
});

const u8 = fc.nat(0xff);
const u16 = fc.nat(0xffff);
const u32 = fc.nat(0xffff_ffff);
const offer = fc.option(
  fc.record({ datagramBytes: fc.integer({ min: 32, max: 255 }).map(n => n * 8), tag: u32 }, plain),
);
const role = fc.constantFrom('requestor', 'acceptor', null);
const packets: fc.Arbitrary<RudpPacket> = fc.oneof(
  fc.record(
    {
      kind: fc.constant('syn'),
      peerId: u8,
      id: fc.integer({ min: 1, max: 255 }),
      version: fc.integer({ min: 1, max: 9 }),
      role,
      offer,
    },
    plain,
  ),
  fc.record({ kind: fc.constant('ack'), peerId: u8, sequence: u16, windowStart: u16, windowSpace: u16 }, plain),
  fc.record({ kind: fc.constant('keep_alive'), peerId: u8, windowStart: u16, windowSpace: u16 }, plain),
  fc.record({ kind: fc.constant('data'), peerId: u8, sequence: u16, payload: bytes(0, 600) }, plain),
  fc.record({ kind: fc.constant('fin'), peerId: u8, sequence: u16, reason: u8 }, plain),
  fc.record(
    {
      kind: fc.constant('segment'),
      peerId: u8,
      tag: u32,
      number: u32,
      offset: u32,
      fin: fc.boolean(),
      payload: bytes(0, 100),
    },
    plain,
  ),
  fc.record(
    {
      kind: fc.constant('report'),
      peerId: u8,
      tag: u32,
      received: u32,
      window: u32,
      delayMs: fc.nat(60_000).map(n => n / 8),
      ranges: fc.array(fc.record({ first: u32, last: u32 }, plain), { maxLength: 32 }),
    },
    plain,
  ),
  fc.record({ kind: fc.constant('abort'), peerId: u8, tag: u32, reason: u8 }, plain),
) as fc.Arbitrary<RudpPacket>;

t.test('what is written is read as the same, and no part of it is read at all', t => {
  fc.assert(
    fc.property(packets, fc.nat(), (packet, cut) => {
      const whole = encodeRudpPacket(packet);
      assert.deepEqual(parseRudpPacket(whole), packet);
      assert.throws(() => parseRudpPacket(whole.subarray(0, cut % whole.length)), ProtocolError);
    }),
    { seed: 41, numRuns: 500 },
  );
  t.end();
});

t.test('random bytes are read or refused with an error of their own', t => {
  const shaped = bytes(23, 80).map(random => {
    random[16] = 0x41;
    random.writeUInt32LE(random.length - 23, 19);
    return random;
  });
  fc.assert(
    fc.property(fc.oneof(bytes(0, 60), shaped), random => {
      try {
        parseRudpPacket(random);
      } catch (error) {
        assert.ok(error instanceof ProtocolError);
      }
    }),
    { seed: 42, numRuns: 1_000 },
  );
  t.end();
});
