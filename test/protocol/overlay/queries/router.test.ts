import fc from 'fast-check';
import t from 'tap';
import { Type } from '../../../../protocol/constants.ts';
import { Drop } from '../../../../protocol/overlay/links/drops.ts';
import { relayTtl, Unfit } from '../../../../protocol/overlay/queries/ttl.ts';
import { formatGuid } from '../../../../protocol/wire/guid.ts';
import { addressGuid } from '../../../../protocol/wire/guid-address.ts';
import { encodeDescriptor } from '../../../../protocol/wire/header.ts';
import { encodeQuery, QueryFlag } from '../../../../protocol/wire/query.ts';
import { parseQueryHit } from '../../../../protocol/wire/query-hit.ts';
import { hitFor, push, query, random } from '../../../support/descriptors.ts';
import { readFixture } from '../../../support/fixtures.ts';
import { VirtualNetwork, type VirtualServent } from '../../../support/virtual-network.ts';

// --- TTL

interface TtlVector {
  ttl: number;
  hops: number;
  gtkg_query_from_dq_peer: string | { forward_ttl: number; forward_hops: number };
}
const { ttl: vectors } = readFixture<{ ttl: TtlVector[] }>('vectors/vectors.json');

t.test('TTL and hops are ruled as by gtk-gnutella', async t => {
  for (const { ttl, hops, gtkg_query_from_dq_peer: effect } of vectors) {
    const onward = relayTtl(ttl, hops, 4);
    const what = `ttl ${ttl} hops ${hops}`;
    if (typeof effect === 'object') t.equal(onward, effect.forward_ttl, what);
    else if (effect.startsWith('drop (hard')) t.equal(onward, Unfit.TtlTooHigh, what);
    else if (effect.startsWith('drop')) t.equal(onward, Unfit.TtlZero, what);
    else t.equal(onward, 0, what);
  }
});

t.test('the same on the wire: to ultrapeers, to leaves, to our own files', async t => {
  for (const { ttl, hops, gtkg_query_from_dq_peer: effect } of vectors) {
    const network = new VirtualNetwork();
    const servent = network.add('a');
    const from = network.puppet(servent);
    const ultrapeer = network.puppet(servent);
    const leaf = network.puppet(servent, 'leaf');
    servent.library.share('some words.txt');
    from.send(query(ttl, hops));
    network.settle();
    const what = `ttl ${ttl} hops ${hops}`;
    // gtk-gnutella counts TTL 0 as an error, but answers: it reaches no third servent
    const alone = ttl === 0 && typeof effect === 'string' && effect.startsWith('drop (counts as TTL=0)');
    const dropped = typeof effect === 'string' && effect.startsWith('drop') && !alone;
    const forwarded = ultrapeer.ofType(Type.Query).map(frame => ({ ttl: frame.ttl, hops: frame.hops }));
    t.strictSame(
      forwarded,
      typeof effect === 'object' ? [{ ttl: effect.forward_ttl, hops: effect.forward_hops }] : [],
      what,
    );
    t.equal(leaf.ofType(Type.Query).length, dropped || alone ? 0 : 1, what);
    if (!dropped && !alone)
      t.strictSame([leaf.ofType(Type.Query)[0]?.ttl, leaf.ofType(Type.Query)[0]?.hops], [1, hops + 1]);
    t.equal(from.ofType(Type.QueryHit).length, dropped ? 0 : 1, what);
  }
});

t.test('a query never leaves with more hops + TTL than the limit, whatever came', async () => {
  const byte = fc.integer({ min: 0, max: 255 });
  fc.assert(
    fc.property(byte, byte, fc.integer({ min: 1, max: 7 }), (ttl, hops, ttlMax) => {
      const onward = relayTtl(ttl, hops, ttlMax);
      return onward < 0 || onward === 0 || (onward < ttl && hops + 1 + onward <= ttlMax);
    }),
  );
});

