import fc from 'fast-check';
import t from 'tap';
import { Type } from '../../../protocol/constants.ts';
import type { PeerRole } from '../../../protocol/handshake/capabilities.ts';
import { DROP_NAMES, DROP_REASONS, Drop } from '../../../protocol/overlay/links/drops.ts';
import { type Link, LinkState } from '../../../protocol/overlay/links/link.ts';
import { Priority, SEND_LIMITS } from '../../../protocol/overlay/links/send-queue.ts';
import { encodeBye, parseBye } from '../../../protocol/wire/bye.ts';
import { encodeDescriptor } from '../../../protocol/wire/header.ts';
import { readCaptures } from '../../support/captures.ts';
import { pushTo, query, random } from '../../support/descriptors.ts';
import { type Connection, type Puppet, VirtualNetwork, type VirtualServent } from '../../support/virtual-network.ts';
import { hostileBytes } from '../../support/wire-arbitraries.ts';

const bye = (code: number, text: string): Buffer =>
  encodeDescriptor(random.guid(), Type.Bye, 1, 0, encodeBye({ code, text, headers: [] }));

/** The only Bye a puppet got. */
function byeTo(peer: Puppet): { code: number; text: string } | null {
  const [frame, second] = peer.ofType(Type.Bye);
  if (frame === undefined || second !== undefined) return null;
  const { code, text } = parseBye(frame.payload);
  return { code, text };
}

// --- goodbye

t.test('a Bye goes out alone and last, then the link is closed; nothing is routed to or from it', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a');
  const [peer, other] = [network.puppet(servent), network.puppet(servent)];
  network.settle();
  peer.seen = [];
  other.send(query(4, 0));
  servent.overlay.bye(peer.link, 202, 'Local node\r\npreferred');
  servent.overlay.bye(peer.link, 500, 'twice');
  peer.send(query(4, 0));
  other.send(query(4, 0));
  network.settle();
  t.strictSame(
    peer.seen.map(({ type, ttl, hops }) => [type, ttl, hops]),
    [[Type.Bye, 1, 0]],
  );
  t.match(byeTo(peer), { code: 202, text: 'Local node  preferred' });
  t.ok(peer.hungUp);
  t.equal(peer.link.state, LinkState.Closed);
  t.match(peer.link.ended, { code: 202 });
  t.equal(servent.passed.length, 2, 'only those of the other');
  t.equal(servent.overlay.drops.of(Drop.AfterClose), 1);
  t.equal(servent.overlay.links.size, 1);
});

t.test('a peer’s Bye is told, nothing after it is read, none is sent back', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a');
  const peer = network.puppet(servent);
  network.settle();
  peer.seen = [];
  peer.send(bye(200, 'Servent Shutdown'), query(4, 0));
  network.settle();
  t.strictSame(servent.byes, [{ code: 200, text: 'Servent Shutdown' }]);
  t.equal(servent.passed.length, 0);
  t.equal(peer.seen.length, 0);
  t.ok(peer.hungUp);
  t.strictSame(peer.link.ended, { code: 200, text: 'Servent Shutdown' });
});

t.test('a Bye that says nothing is a Bye all the same', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a');
  for (const payload of [Buffer.alloc(0), Buffer.alloc(1), Buffer.alloc(5_000, 65)]) {
    const peer = network.puppet(servent);
    peer.send(encodeDescriptor(random.guid(), Type.Bye, 1, 0, payload));
    network.settle();
    t.ok(peer.hungUp);
  }
  t.equal(servent.byes.length, 3);
});

t.test('shutdown says goodbye to everybody', async t => {
  const network = new VirtualNetwork();
  const [a, b, c] = [network.add('a'), network.add('b'), network.add('c')];
  network.connect(a, b);
  network.connect(a, c);
  network.settle();
  a.overlay.shutdown();
  network.settle();
  for (const servent of [b, c]) t.match(servent.byes, [{ code: 200 }]);
  for (const servent of [a, b, c]) t.equal(servent.overlay.links.size, 0);
});

t.test('a link that is removed is gone, once', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a');
  const peer = network.puppet(servent);
  network.settle();
  const sent = peer.link.queue.framesSent;
  servent.overlay.removeLink(peer.link, 'reset');
  servent.overlay.removeLink(peer.link, 'again');
  t.strictSame(peer.link.ended, { code: 0, text: 'reset' });
  t.equal(servent.overlay.links.size, 0);
  t.equal(servent.overlay.counters.framesOutPast, sent);
  peer.send(query(4, 0));
  t.equal(servent.passed.length, 0);
});

