import fc from 'fast-check';
import t from 'tap';
import { Type } from '../../../protocol/constants.ts';
import type { OverlayLimits } from '../../../protocol/overlay/limits.ts';
import { LOCAL_OVERLAY_LIMITS } from '../../../protocol/overlay/limits.ts';
import { queryText } from '../../../protocol/overlay/searches.ts';
import { queryHashes } from '../../../protocol/qrp/hash.ts';
import { encodeTable, TableReceiver } from '../../../protocol/qrp/patch.ts';
import { QrpTable } from '../../../protocol/qrp/table.ts';
import { parseBye } from '../../../protocol/wire/bye.ts';
import { encodeDescriptor } from '../../../protocol/wire/header.ts';
import { encodeQuery, QueryFlag } from '../../../protocol/wire/query.ts';
import { encodeRouteTableUpdate, parseRouteTableUpdate } from '../../../protocol/wire/route-table-update.ts';
import { encodeHopsFlow, encodeQueryStatus } from '../../../protocol/wire/vendor/leaf-guidance.ts';
import { encodeMessagesSupported } from '../../../protocol/wire/vendor/supported.ts';
import { parseVendorMessage, vendorId } from '../../../protocol/wire/vendor-message.ts';
import { readCapture, readCaptures } from '../../support/captures.ts';
import { hitFor, hitPayload, query, random } from '../../support/descriptors.ts';
import { readFixture } from '../../support/fixtures.ts';
import { contentOf, searchCost, twoTier } from '../../support/two-tier.ts';
import { type Puppet, VirtualNetwork, type VirtualServent } from '../../support/virtual-network.ts';
import { hostileBytes } from '../../support/wire-arbitraries.ts';

const limits: Partial<OverlayLimits> = { flooding: false, ...LOCAL_OVERLAY_LIMITS };

function tableFrames(words: readonly string[], before: QrpTable | null = null): Buffer[] {
  return encodeTable(before, QrpTable.of(words)).map(update =>
    encodeDescriptor(random.guid(), Type.Qrp, 1, 0, encodeRouteTableUpdate(update)),
  );
}

function vendor(payload: Buffer, guid: Buffer = Buffer.alloc(16)): Buffer {
  return encodeDescriptor(guid, Type.Vendor, 1, 0, payload);
}

/** An ultrapeer with a leaf for each list of words; null sends no table. */
function ultrapeerWith(...tables: (readonly string[] | null)[]) {
  const network = new VirtualNetwork();
  const servent = network.add('up', { limits });
  const leaves = tables.map(words => {
    const leaf = network.puppet(servent, 'leaf');
    if (words !== null) leaf.send(...tableFrames(words));
    return leaf;
  });
  network.settle();
  return { network, servent, leaves, queriesOf: (): number[] => leaves.map(leaf => leaf.ofType(Type.Query).length) };
}

/** The table that a peer of ours has been sent. */
function tableOf(peer: Puppet): QrpTable | null {
  const receiver = new TableReceiver();
  for (const { payload } of peer.ofType(Type.Qrp)) receiver.receive(parseRouteTableUpdate(payload));
  return receiver.whole ? receiver.table : null;
}

const finds = (table: QrpTable | null, text: string): boolean => table?.mayMatch(queryHashes(text, [])) ?? false;

// --- tables that come in

t.test('a leaf gets the queries that its table allows; without a table it gets none', async t => {
  const { network, servent, queriesOf } = ultrapeerWith(['beethoven', 'symphony'], ['jazz'], null, []);
  const peer = network.puppet(servent);
  peer.send(query(2, 1, 'symphony beethoven'), query(2, 1, 'beethoven jazz'), query(2, 1, 'jazz'));
  network.settle();
  t.strictSame(queriesOf(), [1, 1, 0, 0]);
});

t.test('of three words two are enough, and a prefix is a word', async t => {
  const { network, servent, queriesOf } = ultrapeerWith(['documentary', 'nature', 'film']);
  network.puppet(servent).send(query(2, 1, 'doc nature film'), query(2, 1, 'docume'), query(2, 1, 'doc nature other'));
  network.settle();
  t.strictSame(queriesOf(), [2]);
});

