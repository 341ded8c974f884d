import t from 'tap';
import type { AdmissionContext } from '../../../protocol/handshake/admission.ts';
import type { Handshake, HandshakeOutcome } from '../../../protocol/handshake/handshake.ts';
import { HELLO_BYTES_MAX } from '../../../protocol/handshake/hello.ts';
import { parseBye } from '../../../protocol/wire/bye.ts';
import type { Endpoint } from '../../../protocol/wire/endpoint.ts';
import { type HandshakeTweaks, localHello, newHandshake, outcomeOf } from '../../support/handshake-pair.ts';

const NOTHING = Buffer.alloc(0);

function text(handshake: Handshake): string {
  return handshake.take().toString('latin1');
}

/** Lets the two talk until both are silent. */
function converse(
  connector: Handshake,
  acceptor: Handshake,
): [connector: HandshakeOutcome | null, acceptor: HandshakeOutcome | null] {
  for (let round = 0; round < 4; round++) {
    acceptor.feed(connector.take());
    connector.feed(acceptor.take());
  }
  return [outcomeOf(connector), outcomeOf(acceptor)];
}

function pair(out: HandshakeTweaks = {}, incoming: HandshakeTweaks = {}) {
  return converse(newHandshake('out', out), newHandshake('in', incoming));
}

const hello = (...headers: string[]) => Buffer.from(['GNUTELLA CONNECT/0.6', ...headers, '', ''].join('\r\n'));
const answer = (status: string, ...headers: string[]) =>
  Buffer.from([`GNUTELLA/0.6 ${status}`, ...headers, '', ''].join('\r\n'));

t.test('our hello fits the servents that read it', async t => {
  for (const role of ['ultrapeer', 'leaf'] as const) {
    const listen = { host: '2001:db8:1111:2222:3333:4444:5555:6666', port: 65535 };
    const longest = { role, listen, degree: 1000, userAgent: `servent/${'1'.repeat(60)}` };
    const connector = newHandshake('out', { local: longest });
    const lines = text(connector).split('\r\n');
    const acceptor = newHandshake('in', { local: longest, context: { ultrapeers: { used: 10, max: 10 } } });
    acceptor.feed(hello('X-Ultrapeer: True', 'Accept-Encoding: deflate', 'Accept: application/x-gnutella-packets'));
    for (const block of [lines, text(acceptor).split('\r\n')]) {
      t.ok(block.length - 3 < 25, `${block.length - 3} headers; LimeWire reads at most 30`);
      t.ok(
        block.every(line => line.length < 1000),
        'LimeWire reads at most 1024 characters a line',
      );
      t.ok(block.join('\r\n').length <= HELLO_BYTES_MAX, 'gtk-gnutella keeps its own below 1024 bytes');
    }
  }
  t.throws(() => newHandshake('out', { local: { userAgent: 'x'.repeat(1000) } }), RangeError);
  t.throws(() => newHandshake('in', { local: { userAgent: 'x\r\nX-Forged: y' } }), RangeError);
});

t.test('header names are spelled as LimeWire compares them', async t => {
  const names = text(newHandshake('out'))
    .split('\r\n')
    .slice(1, -2)
    .map(line => line.split(': ')[0]);
  t.strictSame(names, [
    'User-Agent',
    'X-Ultrapeer',
    'Listen-IP',
    'Remote-IP',
    'X-Query-Routing',
    'X-Ultrapeer-Query-Routing',
    'X-Dynamic-Querying',
    'X-Degree',
    'X-Max-TTL',
    'X-Ext-Probes',
    'X-Requeries',
    'Pong-Caching',
    'GGEP',
    'Vendor-Message',
    'Bye-Packet',
    'Accept-Encoding',
    'X-Guess',
    'GUID',
    'X-Live-Since',
    'X-Locale-Pref',
    'X-Features',
  ]);
});