// --- discipline

t.test('a descriptor longer than any may be ends the link with Bye 400 before its payload is there', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a');
  const peer = network.puppet(servent);
  peer.send(query(4, 0), encodeDescriptor(random.guid(), Type.Query, 4, 0, Buffer.alloc(65_536)).subarray(0, 23));
  network.settle();
  t.match(byeTo(peer), { code: 400 });
  t.equal(servent.passed.length, 1);
  t.match(servent.ended, [{ code: 400 }]);
});

t.test('one bad descriptor of each kind is borne, and the good one after it is processed', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a');
  const peer = network.puppet(servent);
  const bad = (type: number, ttl: number, hops: number, bytes: number): Buffer =>
    encodeDescriptor(random.guid(), type, ttl, hops, Buffer.alloc(bytes, 0xff));
  peer.send(
    bad(Type.Query, 4, 0, 3),
    bad(Type.Query, 4, 0, 2_000),
    bad(Type.Query, 4, 0, 60),
    query(0, 1),
    query(200, 0),
    bad(Type.QueryHit, 4, 0, 20),
    bad(Type.QueryHit, 4, 0, 20_000),
    bad(Type.Push, 4, 0, 25),
    bad(Type.Push, 4, 0, 10_000),
    bad(0x77, 1, 0, 5),
    bad(Type.Qrp, 4, 3, 5),
    bad(Type.Dht, 1, 0, 5),
    bad(Type.Hsep, 1, 0, 24),
    query(4, 0),
  );
  t.strictSame(peer.link.drops?.toRecord(), {
    ttl_too_high: 1,
    size_wrong: 6,
    malformed: 1,
    unknown_type: 1,
    never_routed: 1,
    not_spoken: 2,
  });
  t.equal(servent.overlay.drops.total, 12);
  t.equal(servent.passed.length, 2, 'the last one, and the one with TTL 0, which only goes no further');
  t.equal(servent.overlay.links.size, 1);
});

t.test('those who go on are shown out, each with the code that fits', async t => {
  const duplicate = query(4, 0);
  const cases: [code: number, make: () => Buffer, role?: PeerRole][] = [
    [401, () => duplicate],
    [403, () => query(200, 0)],
    [404, () => encodeDescriptor(random.guid(), 0x77, 1, 0, Buffer.alloc(3))],
    [408, () => query(0, 0), 'leaf'],
    [409, () => encodeDescriptor(random.guid(), Type.Qrp, 7, 0, Buffer.alloc(6))],
    [411, () => encodeDescriptor(random.guid(), Type.Query, 4, 0, Buffer.alloc(60, 1))],
    [410, () => encodeDescriptor(random.guid(), Type.Ping, 1, 0, Buffer.alloc(0))],
  ];
  for (const [code, make, role] of cases) {
    const network = new VirtualNetwork();
    const servent = network.add('a');
    const peer = network.puppet(servent, role);
    for (let i = 0; i < 1_100 && servent.overlay.links.size === 1; i++) {
      peer.send(make());
      network.settle();
    }
    t.match(byeTo(peer), { code });
  }
});

t.test('among much good traffic a few bad descriptors are forgiven', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a');
  const peer = network.puppet(servent);
  for (let i = 0; i < 100; i++) {
    for (let good = 0; good < 100; good++) peer.send(query(2, 2));
    peer.send(encodeDescriptor(random.guid(), Type.Query, 4, 0, Buffer.alloc(60, 1)));
  }
  t.equal(peer.link.drops?.of(Drop.Malformed), 100);
  t.equal(servent.overlay.links.size, 1);
});

t.test('a leaf that relays is shown out with Bye 414', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a');
  const leaf = network.puppet(servent, 'leaf');
  for (let i = 0; i < 6; i++) leaf.send(query(3, 1));
  network.settle();
  t.match(byeTo(leaf), { code: 414 });
  t.equal(servent.passed.length, 0);
});

t.test('every drop reason has its own name', async t => {
  t.equal(DROP_NAMES.length, DROP_REASONS);
  t.equal(new Set(DROP_NAMES).size, DROP_REASONS);
  t.strictSame(Object.values(Drop), [...DROP_NAMES.keys()]);
  t.equal(DROP_NAMES[Drop.DuplicateSameLink], 'duplicate_same_link');
});