t.test('a new table replaces the old one; until it is whole the old one serves', async t => {
  const { network, servent, leaves, queriesOf } = ultrapeerWith(['old']);
  const peer = network.puppet(servent);
  const [reset, ...patches] = tableFrames(['new']);
  leaves[0]?.send(reset ?? Buffer.alloc(0));
  peer.send(query(2, 1, 'old'));
  leaves[0]?.send(...patches);
  peer.send(query(2, 1, 'old'), query(2, 1, 'new'));
  network.settle();
  t.strictSame(queriesOf(), [2]);
});

t.test('changes alone are understood as well', async t => {
  const { network, servent, leaves, queriesOf } = ultrapeerWith(['old']);
  leaves[0]?.send(...tableFrames(['new'], QrpTable.of(['old'])));
  network.puppet(servent).send(query(2, 1, 'old'), query(2, 1, 'new'));
  network.settle();
  t.strictSame(queriesOf(), [1]);
});

t.test('a RESET that stays alone empties the table after a while', async t => {
  const { network, servent, leaves, queriesOf } = ultrapeerWith(['old']);
  const [reset] = tableFrames(['new']);
  leaves[0]?.send(reset ?? Buffer.alloc(0));
  network.pass(15_000);
  network.puppet(servent).send(query(2, 1, 'old'));
  network.settle();
  t.strictSame(queriesOf(), [0]);
});

t.test('whoever breaks the rules of QRP is shown out with Bye 413, and its table is forgotten', async t => {
  const [reset = Buffer.alloc(0), ...patches] = tableFrames(['word']);
  const badReset = encodeDescriptor(random.guid(), Type.Qrp, 1, 0, Buffer.from([0, 3, 0, 0, 0, 7]));
  const endless = encodeDescriptor(
    random.guid(),
    Type.Qrp,
    1,
    0,
    encodeRouteTableUpdate({
      kind: 'patch',
      sequence: 1,
      count: 1,
      deflated: true,
      entryBits: 4,
      data: Buffer.alloc(9),
    }),
  );
  for (const frames of [patches, [badReset], [reset, endless]]) {
    const { network, servent, leaves } = ultrapeerWith(['word'], null);
    leaves[1]?.send(...frames);
    network.settle();
    t.equal(parseBye(leaves[1]?.ofType(Type.Bye)[0]?.payload ?? Buffer.alloc(2)).code, 413);
    t.equal(servent.overlay.links.size, 1);
    t.equal(servent.overlay.queryRouting.leafTables, 1);
  }
});

t.test('a sequence that stops half way costs the link in the end, and its memory is given back', async t => {
  const { network, servent, leaves } = ultrapeerWith(null);
  const big = new QrpTable(2 ** 21);
  for (let slot = 0; slot < big.slots; slot += 64) big.set(slot);
  const half = encodeTable(null, big, { deflate: false }).slice(0, 20);
  leaves[0]?.send(
    ...half.map(update => encodeDescriptor(random.guid(), Type.Qrp, 1, 0, encodeRouteTableUpdate(update))),
  );
  t.ok(servent.overlay.queryRouting.tableBytes >= 2 ** 18);
  network.pass(70_000);
  t.equal(parseBye(leaves[0]?.ofType(Type.Bye)[0]?.payload ?? Buffer.alloc(2)).code, 413);
  t.equal(servent.overlay.queryRouting.tableBytes, 0);
});

t.test('what unfinished tables hold is bounded over all links: who holds most goes first', async t => {
  const { network, servent, leaves } = ultrapeerWith(...new Array<null>(260).fill(null), ['word']);
  const reset = encodeDescriptor(
    random.guid(),
    Type.Qrp,
    1,
    0,
    encodeRouteTableUpdate({ kind: 'reset', slots: 2 ** 21, infinity: 7 }),
  );
  for (const leaf of leaves.slice(0, 260)) leaf.send(reset);
  t.ok(servent.overlay.queryRouting.tableBytes <= 65 * 2 ** 20);
  network.settle();
  t.ok(servent.overlay.links.size < 261);
  t.equal(leaves[260]?.ofType(Type.Bye).length, 0, 'not the honest one');
});