t.test('the first feature is one that nobody needs: gtk-gnutella never finds it', async t => {
  const features = (list: string[]) =>
    /X-Features: (.*)\r\n/.exec(text(newHandshake('out', { local: { features: list } })))?.[1];
  t.equal(features(['tls/1.0', 'browse/1.0', 'HSEP/0.2']), 'browse/1.0, tls/1.0, HSEP/0.2');
  t.equal(features(['HSEP/0.2']), 'none/0.0, HSEP/0.2');
  t.equal(features([]), undefined);
});

t.test('two of ours agree, whatever their roles and wishes', async t => {
  for (const connectorRole of ['ultrapeer', 'leaf'] as const) {
    for (const acceptorRole of ['ultrapeer', 'leaf'] as const) {
      for (const connectorDeflates of [true, false]) {
        for (const acceptorDeflates of [true, false]) {
          const [connector, acceptor] = pair(
            { local: { role: connectorRole, deflate: connectorDeflates } },
            { local: { role: acceptorRole, deflate: acceptorDeflates } },
          );
          if (connectorRole === 'leaf' && acceptorRole === 'leaf') {
            t.hasStrict(connector, { kind: 'refused', by: 'peer', code: 204, reason: 'peer-status' });
            t.hasStrict(acceptor, { kind: 'refused', by: 'us', code: 204, reason: 'admission' });
            continue;
          }
          const deflate = connectorDeflates && acceptorDeflates;
          const both = { kind: 'accepted', version: '0.6', deflateIn: deflate, deflateOut: deflate, rest: NOTHING };
          t.hasStrict(connector, { ...both, ourRole: connectorRole, peerRole: acceptorRole });
          t.hasStrict(acceptor, { ...both, ourRole: acceptorRole, peerRole: connectorRole });
        }
      }
    }
  }
});

t.test('0.4: two lines and no more', async t => {
  const connector = newHandshake('out', { options: { version: '0.4' }, context: { acceptLegacy: true } });
  const acceptor = newHandshake('in', { context: { acceptLegacy: true } });
  const greeting = connector.take();
  t.equal(greeting.toString(), 'GNUTELLA CONNECT/0.4\n\n');
  acceptor.feed(greeting);
  const reply = acceptor.take();
  t.equal(reply.toString(), 'GNUTELLA OK\n\n');
  connector.feed(Buffer.concat([reply, Buffer.from('binary')]));
  const both = { kind: 'accepted', version: '0.4', peerRole: 'legacy', deflateIn: false, deflateOut: false };
  t.hasStrict(acceptor.outcome, { ...both, rest: NOTHING });
  t.hasStrict(connector.outcome, { ...both, rest: Buffer.from('binary') });
  t.equal(connector.take().length, 0);
});

t.test('0.4 is refused without a word where legacy peers are not wanted', async t => {
  const acceptor = newHandshake('in');
  acceptor.feed(Buffer.from('GNUTELLA CONNECT/0.4\n\n'));
  t.hasStrict(acceptor.outcome, { kind: 'refused', by: 'us', reason: 'admission', code: 403 });
  t.equal(acceptor.take().length, 0);
});

t.test('a 0.4 connector takes only OK; a 0.6 connector takes no OK', async t => {
  const connect = (version: '0.4' | '0.6', reply: string) => {
    const connector = newHandshake('out', { options: { version }, context: { acceptLegacy: true } });
    connector.take();
    connector.feed(Buffer.from(reply));
    return connector.outcome;
  };
  t.hasStrict(connect('0.4', 'GNUTELLA BUSY\n\n'), { by: 'peer', code: 0, text: 'GNUTELLA BUSY' });
  t.hasStrict(connect('0.4', 'GNUTELLA/0.6 503 Full\r\nX-Try-Ultrapeers: 1.2.3.4:5\r\n\r\n'), {
    by: 'peer',
    code: 503,
    text: 'Full',
    tryUltrapeers: [{ host: '1.2.3.4', port: 5 }],
  });
  t.hasStrict(connect('0.6', 'GNUTELLA OK\n\n'), { by: 'peer', reason: 'version' });
  t.hasStrict(connect('0.6', 'GNUTELLA/0.5 200 OK\n\n'), { by: 'us', reason: 'version' });
});

