import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { askGwebCache } from '../../../daemon/bootstrap/gwebcache-client.ts';
import { NETWORK_RULES } from '../../../protocol/network-rules.ts';
import { ReachPolicy } from '../../../protocol/overlay/reach/reach-policy.ts';

const request = {
  vendor: 'SRVT',
  version: '0.1',
  network: 'gnutella',
  get: true,
  ping: true,
  update: { host: '127.0.0.1', port: 7001 },
  url: null,
};
const local = new ReachPolicy(NETWORK_RULES.local);
const options = { forbids: (endpoint: { host: string; port: number }) => local.forbids(endpoint) };

async function serve(t: Test, listener: RequestListener) {
  const server = createServer(listener);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/gwc/`;
}

t.test('asks as the caches know it, and reads the answer', async t => {
  const asked: (string | undefined)[] = [];
  const url = await serve(t, ({ url, headers }, response) => {
    asked.push(url, headers['user-agent'], headers.cookie);
    response.end('I|pong|X 1|gnutella\r\nH|127.0.0.1:7002|4\r\nI|update|OK\r\n');
  });
  const answer = await askGwebCache(url, request, { ...options, userAgent: 'me/1' });
  t.match(answer, { hosts: [{ host: '127.0.0.1', port: 7002 }], updated: true, pong: 'X 1' });
  const query = 'get=1&ping=1&update=1&ip=127.0.0.1%3A7001&net=gnutella&client=SRVT&version=0.1';
  t.strictSame(asked, [`/gwc/?${query}`, 'me/1', undefined]);
});

t.test('a redirect is followed for reading, without what we submit; not for ever', async t => {
  const asked: string[] = [];
  const url = await serve(t, ({ url = '' }, response) => {
    asked.push(url);
    if (url.startsWith('/gwc/')) response.writeHead(302, { Location: '/other/?x=1' }).end();
    else response.end('H|127.0.0.1:7002|4\r\n');
  });
  t.equal((await askGwebCache(url, request, options)).hosts.length, 1);
  t.equal(asked[1], '/other/?get=1&ping=1&net=gnutella&client=SRVT&version=0.1');
  await t.rejects(askGwebCache(url, { ...request, get: false, ping: false }, options), { code: 'CACHE_STATUS' });

  const circle = await serve(t, (_, response) => response.writeHead(301, { Location: '/gwc/' }).end());
  await t.rejects(askGwebCache(circle, request, options), { code: 'CACHE_STATUS' });
});

t.test('pages, errors, floods, silence and other networks are no answers', async t => {
  const cases: [string, RequestListener][] = [
    ['CACHE_REFUSED', (_, response) => response.end('<html>1.2.3.4:5</html>')],
    ['CACHE_REFUSED', (_, response) => response.end('ERROR: Client returned too early')],
    ['CACHE_REFUSED', (_, response) => response.end('I|net-not-supported|\r\n')],
    ['CACHE_REFUSED', (_, response) => response.end('1.2.3.4:5\r\n'.repeat(10_000))],
    ['CACHE_STATUS', (_, response) => response.writeHead(404).end()],
    ['CACHE_UNREACHABLE', ({ socket }) => socket.destroy()],
    ['CACHE_TIMEOUT', () => {}],
    ['CACHE_TIMEOUT', (_, response) => response.write('H|1.2.3.4:5|6\r\n')],
  ];
  for (const [code, listener] of cases) {
    const url = await serve(t, listener);
    await t.rejects(askGwebCache(url, request, { ...options, answerMs: code === 'CACHE_TIMEOUT' ? 60 : 5000 }), {
      code,
    });
  }
});

t.test('nothing leaves the reach of the profile: literal addresses, names, redirects', async t => {
  for (const url of ['http://5.5.1.1/gwc/', 'http://[2001:4860::1]/', 'http://10.0.0.1:8080/'])
    await t.rejects(askGwebCache(url, request, options), { code: 'CACHE_FORBIDDEN' }, url);
  const away = await serve(t, (_, response) => response.writeHead(302, { Location: 'http://5.5.1.1/gwc/' }).end());
  await t.rejects(askGwebCache(away, request, options), { code: 'CACHE_FORBIDDEN' });
  const named = await serve(t, (_, response) => response.end('OK\r\n'));
  const byName = named.replace('127.0.0.1', 'localhost');
  t.equal((await askGwebCache(byName, request, options)).updated, true);
  await t.rejects(askGwebCache(byName, request, { forbids: () => 'blocked' }), { code: 'CACHE_FORBIDDEN' });
});
