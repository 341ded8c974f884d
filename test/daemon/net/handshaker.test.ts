import { connect as connectTls } from 'node:tls';
import { constants, createDeflate } from 'node:zlib';
import t, { type Test } from 'tap';
import { Tls } from '../../../daemon/net/tls.ts';
import { Type } from '../../../protocol/constants.ts';
import { markGuid } from '../../../protocol/wire/guid.ts';
import { encodeDescriptor } from '../../../protocol/wire/header.ts';
import { startBareServent } from '../../support/bare-servent.ts';
import { closed, dial, eventually, openSockets, readAll } from '../../support/loopback.ts';

const at = (port: number) => ({ host: '127.0.0.1', port });
const hello = (...headers: string[]) =>
  ['GNUTELLA CONNECT/0.6', 'User-Agent: Test/1', 'X-Ultrapeer: True', ...headers, '', ''].join('\r\n');
const OK = 'GNUTELLA/0.6 200 OK\r\n';
const query = (n: number) =>
  encodeDescriptor(markGuid(Buffer.alloc(16, n)), Type.Query, 3, 1, Buffer.from('\x80\0some words\0\0', 'latin1'));

/** Reads until the text is there, leaving the socket flowing. */
async function expectText(t: Test, socket: Awaited<ReturnType<typeof dial>>, text: string): Promise<void> {
  let got = '';
  const onData = (chunk: Buffer) => {
    got += chunk.toString('latin1');
  };
  socket.on('data', onData);
  await eventually(`"${text}" came`, () => got.includes(text));
  socket.removeListener('data', onData);
  t.ok(got.includes(text));
}

t.test('two servents of ours link, compressed both ways, and part with a Bye', async t => {
  const sockets = openSockets();
  const unlinked: number[] = [];
  const a = await startBareServent(t);
  const b = await startBareServent(t, { servent: { onUnlinked: link => unlinked.push(link.id) } });
  const attempt = await a.handshaker.connect(at(b.port));
  t.match(attempt, { kind: 'linked', link: { role: 'ultrapeer', direction: 'out' } });
  await eventually('both have it', () => b.overlay.links.size === 1);
  t.match([...b.overlay.links.values()][0], { role: 'ultrapeer', direction: 'in', endpoint: { host: '127.0.0.1' } });
  t.equal(a.handshaker.countsOut.of('linked'), 1);
  t.equal(b.handshaker.countsIn.of('linked'), 1);
  await eventually('pings went both ways', () => a.overlay.counters.pingsIn > 0 && b.overlay.counters.pingsIn > 0);

  await a.listener.stop();
  a.overlay.shutdown();
  await a.handshaker.stop();
  await eventually('the other side heard it', () => unlinked.length === 1);
  t.equal(b.overlay.counters.byesIn, 1);
  t.equal(b.overlay.links.size, 0);
  t.strictSame(b.handshaker.load, { handshakes: 0, links: 0 });
  t.ok(openSockets() <= sockets + 1, "only the other one's port is open");
});

t.test('with TLS on both sides the link is encrypted, compressed inside, and ends with a Bye', async t => {
  const tls = new Tls();
  const a = await startBareServent(t, { handshaker: { tls } });
  const b = await startBareServent(t, { handshaker: { tls } });
  t.match(await a.handshaker.connect(at(b.port)), { kind: 'linked', link: { deflateIn: true, deflateOut: true } });
  await eventually('pings went both ways', () => a.overlay.counters.pongsIn > 0 && b.overlay.counters.pongsIn > 0);
  a.overlay.shutdown();
  await eventually('the other side heard it', () => b.overlay.counters.byesIn === 1);
  await eventually('all sockets are gone', () => b.listener.load.sockets === 0 && a.handshaker.load.links === 0);
});

t.test('one side without TLS: the link is plain', async t => {
  const a = await startBareServent(t, { handshaker: { tls: new Tls() } });
  const b = await startBareServent(t);
  t.match(await a.handshaker.connect(at(b.port)), { kind: 'linked' });
  t.match(await b.handshaker.connect(at(a.port)), { kind: 'linked' });
  await eventually('pings went both ways', () => a.overlay.counters.pongsIn > 1 && b.overlay.counters.pongsIn > 1);
});

