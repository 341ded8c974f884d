import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import type { DhtHeader } from '../../../protocol/dht/dht-header.ts';
import { type DhtMessage, encodeDhtMessage, parseDhtMessage } from '../../../protocol/dht/dht-message.ts';
import { ValueType, valueBytes } from '../../../protocol/dht/dht-value.ts';
import { StoreCode } from '../../../protocol/dht/store-status.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { dhtMessage } from '../../support/dht-arbitraries.ts';
import { dhtVector, dhtVectors } from '../../support/dht-vectors.ts';
import { readFixture } from '../../support/fixtures.ts';
import { bytes } from '../../support/wire-arbitraries.ts';

function hex(text: string): Buffer {
  return Buffer.from(text, 'hex');
}

const a = { vendor: 'TEST', version: 0, kuid: hex(dhtVectors.kuid_A), endpoint: { host: '192.0.2.7', port: 6346 } };
const b = { vendor: 'GTKG', version: 0, kuid: hex(dhtVectors.kuid_B), endpoint: { host: '198.51.100.4', port: 6347 } };
const muid = hex(dhtVectors.muid);
const fromA: DhtHeader = { muid, contact: a, instance: 1, firewalled: false, leaving: false };
const fromB: DhtHeader = { ...fromA, contact: b };
const key = hex(dhtVectors.key);
const token = hex('deadbeef');
const value = { creator: a, key, type: 'ALOC', version: 1, data: hex(dhtVectors.aloc_value_hex) };

const meanings: [string, DhtMessage][] = [
  ['PING', { kind: 'ping', header: fromA }],
  ['PING firewalled', { kind: 'ping', header: { ...fromA, firewalled: true } }],
  ['PONG', { kind: 'pong', header: fromB, requester: a.endpoint, networkSize: 1000n }],
  ['FIND_NODE', { kind: 'findNode', header: fromA, target: key }],
  ['FOUND_NODE', { kind: 'foundNode', header: fromB, token, contacts: [a] }],
  ['FIND_VALUE', { kind: 'findValue', header: fromA, key, secondaryKeys: [], type: ValueType.AltLocation }],
  ['VALUE', { kind: 'value', header: fromB, load: 0.5, values: [value], secondaryKeys: [] }],
  ['STORE token', { kind: 'store', header: fromA, token, values: [value], oversized: [] }],
  [
    'STORE_ACK',
    { kind: 'storeAck', header: fromB, statuses: [{ key, creator: a.kuid, code: StoreCode.Ok, text: '' }] },
  ],
];

t.test('messages of the vectors are read and written', async t => {
  t.equal(meanings.length, dhtVectors.messages.length, 'none is left out');
  for (const [name, message] of meanings) {
    t.strictSame(parseDhtMessage(dhtVector(name)), message, name);
    t.equal(encodeDhtMessage(message).toString('hex'), dhtVector(name).toString('hex'), `${name}: written`);
  }
  t.equal(valueBytes(value), 61 + 91);
});

t.test('messages of gtk-gnutella are read, and written again the same', t => {
  const { messages } = readFixture<{ messages: Record<string, string> }>('dht/gtk-gnutella.json');
  t.equal(Object.keys(messages).length, meanings.length - 1, 'of every kind');
  for (const [kind, datagram] of Object.entries(messages)) {
    const message = parseDhtMessage(hex(datagram));
    t.match(message, { kind, header: { contact: { vendor: 'GTKG', endpoint: { port: 6346 } }, firewalled: false } });
    t.equal(message === null ? null : encodeDhtMessage(message).toString('hex'), datagram, kind);
  }
  t.end();
});

/** The same message with that payload length in its header. */
function withLength(datagram: Buffer, payloadBytes = datagram.length - 23): Buffer {
  const copy = Buffer.from(datagram);
  copy.writeUInt32LE(payloadBytes, 19);
  return copy;
}

t.test('what is written is read, and written again the same', async () => {
  fc.assert(
    fc.property(dhtMessage, message => {
      const datagram = encodeDhtMessage(message);
      const read = parseDhtMessage(datagram);
      assert.deepEqual(read, message);
      assert.ok(read !== null && encodeDhtMessage(read).equals(datagram));
    }),
  );
});

t.test('a message cut anywhere is refused, whether its length tells so or not', async () => {
  for (const [, message] of meanings) cutAnywhere(message);
  fc.assert(fc.property(dhtMessage, cutAnywhere), { numRuns: 15 });
});

function cutAnywhere(message: DhtMessage): void {
  const datagram = encodeDhtMessage(message);
  // without its last count a VALUE is one of an old gtk-gnutella
  const lastCount = message.kind === 'value' ? datagram.length - 1 - 20 * message.secondaryKeys.length : -1;
  for (let cut = 0; cut < datagram.length; cut++) {
    const short = datagram.subarray(0, cut);
    assert.throws(() => parseDhtMessage(short), ProtocolError);
    if (cut < 23) continue;
    if (cut === lastCount) assert.deepEqual(parseDhtMessage(withLength(short)), { ...message, secondaryKeys: [] });
    else assert.throws(() => parseDhtMessage(withLength(short)), ProtocolError);
  }
}