t.test(
  'a table that is nearly full says nothing: its leaf gets what its queue takes, and the union stays useful',
  async t => {
    const { network, servent, leaves, queriesOf } = ultrapeerWith(null, ['word']);
    const full = new QrpTable(65_536);
    for (let slot = 0; slot < full.slots; slot++) full.set(slot);
    leaves[0]?.send(
      ...encodeTable(null, full).map(update =>
        encodeDescriptor(random.guid(), Type.Qrp, 1, 0, encodeRouteTableUpdate(update)),
      ),
    );
    const peer = network.puppet(servent, 'ultrapeer', { ultrapeerQueryRouting: true });
    network.settle();
    peer.send(query(2, 1, 'anything'));
    network.settle();
    t.strictSame(queriesOf(), [1, 0]);
    t.notOk(finds(tableOf(peer), 'anything'));
    t.ok(finds(tableOf(peer), 'word'));
  },
);

t.test('the tables that every servent was captured sending are taken, from leaves and from ultrapeers', async t => {
  let tables = 0;
  for (const { file, descriptors } of readCaptures()) {
    for (const side of ['servent', 'peer'] as const) {
      const frames = descriptors.filter(({ from, bytes }) => from === side && bytes[16] === Type.Qrp);
      for (const role of ['leaf', 'ultrapeer'] as const) {
        const network = new VirtualNetwork();
        const servent = network.add('up', { limits });
        const peer = network.puppet(servent, role);
        peer.send(...frames.map(({ bytes }) => bytes));
        network.settle();
        t.equal(peer.ofType(Type.Bye).length, 0, `${file} ${side}`);
        if (frames.length < 2) continue; // LimeWire sends a RESET alone for an empty table
        t.ok(role === 'leaf' ? servent.overlay.queryRouting.leafTables === 1 : peer.link.routeTable !== null, file);
        tables++;
      }
    }
  }
  t.ok(tables >= 30, `${tables}`);
});

t.test('gtk-gnutella as our leaf is asked for what it shares, and not for what it does not', async t => {
  const { shared_files } = readFixture<{ shared_files: { name: string }[] }>('gtk-gnutella/gtkg-leaf-dials-up.json');
  const { descriptors } = readCapture('gtk-gnutella/gtkg-leaf-dials-up.json');
  const { network, servent, leaves, queriesOf } = ultrapeerWith(null);
  leaves[0]?.send(...descriptors.filter(d => d.from === 'servent' && d.bytes[16] === Type.Qrp).map(d => d.bytes));
  const peer = network.puppet(servent);
  for (const { name } of shared_files) peer.send(query(2, 1, queryText(name)));
  network.settle();
  t.strictSame(queriesOf(), [shared_files.length]);
  peer.send(query(2, 1, 'certainly unshared'), query(2, 1, 'elsewhere'));
  network.settle();
  t.strictSame(queriesOf(), [shared_files.length]);
});

t.test('whatever comes as a QRP message, others get their queries', async () => {
  fc.assert(
    fc.property(fc.array(hostileBytes, { maxLength: 5 }), payloads => {
      const { network, servent, leaves, queriesOf } = ultrapeerWith(['word'], null);
      for (const payload of payloads) {
        leaves[1]?.send(encodeDescriptor(random.guid(), Type.Qrp, 1, 0, Buffer.from(payload)));
      }
      network.puppet(servent).send(query(2, 1, 'word'));
      network.settle();
      return queriesOf()[0] === 1;
    }),
  );
});

t.test('hops flow of a leaf is obeyed', async t => {
  const { network, servent, leaves, queriesOf } = ultrapeerWith(['word'], ['word']);
  leaves[0]?.send(vendor(encodeHopsFlow(2)));
  network.puppet(servent).send(query(3, 0, 'word'), query(3, 1, 'word'));
  network.settle();
  t.strictSame(queriesOf(), [1, 2]);
});

// --- the last hop between ultrapeers

t.test('with TTL 1 left a query goes only to ultrapeers whose table allows it; those without one get all', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('up', { limits });
  const [from, matching, other, silent] = [1, 2, 3, 4].map(() => network.puppet(servent)) as [
    Puppet,
    Puppet,
    Puppet,
    Puppet,
  ];
  matching.send(...tableFrames(['word']));
  other.send(...tableFrames(['another']));
  from.send(query(2, 1, 'word'), query(3, 0, 'word'));
  network.settle();
  t.strictSame(
    [matching, other, silent].map(peer => peer.ofType(Type.Query).map(({ ttl }) => ttl)),
    [[1, 2], [2], [1, 2]],
  );
  t.equal(servent.overlay.counters.queriesSpared, 1);
});

