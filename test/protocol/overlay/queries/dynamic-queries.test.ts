import t from 'tap';
import { Type } from '../../../../protocol/constants.ts';
import { QrpTable } from '../../../../protocol/qrp/table.ts';
import { addressGuid } from '../../../../protocol/wire/guid-address.ts';
import { encodeDescriptor } from '../../../../protocol/wire/header.ts';
import { encodePong, PLAIN_PONG } from '../../../../protocol/wire/pong.ts';
import { encodeQuery, QueryFlag } from '../../../../protocol/wire/query.ts';
import { encodeQueryStatus } from '../../../../protocol/wire/vendor/leaf-guidance.ts';
import { encodeMessagesSupported } from '../../../../protocol/wire/vendor/supported.ts';
import { parseVendorMessage, vendorId } from '../../../../protocol/wire/vendor-message.ts';
import { hitFor, hitPayload, query, random } from '../../../support/descriptors.ts';
import { LIMITS, tableFrames, ultrapeerWith, vendor } from '../../../support/route-tables.ts';
import { contentOf, searchCost, twoTier } from '../../../support/two-tier.ts';
import { type Puppet, VirtualNetwork, type VirtualServent } from '../../../support/virtual-network.ts';

/** The ultrapeer of a leaf that asks, and other ultrapeers. */
function asked(others: number, capabilities = {}) {
  const network = new VirtualNetwork();
  const servent = network.add('up', { limits: LIMITS });
  const leaf = network.puppet(servent, 'leaf');
  const peers = Array.from({ length: others }, () => network.puppet(servent, 'ultrapeer', capabilities));
  network.settle();
  return { network, servent, leaf, peers };
}

const PONG = encodePong({
  ...PLAIN_PONG,
  endpoint: { host: '10.9.9.9', port: 6346 },
  files: 0,
  kibibytes: 0,
  ultrapeer: true,
});

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

t.test(
  'where neighbours answer late a search waits for them, also in a network that is thought to be fast',
  async t => {
    const asksAfter = (pongMs: number): number => {
      const { network, leaf, peers } = asked(12);
      for (const peer of peers) peer.send(...tableFrames(['word']));
      network.clock.ms += pongMs;
      for (const peer of peers) {
        for (const { guid } of peer.ofType(Type.Ping)) peer.send(encodeDescriptor(guid, Type.Pong, 1, 0, PONG));
      }
      const sent = query(1, 0, 'word');
      leaf.send(sent);
      network.pass(250, 10);
      const [probed] = peers.filter(peer => peer.ofType(Type.Query).length > 0);
      for (let n = 0; n < 6; n++) probed?.send(hitFor(sent, 5, 0, hitPayload(random.guid(), 10)));
      network.pass(10_000, 100);
      return queriesTo(peers);
    };
    t.equal(asksAfter(250), 3, 'the probe had enough');
    t.ok(asksAfter(1) > 3);
  },
);

