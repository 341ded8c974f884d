import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { parseRudpPacket } from '../../../protocol/rudp/packet.ts';
import { type PathConditions, RudpPath } from '../../support/rudp-path.ts';
import { plain } from '../../support/wire-arbitraries.ts';

const REQUEST = Buffer.from('GET / HTTP/1.1\r\n\r\n');

/** The first side asks, the second answers with `length` bytes; both end. */
function exchange(
  seed: number,
  length: number,
  conditions: Partial<PathConditions>,
  offers: [boolean, boolean] = [true, true],
  limitMs = 300_000,
): { path: RudpPath; body: Buffer } {
  const path = new RudpPath(seed, conditions, offers);
  const body = Buffer.alloc(length);
  path.random.fill(body);
  // a FIN of LimeWire ends both directions: the one who answers sends it
  path.a.ends = offers[0] && offers[1];
  path.open();
  path.a.give(REQUEST);
  path.b.give(body);
  path.run(limitMs, () => path.a.closed && path.b.closed);
  return { path, body };
}

t.test('two of ours connect in one round trip and deliver both directions in order', t => {
  const { path, body } = exchange(1, 1_000_000, {});
  t.equal(path.a.connectedAt, 20);
  t.ok(path.a.connection?.extended);
  t.strictSame([path.a.error, path.b.error], [null, null]);
  t.ok(path.a.bytes.equals(body) && path.b.bytes.equals(REQUEST));
  t.equal(path.a.table.counters.extended, 1);
  path.run(path.now + 40_000);
  t.strictSame([path.a.table.size, path.b.table.size], [0, 0], 'nothing is left after half a minute');
  t.end();
});

t.test('with a servent that does not know the extension all packets are those of LimeWire', t => {
  for (const offers of [
    [true, false],
    [false, true],
  ] as [boolean, boolean][]) {
    const path = new RudpPath(2, { loss: 0.02, late: 0.1, lateMs: 30, copies: 0.02 }, offers);
    let largest = 0;
    let onTheWay = 0;
    path.onDatagram = (datagram, from) => {
      const packet = parseRudpPacket(datagram);
      assert.ok(!('tag' in packet), packet.kind);
      largest = Math.max(largest, packet.kind === 'data' ? packet.payload.length : 0);
      if (from === path.b && packet.kind === 'data') onTheWay = Math.max(onTheWay, packet.sequence);
    };
    const body = Buffer.alloc(100_000, 'x');
    path.a.ends = false;
    path.open();
    path.a.give(REQUEST);
    path.b.give(body);
    path.run(120_000, () => path.a.closed && path.b.closed);
    t.strictSame([path.a.error, path.b.error], [null, null]);
    t.ok(path.a.bytes.equals(body) && path.b.bytes.equals(REQUEST));
    t.equal(largest, 512, 'bytes in a packet');
    t.equal(onTheWay, Math.ceil(100_000 / 512), 'packets are numbered from 1');
  }
  t.end();
});

t.test('a SYN that comes before the other side has begun is lost, and the next one connects', t => {
  const path = new RudpPath(3);
  path.open(1_000);
  path.run(5_000, () => path.a.connectedAt !== null && path.b.connectedAt !== null);
  t.equal(path.a.connectedAt, 1_030);
  t.equal(path.b.table.ends.of('stranger'), 3, 'those before are dropped');
  t.end();
});

t.test('without an answer 50 SYNs go out in 20 seconds, and nothing more', t => {
  const path = new RudpPath(4, { loss: 1 });
  let sent = 0;
  path.onDatagram = datagram => {
    sent += datagram.length;
  };
  path.a.connection = path.a.table.open(path.b.endpoint, 'requestor', path.a, 0);
  for (let now = 0; now < 40_000; now += 100) {
    path.a.table.tick(now);
    path.a.table.flush(now, bytes => path.send(bytes, path.a));
  }
  t.match(path.a.error, { code: 'RUDP_NO_ANSWER' });
  t.equal(sent, 50 * 23);
  t.equal(path.a.table.size, 0);
  t.end();
});

t.test('two requestors do not connect', t => {
  const path = new RudpPath(5);
  path.a.connection = path.a.table.open(path.b.endpoint, 'requestor', path.a, 0);
  path.b.connection = path.b.table.open(path.a.endpoint, 'requestor', path.b, 0);
  path.a.table.flush(0, bytes => path.send(bytes, path.a));
  path.run(1_000);
  t.equal(path.b.table.ends.of('unexpected'), 3);
  t.equal(path.b.connectedAt, null);
  t.end();
});

