import { connect } from 'node:net';
import t, { type Test } from 'tap';
import { silentLog } from '../../../daemon/log.ts';
import { Listener, type ListenerOptions, type ListenerRoutes, type TakeOver } from '../../../daemon/net/listener.ts';
import { closed, dial, eventually, openSockets, readAll } from '../../support/loopback.ts';

type Handed = [route: string, head: string, host: string];

/** A listener whose routes note the head and echo what follows until the caller ends. */
async function listen(t: Test, options: Partial<ListenerOptions> = {}, routes: Partial<ListenerRoutes> = {}) {
  const handed: Handed[] = [];
  const echo =
    (route: string): TakeOver =>
    (socket, head, remote) => {
      handed.push([route, head.toString('latin1'), remote.host]);
      socket.on('data', chunk => socket.write(chunk));
      t.teardown(() => socket.destroy());
    };
  const listener = new Listener(
    { host: '127.0.0.1', port: 0, log: silentLog, ...options },
    { overlay: echo('overlay'), http: echo('http'), giv: echo('giv'), queue: echo('queue'), ...routes },
  );
  const { port } = await listener.start();
  t.teardown(() => listener.stop());
  return { listener, port, handed };
}

t.test('each kind of caller gets to its owner with all bytes', async t => {
  const { listener, port, handed } = await listen(t);
  const lines: [string, string][] = [
    ['overlay', 'GNUTELLA CONNECT/0.6\r\nUser-Agent: x\r\n'],
    ['http', 'GET /uri-res/N2R?urn:sha1:X HTTP/1.1\r\n'],
    ['giv', 'GIV 0:0123/a\n\n'],
    ['queue', 'QUEUE 0123 1.2.3.4:5\r\n'],
  ];
  for (const [route, line] of lines) {
    const socket = await dial(t, port);
    for (const byte of line) socket.write(byte); // joined or not, as the kernel likes
    await eventually('it was handed over', () => handed.length > 0);
    const echoed = readAll(socket);
    socket.end(' and more');
    const [to, head, host] = handed.shift() ?? [];
    t.equal(to, route);
    t.equal(host, '127.0.0.1');
    t.equal(`${head}${(await echoed).toString()}`, `${line} and more`);
    t.equal(listener.counts.of(route as 'http'), 1);
  }
  await eventually('all sockets were forgotten', () => listener.load.sockets === 0);
  t.equal(listener.counts.of('accepted'), 4);
});

t.test('probes are content with a close', async t => {
  const { listener, port } = await listen(t);
  for (const probe of ['\n\n', 'CONNECT BACK\r\n\r\n']) {
    const socket = await dial(t, port);
    socket.write(probe);
    t.equal((await readAll(socket)).length, 0);
  }
  t.equal(listener.counts.of('probe'), 2);
});

t.test('what nobody takes is closed and counted', async t => {
  const listener = new Listener(
    { host: '127.0.0.1', port: 0, log: silentLog },
    { overlay: socket => socket.destroy(), http: socket => socket.destroy() },
  );
  const { port } = await listener.start();
  t.teardown(() => listener.stop());
  const cases = [
    ['\x16\x03\x01\x02', 'tls_unsupported'],
    ['SSH-2.0-OpenSSH\r\n', 'greeting_garbage'],
    [`GNUTELLA ${'x'.repeat(2000)}`, 'greeting_too_long'],
    ['GIV 0:1/a\n\n', 'giv'],
    ['QUEUE 1 2\n\n', 'queue'],
  ] as const;
  for (const [bytes, reason] of cases) {
    const socket = await dial(t, port);
    socket.write(Buffer.from(bytes, 'latin1'));
    await closed(socket);
    t.equal(listener.counts.of(reason), 1, reason);
  }
});

t.test('silence, drips and half a greeting are cut by time', async t => {
  const { listener, port } = await listen(t, { limits: { greetingMs: 60 } });
  const silent = await dial(t, port);
  const half = await dial(t, port);
  half.write('GNUTELLA CONNECT/0.');
  const dripping = await dial(t, port);
  let at = 0;
  const drip = setInterval(() => dripping.write('GNUTELLA CONNECT/0.6'.charAt(at++) || 'x'), 5);
  t.teardown(() => clearInterval(drip));
  await Promise.all([silent, half, dripping].map(closed));
  t.equal(listener.counts.of('greeting_timeout'), 3);
  await eventually('all were forgotten', () => listener.load.sockets === 0 && listener.load.greeting === 0);
});