t.test('a connector that does not wait for the answer is refused, whatever it sends ahead', async t => {
  for (const early of ['x', 'GNUTELLA/0.6 200 OK\r\n\r\n']) {
    const acceptor = newHandshake('in');
    acceptor.feed(Buffer.concat([hello('X-Ultrapeer: False'), Buffer.from(early)]));
    t.hasStrict(acceptor.outcome, { kind: 'refused', by: 'us', reason: 'early-data', code: 400 });
    t.match(text(acceptor), /^GNUTELLA\/0\.6 400 /);
  }
  const old = newHandshake('in', { context: { acceptLegacy: true } });
  old.feed(Buffer.from('GNUTELLA CONNECT/0.4\n\nx'));
  t.hasStrict(old.outcome, { reason: 'early-data' });
});

t.test('a connector says nothing between its hello and the answer', async t => {
  const connector = newHandshake('out');
  t.ok(connector.take().length > 0);
  connector.feed(Buffer.from('GNUTELLA/0.6 200 OK\r\nX-Ultra'));
  t.equal(connector.take().length, 0);
  t.equal(connector.outcome, null);
});

t.test('status lines: spacing, missing reason and case are forgiven; ours always has a reason', async t => {
  for (const line of ['GNUTELLA/0.6 200', 'GNUTELLA/0.6   200   OK', 'gnutella/0.6 200 fine', 'GNUTELLA/0.7 201 OK']) {
    const connector = newHandshake('out');
    connector.take();
    connector.feed(Buffer.from(`${line}\nX-Ultrapeer: True\n\n`));
    t.equal(outcomeOf(connector)?.kind, 'accepted', line);
    t.equal(text(connector).split('\r\n')[0], 'GNUTELLA/0.6 200 OK');
  }
  for (const line of ['GNUTELLA/0.6', 'GNUTELLA/0.6 OK', 'HTTP/1.1 200 OK', 'GNUTELLA/0.6 2000 OK', '\x01\x02']) {
    const connector = newHandshake('out');
    connector.take();
    connector.feed(Buffer.from(`${line}\r\n\r\n`));
    t.hasStrict(connector.outcome, { kind: 'refused', by: 'us', reason: 'malformed' }, line);
    t.equal(connector.take().length, 0);
  }
});

t.test('a refusal is harvested: hosts to try, folded and of both kinds; 204 is one', async t => {
  for (const code of [204, 503, 593]) {
    const connector = newHandshake('out');
    connector.take();
    const hosts = [
      'X-Try-Ultrapeers: 1.2.3.4:5,\r\n\t6.7.8.9:10',
      'X-Try: 4.4.4.4',
      'User-Agent: X/1',
      'X-Ultrapeer: True',
    ];
    connector.feed(answer(`${code} Go away\x1b[31m`, ...hosts));
    t.hasStrict(connector.outcome, {
      kind: 'refused',
      by: 'peer',
      reason: 'peer-status',
      code,
      text: 'Go away[31m',
      tryUltrapeers: [
        { host: '1.2.3.4', port: 5 },
        { host: '6.7.8.9', port: 10 },
      ],
      tryHosts: [{ host: '4.4.4.4', port: 6346 }],
    });
    t.equal(connector.take().length, 0);
  }
});

t.test('our refusals bring ten hosts, but not to those who should stay away', async t => {
  const hosts: Endpoint[] = Array.from({ length: 15 }, (_, i) => ({ host: '9.9.9.9', port: 1000 + i }));
  const refuse = (context: Partial<AdmissionContext>) => {
    const acceptor = newHandshake('in', { context, options: { tryUltrapeers: () => hosts } });
    acceptor.feed(hello('X-Ultrapeer: True', 'User-Agent: X/1'));
    t.hasStrict(acceptor.outcome, { kind: 'refused', by: 'us' });
    return text(acceptor);
  };
  const full = { used: 1, max: 1 };
  const ten = hosts
    .slice(0, 10)
    .map(({ host, port }) => `${host}:${port}`)
    .join(', ');
  t.equal(
    refuse({ ultrapeers: full, leaves: full }),
    'GNUTELLA/0.6 503 Too many ultra connections (1 max)\r\nUser-Agent: servent/0.1.0\r\nRemote-IP: 127.0.0.9\r\n' +
      `X-Ultrapeer: True\r\nX-Try-Ultrapeers: ${ten}\r\n\r\n`,
  );
  t.match(refuse({ guidConnected: true }), 'X-Try-Ultrapeers: 9.9.9.9:1000, ');
  t.notMatch(refuse({ hostile: true }), 'X-Try');
  t.notMatch(refuse({ hammering: true }), 'X-Try');
});

