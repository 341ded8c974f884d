import t from 'tap';
import { Type } from '../../../../protocol/constants.ts';
import { Drop } from '../../../../protocol/overlay/links/drops.ts';
import { encodeDescriptor } from '../../../../protocol/wire/header.ts';
import { hitFor, hitPayload, push, pushTo, query, random } from '../../../support/descriptors.ts';
import { VirtualNetwork, type VirtualServent } from '../../../support/virtual-network.ts';

// --- hits

t.test('a hit goes back only to where its query came from, and says one hop more', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a');
  const [from, answering, other] = [network.puppet(servent), network.puppet(servent), network.puppet(servent)];
  const sent = query(4, 0);
  from.send(sent);
  const payload = hitPayload();
  answering.send(hitFor(sent, 5, 2, payload));
  network.settle();
  const [hit] = from.ofType(Type.QueryHit);
  t.strictSame([hit?.ttl, hit?.hops], [4, 3]);
  t.ok(hit?.payload.equals(payload));
  t.equal(other.ofType(Type.QueryHit).length, 0);
});

t.test('hits nobody waits for are dropped and counted by reason', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a');
  const [from, answering] = [network.puppet(servent), network.puppet(servent)];
  const sent = query(4, 0);
  const hit = (guid: Buffer, ttl = 5, hops = 0): Buffer =>
    encodeDescriptor(guid, Type.QueryHit, ttl, hops, hitPayload());
  from.send(sent);
  answering.send(hit(random.guid()));
  t.equal(answering.link.drops?.of(Drop.HitNoRoute), 1);
  from.send(hit(sent.subarray(0, 16)));
  t.equal(from.link.drops?.of(Drop.HitBackwards), 1);
  answering.send(hit(sent.subarray(0, 16), 1));
  t.equal(answering.link.drops?.of(Drop.HitExpired), 1);
  answering.send(hit(sent.subarray(0, 16), 5, 200));
  t.equal(answering.link.drops?.of(Drop.HitExpired), 2);
  const search = servent.search({ text: 'words' });
  servent.overlay.cancelSearch(search);
  answering.send(hit(search.guid));
  t.equal(answering.link.drops?.of(Drop.HitUnwanted), 1);
  servent.overlay.removeLink(from.link, 'gone');
  answering.send(hit(sent.subarray(0, 16)));
  t.equal(answering.link.drops?.of(Drop.HitLinkGone), 1);
  network.settle();
  t.equal(from.ofType(Type.QueryHit).length, 0);
  t.equal(servent.hits.length, 0);
});

t.test('a hit whose TTL is spent still reaches the leaf that asked', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a');
  const [leaf, answering] = [network.puppet(servent, 'leaf'), network.puppet(servent)];
  const sent = query(4, 0);
  leaf.send(sent);
  answering.send(hitFor(sent, 1, 3));
  network.settle();
  t.strictSame(
    leaf.ofType(Type.QueryHit).map(({ ttl, hops }) => [ttl, hops]),
    [[1, 4]],
  );
});

t.test('when the link that asked is gone, the hit takes the way of the second copy', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a');
  const [first, second, answering] = [network.puppet(servent), network.puppet(servent), network.puppet(servent)];
  const sent = query(4, 0);
  first.send(sent);
  second.send(sent);
  servent.overlay.removeLink(first.link, 'gone');
  answering.send(hitFor(sent, 5, 0));
  network.settle();
  t.equal(second.ofType(Type.QueryHit).length, 1);
});

t.test('a malformed hit for our own search is counted and costs nothing else', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a');
  const peer = network.puppet(servent);
  const search = servent.search({ text: 'words' });
  peer.send(encodeDescriptor(search.guid, Type.QueryHit, 5, 0, Buffer.alloc(60, 0xff)));
  peer.send(encodeDescriptor(search.guid, Type.QueryHit, 5, 0, hitPayload(random.guid(), 3)));
  t.equal(peer.link.drops?.of(Drop.Malformed), 1);
  t.equal(search.hits, 3);
  t.equal(servent.overlay.links.size, 1);
});

// --- pushes

t.test('a push finds the servent whose hit came along the line', async t => {
  const network = new VirtualNetwork();
  const [a, b, c, d] = network.line('abcd') as [VirtualServent, VirtualServent, VirtualServent, VirtualServent];
  d.library.share('words.txt');
  a.search({ text: 'words' });
  network.settle();
  t.equal(a.sendPush(pushTo(d.serventGuid)), 1);
  network.settle();
  t.equal(d.pushes.length, 1);
  t.strictSame(d.pushes[0]?.endpoint, { host: '80.1.1.1', port: 6346 });
  t.equal(d.pushes[0]?.fileIndex, 3);
  t.equal(b.pushes.length + c.pushes.length, 0);
  t.equal(a.sendPush(pushTo(random.guid())), 0, 'nobody knows that servent');
});

t.test('a push reaches a direct neighbour by the GUID of its handshake, TTL spent or not', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a');
  const guid = random.guid();
  const [from, leaf] = [network.puppet(servent), network.puppet(servent, 'leaf', { guid })];
  from.send(push(guid, 1, 4));
  network.settle();
  t.strictSame(
    leaf.ofType(Type.Push).map(({ ttl, hops }) => [ttl, hops]),
    [[1, 5]],
  );
});

t.test('a push goes to every link that brought hits of that servent, but not back', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a');
  const [asking, one, two] = [network.puppet(servent), network.puppet(servent), network.puppet(servent)];
  const guid = random.guid();
  const sent = query(4, 0);
  asking.send(sent);
  for (const peer of [one, two]) peer.send(hitFor(sent, 5, 0, hitPayload(guid)));
  asking.send(push(guid, 4, 0));
  two.send(push(guid, 4, 0));
  network.settle();
  t.strictSame(
    [asking, one, two].map(peer => peer.ofType(Type.Push).length),
    [0, 2, 1],
  );
});

t.test('pushes without a way, in a circle, or too many are dropped', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a');
  const guid = random.guid();
  const [from, leaf] = [network.puppet(servent), network.puppet(servent, 'leaf', { guid })];
  from.send(push(random.guid(), 4, 0), push(guid, 4, 15), push(random.guid(), 0, 1));
  t.equal(from.link.drops?.of(Drop.PushNoRoute), 1);
  t.equal(from.link.drops?.of(Drop.PushExpired), 1);
  t.equal(from.link.drops?.of(Drop.TtlZero), 1);
  for (let i = 0; i < 60; i++) from.send(push(guid, 4, 0));
  network.settle();
  t.ok(leaf.ofType(Type.Push).length <= 50);
  t.ok((from.link.drops?.of(Drop.PushTooSoon) ?? 0) >= 10);
});