t.test('TLS from the first byte, as LimeWire begins: the same port, the same handshake inside', async t => {
  const { port, listener, overlay } = await startBareServent(t, { handshaker: { tls: new Tls() } });
  const ciphers = 'ADH-AES128-SHA:@SECLEVEL=0';
  const oldest = { ciphers, minVersion: 'TLSv1', maxVersion: 'TLSv1.2', rejectUnauthorized: false } as const;
  const socket = connectTls({ port, host: '127.0.0.1', ...oldest });
  t.teardown(() => socket.destroy());
  socket.write(hello('Upgrade: TLS/1.0'));
  const answer = new Promise<string>(resolve => socket.once('data', chunk => resolve(chunk.toString('latin1'))));
  t.notMatch(await answer, 'Upgrade', 'no shell around the shell');
  socket.write(`${OK}\r\n`);
  socket.write(query(1));
  await eventually('it is a link', () => overlay.counters.queriesIn === 1);
  t.equal(listener.counts.of('tls'), 1);
  t.equal(listener.counts.of('overlay'), 1);
  socket.end();
  await eventually('its socket is gone', () => listener.load.sockets === 0);
});

t.test('queries that arrive with the last handshake line are routed', async t => {
  const { port, overlay } = await startBareServent(t);
  const socket = await dial(t, port);
  socket.write(hello('Accept-Encoding: deflate'));
  await expectText(t, socket, '\r\n\r\n');
  const deflate = createDeflate({ flush: constants.Z_SYNC_FLUSH });
  const deflated = new Promise<Buffer>(resolve => deflate.once('data', resolve));
  deflate.write(Buffer.concat([query(1), query(2)]));
  const ack = Buffer.from(`${OK}Content-Encoding: deflate\r\n\r\n`);
  socket.write(Buffer.concat([ack, await deflated]));
  await eventually('both came through', () => overlay.counters.queriesIn === 2);
});

t.test('protocol 0.4 works in both directions', async t => {
  const a = await startBareServent(t);
  const b = await startBareServent(t);
  t.match(await a.handshaker.connect(at(b.port), { version: '0.4' }), { kind: 'linked', link: { role: 'legacy' } });
  await eventually('both have it', () => b.overlay.links.size === 1);
});

t.test('a refusal arrives with its reason and its hosts, and is no exception', async t => {
  const a = await startBareServent(t);
  const b = await startBareServent(t, {
    servent: { admit: () => ({ kind: 'refuse', code: 503, text: 'No slots' }) },
  });
  t.match(await a.handshaker.connect(at(b.port)), {
    kind: 'refused',
    refusal: { by: 'peer', code: 503, text: 'No slots', tryUltrapeers: [{ host: '5.5.5.5', port: 6346 }] },
  });
  t.match(await b.handshaker.connect(at(a.port)), { kind: 'refused', refusal: { by: 'us', code: 503 } });
  await eventually('both counted it', () => a.handshaker.countsIn.of('refused_by_peer') === 1);
  t.equal(a.handshaker.countsOut.of('refused_by_peer'), 1);
  t.equal(b.handshaker.countsIn.of('refused_by_us'), 1);
  t.equal(b.handshaker.countsOut.of('refused_by_us'), 1);
  await eventually('nothing stays open', () => a.listener.load.sockets === 0 && b.listener.load.sockets === 0);
});

t.test('a handshake that does not end in time is cut, whichever side began it', async t => {
  const quick = { handshaker: { handshakeMs: 50 } };
  const a = await startBareServent(t, quick);
  const stuck = await dial(t, a.port);
  stuck.write('GNUTELLA CONNECT/0.6\r\nUser-Agent: x');
  const halfway = await dial(t, a.port);
  halfway.write(hello());
  await Promise.all([closed(stuck), closed(halfway)]);
  t.equal(a.handshaker.countsIn.of('timeout'), 2);

  const mute = await startBareServent(t, { handshaker: { handshakeMs: 5000 } });
  mute.handshaker.accept = () => {};
  t.match(await a.handshaker.connect(at(mute.port)), { kind: 'failed', reason: 'HANDSHAKE_TIMEOUT' });
  t.equal(a.handshaker.countsOut.of('timeout'), 1);
});