// --- slow links

t.test('a link that does not read loses queries, then nothing but queries; the others notice nothing', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a');
  const [from, slow, fast] = [network.puppet(servent), network.puppet(servent), network.puppet(servent)];
  network.settle();
  slow.wire.stalled = true;
  for (let i = 0; i < 500; i++) {
    from.send(...Array.from({ length: 20 }, () => query(4, 0)));
    network.settle();
  }
  t.equal(fast.ofType(Type.Query).length, 10_000);
  t.equal(fast.link.queue.droppedTotal, 0);
  t.ok(slow.link.queue.dropped(Priority.Query) > 5_000);
  t.equal(slow.link.queue.droppedTotal, slow.link.queue.dropped(Priority.Query));
  t.ok(slow.link.queue.bytes <= SEND_LIMITS.highBytes);
  t.equal(servent.overlay.links.size, 3);
});

t.test('a link that takes nothing for three minutes is given up', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a');
  const peer = network.puppet(servent);
  network.settle();
  peer.wire.stalled = true;
  const keepSaying = (seconds: number): void => {
    for (let i = 0; i < seconds; i++) {
      network.pass(1_000);
      peer.send(encodeDescriptor(random.guid(), Type.Ping, 0, 0, Buffer.alloc(0)));
    }
  };
  servent.search({ text: 'words' });
  for (let i = 0; i < 2_000; i++) servent.search({ text: 'words' }); // more than its socket holds
  keepSaying(175);
  t.equal(servent.overlay.links.size, 1);
  keepSaying(10);
  t.equal(servent.overlay.links.size, 0);
  t.match(servent.ended, [{ code: 405 }]);
});

t.test('what a tick between two sweeps sends, and is not taken, brings the next sweep', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a', { role: 'leaf', limits: { flooding: false, tableUpdateMs: 100 } });
  const { overlay, library } = servent;
  const peer = network.puppet(servent);
  network.pass(2_000);
  const now = network.clock.ms;
  const asleepUntil = overlay.tick(now);
  t.ok(asleepUntil > now + 2_000, `nothing is due for ${asleepUntil - now} ms`);
  peer.wire.stalled = true;
  library.share('words of a new file');
  overlay.onLibraryChanged();
  let due = asleepUntil;
  for (let ms = 1; ms < 900 && peer.link.queue.size === 0; ms++) due = overlay.tick(now + ms);
  t.ok(peer.link.queue.size > 0, 'the new table waits');
  t.ok(due <= now + 1_000, `looked at ${due - now} ms after the last sweep`);
});

t.test('a peer that asks without end and reads nothing cannot fill our memory', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a');
  const peer = network.puppet(servent);
  servent.library.share(...Array.from({ length: 60 }, (_, i) => `words ${i} ${'x'.repeat(200)}`));
  network.settle();
  peer.wire.stalled = true;
  for (let i = 0; i < 600; i++) {
    peer.send(query(1, 0, 'words'));
    if (peer.link.queue.bytes > SEND_LIMITS.hardBytes) t.fail(`${peer.link.queue.bytes} bytes queued`);
  }
  t.ok(peer.link.queue.dropped(Priority.Hit) > 200);
});

// --- whatever bytes

function hear(bytes: Buffer, cuts: readonly number[]): void {
  const network = new VirtualNetwork();
  const servent = network.add('a');
  servent.library.share('one', 'two');
  const search = servent.search({ text: 'words' });
  const [peer, other] = [network.puppet(servent), network.puppet(servent, 'leaf')];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const length = cuts[i % cuts.length] ?? 1;
    servent.receive(peer.link, bytes.subarray(at, at + length));
    at += length;
  }
  network.settle();
  if (servent.overlay.links.get(other.link.id) === undefined) throw new Error('the other link suffered');
  if (search.hits > 10_000) throw new Error('hits out of nothing');
}

const cuts = fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1, maxLength: 20 });

t.test('any bytes: never thrown out of receive, never to the harm of another link', async () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 3_000 }), cuts, (bytes, at) => hear(Buffer.from(bytes), at)));
});