t.test('a message grown at any byte is read within its bounds or refused', async () => {
  for (const [, message] of meanings) for (const more of ['00', 'ff', '0102']) grownAnywhere(message, hex(more));
  fc.assert(fc.property(dhtMessage, bytes(1, 3), grownAnywhere), { numRuns: 15 });
});

function grownAnywhere(message: DhtMessage, more: Buffer): void {
  const datagram = encodeDhtMessage(message);
  assert.throws(() => parseDhtMessage(Buffer.concat([datagram, more])), { code: 'DHT_MALFORMED' });
  assert.deepEqual(parseDhtMessage(withLength(Buffer.concat([datagram, more]))), message, 'trailing bytes');
  for (let at = 0; at < datagram.length; at++) {
    const grown = Buffer.concat([datagram.subarray(0, at), more, datagram.subarray(at)]);
    readOrRefused(grown);
    if (at >= 23) readOrRefused(withLength(grown));
  }
}

/** Fails unless the datagram is read, and comes out the same when written and read again, or refused by a ProtocolError. */
function readOrRefused(datagram: Buffer): void {
  let read: DhtMessage | null;
  try {
    read = parseDhtMessage(datagram);
  } catch (error) {
    assert.ok(error instanceof ProtocolError, String(error));
    return;
  }
  // two things are read that are never sent
  if (read === null || read.header.contact.endpoint.host === '0.0.0.0') return;
  const expected = read.kind === 'store' ? { ...read, oversized: [] } : read;
  const again = parseDhtMessage(encodeDhtMessage(read));
  if (read.kind === 'pong' && read.networkSize === 0n) return;
  assert.deepEqual(again, expected);
}

t.test('lengths that lie, changed bytes and random ones throw nothing but ProtocolError', async () => {
  fc.assert(
    fc.property(dhtMessage, fc.nat(0xffffffff), fc.nat(), fc.nat(255), (message, length, at, octet) => {
      const datagram = encodeDhtMessage(message);
      if (length !== datagram.length - 23) {
        assert.throws(() => parseDhtMessage(withLength(datagram, length)), { code: 'DHT_MALFORMED' });
      }
      datagram[at % datagram.length] = octet;
      readOrRefused(datagram);
    }),
    { numRuns: 500 },
  );
  fc.assert(fc.property(bytes(0, 200), random => readOrRefused(random)));
  // random bodies behind a good header
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 11 }), bytes(0, 300), (opcode, random) => {
      const datagram = Buffer.concat([dhtVector('PING'), random]);
      datagram[23] = opcode;
      readOrRefused(withLength(datagram));
    }),
    { numRuns: 1000 },
  );
});

/** A vector with some bytes replaced. */
function changed(name: string, at: number, replacement: string): Buffer {
  const datagram = Buffer.from(dhtVector(name));
  datagram.write(replacement, at, 'hex');
  return datagram;
}

t.test('what other servents do in headers is put up with', async t => {
  const read = (datagram: Buffer): DhtHeader | undefined => parseDhtMessage(datagram)?.header;
  t.strictSame(read(changed('PING', 17, '0102')), fromA, 'a newer version of messages');
  t.strictSame(read(changed('PING', 58, 'fc')), fromA, 'flags of no meaning');
  t.strictSame(read(changed('PING', 58, '03')), { ...fromA, firewalled: true, leaving: true });
  const noPort = read(changed('PING', 55, '0000'));
  t.equal(noPort?.firewalled, true, 'port 0 is that of a firewalled node');
  t.equal(noPort?.contact.endpoint.port, 0);
  t.equal(read(changed('PING', 51, '00000000'))?.contact.endpoint.host, '0.0.0.0', 'the source is answered, not this');
  t.equal(read(changed('PING', 28, '0203'))?.contact.version, 0x203);
  const extended = Buffer.concat([changed('FIND_NODE', 59, '0003').subarray(0, 61), hex('aabbcc'), key]);
  t.strictSame(parseDhtMessage(withLength(extended)), meanings[3]?.[1], 'an extension is skipped');
  for (const opcode of ['09', '0a']) t.equal(parseDhtMessage(changed('PING', 23, opcode)), null, 'statistics');
});

