import { type AddressInfo, createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { silentLog } from '../../../daemon/log.ts';
import { Dialer } from '../../../daemon/net/dialer.ts';
import { SystemClock } from '../../../daemon/system.ts';
import { PushAnswerer } from '../../../daemon/transfer/push.ts';
import { PushRequester } from '../../../daemon/transfer/push-requester.ts';
import { encodeGiv } from '../../../protocol/transfer/giv.ts';
import type { Endpoint } from '../../../protocol/wire/endpoint.ts';
import { FIREWALL_TO_FIREWALL_INDEX, type Push } from '../../../protocol/wire/push.ts';
import { readFixture } from '../../support/fixtures.ts';
import { closed, eventually, socketPair } from '../../support/loopback.ts';

const GUID = Buffer.from('101112131415161718191a1b1c1d1e1f', 'hex');
const dialer = new Dialer({ forbids: () => null });
const dial = (endpoint: Endpoint, signal: AbortSignal) => dialer.dial(endpoint, signal);

const pushTo = (endpoint: Endpoint, fileIndex = 0): Push => ({
  serventGuid: GUID,
  fileIndex,
  endpoint,
  ipv6: null,
  tls: false,
  ggep: [],
});

async function listen(t: Test, onSocket: (socket: Socket) => void): Promise<Endpoint> {
  const server = createServer(socket => {
    socket.on('error', () => {});
    t.teardown(() => socket.destroy());
    onSocket(socket);
  });
  await new Promise<void>(listening => server.listen(0, '127.0.0.1', listening));
  t.teardown(() => server.close());
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

function answerer(t: Test, forbids: (endpoint: Endpoint) => string | null = () => null) {
  const served: Socket[] = [];
  const pushes = new PushAnswerer({
    serventGuid: GUID,
    dial,
    forbids,
    serve: socket => served.push(socket),
    byPort: false,
    clock: new SystemClock(),
    log: silentLog,
  });
  t.teardown(() => {
    pushes.stop();
    for (const socket of served) socket.destroy();
  });
  return { pushes, served };
}

function requester(t: Test, ways: Partial<ConstructorParameters<typeof PushRequester>[0]> = {}) {
  const sent: Push[] = [];
  const pushes = new PushRequester({
    sendPush: push => sent.push(push),
    sendDatagram: () => false,
    dial,
    forbids: () => null,
    listen: () => ({ host: '127.0.0.1', port: 6346 }),
    firewalled: () => false,
    userAgent: () => 'test/1',
    clock: new SystemClock(),
    log: silentLog,
    ...ways,
  });
  t.teardown(() => pushes.stop());
  return { pushes, sent };
}

const source = { serventGuid: GUID, endpoint: { host: '5.6.7.8', port: 0 }, index: 7, pushProxies: [] };

t.test('a push makes us connect, say GIV and serve', async t => {
  const heard: string[] = [];
  const requesterAt = await listen(t, socket => socket.on('data', chunk => heard.push(chunk.toString())));
  const { pushes, served } = answerer(t);
  pushes.onPush(pushTo(requesterAt, 5));
  await eventually('the GIV is there', () => heard.length === 1);
  t.strictSame(heard, ['GIV 0:101112131415161718191A1B1C1D1E1F/file\n\n']);
  t.equal(served.length, 1, 'and the file server has the socket');
  t.equal(pushes.outcomes.of('served'), 1);
});

t.test('pushes are limited by address, refused by policy, and nobody unreachable is tried twice', async t => {
  let connections = 0;
  const requesterAt = await listen(t, () => connections++);
  const { pushes } = answerer(t, ({ port }) => (port === 9 ? 'forbidden' : null));
  for (let i = 0; i < 8; i++) pushes.onPush(pushTo(requesterAt));
  await eventually('five are served', () => pushes.outcomes.of('served') === 5);
  await eventually('five connections came', () => connections === 5);
  t.equal(pushes.outcomes.of('rate'), 3);
  pushes.onPush(pushTo({ host: '127.0.0.2', port: 9 }));
  pushes.onPush(pushTo({ host: '127.0.0.2', port: 10 }, FIREWALL_TO_FIREWALL_INDEX));
  t.equal(pushes.outcomes.of('forbidden'), 1);
  t.equal(pushes.outcomes.of('firewall_to_firewall'), 1);
  pushes.onPush(pushTo({ host: '127.0.0.2', port: 1 }));
  await eventually('nobody is there', () => pushes.outcomes.of('unreachable') === 1);
  pushes.onPush(pushTo({ host: '127.0.0.2', port: 1 }));
  t.equal(pushes.outcomes.of('remembered'), 1);
});

t.test('asking for a push brings the socket of the servent that answers', async t => {
  const { pushes, sent } = requester(t);
  const waiting = pushes.request(source);
  t.match(sent, [{ serventGuid: GUID, fileIndex: 7, endpoint: { port: 6346 } }]);
  t.equal(pushes.waiting, 1);
  const { ours, theirs } = await socketPair(t);
  pushes.onGiv(ours, encodeGiv(GUID));
  const socket = await waiting;
  t.equal(socket, ours);
  t.equal(pushes.waiting, 0);
  socket.write('GET / HTTP/1.1\r\n\r\n');
  theirs.once('data', () => theirs.write('HTTP/1.1 200 OK\r\n'));
  await eventually('an answer can be read', () => (socket.read() as Buffer | null) !== null);
});

t.test('a GIV in pieces, with carriage returns, and as gtk-gnutella sent it', async t => {
  const { pushes } = requester(t);
  const { giv } = readFixture<{ giv: string }>('gtk-gnutella/push-giv-connection.json');
  const waiting = pushes.request({ ...source, serventGuid: Buffer.from('429231025910e7ac4009f72474c4f462', 'hex') });
  const { ours, theirs } = await socketPair(t);
  pushes.onGiv(ours, Buffer.from(giv.slice(0, giv.indexOf('\n') + 1)));
  theirs.write('\r');
  setImmediate(() => theirs.write('\n'));
  t.equal(await waiting, ours);
});

t.test('a GIV that nobody asked for, or that is none, is closed', async t => {
  const { pushes } = requester(t);
  const ends = [
    'GIV 0:00000000000000000000000000000000/x\n\n',
    'GIV nonsense\n\n',
    'GIV 0:\nHost: x\n',
    `${encodeGiv(GUID)}more`,
  ];
  for (const text of ends) {
    const { ours, theirs } = await socketPair(t);
    pushes.onGiv(ours, Buffer.from(text));
    await closed(theirs);
  }
  t.match(pushes.givs.toRecord(), { matched: 0, unasked: 1, malformed: 3 });
});

t.test('whoever waits hears why it was in vain', async t => {
  await t.rejects(requester(t, { firewalled: () => true }).pushes.request(source), { code: 'PUSH_FIREWALLED' });
  await t.rejects(requester(t, { sendPush: () => 0 }).pushes.request(source), { code: 'PUSH_NO_WAY' });
  await t.rejects(requester(t, { givMs: 20 }).pushes.request(source), { code: 'PUSH_TIMEOUT' });
  await t.rejects(requester(t).pushes.request(source, AbortSignal.timeout(10)), { code: 'PUSH_ABORTED' });
  const { pushes } = requester(t, { givMs: 10 });
  const all = await Promise.allSettled(Array.from({ length: 5 }, () => pushes.request(source)));
  t.strictSame(
    all.map(result => (result.status === 'rejected' ? (result.reason as { code: string }).code : '')).sort(),
    ['PUSH_TIMEOUT', 'PUSH_TIMEOUT', 'PUSH_TIMEOUT', 'PUSH_TIMEOUT', 'PUSH_TOO_OFTEN'],
  );
  t.equal(pushes.waiting, 0);
  const stopped = requester(t);
  const waiting = stopped.pushes.request(source);
  stopped.pushes.stop();
  await t.rejects(waiting, { code: 'PUSH_ABORTED' });
});

t.test('proxies are asked by datagram at once and over HTTP when that brings nothing', async t => {
  const heard: string[] = [];
  const proxy = await listen(t, socket =>
    socket.on('data', chunk => {
      heard.push(chunk.toString());
      socket.end('HTTP/1.1 202 Accepted\r\n\r\n');
    }),
  );
  const datagrams: Endpoint[] = [];
  const { pushes } = requester(t, {
    sendPush: () => 0,
    sendDatagram: (_push, to) => {
      datagrams.push(to);
      return true;
    },
    httpAfterMs: 5,
  });
  const waiting = pushes.request({ ...source, pushProxies: [proxy] });
  t.strictSame(datagrams, [proxy], 'a source without a port is not asked itself');
  await eventually('the proxy is asked', () => heard.length === 1);
  t.match(heard[0], /^HEAD \/gnutella\/push-proxy\?ServerId=CAIREEYUCULBOGAZDINRYHI6D4 HTTP\/1\.1\r\n/);
  t.match(heard[0], /\r\nX-Node: 127\.0\.0\.1:6346\r\n/);
  const { ours } = await socketPair(t);
  pushes.onGiv(ours, encodeGiv(GUID));
  t.equal(await waiting, ours);
});