// --- tables that go out

t.test('a leaf sends its own table to its ultrapeers, an ultrapeer the union with its leaves’ to others', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a', { limits });
  const leaf = network.add('leaf', { limits, role: 'leaf' });
  servent.library.share('ours.txt');
  leaf.library.share('beethoven symphony.ogg');
  network.connect(leaf, servent);
  network.settle();
  const peer = network.puppet(servent, 'ultrapeer', { ultrapeerQueryRouting: true });
  const unable = network.puppet(servent);
  const ofLeaf = network.puppet(leaf, 'ultrapeer');
  network.settle();
  t.ok(finds(tableOf(peer), 'ours') && finds(tableOf(peer), 'beethoven'));
  t.equal(unable.ofType(Type.Qrp).length, 0);
  t.ok(finds(tableOf(ofLeaf), 'symphony'));
  t.notOk(finds(tableOf(ofLeaf), 'ours'));
  const { sha1 } = [...leaf.library.shared()][0] ?? {};
  t.ok(tableOf(peer)?.mayMatch(queryHashes('', [sha1 ?? Buffer.alloc(20)])), 'found by hash as well');
});

t.test('what changes is sent as changes, and not more often than the limit', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a', { limits: { ...limits, tableUpdateMs: 60_000, unionUpdateMs: 60_000 } });
  const peer = network.puppet(servent, 'ultrapeer', { ultrapeerQueryRouting: true });
  network.settle();
  const first = peer.ofType(Type.Qrp).length;
  t.equal(peer.ofType(Type.Qrp)[0]?.payload[0], 0, 'a RESET first');
  let sequences = 0;
  for (let second = 0; second < 120; second++) {
    servent.library.share(`file${second}.txt`);
    servent.overlay.onLibraryChanged();
    network.pass(1_000);
    const now = peer.ofType(Type.Qrp).length;
    if (now > first + sequences) sequences = now - first;
  }
  t.ok(sequences >= 2 && sequences <= 5, `${sequences} updates in two minutes`);
  t.equal(peer.ofType(Type.Qrp).filter(({ payload }) => payload[0] === 0).length, 1, 'no second RESET');
  network.pass(61_000);
  t.ok(finds(tableOf(peer), 'file119'));
});

t.test('a leaf with hops flow below three is not in the union, and a leaf that went away neither', async t => {
  const { network, servent, leaves } = ultrapeerWith(['alpha'], ['beta'], ['gamma']);
  const peer = network.puppet(servent, 'ultrapeer', { ultrapeerQueryRouting: true });
  network.pass(5_000);
  t.ok(['alpha', 'beta', 'gamma'].every(word => finds(tableOf(peer), word)));
  leaves[0]?.send(vendor(encodeHopsFlow(2)));
  if (leaves[1] !== undefined) servent.overlay.removeLink(leaves[1].link, 'gone');
  network.pass(5_000);
  t.strictSame(
    ['alpha', 'beta', 'gamma'].map(word => finds(tableOf(peer), word)),
    [false, false, true],
  );
  leaves[0]?.send(vendor(encodeHopsFlow(255)));
  network.pass(5_000);
  t.ok(finds(tableOf(peer), 'alpha'));
});

t.test('a large table goes out five messages a second, and not into a queue that is busy', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a', { limits });
  for (let i = 0; i < 3_000; i++) servent.library.share(`word${i * 7919} other${i * 104_729}.txt`);
  const peer = network.puppet(servent, 'ultrapeer', { ultrapeerQueryRouting: true, queryRouting: 0.1 });
  const deflated = network.puppet(servent, 'ultrapeer', { ultrapeerQueryRouting: true }, { deflateOut: true });
  network.settle();
  t.equal(deflated.ofType(Type.Qrp).length, 5);
  network.pass(1_000);
  t.ok(deflated.ofType(Type.Qrp).length <= 10);
  network.pass(20_000);
  t.ok(finds(tableOf(deflated), `word${7919 * 2_999}`));
  t.ok(finds(tableOf(peer), `word${7919 * 2_999}`));
  t.ok(peer.ofType(Type.Qrp).length < deflated.ofType(Type.Qrp).length, 'compressed where the link is not');
});

// --- dynamic queries

