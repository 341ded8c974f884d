import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { encodeRudpPacket, parseRudpPacket, type RudpPacket } from '../../../protocol/rudp/packet.ts';
import type { RudpEnd } from '../../../protocol/rudp/rudp-end.ts';
import { RudpTable } from '../../../protocol/rudp/rudp-table.ts';
import { SeededRandom } from '../../../sim/seeded-random.ts';
import { RudpPath } from '../../support/rudp-path.ts';
import { bytes } from '../../support/wire-arbitraries.ts';

/** A path whose sides are connected, and the tags that each side asks for. */
function connected(offers: [boolean, boolean] = [true, true], seed = 1) {
  const path = new RudpPath(seed, {}, offers);
  const tags = { a: 0, b: 0 };
  path.onDatagram = (datagram, from) => {
    const packet = parseRudpPacket(datagram);
    if (packet.kind === 'syn' && packet.offer !== null) tags[from === path.a ? 'a' : 'b'] = packet.offer.tag;
  };
  path.a.ends = false;
  path.b.ends = false;
  path.open();
  path.run(1_000, () => path.a.connectedAt !== null && path.b.connectedAt !== null);
  path.run(path.now + 100);
  path.onDatagram = null;
  const id = path.a.connection?.id ?? 0;
  /** What the first side makes of a packet from the second side's address. */
  const forge = (packet: RudpPacket): RudpEnd =>
    path.a.table.receive(encodeRudpPacket({ ...packet, peerId: id }), path.b.endpoint, path.now);
  return { path, tags, id, forge };
}

/** Bytes that a side would send now. */
function answers(path: RudpPath): number {
  let sent = 0;
  path.a.table.flush(path.now, bytes => {
    sent += bytes.length;
  });
  return sent;
}

t.test('a flood of strangers makes nothing and gets nothing', t => {
  const table = new RudpTable({ random: new SeededRandom(5), extended: true });
  const random = new SeededRandom(6);
  for (let i = 0; i < 20_000; i++) {
    const from = { host: `5.${i & 255}.${(i >> 8) & 255}.1`, port: 1 + random.below(65_535) };
    const peerId = random.below(2) * random.below(256);
    const kinds: RudpPacket[] = [
      { kind: 'syn', peerId, id: 1 + random.below(255), version: 1, role: 'requestor', offer: null },
      { kind: 'fin', peerId, sequence: random.below(65_536), reason: 0 },
      { kind: 'data', peerId, sequence: 1, payload: Buffer.alloc(500) },
      { kind: 'ack', peerId, sequence: 0, windowStart: 1, windowSpace: 20 },
    ];
    table.receive(encodeRudpPacket(kinds[i % 4] as RudpPacket), from, i);
  }
  t.equal(table.ends.of('stranger'), 20_000);
  t.equal(table.size, 0);
  t.equal(
    table.flush(20_000, () => t.fail('something was sent')),
    0,
  );
  t.end();
});

t.test('a connection takes packets of its peer alone: another port is a stranger', t => {
  const { path, id } = connected();
  const fin = encodeRudpPacket({ kind: 'fin', peerId: id, sequence: 1, reason: 0 });
  for (const from of [
    { ...path.b.endpoint, port: 6_347 },
    { ...path.b.endpoint, host: '2.2.2.3' },
  ])
    t.equal(path.a.table.receive(fin, from, path.now), 'stranger');
  t.equal(path.a.connection?.state, 'connected');
  t.end();
});

t.test('without the tag of the receiver nothing of the extension is taken', t => {
  const { path, tags, forge } = connected();
  const tag = (tags.a + 1) % 0x1_0000_0000;
  const payload = Buffer.from('forged');
  t.equal(forge({ kind: 'segment', peerId: 0, tag, number: 0, offset: 0, fin: false, payload }), 'wrong_tag');
  t.equal(forge({ kind: 'abort', peerId: 0, tag, reason: 0 }), 'wrong_tag');
  t.equal(forge({ kind: 'report', peerId: 0, tag, received: 0, window: 1 << 30, delayMs: 0, ranges: [] }), 'wrong_tag');
  for (const packet of [
    { kind: 'data', peerId: 0, sequence: 1, payload },
    { kind: 'fin', peerId: 0, sequence: 1, reason: 0 },
    { kind: 'keep_alive', peerId: 0, windowStart: 1, windowSpace: 20 },
  ] as const)
    t.equal(forge(packet), 'unexpected', packet.kind);
  t.equal(path.a.connection?.state, 'connected');
  t.equal(path.a.connection?.readable, 0);
  t.equal(answers(path), 0);
  t.end();
});

