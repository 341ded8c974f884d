import { type AddressInfo, createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { silentLog } from '../../../daemon/log.ts';
import { Dialer } from '../../../daemon/net/dialer.ts';
import type { StreamSocket } from '../../../daemon/net/stream-socket.ts';
import { PushConnections } from '../../../daemon/network/push-connections.ts';
import { SystemClock } from '../../../daemon/system.ts';
import { PushAnswerer } from '../../../protocol/overlay/pushes/push-answerer.ts';
import {
  PushRequester,
  type PushRequesterParts,
  type PushSource,
  type ReachRoads,
} from '../../../protocol/overlay/pushes/push-requester.ts';
import { RudpError } from '../../../protocol/rudp/rudp-error.ts';
import type { Servent } from '../../../protocol/servent.ts';
import { encodeGiv } from '../../../protocol/transfer/giv.ts';
import type { Endpoint } from '../../../protocol/wire/endpoint.ts';
import type { Push } from '../../../protocol/wire/push.ts';
import { random } from '../../support/descriptors.ts';
import { readFixture } from '../../support/fixtures.ts';
import { closed, eventually, socketPair } from '../../support/loopback.ts';

const GUID = Buffer.from('101112131415161718191a1b1c1d1e1f', 'hex');
const dialer = new Dialer({ forbids: () => null });
const OWN = { host: '127.0.0.1', port: 6346 };

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

/** The sockets of a servent's pushes, with the machines that decide about them. */
function made(t: Test, ways: Partial<PushRequesterParts> = {}) {
  const clock = new SystemClock();
  const served: StreamSocket[] = [];
  const sent: Push[] = [];
  const pushes = new PushAnswerer(
    { forbids: () => null, serve: to => connections.serve(to), sharedAddress: false },
    clock.now(),
  );
  const roads: ReachRoads = {
    dialSource: request => connections.dialSource(request),
    callProxy: (request, proxy, index) => connections.callProxy(request, proxy, index),
    openStream: (request, to) => connections.openStream(request, to),
    meetAtRelay: (request, relays) => connections.meetAtRelay(request, relays),
  };
  const requester = new PushRequester(
    {
      roads,
      sendPush: push => sent.push(push),
      sendDatagram: () => false,
      guid: () => random.guid(),
      datagrams: () => ways.sendDatagram !== undefined,
      findProxies: null,
      forbids: () => null,
      listen: () => OWN,
      ipv6: () => null,
      firewalled: () => false,
      ...ways,
    },
    clock.now(),
  );
  const identity = { serventGuid: GUID, userAgent: 'test/1', ipv6: () => null } as unknown as Servent['identity'];
  const connections: PushConnections = new PushConnections({
    servent: {
      identity,
      endpoint: OWN,
      pushes,
      requester,
      rudp: { endpoint: () => null } as unknown as Servent['rudp'],
    },
    ...{ dialer, clock, log: silentLog },
    streams: { dial: () => Promise.reject(new RudpError('RUDP_OFF', 'no streams here')) },
    serve: socket => served.push(socket),
  });
  t.teardown(() => {
    connections.stop();
    for (const socket of served) socket.destroy();
  });
  return { connections, pushes, requester, served, sent, clock };
}

const source = { serventGuid: GUID, endpoint: { host: '5.6.7.8', port: 0 }, index: 7, pushProxies: [] };
const dial = (to: Endpoint, signal: AbortSignal) => dialer.dial(to, signal);
const reach = (connections: PushConnections, to: PushSource = source, signal?: AbortSignal) =>
  connections.reach(to, dial, signal);

t.test('a push makes us connect, say GIV and serve', async t => {
  const received: string[] = [];
  const requesterAt = await listen(t, socket => socket.on('data', chunk => received.push(chunk.toString())));
  const { pushes, served, clock } = made(t);
  pushes.onPush(pushTo(requesterAt, 5), 'overlay', clock.now());
  await eventually('the GIV is there', () => received.length === 1);
  t.strictSame(received, ['GIV 0:101112131415161718191A1B1C1D1E1F/file\n\n']);
  t.equal(served.length, 1, 'and the file server has the socket');
  t.equal(pushes.outcomes.of('served'), 1);
});

t.test('a push to where nobody listens is told as unreachable', async t => {
  const { pushes, clock } = made(t);
  pushes.onPush(pushTo({ host: '127.0.0.2', port: 1 }), 'overlay', clock.now());
  await eventually('nobody is there', () => pushes.outcomes.of('unreachable') === 1);
});

t.test('asking for a push brings the socket of the servent that answers', async t => {
  const { connections, requester, sent } = made(t);
  const waiting = reach(connections);
  t.match(sent, [{ serventGuid: GUID, fileIndex: 7, endpoint: { port: 6346 } }]);
  t.equal(requester.waiting, 1);
  const { ours, theirs } = await socketPair(t);
  connections.onGiv(ours, encodeGiv(GUID));
  const socket = await waiting;
  t.equal(socket.socket, ours);
  t.equal(requester.waiting, 0);
  socket.socket.write('GET / HTTP/1.1\r\n\r\n');
  theirs.once('data', () => theirs.write('HTTP/1.1 200 OK\r\n'));
  await eventually('an answer can be read', () => (socket.socket.read() as Buffer | null) !== null);
});

t.test('a GIV in pieces, with carriage returns, and as gtk-gnutella sent it', async t => {
  const { connections } = made(t);
  const { giv } = readFixture<{ giv: string }>('gtk-gnutella/push-giv-connection.json');
  const serventGuid = Buffer.from('429231025910e7ac4009f72474c4f462', 'hex');
  const waiting = reach(connections, { ...source, serventGuid });
  const { ours, theirs } = await socketPair(t);
  connections.onGiv(ours, Buffer.from(giv.slice(0, giv.indexOf('\n') + 1)));
  theirs.write('\r');
  setImmediate(() => theirs.write('\n'));
  t.equal((await waiting).socket, ours);
});

t.test('a GIV that nobody asked for, or that is none, is closed', async t => {
  const { connections } = made(t);
  const ends = [
    'GIV 0:00000000000000000000000000000000/x\n\n',
    'GIV nonsense\n\n',
    'GIV 0:\nHost: x\n',
    `${encodeGiv(GUID)}more`,
  ];
  for (const text of ends) {
    const { ours, theirs } = await socketPair(t);
    connections.onGiv(ours, Buffer.from(text));
    await closed(theirs);
  }
  t.match(connections.givs.toRecord(), { matched: 0, unasked: 1, malformed: 3 });
});

t.test('a request that ends in vain says why', async t => {
  await t.rejects(reach(made(t, { firewalled: () => true }).connections), { code: 'PUSH_FIREWALLED' });
  await t.rejects(reach(made(t, { sendPush: () => 0 }).connections), { code: 'PUSH_NO_WAY' });
  const abort = new AbortController();
  const given = reach(made(t).connections, source, abort.signal);
  abort.abort();
  await t.rejects(given, { code: 'PUSH_ABORTED' });
  const { connections, requester, clock } = made(t);
  const all = Promise.allSettled(Array.from({ length: 5 }, () => reach(connections)));
  requester.tick(clock.now() + 40_001);
  t.strictSame(
    (await all).map(result => (result.status === 'rejected' ? (result.reason as { code: string }).code : '')).sort(),
    ['PUSH_TIMEOUT', 'PUSH_TIMEOUT', 'PUSH_TIMEOUT', 'PUSH_TIMEOUT', 'PUSH_TOO_OFTEN'],
  );
  t.equal(requester.waiting, 0);
  const stopped = made(t);
  const waiting = reach(stopped.connections);
  stopped.connections.stop();
  await t.rejects(waiting, { code: 'PUSH_ABORTED' });
});

t.test('proxies are asked over HTTP when datagrams bring nothing', async t => {
  const received: string[] = [];
  const proxy = await listen(t, socket =>
    socket.on('data', chunk => {
      received.push(chunk.toString());
      socket.end('HTTP/1.1 202 Accepted\r\n\r\n');
    }),
  );
  const datagrams: Endpoint[] = [];
  const { connections, requester, clock } = made(t, {
    sendPush: () => 0,
    sendDatagram: (_push, to) => {
      datagrams.push(to);
      return true;
    },
  });
  const waiting = reach(connections, { ...source, pushProxies: [proxy] });
  t.strictSame(datagrams, [proxy], 'a source without a port is not asked itself');
  requester.tick(clock.now() + 5_000);
  await eventually('the proxy is asked', () => received.length === 1);
  t.match(received[0], /^HEAD \/gnutella\/push-proxy\?ServerId=CAIREEYUCULBOGAZDINRYHI6D4 HTTP\/1\.1\r\n/);
  t.match(received[0], /\r\nX-Node: 127\.0\.0\.1:6346\r\n/);
  const { ours } = await socketPair(t);
  connections.onGiv(ours, encodeGiv(GUID));
  t.equal((await waiting).socket, ours);
});
