import t from 'tap';
import type { Handshake } from '../../../protocol/handshake/handshake.ts';
import { newHandshake } from '../../support/handshake-pair.ts';

const lines = (...all: string[]) => Buffer.from(`${all.join('\r\n')}\r\n\r\n`);
const hello = (...headers: string[]) => lines('GNUTELLA CONNECT/0.6', 'User-Agent: Test/1', ...headers);
const answer = (status: string, ...headers: string[]) =>
  lines(`GNUTELLA/0.6 ${status}`, 'User-Agent: Test/1', ...headers);
const text = (handshake: Handshake) => handshake.take().toString('latin1');

t.test('TLS: an offer is passed over, a demand ends the handshake', async t => {
  const acceptor = newHandshake('in');
  acceptor.feed(hello('X-Ultrapeer: False', 'Upgrade: TLS/1.0'));
  t.notMatch(text(acceptor), 'Upgrade');
  acceptor.feed(answer('200 OK', 'Connection: Upgrade'));
  t.hasStrict(acceptor.outcome, { kind: 'refused', by: 'us', reason: 'upgrade' });

  const connector = newHandshake('out');
  connector.take();
  connector.feed(answer('200 OK', 'X-Ultrapeer: True', 'Upgrade: TLS/1.0', 'Connection: Upgrade'));
  t.hasStrict(connector.outcome, { kind: 'refused', by: 'us', reason: 'upgrade' });
  t.match(text(connector), /^GNUTELLA\/0\.6 400 TLS was not offered\r\n/);
});

t.test('TLS: both offer it, and it follows the acknowledgement', async t => {
  const tls = { options: { tls: true } };
  const connector = newHandshake('out', tls);
  const acceptor = newHandshake('in', tls);
  const step1 = connector.take();
  t.match(step1.toString('latin1'), '\r\nUpgrade: TLS/1.0\r\n');
  acceptor.feed(step1);
  const step2 = acceptor.take();
  t.match(step2.toString('latin1'), '\r\nUpgrade: TLS/1.0\r\nConnection: Upgrade\r\n');
  connector.feed(step2);
  const step3 = connector.take();
  t.match(step3.toString('latin1'), '\r\nConnection: Upgrade\r\n');
  t.hasStrict(connector.outcome, { kind: 'accepted', tls: true, deflateOut: true });
  acceptor.feed(Buffer.concat([step3, Buffer.from([0x16, 0x03, 0x01])]));
  t.hasStrict(acceptor.outcome, { kind: 'accepted', tls: true, rest: Buffer.from([0x16, 0x03, 0x01]) });
});

t.test('TLS: who does not answer an offer goes on in plain', async t => {
  const tls = { options: { tls: true } };
  const offering = newHandshake('out', tls);
  const plain = newHandshake('in');
  plain.feed(offering.take());
  offering.feed(plain.take());
  plain.feed(offering.take());
  t.hasStrict(offering.outcome, { kind: 'accepted', tls: false });
  t.hasStrict(plain.outcome, { kind: 'accepted', tls: false });

  const acceptor = newHandshake('in', tls);
  acceptor.feed(hello('X-Ultrapeer: False', 'Upgrade: TLS/1.0'));
  acceptor.take();
  acceptor.feed(answer('200 OK'));
  t.hasStrict(acceptor.outcome, { kind: 'accepted', tls: false }, 'it may still decline in step 3');
  const unasked = newHandshake('in', tls);
  unasked.feed(hello('X-Ultrapeer: False'));
  t.notMatch(text(unasked), 'Upgrade');
});
