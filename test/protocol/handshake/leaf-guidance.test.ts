// Who becomes what between two servents, and what the handshake says when they cannot agree.
import { inflateSync } from 'node:zlib';
import t from 'tap';
import type { AdmissionContext } from '../../../protocol/handshake/admission.ts';
import type { Handshake, HandshakeOutcome } from '../../../protocol/handshake/handshake.ts';
import { parseBye } from '../../../protocol/wire/bye.ts';
import { type HandshakeTweaks, newHandshake, outcomeOf } from '../../support/handshake-pair.ts';

const hello = (...headers: string[]) => Buffer.from(['GNUTELLA CONNECT/0.6', ...headers, '', ''].join('\r\n'));
const answer = (status: string, ...headers: string[]) =>
  Buffer.from([`GNUTELLA/0.6 ${status}`, ...headers, '', ''].join('\r\n'));

/** Lets the two talk until both are silent. */
function pair(
  out: HandshakeTweaks = {},
  incoming: HandshakeTweaks = {},
): [HandshakeOutcome | null, HandshakeOutcome | null] {
  const [connector, acceptor]: [Handshake, Handshake] = [newHandshake('out', out), newHandshake('in', incoming)];
  for (let round = 0; round < 4; round++) {
    acceptor.feed(connector.take());
    connector.feed(acceptor.take());
  }
  return [outcomeOf(connector), outcomeOf(acceptor)];
}

t.test('leaf, ultrapeer, guidance: the table of who becomes what', async t => {
  const leaf: HandshakeTweaks = { local: { role: 'leaf' } };
  const full: HandshakeTweaks = { context: { ultrapeers: { used: 10, max: 10 } } };
  const roomy: HandshakeTweaks = { context: { wantsLeaves: true } };
  const willing: HandshakeTweaks = { context: { mayBecomeLeaf: true } };
  const table: [string, HandshakeTweaks, HandshakeTweaks, [string, string] | number][] = [
    ['leaf to leaf', leaf, leaf, 204],
    ['leaf to ultrapeer', leaf, {}, ['leaf', 'ultrapeer']],
    ['ultrapeer to leaf', {}, leaf, ['ultrapeer', 'leaf']],
    ['ultrapeer to ultrapeer', {}, {}, ['ultrapeer', 'ultrapeer']],
    ['willing, to one with slots for both', willing, {}, ['ultrapeer', 'ultrapeer']],
    ['willing, to one that wants leaves', willing, roomy, ['leaf', 'ultrapeer']],
    ['unwilling, to one that wants leaves', {}, roomy, ['ultrapeer', 'ultrapeer']],
    ['willing, to one full of ultrapeers', willing, full, ['leaf', 'ultrapeer']],
    [
      'willing, but with a leaf',
      { context: { mayBecomeLeaf: true, leaves: { used: 1, max: 10 } } },
      roomy,
      ['ultrapeer', 'ultrapeer'],
    ],
    ['leaf to one full of ultrapeers', leaf, full, ['leaf', 'ultrapeer']],
    ['leaf to one full of leaves', leaf, { context: { leaves: { used: 10, max: 10 } } }, 503],
  ];
  for (const [name, out, incoming, result] of table) {
    const [connector, acceptor] = pair(out, incoming);
    if (typeof result === 'number') {
      t.hasStrict(connector, { kind: 'refused', by: 'peer', code: result }, name);
      t.hasStrict(acceptor, { kind: 'refused', by: 'us', code: result }, name);
    } else {
      const [connectorRole, acceptorRole] = result;
      t.hasStrict(connector, { kind: 'accepted', ourRole: connectorRole, peerRole: acceptorRole }, name);
      t.hasStrict(acceptor, { kind: 'accepted', ourRole: acceptorRole, peerRole: connectorRole }, name);
    }
  }
});

t.test('guidance: an ultrapeer with no leaves becomes the leaf of one that is full of ultrapeers', async t => {
  const fullOfUltrapeers = { ultrapeers: { used: 10, max: 10 } };
  const [connector, acceptor] = pair(
    { context: { mayBecomeLeaf: true, liveSince: Date.parse('2025-06-02') } },
    { context: fullOfUltrapeers },
  );
  t.hasStrict(connector, { kind: 'accepted', ourRole: 'leaf', peerRole: 'ultrapeer' });
  t.hasStrict(acceptor, { kind: 'accepted', ourRole: 'ultrapeer', peerRole: 'leaf' });
});

t.test('guidance ignored: one Bye in place of a link, deflated when that was agreed', async t => {
  for (const deflate of [true, false]) {
    const acceptor = newHandshake('in', { local: { deflate }, context: { ultrapeers: { used: 10, max: 10 } } });
    acceptor.feed(hello('X-Ultrapeer: True', 'Accept-Encoding: deflate'));
    t.match(acceptor.take().toString('latin1'), 'X-Ultrapeer-Needed: False\r\n');
    acceptor.feed(answer('200 OK', 'Content-Encoding: deflate'));
    t.hasStrict(acceptor.outcome, { kind: 'refused', by: 'us', reason: 'admission', code: 503 });
    const bytes = acceptor.take();
    const bye = deflate ? inflateSync(bytes) : bytes;
    t.strictSame([bye[16], bye[17], bye[18], bye.readUInt32LE(19)], [2, 1, 0, bye.length - 23]);
    t.equal(parseBye(bye.subarray(23)).code, 503);
  }
});

t.test('a role that an election changed between the steps ends the handshake with 504', async t => {
  const context = { role: 'leaf' } as Partial<AdmissionContext>;
  const acceptor = newHandshake('in', { context });
  acceptor.feed(hello('X-Ultrapeer: True', 'User-Agent: X/1'));
  acceptor.take();
  acceptor.feed(answer('200 OK'));
  t.hasStrict(outcomeOf(acceptor), { kind: 'refused', by: 'us', code: 504 });
  t.equal(parseBye(acceptor.take().subarray(23)).code, 504);

  const [connector] = pair({ local: { role: 'leaf' }, context: { role: 'ultrapeer' } });
  t.hasStrict(connector, { kind: 'refused', by: 'us', code: 504 });
  const [demoted, host] = pair({ context });
  t.hasStrict(demoted, { kind: 'accepted', ourRole: 'leaf' }, 'step 3 can still say that we are a leaf now');
  t.hasStrict(host, { kind: 'accepted', peerRole: 'leaf' });
});

t.test('asked to be a leaf it may stay an ultrapeer, as long as there is a slot', async t => {
  const wantsLeaves = { wantsLeaves: true };
  const [stays] = pair({ context: { liveSince: 0 } }, { context: wantsLeaves });
  t.hasStrict(stays, { kind: 'accepted', ourRole: 'ultrapeer' });
  const [yields, host] = pair({ context: { mayBecomeLeaf: true } }, { context: wantsLeaves });
  t.hasStrict(yields, { kind: 'accepted', ourRole: 'leaf' });
  t.hasStrict(host, { kind: 'accepted', peerRole: 'leaf' });
});