/** The ultrapeer of a leaf that asks, and other ultrapeers. */
function asked(others: number, capabilities = {}) {
  const network = new VirtualNetwork();
  const servent = network.add('up', { limits });
  const leaf = network.puppet(servent, 'leaf');
  const peers = Array.from({ length: others }, () => network.puppet(servent, 'ultrapeer', capabilities));
  network.settle();
  return { network, servent, leaf, peers };
}

const queriesTo = (peers: readonly Puppet[]): number =>
  peers.reduce((sum, peer) => sum + peer.ofType(Type.Query).length, 0);

t.test('a leaf’s query is widened step by step until enough was found', async t => {
  const { network, leaf, peers } = asked(12);
  for (const peer of peers) peer.send(...tableFrames(['word']));
  const sent = query(1, 0, 'word');
  leaf.send(sent);
  network.settle();
  t.equal(queriesTo(peers), 3, 'the probe');
  const [probed] = peers.filter(peer => peer.ofType(Type.Query).length > 0);
  t.match(probed?.ofType(Type.Query)[0], { ttl: 1, hops: 1 });
  for (let n = 0; n < 6; n++) probed?.send(hitFor(sent, 5, 0, hitPayload(random.guid(), 10)));
  network.pass(10_000, 100);
  t.equal(queriesTo(peers), 3);
  t.equal(leaf.ofType(Type.QueryHit).length, 6);
});

t.test('a rare file is looked for everywhere, with all the TTL', async t => {
  const { network, servent, leaf, peers } = asked(12);
  leaf.send(query(4, 0, 'word'));
  network.pass(10_000, 100);
  for (const peer of peers) {
    const ttls = peer.ofType(Type.Query).map(({ ttl, hops }) => [ttl, hops]);
    t.strictSame(ttls.at(-1), [3, 1]);
    t.ok(ttls.length <= 2);
  }
  t.equal(servent.overlay.queryRouting.dynamicQueries, 0, 'and then it is over');
});

t.test('a leaf that leaves takes its queries along; a leaf has only so many at a time', async t => {
  const { network, servent, leaf } = asked(4);
  for (let n = 0; n < 20; n++) leaf.send(query(4, 0, `word${n}`));
  t.equal(servent.overlay.queryRouting.dynamicQueries, 8);
  servent.overlay.removeLink(leaf.link, 'gone');
  t.equal(servent.overlay.queryRouting.dynamicQueries, 0);
  network.settle();
});

t.test('a copy of a leaf’s query that comes round goes no further', async t => {
  const { network, leaf, peers } = asked(3);
  const sent = query(4, 0, 'word');
  leaf.send(sent);
  network.pass(10_000, 100);
  const before = queriesTo(peers);
  peers[0]?.send(query(3, 1, 'word', sent.subarray(0, 16)));
  network.settle();
  t.equal(queriesTo(peers), before);
});

t.test('leaf guidance: the leaf’s count and its stop are heard, another leaf’s are not', async t => {
  const { network, servent, leaf, peers } = asked(20);
  const stranger = network.puppet(servent, 'leaf');
  leaf.send(vendor(encodeMessagesSupported([{ vendor: 'BEAR', selector: 11, version: 1 }])));
  for (const peer of peers) peer.send(...tableFrames(['word']));
  const sent = query(4, 0, 'word');
  const guid = sent.subarray(0, 16);
  leaf.send(sent);
  network.settle();
  const [probed] = peers.filter(peer => peer.ofType(Type.Query).length > 0);
  for (let n = 0; n < 3; n++) probed?.send(hitFor(sent, 5, 0, hitPayload(random.guid(), 10)));
  network.pass(300, 100);
  const [request] = leaf.ofType(Type.Vendor);
  t.equal(vendorId(parseVendorMessage(request?.payload ?? Buffer.alloc(8))), 'BEAR/11');
  t.ok(request?.guid.equals(guid));
  const before = queriesTo(peers);
  stranger.send(vendor(encodeQueryStatus(0xffff), guid));
  leaf.send(vendor(encodeQueryStatus(3), guid));
  network.pass(500, 100);
  t.ok(queriesTo(peers) > before, 'three kept: it goes on');
  leaf.send(vendor(encodeQueryStatus(0xffff), guid));
  const stopped = queriesTo(peers);
  network.pass(10_000, 100);
  t.equal(queriesTo(peers), stopped);
});