t.test('legacy peers keep their long horizon among themselves, modern ones are spared it', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a');
  const from = network.puppet(servent, 'legacy');
  const legacy = network.puppet(servent, 'legacy');
  const modern = network.puppet(servent);
  from.send(query(7, 0));
  network.settle();
  t.equal(legacy.ofType(Type.Query)[0]?.ttl, 6);
  t.equal(modern.ofType(Type.Query)[0]?.ttl, 3);
});

// --- queries and hits

t.test('a query reaches three hops along a line and the hit comes back', async t => {
  const network = new VirtualNetwork();
  const [a, b, c, d] = network.line('abcd') as [VirtualServent, VirtualServent, VirtualServent, VirtualServent];
  d.library.share('beethoven symphony.ogg', 'other.ogg');
  const search = a.search({ text: 'symphony beethoven' });
  network.settle();
  t.equal(a.hits.length, 1);
  const [first] = a.hits;
  t.equal(first?.hit.hits[0]?.name, 'beethoven symphony.ogg');
  t.ok(first?.hit.serventGuid.equals(d.serventGuid));
  t.strictSame(first?.hit.endpoint, d.endpoint);
  t.equal(first?.hops, 2);
  t.strictSame([search.hits, search.queryHits, search.linksAsked], [1, 1, 1]);
  t.strictSame([b.passed.length, c.passed.length, d.passed.length], [1, 1, 1]);
  t.strictSame([b.hitsPassed.length, c.hitsPassed.length, d.hitsPassed.length], [1, 1, 0]);
});

t.test('beyond its TTL a query does not go', async t => {
  const network = new VirtualNetwork();
  const servents = network.line('abcdefg');
  servents[0]?.search({ text: 'anything' });
  network.settle();
  t.strictSame(
    servents.map(({ passed }) => passed.length),
    [0, 1, 1, 1, 1, 0, 0],
  );
});

t.test('a legacy line has the old horizon of seven', async t => {
  const network = new VirtualNetwork();
  const servents = [...'abcdefghij'].map(name => network.add(name));
  servents.forEach((servent, i) => {
    const next = servents[i + 1];
    if (next !== undefined) network.connect(servent, next, { roles: ['legacy', 'legacy'] });
  });
  servents[7]?.library.share('far away.txt');
  servents[0]?.search({ text: 'far away' });
  network.settle();
  t.strictSame(
    servents.map(({ passed }) => passed.length),
    [0, 1, 1, 1, 1, 1, 1, 1, 0, 0],
  );
  t.equal(servents[0]?.hits.length, 1);
});

/** A mesh at random; who dials whom is chance as well. */
function mesh(network: VirtualNetwork, size: number, linksEach: number): [VirtualServent, ...VirtualServent[]] {
  const first = network.add('0');
  const servents: [VirtualServent, ...VirtualServent[]] = [first];
  while (servents.length < size) {
    const servent = network.add(`${servents.length}`);
    for (let n = 0; n < linksEach; n++) {
      network.connect(servent, servents[network.random.below(servents.length)] ?? first);
    }
    servents.push(servent);
  }
  network.settle();
  return servents;
}

t.test('in a mesh every servent within the horizon sees a query once, and every echo is counted', async t => {
  let extendedInAll = 0;
  for (let seed = 1; seed <= 20; seed++) {
    const network = new VirtualNetwork(seed);
    const servents = mesh(network, 30, 2);
    const [first] = servents;
    network.carried = [];
    first.search({ text: 'needle' });
    for (let round = 0; round < 50; round++) network.settleSome(); // so that longer ways win here and there
    network.settle();

    const what = `seed ${seed}`;
    const passed = servents.filter(servent => servent.passed.length === 1).length;
    t.ok(
      servents.every(servent => servent.passed.length <= 1),
      what,
    );
    t.equal(passed, network.within(first, 4) - 1, what);

    const sum = (of: (servent: VirtualServent) => number): number => servents.reduce((all, one) => all + of(one), 0);
    const echoes = sum(({ overlay }) => overlay.drops.of(Drop.Duplicate) + overlay.drops.of(Drop.DuplicateSameLink));
    const extended = sum(({ overlay }) => overlay.counters.queriesExtended);
    t.equal(
      sum(({ overlay }) => overlay.counters.queriesIn),
      passed + echoes + extended,
      what,
    );

    extendedInAll += extended;

    // what a link carries again has more TTL than before, and hops + TTL never grow
    const before = new Map<unknown, number>();
    for (const { wire, frame } of network.carried) {
      if (frame.type !== Type.Query) continue;
      if (frame.ttl <= (before.get(wire) ?? 0) || frame.ttl + frame.hops > 4) t.fail(what);
      before.set(wire, frame.ttl);
    }
  }
  t.ok(extendedInAll > 20, 'or the longer ways never won');
});

