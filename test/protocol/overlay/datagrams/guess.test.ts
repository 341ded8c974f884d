import t from 'tap';
import { Type } from '../../../../protocol/constants.ts';
import { LOCAL_DATAGRAM_LIMITS } from '../../../../protocol/overlay/datagrams/datagrams.ts';
import { RateLimit } from '../../../../protocol/rate-limit.ts';
import type { GgepItem } from '../../../../protocol/wire/ggep.ts';
import { addressGuid } from '../../../../protocol/wire/guid-address.ts';
import { encodeDescriptor } from '../../../../protocol/wire/header.ts';
import { encodePing } from '../../../../protocol/wire/ping.ts';
import { parsePong } from '../../../../protocol/wire/pong.ts';
import { encodeQuery, parseQuery, QueryFlag } from '../../../../protocol/wire/query.ts';
import { encodeQueryHit, PLAIN_HIT, PLAIN_QUERY_HIT, parseQueryHit } from '../../../../protocol/wire/query-hit.ts';
import { type SentDatagram, VirtualDatagrams } from '../../../support/virtual-datagrams.ts';
import { SeededRandom, type ServentOptions, VirtualNetwork } from '../../../support/virtual-network.ts';

const random = new SeededRandom(3);
const SEARCHER = { host: '5.5.2.98', port: 6346 };
const NOTHING = Buffer.alloc(0);
const QUICK = { pace: { minMs: 1, maxMs: 5, perAddress: new RateLimit(1, 50) } };

function server(options: ServentOptions = {}) {
  const network = new VirtualNetwork();
  const wire: SentDatagram[] = [];
  const servent = network.add('server', options);
  servent.library.share('alpha song');
  const datagrams = new VirtualDatagrams(servent, network, wire, QUICK);
  const keyOf = (from = SEARCHER) => {
    const asked = encodePing({ supportsCachedPongs: null, ggep: [{ id: 'QK', payload: NOTHING }] });
    datagrams.receive(encodeDescriptor(random.guid(), Type.Ping, 1, 0, asked), from);
    return keyIn(wire.splice(0)[0]?.bytes);
  };
  return { network, wire, servent, datagrams, keyOf };
}

function keyIn(pong: Buffer | undefined): Buffer | null {
  return parsePong(pong?.subarray(23) ?? Buffer.alloc(14)).ggep.find(({ id }) => id === 'QK')?.payload ?? null;
}

function query(key: Buffer | null, more: GgepItem[] = [], guid = random.guid()) {
  const ggep = key === null ? more : [{ id: 'QK', payload: key }, ...more];
  return encodeDescriptor(guid, Type.Query, 1, 0, encodeQuery({ text: 'song', ggep }));
}

t.test('with a key of ours a query brings a pong and hits', async t => {
  const { wire, datagrams, keyOf } = server();
  datagrams.known = [{ host: '5.6.7.8', port: 6346 }];
  const key = keyOf();
  t.equal(key?.length, 8);
  const guid = random.guid();
  t.equal(datagrams.receive(query(key, [{ id: 'SCP', payload: Buffer.of(1) }], guid), SEARCHER), 'taken');
  t.strictSame(
    wire.map(({ bytes, to }) => [bytes[16], to.port, bytes.subarray(0, 16).equals(guid)]),
    [
      [Type.Pong, SEARCHER.port, true],
      [Type.QueryHit, SEARCHER.port, true],
    ],
  );
  const pong = parsePong(wire[0]?.bytes.subarray(23) ?? NOTHING);
  t.match(pong, { guess: 2, hosts: [{ host: '5.6.7.8' }] });
  t.equal(parseQueryHit(wire[1]?.bytes.subarray(23) ?? NOTHING).hits[0]?.name, 'alpha song');
  wire.length = 0;
  datagrams.receive(query(key, [], guid), SEARCHER);
  t.strictSame(wire, [], 'the same query again brings nothing');
});

t.test('a key is for one address and lives a day or two', async t => {
  const { network, wire, datagrams, keyOf } = server();
  const key = keyOf();
  const answers = (from = SEARCHER) => {
    wire.length = 0;
    datagrams.receive(query(key), from);
    return wire.map(({ bytes }) => bytes[16]);
  };
  t.strictSame(answers(), [Type.Pong, Type.QueryHit]);
  t.strictSame(answers({ host: SEARCHER.host, port: 1 }), [Type.Pong], 'from another port');
  t.not(keyIn(wire[0]?.bytes), null, 'it is told its own key');
  network.clock.ms += 86_400_000;
  t.strictSame(answers(), [Type.Pong, Type.QueryHit], 'the day after');
  network.clock.ms += 86_400_000;
  t.strictSame(answers(), [Type.Pong], 'the day after that');
});

t.test('without a key there is no answer; with wrong ones few', async t => {
  const { wire, datagrams } = server();
  datagrams.receive(query(null), SEARCHER);
  t.strictSame(wire, []);
  for (let i = 0; i < 30; i++) datagrams.receive(query(Buffer.alloc(4, i)), SEARCHER);
  t.equal(wire.length, 2);
  t.equal(datagrams.core.guess.badKeys, 31);
});

t.test('one address may ask ten queries at once, then one a second', async t => {
  const { network, datagrams, keyOf } = server();
  const key = keyOf();
  for (let i = 0; i < 30; i++) datagrams.receive(query(key), SEARCHER);
  t.equal(datagrams.core.guess.served, 10);
  network.clock.ms += 5_000;
  for (let i = 0; i < 30; i++) datagrams.receive(query(key), SEARCHER);
  t.equal(datagrams.core.guess.served, 15);
});