t.test('an attempt can be given up while it dials and while it shakes hands', async t => {
  const a = await startBareServent(t);
  const mute = await startBareServent(t);
  mute.handshaker.accept = () => {};
  t.match(await a.handshaker.connect(at(mute.port), { signal: AbortSignal.abort() }), {
    kind: 'failed',
    reason: 'DIAL_ABORTED',
  });
  const controller = new AbortController();
  const attempt = a.handshaker.connect(at(mute.port), { signal: controller.signal });
  await eventually('the handshake is under way', () => a.handshaker.load.handshakes === 1);
  controller.abort();
  t.match(await attempt, { kind: 'failed', reason: 'DIAL_ABORTED' });
  t.equal(a.handshaker.load.handshakes, 0);
});

t.test('who is there but speaks something else, or hangs up, is a failed attempt', async t => {
  const a = await startBareServent(t);
  const rude = await startBareServent(t);
  rude.handshaker.accept = socket => socket.resetAndDestroy();
  t.match(await a.handshaker.connect(at(rude.port)), { kind: 'failed', reason: 'HANDSHAKE_CLOSED' });
  rude.handshaker.accept = socket => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
  t.match(await a.handshaker.connect(at(rude.port)), { kind: 'refused', refusal: { by: 'us', reason: 'malformed' } });
  await rude.listener.stop();
  t.match(await a.handshaker.connect(at(rude.port)), { kind: 'failed', reason: 'DIAL_FAILED' });
});

t.test('only so many strangers shake hands at a time: the one that has taken longest makes room', async t => {
  const a = await startBareServent(t, { handshaker: { incomingMax: 2 } });
  const dawdlers = [];
  for (let n = 0; n < 2; n++) {
    const socket = await dial(t, a.port);
    socket.write('GNUTELLA CONNECT/0.6\r\n');
    dawdlers.push(socket);
    await eventually('it is under way', () => a.handshaker.load.handshakes === n + 1);
  }
  const third = await dial(t, a.port);
  third.write(hello());
  await expectText(t, third, '\r\n\r\n');
  const [oldest] = dawdlers;
  t.equal(oldest === undefined ? -1 : (await readAll(oldest)).length, 0);
  t.equal(a.handshaker.countsIn.of('crowded'), 1);
  t.equal(a.handshaker.load.handshakes, 2);
  third.write(`${OK}\r\n`);
  await eventually('the newcomer is linked', () => a.overlay.links.size === 1);
});

t.test('stopping ends handshakes under way and takes no more', async t => {
  const a = await startBareServent(t);
  const waiting = await dial(t, a.port);
  waiting.write('GNUTELLA CONNECT/0.6\r\n');
  await eventually('it is under way', () => a.handshaker.load.handshakes === 1);
  await a.handshaker.stop();
  await closed(waiting);
  t.equal(a.handshaker.countsIn.of('closed'), 1);
  t.match(await a.handshaker.connect(at(a.port)), { kind: 'failed', reason: 'DIAL_ABORTED' });
});

t.test('a neighbour that stays on after our Bye does not keep us from stopping', async t => {
  // a link alone would be waited for beyond the time limit of the test
  const a = await startBareServent(t, { handshaker: { stopGraceMs: 1, closeGraceMs: 3_600_000 } });
  const deaf = await dial(t, a.port, true);
  deaf.write(hello());
  await expectText(t, deaf, '\r\n\r\n');
  deaf.write(`${OK}\r\n`);
  await eventually('it is linked', () => a.overlay.links.size === 1);
  deaf.pause();
  a.overlay.shutdown();
  await a.handshaker.stop();
  t.strictSame(a.handshaker.load, { handshakes: 0, links: 0 });
});