t.test('a query is not sent back to where it came from, and its payload is not touched', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a');
  const from = network.puppet(servent);
  const others = [network.puppet(servent), network.puppet(servent)];
  const sent = query(4, 1);
  from.send(sent);
  network.settle();
  t.equal(from.ofType(Type.Query).length, 0);
  for (const other of others) {
    const [got] = other.ofType(Type.Query);
    t.ok(got?.guid.equals(sent.subarray(0, 16)));
    t.ok(got?.payload.equals(sent.subarray(23)));
    t.strictSame([got?.ttl, got?.hops], [2, 2]);
  }
});

t.test('the same query from the same link again is that link’s fault; from another it is an echo', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a');
  const [from, other] = [network.puppet(servent), network.puppet(servent)];
  const sent = query(4, 0);
  from.send(sent, sent);
  other.send(sent);
  network.settle();
  t.equal(from.link.drops?.of(Drop.DuplicateSameLink), 1);
  t.equal(other.link.drops?.of(Drop.Duplicate), 1);
  t.equal(servent.passed.length, 1);
});

t.test('a probe that had to stop here is extended once by a copy with more TTL, to nobody who has seen it', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a');
  const [prober, other, ultrapeer] = [network.puppet(servent), network.puppet(servent), network.puppet(servent)];
  const leaf = network.puppet(servent, 'leaf');
  const guid = random.guid();
  servent.library.share('words.txt');
  prober.send(query(1, 0, 'words', guid));
  other.send(query(3, 1, 'words', guid));
  prober.send(query(3, 0, 'words', guid));
  network.settle();
  t.equal(ultrapeer.ofType(Type.Query).length, 1);
  t.equal(leaf.ofType(Type.Query).length, 1);
  t.equal(prober.ofType(Type.Query).length + other.ofType(Type.Query).length, 0);
  t.equal(prober.ofType(Type.QueryHit).length, 1);
  t.equal(other.ofType(Type.QueryHit).length, 0);
});

t.test('more TTL carries a query further, but only to those who said so; and never back', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a');
  const [from, able] = [network.puppet(servent), network.puppet(servent)];
  const unable = network.puppet(servent, 'ultrapeer', { extProbes: false });
  const legacy = network.puppet(servent, 'legacy', { extProbes: false });
  const leaf = network.puppet(servent, 'leaf');
  const guid = random.guid();
  for (const ttl of [2, 3, 2, 4, 3, 4]) from.send(query(ttl, 0, 'words', guid));
  network.settle();
  const ttls = [from, able, unable, legacy, leaf].map(peer => peer.ofType(Type.Query).map(({ ttl }) => ttl));
  t.strictSame(ttls, [[], [1, 2, 3], [1], [1], [1]]);
  t.equal(from.link.drops?.of(Drop.DuplicateSameLink), 3);
  t.equal(servent.passed.length, 1);
});

t.test('a leaf relays nothing, but answers', async t => {
  const network = new VirtualNetwork();
  const leaf = network.add('leaf', { role: 'leaf' });
  const [one, two] = [network.puppet(leaf), network.puppet(leaf)];
  leaf.library.share('words.txt');
  const sent = query(3, 1, 'words');
  one.send(sent, push(random.guid(), 3, 0));
  two.send(hitFor(sent, 3, 0));
  network.settle();
  t.equal(two.ofType(Type.Query).length + two.ofType(Type.Push).length, 0);
  t.equal(one.ofType(Type.QueryHit).length, 1, 'ours, not the one of two');
});

