// Connections through a SOCKS5 proxy: who asks it for what, and what its refusals are called.
import { type AddressInfo, createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { askGwebCache } from '../../../daemon/bootstrap/gwebcache-client.ts';
import { Dialer } from '../../../daemon/net/dialer.ts';
import { SlabSocket } from '../../../daemon/net/slab-socket.ts';
import { SocketReader } from '../../../daemon/net/socket-reader.ts';
import { SocksWay } from '../../../daemon/net/socks-way.ts';
import { WayOut } from '../../../daemon/net/way-out.ts';
import { socksProxyOf } from '../../../settings/socks-proxy.ts';
import { eventually, openSockets } from '../../support/loopback.ts';
import { type SocksServerOptions, startSocksServer } from '../../support/socks-server.ts';

/** Sends back what it gets. */
async function echo(t: Test, host = '127.0.0.1'): Promise<number> {
  const open = new Set<Socket>();
  const server = createServer(socket => {
    open.add(socket.on('error', () => {}));
    socket.pipe(socket);
  });
  await new Promise<void>(resolve => server.listen(0, host, resolve));
  t.teardown(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

async function through(t: Test, options: SocksServerOptions = {}, url = '', isolate = false, connectMs = 5_000) {
  const server = await startSocksServer(t, options);
  const proxy = socksProxyOf(`socks5://${url}127.0.0.1:${server.port}`);
  if (proxy === null) throw new Error('no proxy');
  const proxied = new SocksWay({ proxy, isolate, connectMs });
  const way = new WayOut(proxied);
  return { server, way, proxied, dialer: new Dialer({ forbids: () => null, way }) };
}

t.test('a dial goes through the proxy, also where a socket of its own kind is asked for', async t => {
  const port = await echo(t);
  const { server, dialer, proxied } = await through(t);
  const socket = await dialer.dial({ host: '127.0.0.1', port }, undefined, () => new SlabSocket());
  t.teardown(() => socket.destroy());
  const reader = new SocketReader(socket);
  socket.write('GNUTELLA');
  t.equal(String(await reader.next()), 'GNUTELLA');
  t.strictSame(server.asked, [`>127.0.0.1:${port}`]);
  t.match(proxied, { connected: 1, refused: 0, unreachable: 0, trouble: null });
});

t.test('each address has a user of its own when isolated, and the same one every time', async t => {
  const port = await echo(t, '0.0.0.0');
  const { server, dialer } = await through(t, {}, '', true);
  for (const host of ['127.0.0.1', '127.0.0.2', '127.0.0.1']) (await dialer.dial({ host, port })).destroy();
  t.strictSame(
    server.asked,
    ['127.0.0.1', '127.0.0.2', '127.0.0.1'].map(host => `${host}>${host}:${port}`),
  );
});

t.test('user and password of the URL are used; isolation then has no effect', async t => {
  const port = await echo(t);
  const user = { name: 'me', password: 'a b' };
  const { server, dialer, proxied } = await through(t, { user }, 'me:a%20b@', true);
  (await dialer.dial({ host: '127.0.0.1', port })).destroy();
  t.strictSame(server.asked, [`me>127.0.0.1:${port}`]);
  t.notOk(proxied.isolates);
  t.notMatch(proxied.name, /me|a b/, 'no secret is shown');
});

t.test('refusals, garbage and silence of a proxy are said in words', async t => {
  const cases: readonly (readonly [SocksServerOptions, RegExp])[] = [
    [{ refuse: 5 }, /the proxy socks5:\/\/127\.0\.0\.1:\d+ did not connect: .*ConnectionRefused/],
    [{ refuse: 4 }, /HostUnreachable/],
    [{ garbage: Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n') }, /did not connect/],
    [{ user: { name: 'me', password: 'x' } }, /did not connect/],
  ];
  for (const [options, said] of cases) {
    const { dialer } = await through(t, options, options.user === undefined ? '' : 'me:y@');
    await t.rejects(dialer.dial({ host: '127.0.0.1', port: 9 }), { code: 'DIAL_FAILED', message: said });
  }
  const silent = await through(t, { garbage: Buffer.alloc(0) }, '', false, 50);
  await t.rejects(silent.dialer.dial({ host: '127.0.0.1', port: 9 }), { code: /DIAL_(TIMEOUT|FAILED)/ });
  await eventually('nothing is left open', () => silent.way.sockets === 0);
});

t.test('a proxy that is not there is told apart, and a dial can be given up', async t => {
  const { dialer, proxied } = await through(t, { garbage: Buffer.alloc(0) });
  const giveUp = new AbortController();
  const before = openSockets();
  const dial = dialer.dial({ host: '127.0.0.1', port: 9 }, giveUp.signal);
  giveUp.abort();
  await t.rejects(dial, { code: 'DIAL_ABORTED' });
  t.ok(openSockets() <= before + 1);
  const gone = new SocksWay({ proxy: { host: '127.0.0.1', port: 1, user: null, password: null }, isolate: false });
  const away = new Dialer({ forbids: () => null, way: new WayOut(gone) });
  await t.rejects(away.dial({ host: '127.0.0.1', port: 9 }), { message: /cannot be connected to/ });
  t.match(gone, { unreachable: 1, trouble: /ECONNREFUSED/ });
  t.equal(proxied.trouble, null);
});

t.test('the name of a GWebCache is looked up by the proxy', async t => {
  const server = createServer(socket => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end('HTTP/1.0 200 OK\r\n\r\nH|5.6.7.8:6346|60\r\n'));
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const proxy = await through(t, { names: { 'cache.invalid': '127.0.0.1' } });
  const request = { get: true, ping: false, update: null, url: null } as unknown as Parameters<typeof askGwebCache>[1];
  const answer = await askGwebCache(`http://cache.invalid:${port}/`, request, { forbids: () => null, way: proxy.way });
  t.strictSame(
    answer.hosts.map(({ host }) => host),
    ['5.6.7.8'],
  );
  t.strictSame(proxy.server.asked, [`>cache.invalid:${port}`]);
});
