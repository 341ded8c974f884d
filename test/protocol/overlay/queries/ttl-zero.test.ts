// Descriptors whose TTL has run out on arrival: LimeWire's ultrapeers send their leaves queries and pushes so.
import t from 'tap';
import { Type } from '../../../../protocol/constants.ts';
import { Drop } from '../../../../protocol/overlay/links/drops.ts';
import { QUERY_GUARD } from '../../../../protocol/overlay/queries/query-guard.ts';
import { encodeDescriptor } from '../../../../protocol/wire/header.ts';
import { encodePush } from '../../../../protocol/wire/push.ts';
import { parseQueryHit } from '../../../../protocol/wire/query-hit.ts';
import { encodeHopsFlow } from '../../../../protocol/wire/vendor/leaf-guidance.ts';
import { readCapture } from '../../../support/captures.ts';
import { hitFor, hitPayload, push, pushTo, query, random } from '../../../support/descriptors.ts';
import { VirtualNetwork } from '../../../support/virtual-network.ts';

const ping = (ttl: number, hops: number): Buffer =>
  encodeDescriptor(random.guid(), Type.Ping, ttl, hops, Buffer.alloc(0));

t.test('an ultrapeer that sends its leaf queries with TTL 0 for ten minutes gets every answer and no Bye', async t => {
  const network = new VirtualNetwork();
  const leaf = network.add('leaf', { role: 'leaf', limits: { flooding: false, queries: QUERY_GUARD } });
  const ultrapeer = network.puppet(leaf);
  const [captured] = readCapture('limewire/leaf_in_plain.json').descriptors.filter(
    ({ from, bytes }) => from === 'servent' && bytes[16] === Type.Query,
  );
  if (captured === undefined) throw new Error('LimeWire was seen to send a leaf a query');
  t.strictSame([captured.bytes[17], captured.bytes[18]], [0, 1], 'TTL 0, hops 1');
  leaf.library.share('quagga.ogg');
  ultrapeer.send(captured.bytes);
  network.settle();
  t.equal(parseQueryHit(ultrapeer.ofType(Type.QueryHit)[0]?.payload ?? Buffer.alloc(0)).hits[0]?.name, 'quagga.ogg');

  ultrapeer.seen = [];
  const asked: string[] = [];
  for (let second = 0; second < 600; second++) {
    leaf.library.share(`number${second} of many.ogg`);
    const sent = query(0, 1 + (second % 4), `number${second} many`);
    asked.push(sent.toString('hex', 0, 16));
    ultrapeer.send(sent);
    if (second % 10 === 0) ultrapeer.send(push(leaf.serventGuid, 0, second % 3));
    network.pass(1_000);
  }
  t.strictSame(
    ultrapeer.ofType(Type.QueryHit).map(({ guid }) => guid.toString('hex')),
    asked,
  );
  t.equal(leaf.passed.length, 601, 'all were told to those who watch');
  t.equal(leaf.pushes.length, 60);
  t.equal(ultrapeer.ofType(Type.Bye).length, 0);
  t.equal(ultrapeer.link.drops, null);
});

t.test('a query with TTL 0 is answered by an ultrapeer and goes to nobody, whatever passes later', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a');
  servent.library.share('some words.txt');
  const from = network.puppet(servent);
  const legacy = network.puppet(servent, 'legacy');
  const others = [network.puppet(servent), network.puppet(servent, 'leaf')];
  const queries = (): number[] => [from, legacy, ...others].map(peer => peer.ofType(Type.Query).length);
  const sent = query(0, 2);
  from.send(sent);
  legacy.send(query(0, 1));
  network.settle();
  t.strictSame(queries(), [0, 0, 0, 0]);
  t.strictSame(
    [from, legacy].map(peer => peer.ofType(Type.QueryHit).length),
    [1, 1],
  );
  from.send(sent);
  t.equal(from.link.drops?.of(Drop.DuplicateSameLink), 1);
  const [, leaf] = others;
  leaf?.send(query(0, 0));
  network.settle();
  t.equal(leaf?.ofType(Type.QueryHit).length, 0);
  t.equal(leaf?.link.drops?.of(Drop.TtlZero), 1, 'a leaf relays nothing: what it sends has had no hop');
  from.send(query(0, 16));
  t.equal(from.link.drops?.of(Drop.TtlTooHigh), 1, 'hops alone may be too many');
});

t.test('pings, hits, pushes and messages with TTL 0 are for us, and cost an ultrapeer nothing', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a', { limits: { flooding: true } });
  const from = network.puppet(servent);
  const guid = random.guid();
  const leaf = network.puppet(servent, 'leaf', { guid });
  const search = servent.search({ text: 'song' });
  network.settle();
  from.seen = [];

  from.send(ping(0, 0), ping(0, 2));
  network.settle();
  t.equal(from.ofType(Type.Pong).length, 1, 'straight from the peer it is an answer, farther it asks for hosts');

  from.send(hitFor(search.guid, 0, 3, hitPayload()));
  t.equal(servent.hits.length, 1);

  const asked = query(4, 0);
  leaf.send(asked);
  from.send(hitFor(asked, 0, 3));
  network.settle();
  t.strictSame(
    [leaf.ofType(Type.QueryHit)[0]?.ttl, leaf.ofType(Type.QueryHit)[0]?.hops],
    [1, 4],
    'the last step is free',
  );

  from.send(push(servent.serventGuid, 0, 0), push(guid, 0, 1));
  network.settle();
  t.equal(servent.pushes.length, 1);
  t.ok(leaf.ofType(Type.Push)[0]?.payload.equals(encodePush(pushTo(guid))), 'and so it is for pushes');

  from.send(encodeDescriptor(random.guid(), Type.Vendor, 0, 0, encodeHopsFlow(0)));
  t.equal(from.link.queryHopsMax, 0);
  t.equal(from.link.drops, null);
});

t.test(
  'a push with TTL 0 that is not its target at our side dies, however many come: no ultrapeer is left for it',
  async t => {
    const network = new VirtualNetwork();
    const servent = network.add('a', { limits: { flooding: true } });
    const [from, behind] = [network.puppet(servent), network.puppet(servent)];
    const guid = random.guid();
    const asked = query(4, 0);
    from.send(asked);
    behind.send(hitFor(asked, 5, 1, hitPayload(guid)));
    for (let i = 0; i < 40; i++) {
      from.send(push(guid, 0, 1));
      network.pass(1_000);
    }
    t.equal(behind.ofType(Type.Push).length, 0);
    t.equal(from.link.drops?.of(Drop.TtlZero), 40);
    t.equal(from.ofType(Type.Bye).length, 0);
    t.equal(servent.overlay.links.size, 2);
  },
);