t.test('a query is answered with at most ten records a hit, all of them, with TTL enough to get back', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a');
  const from = network.puppet(servent);
  servent.library.share(...Array.from({ length: 33 }, (_, i) => `live jazz ${i}.mp3`));
  const sent = query(2, 3, 'jazz live');
  from.send(sent);
  network.settle();
  const hits = from.ofType(Type.QueryHit);
  t.strictSame(
    hits.map(({ payload }) => parseQueryHit(payload).hits.length),
    [10, 10, 10, 3],
  );
  t.ok(hits.every(({ ttl, hops, guid }) => ttl === 8 && hops === 0 && guid.equals(sent.subarray(0, 16))));
});

t.test('a query that wants few hits gets few', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a');
  const from = network.puppet(servent);
  servent.library.share(...Array.from({ length: 90 }, (_, i) => `live jazz ${i}.mp3`));
  const ask = (maxHits: number): number => {
    from.seen = [];
    from.send(encodeDescriptor(random.guid(), Type.Query, 1, 0, encodeQuery({ text: 'jazz', maxHits })));
    network.settle();
    return from.ofType(Type.QueryHit).reduce((sum, { payload }) => sum + parseQueryHit(payload).hits.length, 0);
  };
  t.equal(ask(3), 3);
  t.equal(ask(0), 50, 'our own limit');
  t.equal(ask(255), 50);
});

t.test('of two firewalled servents neither answers the other', async t => {
  const network = new VirtualNetwork();
  const [open, closed, asking] = [
    network.add('open'),
    network.add('closed', { firewalled: true }),
    network.add('x', { firewalled: true }),
  ];
  for (const servent of [open, closed]) {
    servent.library.share('words.txt');
    network.connect(asking, servent);
  }
  asking.search({ text: 'words' });
  network.settle();
  t.equal(asking.hits.length, 1);
  t.ok(asking.hits[0]?.hit.serventGuid.equals(open.serventGuid));
});

t.test('queries without the mark are answered and relayed, or dropped, as policy says', async t => {
  for (const unflaggedQueries of [true, false]) {
    const network = new VirtualNetwork();
    const servent = network.add('a', { limits: { unflaggedQueries } });
    const [from, other] = [network.puppet(servent, 'legacy'), network.puppet(servent)];
    servent.library.share('words.txt');
    from.send(encodeDescriptor(random.guid(), Type.Query, 4, 0, Buffer.from('\0\0words\0')));
    network.settle();
    t.equal(from.ofType(Type.QueryHit).length, unflaggedQueries ? 1 : 0);
    t.equal(other.ofType(Type.Query).length, unflaggedQueries ? 1 : 0);
    t.equal(servent.overlay.drops.of(Drop.Unflagged), unflaggedQueries ? 0 : 1);
  }
});

t.test('hops flow: a peer that wants nearer queries gets only those', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a');
  const [from, busy] = [network.puppet(servent), network.puppet(servent)];
  const hopsFlow = (hops: number): Buffer =>
    encodeDescriptor(Buffer.alloc(16), Type.Vendor, 1, 0, Buffer.from([...Buffer.from('BEAR'), 4, 0, 1, 0, hops]));
  busy.send(hopsFlow(2));
  from.send(query(4, 0), query(4, 1));
  network.settle();
  t.strictSame(
    busy.ofType(Type.Query).map(({ hops }) => hops),
    [1],
  );
  busy.send(hopsFlow(0));
  servent.search({ text: 'words' });
  from.send(query(4, 0));
  network.settle();
  t.equal(busy.ofType(Type.Query).length, 1);
  t.equal(servent.vendorMessages, 2);
});

// --- own searches

t.test('a search goes out with the TTL that each peer bears', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a');
  const modern = network.puppet(servent);
  const modest = network.puppet(servent, 'ultrapeer', { maxTtl: 2 });
  const legacy = network.puppet(servent, 'legacy', { maxTtl: null });
  const leaf = network.puppet(servent, 'leaf');
  const search = servent.search({ text: 'words' });
  network.settle();
  const ttls = [modern, modest, legacy, leaf].map(peer => peer.ofType(Type.Query)[0]?.ttl);
  t.strictSame(ttls, [4, 2, 7, 1]);
  t.equal(search.linksAsked, 4);
});

