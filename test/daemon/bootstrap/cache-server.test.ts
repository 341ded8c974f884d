import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import t, { type Test } from 'tap';
import { CacheServer } from '../../../daemon/bootstrap/cache-server.ts';
import { silentLog } from '../../../daemon/log.ts';
import { SystemClock, SystemRandom } from '../../../daemon/system.ts';
import { HEADER_BYTES, Type } from '../../../protocol/constants.ts';
import { formatEndpoint } from '../../../protocol/wire/endpoint.ts';
import { encodeDescriptor } from '../../../protocol/wire/header.ts';
import { encodePing } from '../../../protocol/wire/ping.ts';
import { parsePong } from '../../../protocol/wire/pong.ts';
import { readAll } from '../../support/loopback.ts';

async function serve(t: Test, lab = true, host = '127.0.0.1') {
  const server = new CacheServer({
    host,
    port: 0,
    lab,
    clock: new SystemClock(),
    random: new SystemRandom(),
    log: silentLog,
  });
  const at = await server.start();
  t.teardown(() => server.stop());
  return { server, at, url: `http://${formatEndpoint(at)}/gwc/` };
}

t.test('hosts submitted by HTTP are given out by HTTP in both specifications, and by UDP on the same port', async t => {
  const { at, url } = await serve(t);
  const update = await fetch(`${url}?update=1&ip=127.0.0.1%3A7001&net=gnutella&client=TEST0.1&x_leaves=3`);
  t.equal(await update.text(), 'I|update|OK\r\n');
  t.equal(update.headers.get('content-type'), 'text/plain; charset=utf-8');
  t.match(
    await (await fetch(`${url}?get=1&net=gnutella&client=WSHR&version=7.0`)).text(),
    /^H\|127\.0\.0\.1:7001\|0\r\n$/,
  );
  t.equal(await (await fetch(`${url}?hostfile=1&client=TEST&version=0.1`)).text(), '127.0.0.1:7001\r\n');

  const socket = createSocket('udp4');
  t.teardown(() => socket.close());
  const answered = once(socket, 'message') as Promise<[Buffer]>;
  const guid = new SystemRandom().guid();
  socket.send(
    encodeDescriptor(guid, Type.Ping, 1, 0, encodePing({ supportsCachedPongs: 1, ggep: [] })),
    at.port,
    at.host,
  );
  const [answer] = await answered;
  t.strictSame(parsePong(answer.subarray(HEADER_BYTES)).hosts, [{ host: '127.0.0.1', port: 7001 }]);
  t.ok(answer.subarray(0, 16).equals(guid));
});

t.test('what is no question to a cache gets a status and no body', async t => {
  const { url } = await serve(t);
  t.equal((await fetch(url, { method: 'POST', body: 'x' })).status, 405);
  t.equal((await fetch(new URL('/other', url))).status, 404);
  t.equal((await fetch(`${url}?x=${'y'.repeat(2000)}`)).status, 414);
  t.equal((await fetch(url)).status, 200);
});

t.test('garbage, half requests and floods of heads end the connection only', async t => {
  const { at, url } = await serve(t);
  for (const bytes of ['\x16\x03\x01nonsense\r\n\r\n', `GET / HTTP/1.1\r\nX: ${'y'.repeat(10_000)}\r\n\r\n`]) {
    const socket = connect(at.port, at.host).on('error', () => undefined); // it may be reset once it is answered
    socket.write(bytes);
    t.match((await readAll(socket)).toString(), /^HTTP\/1\.1 4/);
  }
  t.equal((await fetch(`${url}?ping=1&client=TEST0.1`)).status, 200);
});

t.test('an open cache is not to be read again and again from one address', async t => {
  const { url } = await serve(t, false);
  const statuses = [];
  for (let n = 0; n < 12; n++) statuses.push((await fetch(`${url}?ping=1&client=TEST0.1`)).status);
  t.equal(statuses.filter(status => status === 200).length, 10);
  t.equal(statuses.at(-1), 429);
});

t.test('a port taken by another program is said, and nothing stays open', async t => {
  const { at } = await serve(t);
  const second = new CacheServer({
    host: at.host,
    port: at.port,
    lab: true,
    clock: new SystemClock(),
    random: new SystemRandom(),
    log: silentLog,
  });
  await t.rejects(second.start(), { code: 'EADDRINUSE' });
  await second.stop();
});

const hasIpv6 = Object.values(networkInterfaces()).some(list => list?.some(({ address }) => address === '::1'));
t.test('IPv6: by HTTP and UDP', { skip: hasIpv6 ? false : 'no IPv6 here' }, async t => {
  const { at, url } = await serve(t, true, '::1');
  await fetch(`${url}?update=1&ip=%5B%3A%3A1%5D%3A7001&net=gnutella&client=TEST0.1`);
  t.match(await (await fetch(`${url}?get=1&net=gnutella&client=TEST0.1`)).text(), /^H\|\[::1\]:7001\|0\r\n$/);
  const socket = createSocket('udp6');
  t.teardown(() => socket.close());
  const answered = once(socket, 'message') as Promise<[Buffer]>;
  socket.send(
    encodeDescriptor(new SystemRandom().guid(), Type.Ping, 1, 0, encodePing({ supportsCachedPongs: 4, ggep: [] })),
    at.port,
    '::1',
  );
  const [answer] = await answered;
  t.strictSame(parsePong(answer.subarray(HEADER_BYTES)).hosts, [{ host: '::1', port: 7001 }]);
});