t.test('a leaf serves no GUESS and gives no keys', async t => {
  const { wire, datagrams, keyOf } = server({ role: 'leaf' });
  t.equal(keyOf(), null);
  datagrams.receive(query(Buffer.alloc(8)), SEARCHER);
  t.strictSame(wire, []);
});

t.test('hits of a leaf go back by datagram, as long as anybody waits for them', async t => {
  const { network, wire, servent, datagrams, keyOf } = server();
  const key = keyOf();
  const guid = random.guid();
  datagrams.receive(query(key, [], guid), SEARCHER);
  wire.length = 0;
  // what a leaf's hit brings about does not depend on how the query reached it
  const leaf = network.puppet(servent, 'leaf', { guid: random.guid() });
  network.settle();
  const hit = (name: string) =>
    encodeDescriptor(
      guid,
      Type.QueryHit,
      3,
      0,
      encodeQueryHit({
        ...PLAIN_QUERY_HIT,
        endpoint: { host: '5.6.7.9', port: 1 },
        speedKbps: 1,
        vendor: 'LEAF',
        serventGuid: Buffer.alloc(16, 7),
        hits: [{ ...PLAIN_HIT, index: 1, size: 1, name }],
      }),
    );
  leaf.send(hit('leaf song'));
  network.settle();
  network.clock.ms += 10;
  datagrams.core.tick(network.clock.ms);
  t.strictSame(wire[0]?.to, SEARCHER);
  t.strictSame([wire[0]?.bytes[17], wire[0]?.bytes[18]], [1, 1]);
  t.equal(parseQueryHit(wire[0]?.bytes.subarray(23) ?? NOTHING).hits[0]?.name, 'leaf song');
  t.equal(
    servent.sendPush({
      serventGuid: Buffer.alloc(16, 7),
      fileIndex: 1,
      endpoint: SEARCHER,
      ipv6: null,
      tls: false,
      ggep: [],
    }),
    1,
    'and pushes find it',
  );
  wire.length = 0;
  leaf.send(hit('x'.repeat(1_500)));
  network.settle();
  network.clock.ms += 180_001;
  leaf.send(hit('too late'));
  network.settle();
  datagrams.core.tick(network.clock.ms);
  t.strictSame(wire, []);
  t.equal(datagrams.core.waiting.guessRoutes, 0);
});

t.test('queries go to leaves without what was for us', async t => {
  const network = new VirtualNetwork();
  const wire: SentDatagram[] = [];
  const hub = new VirtualDatagrams(network.add('hub'), network, wire, LOCAL_DATAGRAM_LIMITS);
  const leaf = network.add('leaf', { role: 'leaf' });
  leaf.library.share('leaf song');
  network.connect(leaf, hub.servent);
  network.carried = [];
  network.pass(3_000);
  const key = hub.core.guess.keyOf(SEARCHER, network.clock.now());
  hub.receive(query(key, [{ id: 'SCP', payload: Buffer.of(1) }]), SEARCHER);
  network.settle();
  network.clock.ms += 10;
  hub.core.tick(network.clock.ms);
  const [passed] = network.carried.filter(({ frame }) => frame.type === Type.Query);
  t.strictSame([passed?.frame.ttl, passed?.frame.hops], [1, 1]);
  const heard = parseQuery(passed?.frame.payload ?? NOTHING);
  t.match(heard, { text: 'song', flags: QueryFlag.Marked, ggep: [] });
  t.strictSame(
    wire
      .filter(({ bytes }) => bytes[16] === Type.QueryHit)
      .map(({ bytes }) => parseQueryHit(bytes.subarray(23)).hits[0]?.name),
    ['leaf song'],
  );
});

t.test(
  'leaves get a query as it came, but for what was for us and a return address that is not the searcher',
  async t => {
    const { servent, datagrams, keyOf } = server();
    const key = keyOf();
    const passed: Buffer[] = [];
    servent.overlay.receiveDatagramQuery = query => passed.push(query) > 0;
    const flags = QueryFlag.Marked | QueryFlag.Xml | QueryFlag.OutOfBand;
    const pass = (back: { host: string; port: number }) => {
      const ggep = ['SO', 'QK', 'SCP', 'TT'].map(id => ({ id, payload: id === 'QK' && key !== null ? key : NOTHING }));
      const payload = encodeQuery({ text: 'song', flags, ggep });
      datagrams.receive(encodeDescriptor(addressGuid(random.guid(), back), Type.Query, 1, 0, payload), SEARCHER);
      const { flags: kept, ggep: left } = parseQuery(passed.pop()?.subarray(23) ?? NOTHING);
      return [kept, left.map(({ id }) => id).join(' ')];
    };
    t.strictSame(pass(SEARCHER), [flags, 'SO TT']);
    t.strictSame(pass({ host: SEARCHER.host, port: 1 }), [flags, 'SO TT'], 'from behind a router');
    t.strictSame(pass({ host: '5.5.9.9', port: 53 }), [flags & ~QueryFlag.OutOfBand, 'TT']);
    t.strictSame(pass({ host: SEARCHER.host, port: 0 }), [flags & ~QueryFlag.OutOfBand, 'TT']);
  },
);

t.test('what is too long for links is too long for leaves', async t => {
  const { datagrams, keyOf } = server();
  const key = keyOf();
  const dropped = () => datagrams.core.guess.dropped;
  datagrams.receive(query(key, [{ id: 'XX', payload: Buffer.alloc(990, 1) }]), SEARCHER);
  t.equal(dropped(), 0);
  datagrams.receive(query(key, [{ id: 'XX', payload: Buffer.alloc(1_020, 1) }]), SEARCHER);
  t.equal(dropped(), 1);
});