t.test('how late hits are is noted as well', async t => {
  const { network, leaf, peers } = asked(12);
  for (const peer of peers) peer.send(...tableFrames(['word', 'other']));
  const slow = query(1, 0, 'word');
  leaf.send(slow);
  network.pass(400, 10);
  const [late] = peers.filter(peer => peer.ofType(Type.Query).length > 0);
  for (let n = 0; n < 6; n++) late?.send(hitFor(slow, 5, 0, hitPayload(random.guid(), 10)));
  network.pass(10_000, 100);
  const before = queriesTo(peers);
  leaf.send(query(1, 0, 'other'));
  network.pass(300, 10);
  t.equal(queriesTo(peers) - before, 3, 'no step after the probe yet');
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

t.test('a search is sent with no more TTL than it was given, nor with more than neighbours bear', async t => {
  const farthest = (ttl: number | undefined, role: 'ultrapeer' | 'legacy' = 'ultrapeer'): number => {
    const network = new VirtualNetwork();
    const servent = network.add('up', { limits: LIMITS });
    const peers = Array.from({ length: 6 }, () => network.puppet(servent, role));
    servent.search({ text: 'rare word', ttl });
    network.pass(20_000, 100);
    const ttls = peers.map(peer => Math.max(...peer.ofType(Type.Query).map(frame => frame.ttl)));
    t.equal(new Set(ttls).size, 1, 'everybody is asked, and alike');
    return ttls[0] ?? 0;
  };
  t.strictSame(
    [1, 2, 3, 4, 7, undefined].map(ttl => farthest(ttl)),
    [1, 2, 3, 4, 4, 4],
  );
  t.strictSame(
    [1, 5, 7, undefined].map(ttl => farthest(ttl, 'legacy')),
    [1, 5, 7, 7],
  );
});

t.test('a leaf sends its search with the TTL it was given, and its ultrapeer goes on with no more', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('leaf', { role: 'leaf', limits: LIMITS });
  const peer = network.puppet(servent, 'ultrapeer', {}, { ourRole: 'leaf' });
  for (const ttl of [1, 2, 7, undefined]) servent.search({ text: `word ${ttl}`, ttl });
  network.settle();
  t.strictSame(
    peer.ofType(Type.Query).map(frame => frame.ttl),
    [1, 2, 4, 4],
  );
  const farthest = [1, 2, 3, 4, 7].map(ttl => {
    const { network, leaf, peers } = asked(6);
    leaf.send(query(ttl, 0, 'rare'));
    network.pass(20_000, 100);
    return Math.max(...peers.flatMap(peer => peer.ofType(Type.Query).map(frame => frame.ttl)));
  });
  t.strictSame(farthest, [1, 2, 3, 3, 3]);
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

t.test('a query that had enough goes on at once when its leaf says that it kept little of it', async t => {
  const { network, leaf, peers } = asked(20);
  leaf.send(vendor(encodeMessagesSupported([{ vendor: 'BEAR', selector: 11, version: 1 }])));
  for (const peer of peers) peer.send(...tableFrames(['word']));
  const sent = query(4, 0, 'word');
  leaf.send(sent);
  network.settle();
  const [probed] = peers.filter(peer => peer.ofType(Type.Query).length > 0);
  for (let n = 0; n < 5; n++) probed?.send(hitFor(sent, 5, 0, hitPayload(random.guid(), 10)));
  leaf.send(vendor(encodeQueryStatus(3), sent.subarray(0, 16)));
  const before = queriesTo(peers);
  network.pass(3_000, 100);
  t.ok(queriesTo(peers) > before);
});

t.test(
  'as a leaf: our queries go to all ultrapeers, counts are told when asked for, and a stop when we stop',
  async t => {
    const network = new VirtualNetwork();
    const servent = network.add('leaf', { limits: LIMITS, role: 'leaf' });
    const [one, two] = [network.puppet(servent), network.puppet(servent)];
    one.send(vendor(encodeMessagesSupported([{ vendor: 'BEAR', selector: 12, version: 1 }])));
    const search = servent.search({ text: 'word' });
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
  const guid = addressGuid(random.guid(), leaf.link.endpoint);
  leaf.send(encodeDescriptor(guid, Type.Query, 4, 0, encodeQuery({ text: 'word', flags })));
  network.pass(300, 100);
  t.equal(leaf.ofType(Type.Vendor).length, 1);
});

t.test('our own search goes to our leaves first; a leaf whose table comes later is asked once', async t => {
  const { network, servent, leaves, queriesOf } = ultrapeerWith(['word'], ['other'], null);
  servent.search({ text: 'word' });
  network.settle();
  t.strictSame(queriesOf(), [1, 0, 0]);
  leaves[2]?.send(...tableFrames(['word']));
  leaves[2]?.send(...tableFrames(['word', 'more'], QrpTable.of(['word'])));
  network.pass(2_000);
  t.strictSame(queriesOf(), [1, 0, 1]);
});

t.test('a link that is asked again with more TTL counts as one', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('up', { limits: LIMITS });
  const peer = network.puppet(servent);
  const search = servent.search({ text: 'word' });
  network.pass(5_000, 100);
  t.strictSame(
    peer.ofType(Type.Query).map(({ ttl }) => ttl),
    [2, 4],
  );
  t.equal(search.linksAsked, 1);
});

t.test('a new ultrapeer is asked as long as a search of ours wants more', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('up', { limits: LIMITS });
  const search = servent.search({ text: 'word' });
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
