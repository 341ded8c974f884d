// What arrives on an open port: each attack while two good neighbours talk through the servent, which must not notice.
import type { Socket } from 'node:net';
import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { Type } from '../../../protocol/constants.ts';
import { Frame, FrameReader, ReadResult } from '../../../protocol/wire/frame-reader.ts';
import { markGuid } from '../../../protocol/wire/guid.ts';
import { encodeDescriptor, writeHeader } from '../../../protocol/wire/header.ts';
import { type BareServent, startBareServent } from '../../support/bare-servent.ts';
import { closed, dial, eventually, openSockets } from '../../support/loopback.ts';

const HELLO = 'GNUTELLA CONNECT/0.6\r\nUser-Agent: Test/1\r\nX-Ultrapeer: True\r\n\r\n';
const ACK = 'GNUTELLA/0.6 200 OK\r\n\r\n';

/** A good neighbour that remembers which queries it got. */
class Neighbour {
  readonly socket: Socket;
  readonly queries = new Set<number>();
  linked = false;
  #head = '';
  readonly #reader = new FrameReader(65_536);
  readonly #frame = new Frame();

  constructor(socket: Socket) {
    this.socket = socket;
    socket.write(HELLO);
    socket.on('data', chunk => (this.linked ? this.#onBytes(chunk) : this.#onAnswer(chunk)));
  }

  ask(number: number): void {
    const guid = markGuid(Buffer.alloc(16));
    guid.writeUInt32LE(number, 0);
    this.socket.write(encodeDescriptor(guid, Type.Query, 3, 1, Buffer.from('\x80\0some words\0\0', 'latin1')));
  }

  #onAnswer(chunk: Buffer): void {
    this.#head += chunk.toString('latin1');
    const end = this.#head.indexOf('\r\n\r\n');
    if (end < 0) return;
    this.linked = true;
    this.socket.write(ACK);
    this.#onBytes(Buffer.from(this.#head.slice(end + 4), 'latin1'));
  }

  #onBytes(chunk: Buffer): void {
    if (chunk.length > 0) this.#reader.push(chunk);
    while (this.#reader.next(this.#frame) === ReadResult.Frame) {
      if (this.#frame.type === Type.Query) this.queries.add(this.#frame.guid().readUInt32LE(0));
    }
  }
}

/** For attacks that only time ends. */
const SHORT_PATIENCE_MS = 1000;

/** A good neighbour that is linked: one that was too slow, on a busy machine, comes again. */
async function neighbourOf(t: Test, { port, overlay }: BareServent): Promise<Neighbour> {
  const isLinked = () => overlay.links.size > before;
  const before = overlay.links.size;
  for (;;) {
    const neighbour = new Neighbour(await dial(t, port));
    await eventually('it is linked or cut', () => isLinked() || neighbour.socket.destroyed);
    if (isLinked()) return neighbour;
  }
}

/** A servent with two good neighbours, and a check that they still reach each other and nothing leaked. */
async function besieged(
  t: Test,
  patienceMs = 10_000,
): Promise<{ servent: BareServent; unharmed: () => Promise<void> }> {
  const servent = await startBareServent(t, {
    limits: { greetingMs: patienceMs, greetingsMax: 400 },
    handshaker: { handshakeMs: patienceMs, incomingMax: 400 },
  });
  const [left, right] = [await neighbourOf(t, servent), await neighbourOf(t, servent)];
  const sockets = openSockets();
  let number = 0;
  const unharmed = async () => {
    left.ask(++number);
    await eventually('a query passes from one to the other', () => right.queries.has(number));
    await eventually('nothing is left of the attack', () => openSockets() === sockets);
    t.equal(servent.overlay.links.size, 2);
    t.strictSame(servent.handshaker.load, { handshakes: 0, links: 2 });
    t.strictSame(servent.listener.load, { sockets: 2, greeting: 0 });
  };
  await unharmed();
  return { servent, unharmed };
}

/** Connects, shakes hands if told to, writes, and leaves in the way told. */
async function attack(t: Test, port: number, bytes: Buffer, linked: boolean, how: 'reset' | 'end' | 'wait') {
  const socket = await dial(t, port);
  if (linked) {
    const answered = new Promise<void>(resolve => socket.once('data', () => resolve()));
    socket.write(HELLO);
    await answered;
    socket.write(ACK);
  }
  if (bytes.length > 0) socket.write(bytes);
  if (how === 'end') socket.end();
  if (how === 'reset') {
    await new Promise(resolve => setImmediate(resolve));
    socket.resetAndDestroy();
  }
  await closed(socket);
}

t.test('peers that break off anywhere in the handshake', async t => {
  const { servent, unharmed } = await besieged(t);
  const whole = Buffer.from(HELLO + ACK);
  for (const how of ['reset', 'end'] as const) {
    const cuts = Array.from({ length: 24 }, (_, n) => Math.floor((n * whole.length) / 23));
    await Promise.all(cuts.map(cut => attack(t, servent.port, whole.subarray(0, cut), false, how)));
    await unharmed();
  }
});

t.test('a reset while our answer is on its way', async t => {
  const { servent, unharmed } = await besieged(t);
  const attempts = Array.from({ length: 40 }, async () => {
    const socket = await dial(t, servent.port);
    socket.write(HELLO);
    await new Promise(resolve => socket.once('readable', resolve));
    socket.resetAndDestroy(); // with our answer unread
  });
  await Promise.all(attempts);
  await unharmed();
});

t.test('payloads cut short, by a reset or a close', async t => {
  const { servent, unharmed } = await besieged(t);
  const query = encodeDescriptor(Buffer.alloc(16, 7), Type.Query, 3, 1, Buffer.alloc(200, 65));
  for (const how of ['reset', 'end'] as const) {
    for (const cut of [1, 16, 22, 23, 24, 100, 222]) {
      await attack(t, servent.port, query.subarray(0, cut), true, how);
    }
    await unharmed();
  }
});

t.test('headers that promise more than anybody may send', async t => {
  const { servent, unharmed } = await besieged(t);
  for (const payloadBytes of [65_536, 0x7fffffff, 0xffffffff]) {
    const header = Buffer.alloc(23, 1);
    writeHeader(header, Buffer.alloc(16, 1), Type.Query, 3, 1, payloadBytes);
    await attack(t, servent.port, header, true, 'wait'); // the servent closes
  }
  await unharmed();
});

t.test('a peer that half-closes and stays', async t => {
  const { servent, unharmed } = await besieged(t);
  for (const linked of [false, true]) {
    const socket = await dial(t, servent.port, true);
    socket.write(HELLO);
    if (linked) socket.write(ACK);
    socket.end(); // our reading side stays open
    await closed(socket);
  }
  await unharmed();
});

t.test('garbage on the port, in the handshake and on a link', async t => {
  const { servent, unharmed } = await besieged(t);
  const start = fc.constantFrom('', 'GNUTELLA ', 'GNUTELLA CONNECT/0.6\r\n', HELLO.slice(0, -2), 'GET ', 'GIV ');
  await fc.assert(
    fc.asyncProperty(start, fc.uint8Array({ maxLength: 300 }), fc.boolean(), async (text, tail, linked) => {
      const bytes = Buffer.concat([Buffer.from(linked ? '' : text), tail]);
      await attack(t, servent.port, bytes, linked, 'end');
    }),
    { numRuns: 150 },
  );
  await unharmed();
});

t.test('descriptors of every type with garbage in them', async t => {
  const { servent, unharmed } = await besieged(t);
  const types = fc.oneof(fc.constantFrom(...Object.values(Type)), fc.integer({ min: 0, max: 255 }));
  const descriptor = fc
    .tuple(types, fc.integer({ min: 0, max: 8 }), fc.integer({ min: 0, max: 8 }), fc.uint8Array({ maxLength: 120 }))
    .map(([type, ttl, hops, payload]) => encodeDescriptor(Buffer.alloc(16, type), type, ttl, hops, payload));
  await fc.assert(
    fc.asyncProperty(fc.array(descriptor, { maxLength: 20 }), async descriptors => {
      await attack(t, servent.port, Buffer.concat(descriptors), true, 'end');
    }),
    { numRuns: 60 },
  );
  await unharmed();
});

t.test('greetings without end, by line and by header', async t => {
  const { servent, unharmed } = await besieged(t);
  const endless = [
    `GNUTELLA ${'x'.repeat(100_000)}`,
    `GNUTELLA CONNECT/0.6\r\nUser-Agent: ${'x'.repeat(100_000)}`,
    `GNUTELLA CONNECT/0.6\r\n${Array.from({ length: 5000 }, (_, n) => `X-${n}: y\r\n`).join('')}`,
    'x'.repeat(100_000),
    '\0'.repeat(100_000),
  ];
  for (const text of endless) await attack(t, servent.port, Buffer.from(text), false, 'wait');
  await unharmed();
  t.ok(servent.listener.counts.of('greeting_too_long') + servent.listener.counts.of('greeting_garbage') >= 3);
});

t.test('a byte now and then, from many at once', async t => {
  const { servent, unharmed } = await besieged(t, SHORT_PATIENCE_MS);
  const slow = await Promise.all(Array.from({ length: 50 }, () => dial(t, servent.port)));
  let at = 0;
  const drip = setInterval(() => {
    for (const socket of slow) socket.write(HELLO.charAt(at % (HELLO.length - 2)));
    at++;
  }, 10);
  await Promise.all(slow.map(closed));
  clearInterval(drip);
  await unharmed();
});

t.test('300 connections at once from one address, saying nothing, something or everything', async t => {
  const { servent, unharmed } = await besieged(t, SHORT_PATIENCE_MS);
  const words = ['', 'GNUTELLA CONN', 'GNUTELLA CONNECT/0.6\r\n', HELLO, 'GET / HTTP/1.1\r\n', '\x16\x03\x01'];
  await Promise.all(
    Array.from({ length: 300 }, (_, n) => attack(t, servent.port, Buffer.from(words[n % 6] ?? ''), false, 'wait')),
  );
  await unharmed();
});

t.test('a compressed link that turns to rubbish or to a bomb', async t => {
  const { servent, unharmed } = await besieged(t);
  const bombs = [Buffer.from('rubbish'), deflateSync(Buffer.alloc(32 << 20)), Buffer.from('789c010000ff', 'hex')];
  for (const bytes of bombs) {
    const socket = await dial(t, servent.port);
    const answered = new Promise<void>(resolve => socket.once('data', () => resolve()));
    socket.write(HELLO.replace('\r\n\r\n', '\r\nAccept-Encoding: deflate\r\n\r\n'));
    await answered;
    socket.write(ACK.replace('\r\n\r\n', '\r\nContent-Encoding: deflate\r\n\r\n'));
    socket.write(bytes);
    if (bytes.length < 7) socket.end();
    await closed(socket);
  }
  await unharmed();
  t.equal(servent.handshaker.linkEnds.of('bad_deflate'), 1);
  t.equal(servent.handshaker.linkEnds.of('inflate_bomb'), 1);
});

t.test('a flood on one link leaves the others their turn', async t => {
  const { servent, unharmed } = await besieged(t);
  const socket = await dial(t, servent.port);
  const answered = new Promise<void>(resolve => socket.once('data', () => resolve()));
  socket.write('GNUTELLA CONNECT/0.4\n\n'); // such a link is not cut for its pings
  await answered;
  socket.resume();
  const ping = encodeDescriptor(Buffer.alloc(16, 1), Type.Ping, 1, 0, Buffer.alloc(0));
  const flood = Buffer.concat(Array.from({ length: 20_000 }, () => ping));
  const goOn = () => {
    while (!socket.destroyed && socket.write(flood));
  };
  socket.on('drain', goOn);
  goOn();
  const { pingsIn } = servent.overlay.counters;
  await eventually('the flood comes', () => servent.overlay.counters.pingsIn > pingsIn);
  const other = new Neighbour(await dial(t, servent.port));
  await eventually('a newcomer is served while it goes on', () => other.linked);
  t.notOk(socket.destroyed);
  socket.destroy();
  other.socket.destroy();
  await unharmed();
});