t.test('a connector that does not like the answer says why in step 3', async t => {
  const connector = newHandshake('out', { context: { ultrapeers: { used: 1, max: 1 } } });
  connector.take();
  connector.feed(answer('200 OK', 'X-Ultrapeer: True'));
  t.match(text(connector), /^GNUTELLA\/0\.6 503 Too many ultra connections/);
  t.hasStrict(connector.outcome, { kind: 'refused', by: 'us', reason: 'admission', code: 503 });
});

t.test('a slot that went while the peer made up its mind: Bye', async t => {
  const leaves = { used: 9, max: 10 };
  const acceptor = newHandshake('in', { context: { leaves } });
  acceptor.feed(hello('X-Ultrapeer: False'));
  t.match(text(acceptor), /^GNUTELLA\/0\.6 200 OK\r\n/);
  leaves.used++;
  acceptor.feed(answer('200 OK'));
  t.hasStrict(acceptor.outcome, { kind: 'refused', by: 'us', code: 503 });
  t.equal(parseBye(acceptor.take().subarray(23)).text, 'Too many leaf connections (10 max)');
});

t.test('deflate: the choice stands in the last block of each side, never in a hello', async t => {
  const acceptor = newHandshake('in');
  acceptor.feed(hello('X-Ultrapeer: False', 'Content-Encoding: deflate'));
  t.notMatch(text(acceptor), 'Content-Encoding');
  acceptor.feed(answer('200 OK'));
  t.hasStrict(acceptor.outcome, { kind: 'accepted', deflateIn: false, deflateOut: false });
});

t.test('step 3 adds to step 1 and overrides it', async t => {
  const acceptor = newHandshake('in');
  acceptor.feed(hello('User-Agent: X/1', 'X-Ultrapeer: True', 'X-Degree: 20'));
  acceptor.feed(answer('200 OK', 'X-Ultrapeer: False', 'X-Degree: 30'));
  t.hasStrict(acceptor.outcome, { kind: 'accepted', peerRole: 'leaf' });
  const outcome = outcomeOf(acceptor);
  const capabilities = outcome?.kind === 'accepted' ? outcome.capabilities : null;
  t.hasStrict(capabilities, { userAgent: 'X/1', role: 'leaf', degree: 30 });
});

t.test('QRP 0.1 peers are answered in kind', async t => {
  const versionFor = (...headers: string[]) => {
    const acceptor = newHandshake('in');
    acceptor.feed(hello('X-Ultrapeer: False', ...headers));
    return /X-Query-Routing: (.*)\r\n/.exec(text(acceptor))?.[1];
  };
  t.equal(versionFor('X-Query-Routing: 0.2'), '0.2');
  t.equal(versionFor('X-Query-Routing: 0.1'), '0.1');
  t.equal(versionFor(), '0.1', 'gtk-gnutella does the same');
});

t.test('a peer of several networks learns which one it gets', async t => {
  const acceptor = newHandshake('in');
  acceptor.feed(hello('X-Ultrapeer: False', 'Accept: application/x-gnutella2,application/x-gnutella-packets'));
  t.match(text(acceptor), '\r\nContent-Type: application/x-gnutella-packets\r\n');
});

