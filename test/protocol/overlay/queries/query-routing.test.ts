import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import t from 'tap';
import { Type } from '../../../../protocol/constants.ts';
import { Priority } from '../../../../protocol/overlay/links/send-queue.ts';
import { queryText } from '../../../../protocol/overlay/queries/question.ts';
import { queryHashes } from '../../../../protocol/qrp/hash.ts';
import { encodeTable } from '../../../../protocol/qrp/patch.ts';
import { QrpTable } from '../../../../protocol/qrp/table.ts';
import { parseBye } from '../../../../protocol/wire/bye.ts';
import { encodeDescriptor } from '../../../../protocol/wire/header.ts';
import { encodeRouteTableUpdate, type RouteTableUpdate } from '../../../../protocol/wire/route-table-update.ts';
import { encodeHopsFlow } from '../../../../protocol/wire/vendor/leaf-guidance.ts';
import { readCapture, readCaptures } from '../../../support/captures.ts';
import { query, random } from '../../../support/descriptors.ts';
import { readFixture } from '../../../support/fixtures.ts';
import { finds, LIMITS, tableFrames, tableOf, ultrapeerWith, vendor } from '../../../support/route-tables.ts';
import { type Puppet, VirtualNetwork } from '../../../support/virtual-network.ts';
import { hostileBytes } from '../../../support/wire-arbitraries.ts';

const messages = (updates: readonly RouteTableUpdate[]): Buffer[] =>
  updates.map(update => encodeDescriptor(random.guid(), Type.Qrp, 1, 0, encodeRouteTableUpdate(update)));

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

t.test('a peer that breaks the rules of QRP gets Bye 413, and its table is forgotten', async t => {
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
  const half = { kind: 'patch', sequence: 1, count: 2, deflated: false, entryBits: 4, data: Buffer.alloc(1) } as const;
  const begun = messages([{ kind: 'reset', slots: 2 ** 21, infinity: 7 }, half]);
  for (const leaf of leaves.slice(0, 260)) leaf.send(...begun);
  t.ok(servent.overlay.queryRouting.tableBytes <= 65 * 2 ** 20);
  network.settle();
  t.ok(servent.overlay.links.size < 261);
  t.equal(leaves[260]?.ofType(Type.Bye).length, 0, 'not the honest one');
});

t.test(
  'however full a table is, its leaf is asked for all that it may have, by us and by other ultrapeers',
  async t => {
    for (const [slots, share] of [
      [2 ** 16, 1],
      [2 ** 16, 0.4],
      [2 ** 20, 0.05], // 0.34 once it is folded to 2^17
    ] as const) {
      const { network, servent, leaves, queriesOf } = ultrapeerWith(null, ['word']);
      const table = QrpTable.of(['symphony']).resized(slots);
      for (let slot = 0; slot < slots; slot++) if ((slot * 0.618_034) % 1 < share) table.set(slot);
      leaves[0]?.send(...messages(encodeTable(null, table)));
      const peer = network.puppet(servent, 'ultrapeer', { ultrapeerQueryRouting: true });
      network.settle();
      leaves[0]?.link.queue.enqueue(query(1, 1, 'waits'), Priority.Query); // a leaf that reads slowly misses nothing either
      peer.send(query(2, 1, 'symphony'));
      network.settle();
      t.strictSame(queriesOf(), [2, 0], `${share}`);
      t.ok(finds(tableOf(peer), 'symphony') && finds(tableOf(peer), 'word'), `${share}`);
    }
  },
);

t.test('who sends tables faster than they are worth is shown out with Bye 410', async t => {
  const patch = { kind: 'patch', sequence: 1, count: 1, deflated: true, entryBits: 8 } as const;
  const data = deflateSync(Buffer.alloc(2 ** 21, 0xfa));
  const flood = messages([
    { kind: 'reset', slots: 2 ** 21, infinity: 7 },
    ...new Array<RouteTableUpdate>(6).fill({ ...patch, data }),
  ]);
  const resets = messages(new Array<RouteTableUpdate>(3_000).fill({ kind: 'reset', slots: 2 ** 21, infinity: 7 }));
  for (const role of ['leaf', 'ultrapeer'] as const) {
    for (const frames of [flood, resets]) {
      const network = new VirtualNetwork();
      const servent = network.add('up', { limits: { flooding: false } });
      const peer = network.puppet(servent, role);
      peer.send(...frames);
      network.settle();
      t.equal(parseBye(peer.ofType(Type.Bye)[0]?.payload ?? Buffer.alloc(2)).code, 410);
      t.equal(servent.overlay.queryRouting.tableBytes, 0);
    }
  }
});