t.test('what is no message is refused with its reason', async t => {
  const refused = (datagram: Buffer, code: string, name: string): void => {
    t.throws(() => parseDhtMessage(datagram), { code }, name);
  };
  refused(changed('PING', 16, '31'), 'DHT_MALFORMED', 'another type');
  refused(changed('PING', 23, '00'), 'DHT_UNKNOWN', 'opcode 0');
  refused(changed('PING', 23, '0b'), 'DHT_UNKNOWN', 'opcode 11');
  refused(changed('PING', 19, '00000026'), 'DHT_MALFORMED', 'a big-endian length');
  refused(changed('PING', 50, '00'), 'DHT_MALFORMED', 'no address');
  refused(changed('PING', 59, '0001'), 'WIRE_TRUNCATED', 'an extension beyond the end');
  const ipv6 = Buffer.concat([dhtVector('PING').subarray(0, 50), hex('10'), Buffer.alloc(16, 1), hex('18ca01000000')]);
  refused(withLength(ipv6), 'DHT_MALFORMED', 'IPv6 in the header');
  refused(changed('PONG', 62, '00000000'), 'DHT_MALFORMED', 'a requester at 0.0.0.0');
  refused(changed('PONG', 68, '15'), 'DHT_TOO_LONG', 'a size of 21 bytes');
  refused(changed('FOUND_NODE', 66, '02'), 'WIRE_TRUNCATED', 'a contact less than counted');
  refused(changed('FOUND_NODE', 66, '15'), 'DHT_TOO_LONG', '21 contacts');
  refused(changed('STORE token', 61, 'ff'), 'WIRE_TRUNCATED', 'a token beyond the end');
  refused(changed('VALUE', 93, '00000000'), 'DHT_MALFORMED', 'a creator at 0.0.0.0');
  const vector = dhtVector('VALUE');
  const byIpv6 = Buffer.concat([vector.subarray(0, 92), hex('10'), Buffer.alloc(16, 1), vector.subarray(97)]);
  refused(withLength(byIpv6), 'DHT_MALFORMED', 'a creator with an IPv6 address');
});

t.test('numbers with a sign byte, and loads of no meaning, are read', async t => {
  const pong = Buffer.concat([dhtVector('PONG').subarray(0, 68), hex('030080ff')]);
  const read = parseDhtMessage(withLength(pong));
  t.equal(read?.kind === 'pong' && read.networkSize, 0x80ffn);
  for (const load of ['7fc00000', '7f800000', 'bf800000', '80000000']) {
    const message = parseDhtMessage(changed('VALUE', 61, load));
    t.equal(message?.kind === 'value' && message.load, 0, load);
  }
  const none = encodeDhtMessage({ kind: 'pong', header: fromB, requester: a.endpoint, networkSize: 0n });
  t.equal(none.subarray(68).toString('hex'), '0101', 'the sender counts itself');
});

t.test('a value of more than 511 bytes is named, not read, and those after it are', async t => {
  const store = (bytes: number): Buffer => {
    const large = Buffer.concat([
      hex(dhtVectors.contact_B_hex),
      key,
      hex('414c4f430001'),
      hex(bytes.toString(16).padStart(4, '0')),
      Buffer.alloc(bytes, 7),
    ]);
    const vector = dhtVector('STORE token');
    return withLength(Buffer.concat([vector.subarray(0, 66), hex('02'), large, vector.subarray(67)]));
  };
  const read = parseDhtMessage(store(512));
  t.strictSame(read?.kind === 'store' && read.oversized, [{ key, creator: b.kuid }]);
  t.strictSame(read?.kind === 'store' && read.values, [value]);
  const largest = parseDhtMessage(store(511));
  t.equal(largest?.kind === 'store' && largest.values[0]?.data.length, 511);
  t.throws(() => parseDhtMessage(store(512).subarray(0, 400)), ProtocolError);
  const values = parseDhtMessage(
    withLength(Buffer.concat([dhtVector('VALUE').subarray(0, 65), store(512).subarray(66), hex('00')])),
  );
  t.strictSame(values?.kind === 'value' && values.values, [value], 'left out of an answer');
});

t.test('what must not be sent is not encoded', async t => {
  const bad: DhtMessage[] = [
    { kind: 'ping', header: { ...fromA, muid: Buffer.alloc(15) } },
    { kind: 'ping', header: { ...fromA, contact: { ...a, endpoint: { host: '0.0.0.0', port: 1 } } } },
    { kind: 'ping', header: { ...fromA, contact: { ...a, endpoint: { host: '2001:db8::1', port: 1 } } } },
    { kind: 'pong', header: fromB, requester: a.endpoint, networkSize: 2n ** 160n },
    { kind: 'foundNode', header: fromB, token, contacts: new Array(21).fill(a) },
    { kind: 'foundNode', header: fromB, token: Buffer.alloc(256), contacts: [] },
    { kind: 'store', header: fromA, token, values: [{ ...value, data: Buffer.alloc(512) }], oversized: [] },
    { kind: 'store', header: fromA, token, values: new Array(256).fill(value), oversized: [] },
    {
      kind: 'store',
      header: fromA,
      token,
      values: [{ ...value, creator: { ...a, endpoint: { host: '2001:db8::1', port: 1 } } }],
      oversized: [],
    },
    { kind: 'storeAck', header: fromB, statuses: [{ key, creator: a.kuid, code: 1, text: 'x'.repeat(65_536) }] },
    { kind: 'findValue', header: fromA, key, secondaryKeys: new Array(256).fill(key), type: '****' },
    { kind: 'findValue', header: fromA, key, secondaryKeys: [], type: '***' },
  ];
  for (const message of bad) t.throws(() => encodeDhtMessage(message), RangeError, message.kind);
});