for (const [name, offers] of [
  ['two of ours', [true, true]],
  ['LimeWire', [false, false]],
] as [string, [boolean, boolean]][]) {
  t.test(`bytes arrive the same, or not at all in time, over any path: ${name}`, t => {
    const conditions = fc.record(
      {
        delayMs: fc.integer({ min: 0, max: 150 }),
        rate: fc.constantFrom(20, 200, 5_000, Number.POSITIVE_INFINITY),
        queueBytes: fc.constantFrom(10_000, 100_000),
        loss: fc.integer({ min: 0, max: 20 }).map(n => n / 100),
        copies: fc.integer({ min: 0, max: 10 }).map(n => n / 100),
        late: fc.integer({ min: 0, max: 40 }).map(n => n / 100),
        lateMs: fc.integer({ min: 0, max: 300 }),
      },
      plain,
    );
    fc.assert(
      fc.property(conditions, fc.integer({ min: 0, max: 60_000 }), fc.nat(1_000_000), (each, length, seed) => {
        const { path, body } = exchange(seed, length, each, offers);
        assert.ok(path.a.closed, 'it ends');
        if (path.a.error === null) assert.ok(path.a.bytes.equals(body));
        else assert.ok(path.a.bytes.equals(body.subarray(0, path.a.receivedBytes)), 'what came is the beginning');
        if (each.loss <= 0.05) assert.equal(path.a.error, null);
      }),
      { seed: 43, numRuns: 60 },
    );
    t.end();
  });
}

t.test('a reader that stops holds the sender back, and goes on where it stopped', t => {
  for (const offers of [
    [true, true],
    [false, false],
  ] as [boolean, boolean][]) {
    const path = new RudpPath(6, {}, offers);
    const body = Buffer.alloc(2_000_000);
    path.random.fill(body);
    path.a.ends = false;
    path.open();
    path.a.give(REQUEST);
    path.b.give(body);
    path.a.reads = false;
    path.run(20_000);
    const held = path.a.connection?.readable ?? 0;
    t.ok(held > 0 && held <= (offers[0] ? 262_144 : 66_048), `${held} bytes wait for the reader`);
    t.equal(path.b.connection?.state, 'connected', 'the connection is kept alive');
    path.a.reads = true;
    path.a.read();
    path.a.ends = true;
    if (offers[0]) path.a.give(Buffer.alloc(0));
    path.run(200_000, () => path.a.closed);
    t.ok(path.a.bytes.equals(body));
  }
  t.end();
});

t.test('one side that aborts ends the other at once', t => {
  for (const offers of [
    [true, true],
    [false, false],
  ] as [boolean, boolean][]) {
    const path = new RudpPath(7, {}, offers);
    path.a.ends = false;
    path.b.ends = false;
    path.open();
    path.run(100);
    path.a.connection?.abort(path.now);
    t.match(path.a.error, { code: 'RUDP_CLOSED' });
    path.a.table.flush(path.now, bytes => path.send(bytes, path.a));
    path.run(200);
    t.ok(path.b.closed);
  }
  t.end();
});

t.test('what was written before a side leaves still arrives', t => {
  const path = new RudpPath(8, { delayMs: 40, rate: 500, queueBytes: 50_000, loss: 0.02 });
  const body = Buffer.alloc(60_000, 'y');
  path.a.ends = false;
  path.open();
  path.b.give(body);
  path.run(5_000, () => path.b.connectedAt !== null);
  path.b.connection?.leave(path.now);
  path.run(10_000, () => path.a.closed);
  t.equal(path.a.receivedBytes, body.length);
  t.end();
});

t.test('a peer that falls silent is given up after 20 seconds', t => {
  const path = new RudpPath(9);
  path.a.ends = false;
  path.b.ends = false;
  path.open();
  path.run(1_000);
  path.b.table.close(path.now); // tells nobody: nothing is flushed
  const begun = path.now;
  path.onDatagram = () => undefined;
  for (let now = begun; now < begun + 30_000 && !path.a.closed; now += 100) {
    path.a.table.tick(now);
    path.a.table.flush(now, () => undefined);
    path.now = now;
  }
  t.match(path.a.error, { code: 'RUDP_SILENT' });
  t.ok(path.now - begun > 17_000 && path.now - begun < 21_000, `${path.now - begun} ms`);
  t.end();
});