t.test('tables of the sizes and at the pace that servents send them are taken for hours', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('up', { limits: { flooding: false, aliveAfterMs: 86_400_000 } });
  // gtk-gnutella's largest, merged every five minutes; ours, four at once and then so; LimeWire's, every ten seconds at worst
  const paces = [
    { slots: 2 ** 21, first: 1, everySeconds: 300 },
    { slots: 2 ** 21, first: 4, everySeconds: 300 },
    { slots: 2 ** 17, first: 1, everySeconds: 10 },
  ];
  const peers = paces.map(({ slots, first }) => {
    const peer = network.puppet(servent, 'ultrapeer');
    const empty = new QrpTable(slots);
    const one = new QrpTable(slots);
    one.set(1);
    peer.send(...messages(encodeTable(null, one)));
    for (let more = 1; more < first; more++)
      peer.send(...messages(encodeTable(more % 2 ? one : empty, more % 2 ? empty : one)));
    return { peer, changes: [messages(encodeTable(one, empty)), messages(encodeTable(empty, one))] };
  });
  for (let second = 10; second <= 3_600; second += 10) {
    network.pass(10_000);
    for (const [i, { peer, changes }] of peers.entries()) {
      if (second % (paces[i]?.everySeconds ?? 1) === 0) peer.send(...(changes[(second / 10) % 2] ?? []));
    }
  }
  t.strictSame(
    peers.map(({ peer }) => peer.link.ended),
    [null, null, null],
  );
});

t.test('a RESET alone takes no memory', async t => {
  const { servent, leaves } = ultrapeerWith(null);
  leaves[0]?.send(...messages([{ kind: 'reset', slots: 2 ** 21, infinity: 7 }]));
  t.equal(servent.overlay.queryRouting.tableBytes, 0);
});

t.test('the tables that every servent was captured sending are taken, from leaves and from ultrapeers', async t => {
  let tables = 0;
  for (const { file, descriptors } of readCaptures()) {
    for (const side of ['servent', 'peer'] as const) {
      const frames = descriptors.filter(({ from, bytes }) => from === side && bytes[16] === Type.Qrp);
      for (const role of ['leaf', 'ultrapeer'] as const) {
        const network = new VirtualNetwork();
        const servent = network.add('up', { limits: { flooding: false } });
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

t.test('hops flow that goes back and forth moves a leaf in the union once a second at most', async t => {
  const { network, servent, leaves } = ultrapeerWith(['alpha']);
  const peer = network.puppet(servent, 'ultrapeer', { ultrapeerQueryRouting: true });
  network.pass(5_000);
  const before = peer.ofType(Type.Qrp).length;
  for (let i = 0; i < 99; i++) leaves[0]?.send(vendor(encodeHopsFlow(2)), vendor(encodeHopsFlow(5)));
  network.pass(5_000);
  t.equal(peer.ofType(Type.Qrp).length, before, 'nothing has changed');
  leaves[0]?.send(vendor(encodeHopsFlow(2)));
  network.pass(5_000);
  t.notOk(finds(tableOf(peer), 'alpha'));
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
  const servent = network.add('up', { limits: LIMITS });
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
  const servent = network.add('a', { limits: LIMITS });
  const leaf = network.add('leaf', { limits: LIMITS, role: 'leaf' });
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

t.test(
  'neighbours know a change of the library within 5 s; after two minutes of changes they are told less often',
  async t => {
    const network = new VirtualNetwork();
    const servent = network.add('a', {
      limits: { ...LIMITS, tableUpdateMs: 300_000, unionUpdateMs: 60_000, aliveAfterMs: 86_400_000 },
    });
    const peer = network.puppet(servent, 'ultrapeer', { ultrapeerQueryRouting: true });
    network.settle();
    t.equal(peer.ofType(Type.Qrp)[0]?.payload[0], 0, 'a RESET first');
    const first = peer.ofType(Type.Qrp).length;
    const changeEachSecond = (from: number, to: number): void => {
      for (let second = from; second < to; second++) {
        servent.library.share(`file${second}.txt`);
        servent.overlay.onLibraryChanged();
        network.pass(1_000);
      }
    };
    for (const second of [0, 20, 40, 60, 80, 100]) {
      changeEachSecond(second, second + 20);
      t.ok(finds(tableOf(peer), `file${second + 15}`), `a change of second ${second + 15} is known 5 s later`);
    }
    const early = peer.ofType(Type.Qrp).length - first;
    t.ok(early <= 31, `${early} updates in two minutes`);
    t.equal(peer.ofType(Type.Qrp).filter(({ payload }) => payload[0] === 0).length, 1, 'no second RESET');
    changeEachSecond(120, 420);
    const steady = peer.ofType(Type.Qrp).length - first - early;
    t.ok(steady >= 1 && steady <= 2, `${steady} updates in the next five`);
    t.ok(finds(tableOf(peer), 'file250'));
  },
);

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
  const servent = network.add('a', { limits: LIMITS });
  for (let i = 0; i < 3_000; i++) servent.library.share(`word${i * 7919} other${i * 104_729}.txt`);
  const peer = network.puppet(servent, 'ultrapeer', { ultrapeerQueryRouting: true, queryRouting: 0.1 });
  const deflated = network.puppet(servent, 'ultrapeer', { ultrapeerQueryRouting: true }, { deflateOut: true });
  network.settle();
  t.equal(deflated.ofType(Type.Qrp).length, 0, 'six thousand words are not hashed in one go');
  network.pass(20, 1);
  t.equal(deflated.ofType(Type.Qrp).length, 5);
  network.pass(1_000);
  t.ok(deflated.ofType(Type.Qrp).length <= 10);
  network.pass(20_000);
  t.ok(finds(tableOf(deflated), `word${7919 * 2_999}`));
  t.ok(finds(tableOf(peer), `word${7919 * 2_999}`));
  t.ok(peer.ofType(Type.Qrp).length < deflated.ofType(Type.Qrp).length, 'compressed where the link is not');
});