t.test('any payload under a good header: the same', async () => {
  const type = fc.oneof(fc.constantFrom(...Object.values(Type)), fc.integer({ min: 0, max: 255 }));
  const byte = fc.oneof(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 255 }));
  const frame = fc
    .tuple(type, byte, byte, hostileBytes)
    .map(([kind, ttl, hops, payload]) => encodeDescriptor(random.guid(), kind, ttl, hops, payload));
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 40 }), cuts, (frames, at) => hear(Buffer.concat(frames), at)),
    { numRuns: 300 },
  );
});

t.test('what real servents sent, cut and broken anywhere: the same', async () => {
  const stream = Buffer.concat(
    readCaptures().flatMap(({ descriptors }) =>
      descriptors.filter(({ over }) => over === 'tcp').map(({ bytes }) => bytes),
    ),
  );
  fc.assert(
    fc.property(
      fc.nat({ max: stream.length }),
      fc.array(fc.tuple(fc.nat({ max: 20_000 }), fc.integer({ min: 0, max: 255 })), { maxLength: 20 }),
      cuts,
      (start, changes, at) => {
        const bytes = Buffer.from(stream.subarray(start, start + 20_000));
        for (const [where, value] of changes) if (where < bytes.length) bytes[where] = value;
        hear(bytes, at);
      },
    ),
    { numRuns: 50 },
  );
});

t.test('what real servents sent, as they sent it, is understood: nothing malformed, no link lost', async t => {
  for (const { file, descriptors } of readCaptures()) {
    const tcp = descriptors.filter(({ over, from }) => over === 'tcp' && from === 'servent');
    const network = new VirtualNetwork();
    const servent = network.add('a');
    const peer = network.puppet(servent);
    for (const { bytes } of tcp) {
      if (bytes[16] !== Type.Bye) peer.send(bytes);
    }
    t.equal(peer.link.drops?.of(Drop.Malformed) ?? 0, 0, file);
    t.equal(peer.link.drops?.of(Drop.SizeWrong) ?? 0, 0, file);
    t.equal(servent.ended.length, 0, file);
  }
});

t.test('a wire that delivers from within wake() is a mistake of ours and said so', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a');
  const [from, echo] = [network.puppet(servent), network.puppet(servent)];
  network.settle();
  echo.wire.wake = () => servent.receive(echo.link, query(4, 0));
  t.throws(() => from.send(query(4, 0)), /within wake/);
});

t.test('any order of connecting, searching, waiting, stalling and parting leaves both ends agreed', async () => {
  const step = fc.record({
    what: fc.constantFrom('connect', 'bye', 'cut', 'search', 'cancel', 'push', 'some', 'settle', 'pass', 'stall', 'go'),
    one: fc.nat({ max: 3 }),
    other: fc.nat({ max: 3 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.integer(), (steps, seed) => {
      const network = new VirtualNetwork(seed);
      const servents = [...'abcd'].map(name => network.add(name));
      for (const servent of servents) servent.library.share('needle in a haystack');
      const connections: (Connection & { owner: VirtualServent })[] = [];
      for (const { what, one, other } of steps) {
        const [a, b] = [servents[one], servents[other]];
        const connection = connections[one + other];
        if (a === undefined || b === undefined) throw new Error('four servents');
        if (what === 'connect' && a !== b) connections.push({ ...network.connect(a, b), owner: a });
        else if (what === 'search') a.search({ text: 'needle' });
        else if (what === 'cancel') for (const search of [...a.overlay.searches]) a.overlay.cancelSearch(search);
        else if (what === 'push') a.sendPush(pushTo(b.serventGuid));
        else if (what === 'some') network.settleSome();
        else if (what === 'settle') network.settle();
        else if (what === 'pass') network.pass(60_000);
        else if (connection === undefined) continue;
        else if (what === 'bye') connection.owner.overlay.bye(connection.a, 200, 'bye');
        else if (what === 'cut') connection.owner.overlay.removeLink(connection.a, 'cut');
        else if (what === 'stall' || what === 'go') connection.aToB.stalled = what === 'stall';
      }
      for (const { aToB } of connections) aToB.stalled = false;
      network.pass(10 * 60_000);
      const open = servents.reduce((sum, { overlay }) => sum + overlay.links.size, 0);
      return open % 2 === 0 && servents.every(({ overlay }) => [...overlay.links.values()].every(fits));
    }),
    { numRuns: 60 },
  );
});

function fits({ queue, state }: Link): boolean {
  return state === LinkState.Open && queue.size === 0 && queue.bytes === 0;
}
