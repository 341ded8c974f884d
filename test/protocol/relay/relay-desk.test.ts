// For whom a relay passes bytes: tokens hold once and for one transfer, strangers and floods are refused, everything has a bound.
import t from 'tap';
import { RelayDesk, type RelayLimits, type RelayTicket } from '../../../protocol/relay/relay-desk.ts';
import {
  encodeRelayAsk,
  encodeRelayCall,
  parseRelayLine,
  relayCallIn,
  relayCallItem,
  relayItem,
  relaysIn,
} from '../../../protocol/relay/relay-line.ts';
import { SeededRandom } from '../../support/virtual-network.ts';

const LEAF = Buffer.alloc(16, 2);
const OTHER_LEAF = Buffer.alloc(16, 3);
const SHA1 = Buffer.alloc(20, 9);
const asked = (asker = 1, server = LEAF) => ({ asker: Buffer.alloc(16, asker), server, sha1: SHA1 });
const call = (token: string, sha1 = SHA1) => ({ token, sha1 });
const host = (n: number) => `80.1.${n >> 8}.${n & 255}`;

function desk(limits: Partial<RelayLimits> = {}, relays = true) {
  return new RelayDesk({
    random: new SeededRandom(5),
    relays: () => relays,
    isServed: guid => guid.equals(LEAF) || guid.equals(OTHER_LEAF),
    limits,
  });
}

const ticketOf = (answer: RelayTicket | string): RelayTicket => {
  if (typeof answer === 'string') throw new Error(answer);
  return answer;
};

t.test('a token holds once, within its time, at the relay that issued it', async t => {
  const one = desk();
  const { token } = ticketOf(one.ask(asked(), host(1), 0));
  t.equal(desk().redeem(call(token), 0), null, 'another relay');
  t.equal(one.redeem(call(`${token.slice(0, -2)}AA`), 0), null, 'forged');
  t.equal(one.redeem(call('short'), 0), null);
  t.not(one.redeem(call(token), 1_000), null);
  t.equal(one.redeem(call(token), 1_001), null, 'a replay');
  const late = ticketOf(one.ask(asked(4), host(2), 0));
  t.equal(one.redeem(call(late.token), 15_001), null);
  t.strictSame([one.pairs, one.waiting], [1, 1]);
  t.match(one.outcomes.toRecord(), { asked: 2, paired: 1, token: 4 });
});

t.test('a token holds for the file that was asked for, and for no other', async t => {
  const one = desk();
  const { token } = ticketOf(one.ask(asked(), host(1), 0));
  t.equal(one.redeem({ token, sha1: Buffer.alloc(20, 8) }, 1), null);
  t.match(one.outcomes.toRecord(), { asked: 1, paired: 0, token: 0, other_file: 1 });
  t.not(one.redeem(call(token), 2), null, 'the right file still finds its pair');
});

t.test('strangers, the asker itself, and those that come too often are refused', async t => {
  t.equal(desk({}, false).ask(asked(), host(1), 0), 'off');
  const one = desk();
  t.equal(one.ask(asked(1, Buffer.alloc(16, 7)), host(1), 0), 'stranger', 'no leaf of ours: another relay would loop');
  t.equal(one.ask({ asker: LEAF, server: LEAF, sha1: SHA1 }, host(2), 0), 'stranger');
  const flood = Array.from({ length: 10_000 }, (_, i) => one.ask(asked(1), host(3), i));
  t.equal(flood.filter(answer => typeof answer !== 'string').length, 2, 'two at a time of one address');
  t.ok(one.outcomes.of('rate') > 9_900, `${one.outcomes.of('rate')} asks came too often`);
  const many = Array.from({ length: 100 }, (_, i) =>
    one.ask(asked(1, i % 2 ? LEAF : OTHER_LEAF), host(100 + i), 20_000),
  );
  t.equal(many.filter(answer => typeof answer !== 'string').length, 6, 'four with each leaf');
  t.ok(one.waiting <= 32);
});

t.test('bytes, time and rate of a pair are bounded, and what is over gives its place back', async t => {
  const one = desk({ bytesMax: 1_000, timeMs: 60_000, bytesPerSecond: 1_000 });
  const pair = ticketOf(one.ask(asked(), host(1), 0));
  one.redeem(call(pair.token), 0);
  t.equal(one.mayPass(0), true);
  t.equal(one.passed(pair, 600, 0), true);
  t.equal(one.mayPass(0), false, 'more than a quarter of a second’s bytes');
  t.equal(one.mayPass(400), true);
  t.equal(one.passed(pair, 400, 400), false);
  one.ended(pair);
  const lasting = ticketOf(one.ask(asked(), host(2), 0));
  one.redeem(call(lasting.token), 1);
  const waits = ticketOf(one.ask(asked(), host(3), 1));
  t.strictSame(one.overdue(15_002), [waits]);
  t.strictSame(one.overdue(60_001), [lasting]);
  t.strictSame([one.pairs, one.waiting, one.bytes], [0, 0, 1_000]);
  t.match(one.outcomes.toRecord(), { bytes: 1, expired: 1, time: 1 });
});

t.test('lines and GGEP are read as they are written, and nothing else is', async t => {
  t.strictSame(parseRelayLine(encodeRelayAsk(asked()).toString()), { kind: 'ask', ask: asked() });
  const token = 'abcdefghijklmnopqrstuvwxyz';
  t.strictSame(parseRelayLine(encodeRelayCall(call(token)).toString()), { kind: 'call', call: call(token) });
  for (const text of [
    ...['RELAY \n\n', 'RELAY ASK x y z\n\n', `RELAY ${'a'.repeat(200)}\n\n`, `RELAY ${token}\n`, ''],
    ...[`RELAY ${token}\n\n`, `RELAY ${token} SHORT\n\n`],
  ])
    t.throws(() => parseRelayLine(text), { code: 'HTTP_MALFORMED' });
  const relays = [
    { host: '1.2.3.4', port: 5 },
    { host: '6.7.8.9', port: 10 },
  ];
  t.strictSame(relaysIn([relayItem(relays)]), relays);
  t.strictSame(relaysIn([{ id: 'SRLY', payload: Buffer.alloc(5) }]), []);
  t.strictSame(relayCallIn([relayCallItem(call(token))]), call(token));
  t.equal(relayCallIn([{ id: 'SRLY', payload: Buffer.from('no token!') }]), 'malformed');
  t.equal(relayCallIn([{ id: 'SRLY', payload: SHA1 }]), 'malformed');
  t.equal(relayCallIn([{ id: 'OTHER', payload: SHA1 }]), null);
});

t.test('a pair that passes no byte gives its place back', async t => {
  const one = desk();
  const pair = ticketOf(one.ask(asked(), host(1), 0));
  one.redeem(call(pair.token), 1_000);
  one.passed(pair, 10, 100_000);
  t.strictSame(one.overdue(279_999), []);
  t.strictSame(one.overdue(280_000), [pair]);
  t.equal(one.outcomes.of('idle'), 1);
});