t.test(
  'as a leaf: our queries go to all ultrapeers, counts are told when asked for, and a stop when we stop',
  async t => {
    const network = new VirtualNetwork();
    const servent = network.add('leaf', { limits, role: 'leaf' });
    const [one, two] = [network.puppet(servent), network.puppet(servent)];
    one.send(vendor(encodeMessagesSupported([{ vendor: 'BEAR', selector: 12, version: 1 }])));
    const search = servent.overlay.search({ text: 'word' });
    network.settle();
    t.strictSame([queriesTo([one]), queriesTo([two])], [1, 1]);
    one.send(hitFor(search.guid, 2, 0, hitPayload(random.guid(), 7)));
    const request = Buffer.concat([Buffer.from('BEAR'), Buffer.from([11, 0, 1, 0])]);
    one.send(vendor(request, search.guid));
    network.settle();
    servent.overlay.cancelSearch(search);
    network.settle();
    const told = (peer: Puppet) =>
      peer.ofType(Type.Vendor).map(({ guid, payload }) => [guid.equals(search.guid), payload.readUInt16LE(8)]);
    t.strictSame(told(one), [
      [true, 7],
      [true, 0xffff],
    ]);
    t.strictSame(told(two), []);
  },
);

t.test('a guided leaf that takes its hits by UDP is asked although we see none', async t => {
  const { network, leaf, peers } = asked(20);
  for (const peer of peers) peer.send(...tableFrames(['word']));
  const flags = QueryFlag.Marked | QueryFlag.LeafGuided | QueryFlag.OutOfBand;
  leaf.send(encodeDescriptor(random.guid(), Type.Query, 4, 0, encodeQuery({ text: 'word', flags })));
  network.pass(300, 100);
  t.equal(leaf.ofType(Type.Vendor).length, 1);
});

t.test('our own search goes to our leaves first; a leaf whose table comes later is asked once', async t => {
  const { network, servent, leaves, queriesOf } = ultrapeerWith(['word'], ['other'], null);
  servent.overlay.search({ text: 'word' });
  network.settle();
  t.strictSame(queriesOf(), [1, 0, 0]);
  leaves[2]?.send(...tableFrames(['word']));
  leaves[2]?.send(...tableFrames(['word', 'more'], QrpTable.of(['word'])));
  network.pass(2_000);
  t.strictSame(queriesOf(), [1, 0, 1]);
});

t.test('a new ultrapeer is asked as long as a search of ours wants more', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('up', { limits });
  const search = servent.overlay.search({ text: 'word' });
  network.pass(2_000);
  const late = network.puppet(servent);
  network.pass(2_000);
  t.equal(queriesTo([late]), 1);
  servent.overlay.cancelSearch(search);
  const later = network.puppet(servent);
  network.pass(2_000);
  t.equal(queriesTo([later]), 0);
});

// --- whole networks

const POPULAR = 'popular song.mp3';
const shares = (index: number): string[] => [`rare${index}x thing.txt`, ...(index % 2 === 1 ? [POPULAR] : [])];
const SMALL = { ultrapeers: 8, leaves: 24, degree: 4, ultrapeersPerLeaf: 3, shares };

t.test('a popular file costs a tenth of flooding, and no rare file is lost', async t => {
  const flat = twoTier({ ...SMALL, flat: true, limits: { ttlMax: 7 } });
  const tiers = twoTier(SMALL);
  const question = { text: 'popular song', urns: [contentOf(POPULAR)] };
  const flooding = searchCost(flat.network, flat.network.servents[0] as VirtualServent, question);
  const searchers = [...tiers.leaves.slice(0, 8), ...tiers.ultrapeers.slice(0, 4)];
  const costs = searchers.map(searcher => searchCost(tiers.network, searcher, question));
  t.ok(costs.every(({ found }) => found >= 2));
  const mean = costs.reduce((sum, { queries }) => sum + queries, 0) / costs.length;
  t.ok(10 * mean <= flooding.queries, `${mean} of ${flooding.queries}`);
  const everybody = tiers.network.servents;
  for (const [i, searcher] of everybody.entries()) {
    const wanted = (i * 5 + 3) % everybody.length;
    if (wanted === i) continue;
    const { found, queries } = searchCost(tiers.network, searcher, { text: `rare${wanted}x thing` });
    t.equal(found, 1, `${i} looks for the file of ${wanted}`);
    t.ok(queries < flooding.queries);
  }
});
