// A relay on real sockets: pairs who belongs together, passes bytes with the brake of the slower side, and closes on everybody else.
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import t, { type Test } from 'tap';
import { silentLog } from '../../../daemon/log.ts';
import { Dialer } from '../../../daemon/net/dialer.ts';
import { RelayPipe } from '../../../daemon/net/relay-pipe.ts';
import { RelayConnections } from '../../../daemon/network/relay-connections.ts';
import { SystemClock } from '../../../daemon/system.ts';
import { RelayDesk, type RelayTicket } from '../../../protocol/relay/relay-desk.ts';
import { encodeRelayAsk, encodeRelayCall } from '../../../protocol/relay/relay-line.ts';
import type { Servent } from '../../../protocol/servent.ts';
import { random } from '../../support/descriptors.ts';
import { closed, eventually, readBytes, socketPair } from '../../support/loopback.ts';

const LEAF = Buffer.alloc(16, 2);
const ask = { asker: Buffer.alloc(16, 1), server: LEAF, sha1: Buffer.alloc(20, 3) };
const callOf = (ticket?: RelayTicket) => ({ token: ticket?.token ?? '', sha1: ask.sha1 });

function made(t: Test) {
  const clock = new SystemClock();
  const limits = { perAddressMax: 100, perServerMax: 100, bytesPerSecond: 1e9, bytesMax: 20_000_000 };
  const desk = new RelayDesk({ random, relays: () => true, isServed: guid => guid.equals(LEAF), limits });
  const tickets: RelayTicket[] = [];
  const relaying = {
    desk,
    ask: (...asked: Parameters<RelayDesk['ask']>) => {
      const ticket = desk.ask(...asked);
      if (typeof ticket !== 'string') tickets.push(ticket);
      return ticket;
    },
  };
  const relays = new RelayConnections({
    servent: { identity: { serventGuid: LEAF }, relaying } as unknown as Pick<Servent, 'identity' | 'relaying'>,
    dialer: new Dialer({ forbids: () => null }),
    serve: () => undefined,
    ...{ clock, log: silentLog },
  });
  t.teardown(() => relays.stop());
  /** A connection to the relay on which this comes first; the other end of it. */
  const come = async (head: Buffer): Promise<Socket> => {
    const { ours, theirs } = await socketPair(t);
    relays.onRelay(ours, head);
    return theirs;
  };
  return { relays, desk, tickets, come };
}

t.test('bytes pass in both directions once both sides are there, and the end of one ends the other', async t => {
  const { desk, tickets, come } = made(t);
  const asker = await come(encodeRelayAsk(ask));
  t.equal(desk.waiting, 1);
  const server = await come(Buffer.concat([encodeRelayCall(callOf(tickets[0])), Buffer.from('GIV first')]));
  t.equal((await readBytes(asker, 9)).toString(), 'GIV first');
  asker.write('GET');
  t.equal((await readBytes(server, 3)).toString(), 'GET');
  const content = randomBytes(3_000_000);
  const read = readBytes(asker, content.length);
  server.write(content);
  t.ok((await read).equals(content));
  t.equal(desk.pairs, 1);
  t.ok(desk.bytes >= content.length + 12);
  server.end();
  await closed(asker);
  await eventually('the pair is over', () => desk.pairs === 0);
});

t.test('a connection that brings anything else is closed', async t => {
  const { desk, tickets, come } = made(t);
  const asker = await come(encodeRelayAsk(ask));
  const call = callOf(tickets[0]);
  for (const head of [
    encodeRelayCall({ ...call, token: `${call.token.slice(0, -3)}AAA` }),
    encodeRelayCall({ ...call, sha1: Buffer.alloc(20, 4) }),
    Buffer.from('RELAY nonsense\n\n'),
    Buffer.from(`RELAY ${'x'.repeat(400)}`),
    encodeRelayAsk({ ...ask, server: Buffer.alloc(16, 9) }),
    Buffer.concat([encodeRelayAsk(ask), Buffer.from('more')]),
  ])
    await closed(await come(head));
  t.equal(desk.waiting, 1, 'the first still waits');
  const server = await come(encodeRelayCall(call));
  await closed(await come(encodeRelayCall(call)));
  t.match(desk.outcomes.toRecord(), { paired: 1, token: 2, stranger: 1, other_file: 1 });
  asker.destroy();
  await closed(server);
  t.strictSame([desk.pairs, desk.waiting], [0, 0]);
});

t.test('an asker that goes leaves nothing behind, and a pair ends at its bound of bytes', async t => {
  const { desk, tickets, come } = made(t);
  (await come(encodeRelayAsk(ask))).destroy();
  await eventually('its place is free', () => desk.waiting === 0);
  await closed(await come(encodeRelayCall(callOf(tickets[0]))));
  const asker = await come(encodeRelayAsk(ask));
  const server = await come(encodeRelayCall(callOf(tickets[1])));
  asker.resume();
  server.on('error', () => undefined);
  const chunk = Buffer.alloc(1_000_000);
  for (let i = 0; i < 25; i++) server.write(chunk);
  await closed(asker);
  t.equal(desk.outcomes.of('bytes'), 1);
  t.equal(desk.pairs, 0);
});

t.test('one that reads nothing does not keep its connection when the pair is over', async t => {
  const asker = await socketPair(t);
  const server = await socketPair(t);
  asker.theirs.pause();
  server.theirs.on('error', () => undefined);
  const ended: string[] = [];
  const pipe = new RelayPipe(asker.ours, server.ours, {
    ...{ onBytes: () => true, mayPass: () => true, lingerMs: 20 },
    onEnd: () => ended.push('over'),
  });
  for (let i = 0; i < 20; i++) server.theirs.write(Buffer.alloc(1_000_000));
  await eventually('the asker takes no more', () => asker.ours.writableNeedDrain && asker.ours.writableLength > 0);
  pipe.end();
  t.strictSame(ended, ['over']);
  await eventually('both are closed', () => asker.ours.destroyed && server.ours.destroyed);
});
