import { constants, createDeflate, createInflate, deflateSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { Bandwidth } from '../../../daemon/net/bandwidth.ts';
import { Floods } from '../../../daemon/net/deflate.ts';
import { FlushPacer } from '../../../daemon/net/flush-pacer.ts';
import {
  LINK_END_REASONS,
  type LinkCore,
  type LinkEndReason,
  TcpLink,
  type TcpLinkOptions,
} from '../../../daemon/net/tcp-link.ts';
import { SystemClock } from '../../../daemon/system.ts';
import { capabilitiesOf } from '../../../protocol/handshake/capabilities.ts';
import { Headers } from '../../../protocol/handshake/header-block.ts';
import { Link } from '../../../protocol/overlay/links/link.ts';
import { Priority } from '../../../protocol/overlay/links/send-queue.ts';
import { PLAIN_WRITES } from '../../../protocol/overlay/links/write-pace.ts';
import { ReasonCounts } from '../../../protocol/reason-counts.ts';
import { closed, eventually, readAll, readBytes, socketPair } from '../../support/loopback.ts';

/** A core that only notes what it is told. */
class NotingCore implements LinkCore {
  received: Buffer[] = [];
  removed: string[] = [];
  onReceive: (() => void) | null = null;
  receive(_link: Link, chunk: Buffer): void {
    this.received.push(chunk);
    this.onReceive?.();
  }
  removeLink(_link: Link, reason: string): void {
    this.removed.push(reason);
  }
  get bytes(): Buffer {
    return Buffer.concat(this.received);
  }
}

async function startLink(t: Test, options: Partial<TcpLinkOptions> = {}) {
  const { ours, theirs } = await socketPair(t);
  const core = new NotingCore();
  const ends = new ReasonCounts<LinkEndReason>(LINK_END_REASONS);
  const wire = new TcpLink(ours, {
    core,
    clock: new SystemClock(),
    pacer: new FlushPacer(PLAIN_WRITES, () => performance.now()),
    bandwidth: new Bandwidth(),
    ends,
    deflateIn: false,
    deflateOut: false,
    shape: 'wide',
    floods: new Floods(),
    onFault: error => {
      throw error;
    },
    ...options,
  });
  const spec = {
    endpoint: { host: '127.0.0.1', port: 1 },
    direction: 'in',
    role: 'ultrapeer',
    ourRole: 'ultrapeer',
    capabilities: capabilitiesOf(new Headers()),
    wire,
  } as const;
  const link = new Link(1, spec, 0, 65_536);
  return { ours, theirs, core, ends, wire, link };
}

const frame = (n: number, bytes = 80) => Buffer.alloc(bytes, n);

t.test('what follows the handshake and what comes later reach the core in order', async t => {
  const { theirs, core, wire, link } = await startLink(t);
  theirs.write('b');
  wire.start(link, Buffer.from('a'));
  t.equal(core.bytes.toString(), 'a', 'at once');
  theirs.write('c');
  await eventually('all of it came', () => core.bytes.length === 3);
  t.equal(core.bytes.toString(), 'abc');
});

t.test('frames of a turn leave in one write, those queued before the start too', async t => {
  const { ours, theirs, wire, link } = await startLink(t);
  let writes = 0;
  const write = ours.write.bind(ours);
  ours.write = ((chunk: Buffer) => {
    writes++;
    return write(chunk);
  }) as typeof ours.write;
  link.queue.enqueue(frame(1), Priority.Query);
  wire.start(link, Buffer.alloc(0));
  for (let n = 2; n <= 20; n++) link.queue.enqueue(frame(n), Priority.Query);
  const bytes = await readBytes(theirs, 1600);
  t.equal(writes, 1);
  t.strictSame(
    Array.from({ length: 20 }, (_, n) => bytes[80 * n]),
    Array.from({ length: 20 }, (_, n) => n + 1),
  );
});

t.test('a peer that does not read leaves frames to the drop policy, not to the socket', async t => {
  const { ours, theirs, wire, link } = await startLink(t);
  theirs.pause();
  wire.start(link, Buffer.alloc(0));
  let held = 0;
  for (let round = 0; round < 400; round++) {
    for (let n = 0; n < 40; n++) link.queue.enqueue(frame(n, 1000), Priority.Query);
    await new Promise(resolve => setImmediate(resolve));
    held = Math.max(held, ours.writableLength);
  }
  t.ok(held <= 16_384 + 65_536, `${held} bytes were out of reach`);
  t.ok(link.queue.droppedTotal > 0, `${link.queue.droppedTotal} frames were shed`);
  t.ok(link.queue.bytes > 0);

  const sent = () => link.queue.bytesSent;
  let got = 0;
  theirs.on('data', chunk => (got += chunk.length));
  theirs.resume();
  await eventually('the rest was written when it read again', () => link.queue.size === 0 && got === sent());
  t.equal(got % 1000, 0, 'in whole frames');
});

t.test('a queue over its mark is written in the middle of the turn', async t => {
  const { theirs, wire, link } = await startLink(t);
  wire.start(link, Buffer.alloc(0));
  for (let n = 0; n < 200; n++) link.queue.enqueue(frame(n, 1000), Priority.Query);
  t.equal(link.queue.droppedTotal, 0, 'so 200 kB fit through a queue of 48 KiB');
  await readBytes(theirs, 200_000);
});

t.test('closing sends what is queued, half-closes, and waits for the peer', async t => {
  const { theirs, core, ends, wire, link } = await startLink(t);
  wire.start(link, Buffer.alloc(0));
  link.queue.enqueue(frame(1), Priority.Query);
  link.queue.enqueue(frame(2, 30), Priority.Control);
  wire.close();
  wire.close();
  theirs.write('too late');
  const bytes = await readAll(theirs);
  t.equal(bytes.length, 110);
  t.equal(bytes[0], 2, 'the more important one first');
  await eventually('the core knows', () => core.removed.length > 0);
  t.strictSame(core.removed, ['closed_by_us']);
  t.equal(ends.of('closed_by_us'), 1);
  t.strictSame(core.received, [], 'and what came after was dropped');
});

t.test('a peer that keeps a closed link open is cut off', async t => {
  const { ours, theirs, core, wire, link } = await startLink(t, { closeGraceMs: 20 });
  theirs.allowHalfOpen = true;
  theirs.on('end', () => {}); // and never ends its own side
  theirs.pause();
  wire.start(link, Buffer.alloc(0));
  wire.close();
  await closed(ours);
  t.strictSame(core.removed, ['closed_by_us']);
});

t.test('a peer that closes, resets or half-closes ends the link once', async t => {
  for (const [how, reason] of [
    ['end', 'closed_by_peer'],
    ['resetAndDestroy', 'reset'],
  ] as const) {
    const { theirs, core, ends, wire, link } = await startLink(t);
    wire.start(link, Buffer.alloc(0));
    theirs.write('half a fra');
    await eventually('it came', () => core.bytes.length === 10);
    theirs[how]();
    await eventually('the core knows', () => core.removed.length > 0);
    link.queue.enqueue(frame(1), Priority.Query); // a straggler
    await new Promise(resolve => setTimeout(resolve, 5));
    t.strictSame(core.removed, [reason]);
    t.equal(ends.of(reason), 1);
  }
});

t.test('a socket that died before the start ends the link', async t => {
  const { ours, theirs, core, wire, link } = await startLink(t);
  theirs.resetAndDestroy();
  await closed(ours);
  wire.start(link, Buffer.alloc(0));
  await eventually('the core knows', () => core.removed.length > 0);
  t.strictSame(core.removed, ['closed_by_peer']);
});

t.test('a compressed link carries both directions', async t => {
  const { theirs, core, wire, link } = await startLink(t, { deflateIn: true, deflateOut: true });
  const [deflate, inflate] = [createDeflate({ flush: constants.Z_SYNC_FLUSH }), createInflate()];
  deflate.on('data', chunk => theirs.write(chunk));
  const got: Buffer[] = [];
  inflate.on('data', chunk => got.push(chunk));
  theirs.on('data', chunk => inflate.write(chunk));
  wire.start(link, Buffer.alloc(0));

  for (let round = 1; round <= 5; round++) {
    deflate.write(frame(round));
    for (let n = 0; n < 10; n++) link.queue.enqueue(frame(round), Priority.Query);
    await eventually('a round went through', () => Buffer.concat(got).length === 800 * round);
    await eventually('the other way too', () => core.bytes.length === 80 * round);
  }
  t.strictSame(
    [0, 800, 1600, 2400, 3200].map(at => Buffer.concat(got)[at]),
    [1, 2, 3, 4, 5],
  );
  t.strictSame(
    [0, 80, 160, 240, 320].map(at => core.bytes[at]),
    [1, 2, 3, 4, 5],
  );
  link.queue.enqueue(frame(9, 30), Priority.Control);
  wire.close();
  await eventually('the last word came through the compressor as well', () => Buffer.concat(got).at(-1) === 9);
  await eventually('the core knows', () => core.removed.length > 0);
  t.strictSame(core.removed, ['closed_by_us']);
});

t.test('last words on a compressed link are heard, however soon the close follows', async t => {
  for (const how of ['end', 'resetAndDestroy'] as const) {
    const { theirs, core, wire, link } = await startLink(t, { deflateIn: true });
    wire.start(link, Buffer.alloc(0));
    const deflate = createDeflate({ flush: constants.Z_SYNC_FLUSH });
    const words = new Promise<Buffer>(resolve => deflate.once('data', resolve));
    deflate.write(frame(7, 2000));
    if (how === 'end') theirs.end(await words);
    else {
      theirs.write(await words);
      await new Promise(resolve => wire.socket.once('data', resolve));
      theirs.resetAndDestroy();
    }
    await eventually('the core knows', () => core.removed.length > 0);
    t.equal(core.bytes.length, 2000);
    t.equal(core.removed.length, 1);
  }
});

t.test('a compressed link to a peer that does not read bounds what is out of reach', async t => {
  const { ours, theirs, wire, link } = await startLink(t, { deflateOut: true });
  theirs.pause();
  wire.start(link, Buffer.alloc(0));
  let held = 0;
  let state = 7;
  for (let round = 0; round < 300; round++) {
    for (let n = 0; n < 20; n++) {
      const noise = Buffer.alloc(1000);
      for (let at = 0; at < noise.length; at++) noise[at] = state = (state * 48_271) % 0x7fffffff;
      link.queue.enqueue(noise, Priority.Query);
    }
    await new Promise(resolve => setTimeout(resolve, 1));
    held = Math.max(held, ours.writableLength);
    if (link.queue.droppedTotal > 0 && round > 100) break;
  }
  t.ok(link.queue.droppedTotal > 0);
  t.ok(held <= 16_384 + 66_000, `${held} bytes were out of reach`);
});

t.test('rubbish and bombs on a compressed link end that link alone', async t => {
  for (const [bytes, reason] of [
    [Buffer.from('never deflated'), 'bad_deflate'],
    [deflateSync(Buffer.alloc(16 << 20)), 'inflate_bomb'],
  ] as const) {
    const { ours, theirs, core, ends, wire, link } = await startLink(t, { deflateIn: true });
    wire.start(link, bytes);
    await closed(ours);
    await closed(theirs);
    t.strictSame(core.removed, [reason]);
    t.equal(ends.of(reason), 1);
    t.ok(core.bytes.length <= 1 << 20);
  }
});

t.test('a sender that is faster than the inflater is slowed down, and nothing is lost', async t => {
  const { ours, theirs, core, wire, link } = await startLink(t, { deflateIn: true });
  wire.start(link, Buffer.alloc(0));
  let pauses = 0;
  ours.on('pause', () => pauses++);
  let state = 3;
  const noise = Buffer.alloc(2_000_000);
  for (let at = 0; at < noise.length; at++) noise[at] = state = (state * 48_271) % 0x7fffffff;
  theirs.write(deflateSync(noise, { level: 1, finishFlush: constants.Z_SYNC_FLUSH })); // all at once: it is there before it can be inflated
  await eventually(
    'all of it came',
    () => core.received.reduce((sum, chunk) => sum + chunk.length, 0) === noise.length,
  );
  t.ok(core.bytes.equals(noise));
  t.ok(pauses > 0);
});

t.test('a core that fails on what came costs the link, not the process', async t => {
  const faults: unknown[] = [];
  const { theirs, core, ends, wire, link } = await startLink(t, { onFault: error => faults.push(error) });
  const bug = new RangeError('36 GGEP items');
  core.onReceive = () => {
    throw bug;
  };
  wire.start(link, Buffer.alloc(0));
  theirs.write('x');
  await eventually('the core is told', () => core.removed.length > 0);
  t.strictSame(faults, [bug]);
  t.strictSame(core.removed, ['internal']);
  t.equal(ends.of('internal'), 1);
});

t.test('a limit holds back queries but not control frames', async t => {
  const bandwidth = new Bandwidth();
  const { theirs, wire, link } = await startLink(t, { bandwidth });
  bandwidth.limit('overlay', 1);
  wire.start(link, Buffer.alloc(0));
  for (let n = 0; n < 10; n++) link.queue.enqueue(frame(1), Priority.Query);
  link.queue.enqueue(frame(9), Priority.Control);
  const bytes = await readBytes(theirs, 80);
  t.strictSame([bytes[0], bytes.length, link.queue.size], [9, 80, 10]);
  t.equal(bandwidth.waiting, 1);
  bandwidth.limit('overlay', 0);
  await eventually('a lifted limit lets the others go', () => link.queue.size === 0);
  theirs.destroy();
  await eventually('the link is over', () => bandwidth.waiting === 0);
});

t.test('links share the limit of the overlay, in whole frames', async t => {
  const bandwidth = new Bandwidth();
  const links = await Promise.all([startLink(t, { bandwidth }), startLink(t, { bandwidth, deflateOut: true })]);
  bandwidth.limit('overlay', 400_000);
  const began = performance.now();
  for (const { wire, link, theirs } of links) {
    theirs.resume();
    wire.start(link, Buffer.alloc(0));
    for (let n = 0; n < 40; n++) link.queue.enqueue(frame(n, 1000), Priority.Hit);
  }
  await eventually('all is sent', () => links.every(({ link }) => link.queue.size === 0));
  const ms = performance.now() - began;
  t.ok(ms > 80, `over 40 kB at 400 kB/s took ${ms} ms`);
  t.ok(bandwidth.moved.overlay > 40_000 && bandwidth.moved.overlay < 60_000, 'bytes on the wire count');
});