t.test('a link that comes up later is asked too, until the search is cancelled', async t => {
  const network = new VirtualNetwork();
  const [a, b, c] = [network.add('a'), network.add('b'), network.add('c')];
  b.library.share('words.txt');
  c.library.share('words.txt');
  const search = a.search({ text: 'words' });
  network.connect(a, b);
  network.settle();
  t.equal(a.hits.length, 1);
  a.overlay.cancelSearch(search);
  network.connect(c, a);
  network.settle();
  t.equal(a.hits.length, 1);
  t.strictSame([...a.overlay.searches], []);
});

t.test('our own query that comes round is a duplicate, not a query', async t => {
  const network = new VirtualNetwork();
  const [a, b, c] = network.line('abc') as [VirtualServent, VirtualServent, VirtualServent];
  network.connect(c, a);
  a.library.share('words.txt');
  a.search({ text: 'words' });
  network.settle();
  t.equal(a.hits.length, 0);
  t.equal(a.passed.length, 0);
  t.strictSame([b.passed.length, c.passed.length], [1, 1]);
});

t.test('what the query table remembers is bounded, however many queries come', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a');
  const from = network.puppet(servent);
  const frames: Buffer[] = [];
  for (let i = 0; i < 1_000; i++) frames.push(query(1, 0));
  const chunk = Buffer.concat(frames);
  for (let round = 0; round < 400; round++) {
    for (let at = 0; at < chunk.length; at += 23 + chunk.readUInt32LE(at + 19))
      random.fill(chunk.subarray(at, at + 16));
    from.send(chunk);
  }
  const { queries, bytes } = servent.overlay.routeTables;
  t.equal(servent.overlay.counters.queriesIn, 400_000);
  t.ok(queries <= 2 * 131_072);
  t.ok(bytes <= 2 * (131_072 + 32_768) * 64);
});

t.test('the first query of a long run is still recognised as seen', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a');
  const from = network.puppet(servent);
  const first = query(4, 0);
  from.send(first);
  for (let i = 0; i < 500; i++) from.send(query(4, 0));
  network.clock.ms += 9 * 60_000;
  servent.overlay.tick(network.clock.ms);
  from.send(first);
  t.equal(from.link.drops?.of(Drop.DuplicateSameLink), 1);
  t.equal(servent.passed.filter(guid => guid === formatGuid(first)).length, 1);
});

t.test('a leaf has hits sent by UDP to itself, to nobody else', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a');
  const leaf = network.puppet(servent, 'leaf');
  const peer = network.puppet(servent);
  network.settle();
  const own = leaf.link.endpoint.host;
  const asked = (role: typeof leaf, host: string, port: number, flags: number, ids: readonly string[] = []) => {
    const guid = addressGuid(network.random.guid(), { host, port });
    const ggep = ids.map(id => ({ id, payload: Buffer.alloc(0) }));
    const before = servent.passed.length;
    role.send(encodeDescriptor(guid, Type.Query, 3, 0, encodeQuery({ text: `song ${before}`, flags, ggep })));
    network.settle();
    return servent.passed.length - before;
  };
  const outOfBand = QueryFlag.Marked | QueryFlag.OutOfBand;
  t.equal(asked(leaf, own, 9_999, outOfBand, ['SO']), 1, 'its own, whatever the port');
  t.equal(asked(leaf, '5.5.9.9', 9_999, outOfBand), 0);
  t.equal(asked(leaf, '5.5.9.9', 9_999, QueryFlag.Marked, ['SO']), 0, 'asked for by GGEP alone');
  t.equal(servent.overlay.drops.of(Drop.ReturnAddress), 2);
  t.equal(asked(leaf, '5.5.9.9', 9_999, QueryFlag.Marked), 1, 'a GUID that means no address');
  t.equal(asked(leaf, '127.0.0.1', 9_999, outOfBand), 1, 'where nobody can be');
  t.equal(asked(peer, '5.5.9.9', 9_999, outOfBand), 1, 'ultrapeers pass on what others ask');
});