t.test('a crawler gets our neighbours and is done when it acknowledges', async t => {
  const crawl = () => ({
    peers: [
      { host: '1.2.3.4', port: 5 },
      { host: '::1', port: 6 },
    ],
    leaves: [{ host: '6.7.8.9', port: 10 }],
  });
  const acceptor = newHandshake('in', { options: { crawl } });
  acceptor.feed(hello('User-Agent: crawl/1', 'X-Ultrapeer: False', 'Crawler: 0.1'));
  t.equal(
    text(acceptor),
    'GNUTELLA/0.6 200 OK\r\nUser-Agent: servent/0.1.0\r\nX-Ultrapeer: True\r\nPeers: 1.2.3.4:5,[::1]:6\r\n' +
      `Leaves: 6.7.8.9:10\r\nX-Live-Since: ${localHello.liveSince}\r\n\r\n`,
  );
  t.equal(acceptor.outcome, null);
  acceptor.feed(Buffer.from('anything\r\n\r\n'));
  t.strictSame(acceptor.outcome, { kind: 'crawled', userAgent: 'crawl/1' });
});

t.test('a crawler is done with whatever it says next', async t => {
  for (const junk of ['\0\r\n\r\n', 'x'.repeat(2000)]) {
    const acceptor = newHandshake('in');
    acceptor.feed(hello('Crawler: 0.1'));
    acceptor.feed(Buffer.from(junk));
    t.strictSame(acceptor.outcome, { kind: 'crawled', userAgent: null });
  }
});

t.test('an acknowledgement that is none ends the handshake without another word', async t => {
  for (const line of ['GNUTELLA CONNECT/0.6', 'GET / HTTP/1.1', '\x83\x01']) {
    const acceptor = newHandshake('in');
    acceptor.feed(hello('X-Ultrapeer: False'));
    acceptor.take();
    acceptor.feed(Buffer.from(`${line}\r\n\r\n`, 'latin1'));
    t.hasStrict(acceptor.outcome, { kind: 'refused', by: 'us', reason: 'malformed' });
    t.equal(acceptor.take().length, 0);
  }
});

t.test('a crowd of neighbours is cut at 16 KiB', async t => {
  const many = Array.from({ length: 5000 }, () => ({ host: '255.255.255.255', port: 65535 }));
  const acceptor = newHandshake('in', { options: { crawl: () => ({ peers: many, leaves: many }) } });
  acceptor.feed(hello('Crawler: 0.1'));
  const { length } = acceptor.take();
  t.ok(length > 14_000 && length < 16_384, `${length} bytes`);
});

t.test('hellos that are none, too long or of no known version', async t => {
  const feed = (bytes: string) => {
    const acceptor = newHandshake('in', { context: { acceptLegacy: true } });
    acceptor.feed(Buffer.from(bytes, 'latin1'));
    const { outcome } = acceptor;
    t.equal(outcome?.kind, 'refused', JSON.stringify(bytes.slice(0, 30)));
    return [outcome?.kind === 'refused' ? outcome.reason : '', text(acceptor).split('\r\n')[0]];
  };
  t.strictSame(feed('HELLO WORLD\r\n\r\n'), ['malformed', '']);
  t.strictSame(feed('\r\n'), ['malformed', '']);
  t.strictSame(feed('GNUTELLA CONNECT/0.5\r\n\r\n'), ['version', '']);
  t.strictSame(feed('GNUTELLA CONNECT/0.6 \0\r\n\r\n'), ['malformed', '']);
  t.strictSame(feed(`GNUTELLA CONNECT/0.6\r\nX: ${'y'.repeat(20_000)}`), [
    'too-long',
    'GNUTELLA/0.6 413 Header too large',
  ]);
  t.strictSame(feed(`GNUTELLA CONNECT/0.6\r\n${'X: y\r\n'.repeat(129)}`), [
    'too-long',
    'GNUTELLA/0.6 413 Header too large',
  ]);
});

t.test('bytes after the outcome are not ours', async t => {
  const [connector] = pair();
  t.equal(connector?.kind, 'accepted');
  const handshake = newHandshake('in');
  handshake.feed(Buffer.from('junk\r\n\r\n'));
  const before = handshake.outcome;
  handshake.feed(hello('X-Ultrapeer: True'));
  t.equal(handshake.outcome, before);
  t.equal(handshake.take().length, 0);
});