t.test('segments beyond what there is room for are dropped, and so is a stream that ends twice', t => {
  const { path, tags, forge } = connected();
  path.a.reads = false;
  const segment = (number: number, offset: number, length: number, fin = false) =>
    forge({ kind: 'segment', peerId: 0, tag: tags.a, number, offset, fin, payload: Buffer.alloc(length) });
  t.equal(segment(0, 300_000, 1_000), 'beyond_window');
  t.equal(segment(1, 261_000, 2_000), 'beyond_window', 'its end is');
  t.equal(segment(200_000, 0, 10), 'beyond_window', 'a number of the far future');
  t.equal(segment(0xffff_ffff, 0, 10), 'malformed', 'one of the past before the first');
  t.equal(segment(2, 100, 100, true), 'taken');
  t.equal(segment(3, 100, 200, true), 'malformed', 'another end');
  t.equal(segment(4, 150, 100), 'malformed', 'bytes after the end');
  t.equal(segment(2, 100, 100, true), 'duplicate');
  t.ok(answers(path) < 200, 'one report tells of all of it');
  t.end();
});

t.test('many tiny pieces out of order take bounded room', t => {
  const { path, tags, forge } = connected();
  let taken = 0;
  for (let number = 0; number < 20_000; number++) {
    const packet = { kind: 'segment', peerId: 0, tag: tags.a, number, offset: 1 + 2 * number, fin: false } as const;
    if (forge({ ...packet, payload: Buffer.from('x') }) === 'taken') taken++;
  }
  t.equal(taken, 4_096);
  t.equal(path.a.connection?.readable, 0);
  t.end();
});

t.test('a report of what was never sent is dropped', t => {
  const { path, tags, forge } = connected();
  path.a.give(Buffer.alloc(10_000));
  path.run(path.now + 1);
  const report = (received: number, ranges: { first: number; last: number }[]) =>
    forge({ kind: 'report', peerId: 0, tag: tags.a, received, window: 1 << 20, delayMs: 0, ranges });
  t.equal(report(20_000, []), 'never_sent');
  t.equal(report(0, [{ first: 0, last: 500 }]), 'never_sent');
  t.equal(path.a.connection?.state, 'connected');
  t.equal(report(0, [{ first: 3, last: 2 }]), 'never_sent', 'a range that ends before it begins');
  t.match(path.a.error, { code: 'RUDP_BROKEN' }, 'no honest peer says so');
  t.end();
});

t.test('a peer that acknowledges what it cannot have is cut off', t => {
  const { path, tags, forge } = connected();
  path.a.give(Buffer.alloc(40_000_000));
  path.onDatagram = () => undefined;
  let number = -1;
  let received = 0;
  for (let i = 0; i < 2_000 && !path.a.closed; i++) {
    path.now += 1;
    path.a.table.tick(path.now);
    path.a.table.flush(path.now, datagram => {
      const packet = parseRudpPacket(datagram);
      if (packet.kind !== 'segment') return;
      number = packet.number;
      received = packet.offset + packet.payload.length;
    });
    // optimistic: all numbers so far, whatever has arrived
    const ranges = [{ first: 0, last: Math.max(0, number) }];
    forge({ kind: 'report', peerId: 0, tag: tags.a, received, window: 8 << 20, delayMs: 0, ranges });
  }
  t.match(path.a.error, { code: 'RUDP_BROKEN' });
  t.ok(number < 1_000, `${number} segments`);
  t.end();
});

t.test("in LimeWire's manner wild numbers and lies about windows are dropped", t => {
  const { path, forge } = connected([true, false]);
  t.equal(forge({ kind: 'ack', peerId: 0, sequence: 5, windowStart: 6, windowSpace: 20 }), 'never_sent');
  t.equal(forge({ kind: 'keep_alive', peerId: 0, windowStart: 9, windowSpace: 20 }), 'never_sent');
  const data = (sequence: number) => forge({ kind: 'data', peerId: 0, sequence, payload: Buffer.alloc(100) });
  t.equal(data(27), 'beyond_window');
  t.equal(data(30_000), 'beyond_window');
  t.equal(data(60_000), 'malformed', 'before the first');
  t.equal(data(26), 'taken');
  t.equal(data(26), 'duplicate');
  t.equal(path.a.connection?.readable, 0);
  t.equal(answers(path), 2 * 23, 'as many acknowledgements as packets that were taken or came twice');
  t.end();
});