t.test('the longest waiting greeting makes room for the next', async t => {
  const { listener, port, handed } = await listen(t, { limits: { greetingsMax: 3 } });
  const waiting = [];
  for (let n = 0; n < 3; n++) {
    waiting.push(await dial(t, port));
    await eventually('it was seen', () => listener.load.greeting === n + 1);
  }
  const fourth = await dial(t, port);
  fourth.write('GET / HTTP/1.1\r\n');
  await eventually('it got through', () => handed.length === 1);
  await closed(waiting[0] ?? fourth);
  t.equal(waiting[1]?.destroyed, false);
  t.equal(listener.counts.of('greeting_crowded_out'), 1);
});

t.test('300 connections at once from one address: the limit holds, others get in, nothing is left over', async t => {
  const { listener, port, handed } = await listen(t, { limits: { perAddressMax: 20, greetingsMax: 100 } });
  const before = openSockets();
  const sockets = Array.from({ length: 300 }, () => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('error', () => {});
    return socket;
  });
  await eventually('all were seen', () => listener.counts.of('accepted') + listener.counts.of('address_full') === 300);
  t.equal(listener.counts.of('accepted'), 20);
  t.equal(listener.load.greeting, 20);

  const other = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.2' });
  t.teardown(() => other.destroy());
  other.write('GNUTELLA CONNECT/0.6\r\n');
  await eventually('the other address got in', () => handed.length === 1);
  t.equal(handed[0]?.[2], '127.0.0.2');

  other.destroy();
  for (const socket of sockets) socket.destroy();
  await eventually('nothing is left', () => listener.load.sockets === 0 && openSockets() <= before);
  const again = await dial(t, port);
  again.write('GET / HTTP/1.1\r\n');
  await eventually('the address may come again', () => handed.length === 2);
});

t.test('without a limit 300 connections from one address are all served', async t => {
  const { listener, port, handed } = await listen(t, { limits: { greetingsMax: 300 } });
  const sockets = await Promise.all(Array.from({ length: 300 }, () => dial(t, port)));
  for (const socket of sockets) socket.write('GNUTELLA CONNECT/0.6\r\n');
  await eventually('all got through', () => handed.length === 300);
  t.equal(listener.load.greeting, 0);
  for (const socket of sockets) socket.destroy();
  await eventually('all were forgotten', () => listener.load.sockets === 0);
});

t.test('a block list and the number of sockets are looked at before a word is read', async t => {
  const { listener, port, handed } = await listen(t, {
    allow: address => address !== '127.0.0.3',
    limits: { socketsMax: 1 },
  });
  const blocked = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.3' });
  blocked.on('error', () => {});
  blocked.write('GET / HTTP/1.1\r\n');
  await closed(blocked);
  t.equal(listener.counts.of('blocked'), 1);
  const first = await dial(t, port);
  first.write('GET / HTTP/1.1\r\n');
  await eventually('the first got in', () => handed.length === 1);
  const second = await dial(t, port);
  await closed(second);
  t.equal(listener.counts.of('sockets_full'), 1);
});

t.test('a port in use, a foreign address: one line that says what to do', async t => {
  const { port } = await listen(t);
  const again = new Listener({ host: '127.0.0.1', port, log: silentLog }, { overlay: () => {}, http: () => {} });
  await t.rejects(again.start(), {
    name: 'ListenError',
    code: 'LISTEN_PORT_IN_USE',
    message: `127.0.0.1:${port} is in use by another program: stop that one, or choose another --port (0 takes any free one)`,
  });
  const foreign = new Listener({ host: '192.0.2.1', port: 0, log: silentLog }, { overlay: () => {}, http: () => {} });
  await t.rejects(foreign.start(), { code: 'LISTEN_NO_SUCH_ADDRESS', message: /--host/ });
  t.throws(() => again.endpoint, /not listening/);
  await again.stop();
});

t.test('stopping frees the port at once and drops who only greeted', async t => {
  const { listener, port, handed } = await listen(t);
  const greeting = await dial(t, port);
  const served = await dial(t, port);
  served.write('GET / HTTP/1.1\r\n');
  await eventually('one was handed over', () => handed.length === 1 && listener.load.greeting === 1);
  await listener.stop();
  await listener.stop();
  await closed(greeting);
  t.equal(served.destroyed, false, 'sockets handed over are their owners to close');
  const { listener: next } = await listen(t, { port });
  t.equal(next.endpoint.port, port);
});
