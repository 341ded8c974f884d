// Datagrams that are well formed and meant ill: each is one that any stranger may send.
import fc from 'fast-check';
import t from 'tap';
import { Type } from '../../../../protocol/constants.ts';
import { ProtocolError } from '../../../../protocol/errors.ts';
import { RateLimit } from '../../../../protocol/rate-limit.ts';
import { encodeCobs, encodeGgep, GGEP_ITEMS_MAX, type GgepItem } from '../../../../protocol/wire/ggep.ts';
import { encodeDescriptor } from '../../../../protocol/wire/header.ts';
import { parsePong } from '../../../../protocol/wire/pong.ts';
import { VirtualDatagrams } from '../../../support/virtual-datagrams.ts';
import { SeededRandom, VirtualNetwork } from '../../../support/virtual-network.ts';
import { bytes } from '../../../support/wire-arbitraries.ts';

const random = new SeededRandom(5);
const STRANGER = { host: '5.5.2.98', port: 6346 };
const UNHURRIED = new RateLimit(1, 1_000_000);
const NOTHING = Buffer.alloc(0);

function server() {
  const network = new VirtualNetwork();
  const wire: { bytes: Buffer }[] = [];
  const servent = network.add('server', {});
  servent.library.share('zebra song');
  const limits = { perAddress: UNHURRIED, pings: UNHURRIED, crawls: UNHURRIED, heads: UNHURRIED, answers: UNHURRIED };
  const datagrams = new VirtualDatagrams(servent, network, wire as never, limits);
  return { network, wire, servent, datagrams, key: datagrams.core.guess.keyOf(STRANGER, network.clock.ms) };
}

const ping = (items: readonly GgepItem[]) =>
  encodeDescriptor(random.guid(), Type.Ping, 1, 0, encodeGgep(items, { cobs: false }));

t.test('what a ping asks for 32 times it gets once', async t => {
  const { wire, datagrams } = server();
  const asked = Array.from({ length: GGEP_ITEMS_MAX }, (_, i) => ({ id: i % 2 === 0 ? 'IP' : 'QK', payload: NOTHING }));
  t.equal(datagrams.receive(ping(asked), STRANGER), 'taken');
  const { ggep } = parsePong(wire[0]?.bytes.subarray(23) ?? NOTHING);
  t.strictSame(
    ggep
      .map(({ id }) => id)
      .filter(id => id === 'IP' || id === 'QK')
      .sort(),
    ['IP', 'QK'],
  );
});

/** One GGEP item as raw bytes, its flags as the attacker likes. */
const item = fc
  .tuple(
    fc.constantFrom('QK', 'SCP', 'Z', 'IP', 'SO', 'XQ', 'H', 'u', 'WH', 'GUE', 'VC', 'UP', 'A', 'LONGEST.ID.15CH'),
    fc.oneof(fc.constant(NOTHING), bytes(0, 12), bytes(16), fc.constant(Buffer.from('zebra\0song'))),
    fc.boolean(),
  )
  .map(([id, payload, cobs]) => ({ id, payload, cobs }));

type RawItem = { id: string; payload: Buffer; cobs: boolean };

function rawBlock(items: readonly RawItem[]): Buffer {
  const parts = items.map(({ id, payload, cobs }, i) => {
    const body = cobs || payload.includes(0) ? encodeCobs(payload) : payload;
    const flags = (i === items.length - 1 ? 0x80 : 0) | (body === payload ? 0 : 0x40) | id.length;
    return Buffer.concat([Buffer.of(flags), Buffer.from(id), Buffer.of(0x40 | body.length), body]);
  });
  return Buffer.concat([Buffer.of(0xc3), ...parts]);
}

const block = fc.array(item, { minLength: 1, maxLength: GGEP_ITEMS_MAX });
const blocks = fc.array(block, { maxLength: 4 });

t.test('whatever the items, blocks and NULs, nothing is thrown and no leaf gets more than came', async t => {
  const { network, servent, datagrams, key } = server();
  const passed: Buffer[] = [];
  const { overlay } = servent;
  const pass = overlay.receiveDatagramQuery.bind(overlay);
  overlay.receiveDatagramQuery = (query, now) => {
    passed.push(query);
    return pass(query, now);
  };
  const ends = new Set<string>();
  fc.assert(
    fc.property(
      fc.constantFrom(Type.Ping, Type.Pong, Type.Query, Type.QueryHit, Type.Push, Type.Vendor),
      fc.boolean(),
      bytes(0, 40),
      blocks,
      fc.boolean(),
      (type, keyed, head, some, tail) => {
        network.clock.ms += 2_000;
        const all = keyed ? [[{ id: 'QK', payload: key, cobs: true }], ...some] : some;
        const area = all.flatMap((items, i) => [i > 0 ? Buffer.of(0x1c) : NOTHING, rawBlock(items)]);
        const text = type === Type.Query ? Buffer.from('\x80\0zebra\0', 'latin1') : NOTHING;
        const front = type === Type.Query ? text : type === Type.Ping ? NOTHING : head;
        const payload = Buffer.concat([front, ...area, tail ? Buffer.alloc(1) : NOTHING]);
        const datagram = encodeDescriptor(random.guid(), type, 1, 0, payload);
        passed.length = 0;
        ends.add(datagrams.receive(datagram, STRANGER));
        for (const query of passed) {
          if (query.length > datagram.length) throw new Error(`${datagram.length} bytes became ${query.length}`);
        }
      },
    ),
    { numRuns: 600, seed: 20 },
  );
  t.equal(datagrams.core.ends.of('internal'), 0);
  t.ok(ends.has('taken') && ends.has('malformed'), [...ends].join(' '));
  t.ok(datagrams.core.guess.served > 10, `${datagrams.core.guess.served} queries served`);
});

t.test('a bug of ours is thrown and counted, a fault of theirs neither', async t => {
  const { servent, datagrams } = server();
  t.equal(datagrams.receive(ping([]).subarray(0, 5), STRANGER), 'malformed');
  servent.overlay.receiveDatagramPush = () => {
    throw new ProtocolError('WIRE_MALFORMED', 'theirs');
  };
  const push = encodeDescriptor(random.guid(), Type.Push, 1, 0, Buffer.alloc(26));
  t.equal(datagrams.receive(push, STRANGER), 'malformed');
  servent.overlay.receiveDatagramPush = () => {
    throw new TypeError('ours');
  };
  t.throws(() => datagrams.receive(push, STRANGER), TypeError);
  t.equal(datagrams.core.ends.of('internal'), 1);
});

t.test('a shared file as old as nothing can be is offered without its age', async t => {
  const { wire, network, servent, datagrams, key } = server();
  servent.library.add('lion song', Buffer.alloc(20, 8), -86_400_000);
  servent.library.add('tiger song', Buffer.alloc(20, 9), 9e21);
  const query = encodeDescriptor(
    random.guid(),
    Type.Query,
    1,
    0,
    Buffer.concat([Buffer.from('\x80\0song\0', 'latin1'), rawBlock([{ id: 'QK', payload: key, cobs: true }])]),
  );
  t.equal(datagrams.receive(query, STRANGER), 'taken');
  network.clock.ms += 10_000;
  datagrams.core.tick(network.clock.ms);
  const hits = wire.map(({ bytes }) => bytes).filter(sent => sent[16] === Type.QueryHit);
  t.ok(hits.some(hit => hit.includes('lion song')) && hits.some(hit => hit.includes('tiger song')));
});