t.test('SYNs to a connection get acknowledgements, never more bytes than came', t => {
  const { path, id } = connected();
  const peerId = path.b.connection?.id ?? 0;
  const syn = encodeRudpPacket({ kind: 'syn', peerId: id, id: peerId, version: 1, role: 'acceptor', offer: null });
  for (let i = 0; i < 100; i++) path.a.table.receive(syn, path.b.endpoint, path.now);
  t.ok(answers(path) <= 2 * 23);
  const other = encodeRudpPacket({
    kind: 'syn',
    peerId: id,
    id: 1 + (peerId % 255),
    version: 1,
    role: 'acceptor',
    offer: null,
  });
  t.equal(path.a.table.receive(other, path.b.endpoint, path.now), 'unexpected', 'of another connection');
  t.end();
});

for (const [name, offers] of [
  ['two of ours', [true, true]],
  ['LimeWire', [true, false]],
] as [string, [boolean, boolean]][]) {
  t.test(`any packets from the peer's address do no harm beyond the connection: ${name}`, t => {
    const shaped = bytes(23, 90).map(random => {
      random[16] = 0x41;
      random.writeUInt32LE(random.length - 23, 19);
      return random;
    });
    fc.assert(
      fc.property(fc.array(shaped, { minLength: 1, maxLength: 60 }), fc.boolean(), (packets, tagged) => {
        const { path, tags, id } = connected(offers, 7);
        path.a.give(Buffer.alloc(5_000));
        let came = 0;
        let sent = 0;
        for (const packet of packets) {
          packet[0] = id;
          if (tagged) packet.writeUInt32BE(tags.a, 4);
          came += packet.length;
          path.a.table.receive(packet, path.b.endpoint, path.now);
          path.now += 1;
          path.a.table.tick(path.now);
          sent += path.a.table.flush(path.now, () => undefined);
        }
        assert.ok(sent <= came + 2 * packets.length * 23 + 20_000, `${sent} bytes for ${came}`);
        assert.ok((path.a.connection?.readable ?? 0) <= 70_000);
        assert.ok(path.a.table.size === 1);
      }),
      { seed: 44, numRuns: 150 },
    );
    t.end();
  });
}

t.test('a transfer is the same whatever others throw in who do not know the tag', t => {
  const { path, id } = connected([true, true], 9);
  const random = new SeededRandom(10);
  const body = Buffer.alloc(400_000);
  random.fill(body);
  path.a.ends = true;
  path.b.ends = true;
  path.a.give(Buffer.from('ask'));
  path.b.give(body);
  for (let i = 0; i < 2_000 && !path.a.closed; i++) {
    const forged = Buffer.alloc(23 + random.below(100));
    random.fill(forged);
    forged[0] = id;
    forged[1] = (random.below(16) << 4) | (forged[1] ?? 0 & 0x0f);
    forged[16] = 0x41;
    forged.writeUInt32LE(forged.length - 23, 19);
    path.a.table.receive(forged, path.b.endpoint, path.now);
    path.run(path.now + 1);
  }
  path.run(path.now + 60_000, () => path.a.closed && path.b.closed);
  t.strictSame([path.a.error, path.b.error], [null, null]);
  t.ok(path.a.bytes.equals(body));
  t.end();
});

t.test('who forges the address of a victim does not find our id by trying all', async t => {
  const victim = { host: '5.5.5.5', port: 7000 };
  const ids = new Set<number>();
  let connections = 0;
  for (let seed = 1; seed <= 200; seed++) {
    const table = new RudpTable({ random: new SeededRandom(seed), extended: true });
    const events = { onReadable: () => {}, onWritable: () => {}, onClosed: () => {} };
    const connection = table.open(victim, 'acceptor', { ...events, onConnected: () => connections++ }, 0);
    ids.add(connection.id);
    const syn = { kind: 'syn', peerId: 0, id: 9, version: 1, role: 'requestor', offer: null } as const;
    table.receive(encodeRudpPacket(syn), victim, 10);
    for (let peerId = 1; peerId < 256; peerId++) {
      const ack = { kind: 'ack', peerId, sequence: 0, windowStart: 1, windowSpace: 20 } as const;
      table.receive(encodeRudpPacket(ack), victim, 10);
    }
  }
  t.ok(ids.size > 80, `${ids.size} ids in 200 connections`);
  t.ok(connections <= 10, `${connections} of 200 connections with one that forges all ids`);
});
