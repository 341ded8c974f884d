// Who gets in: keys and scopes, web pages, guessers, the Unix socket, TLS.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Caller, Keyring } from '../../api/auth.ts';
import { createClient } from '../../api/client.ts';
import type { KeyScope } from '../../api/control.ts';
import type { Endpoint } from '../../api/endpoint.ts';
import { endpointNames, endpoints } from '../../api/endpoints.ts';
import { startApi } from '../../api/server.ts';
import { Throttle } from '../../api/throttle.ts';
import { type Reply, serveFake, TOKEN } from '../support/api-server.ts';
import { FakeControl } from '../support/fake-control.ts';

const status = '/api/v1/status';

/** Keys whose secret is `servent_` and their name. */
function ring(callers: Record<string, readonly KeyScope[]>): Keyring {
  return {
    find: (secret): Caller | null => {
      const name = secret.slice('servent_'.length);
      const scopes = Object.hasOwn(callers, name) ? callers[name] : undefined;
      return scopes === undefined ? null : { id: name, name, scopes, expiresAt: null };
    },
    isGood: id => Object.hasOwn(callers, id),
  };
}

const bearer = (secret: string): Record<string, string> => ({ Authorization: `Bearer ${secret}` });

function refused(t: Test, reply: Reply, status: number, code: string, about: string): void {
  t.equal(reply.status, status, about);
  t.equal(reply.json?.['code'], code, about);
}

t.test('a key may do what its scope includes, and is told what is missing', async t => {
  const keys = ring({ reader: ['read'], hand: ['operate'], chief: ['admin'] });
  const { raw, mistakes } = await serveFake(t, { keys });
  const rank = { open: 0, read: 1, operate: 2, admin: 3 };
  for (const [name, held] of [
    ['reader', 'read'],
    ['hand', 'operate'],
    ['chief', 'admin'],
  ] as const)
    for (const row of endpointNames) {
      const { method, path, scope, body }: Endpoint = endpoints[row];
      const reply = await raw({
        method,
        path: path.replace(':id', 'nobody'),
        headers: { ...bearer(`servent_${name}`), ...(body === null ? {} : { 'Content-Type': 'application/json' }) },
        ...(body === null ? {} : { body: '{}' }),
      });
      const forbidden = reply.json?.['code'] === 'FORBIDDEN';
      t.equal(forbidden, rank[held] < rank[scope], `${name} and ${method} ${path}`);
      if (forbidden) t.match(reply.json?.['detail'], `the scope ${scope}`);
    }
  t.strictSame(mistakes, []);
});

t.test('a key of nobody is no key, and a caller can ask who it is', async t => {
  const { raw } = await serveFake(t, { keys: ring({ reader: ['read'] }) });
  refused(t, await raw({ path: status, headers: bearer('servent_nobody') }), 401, 'UNAUTHORIZED', 'unknown');
  refused(t, await raw({ path: status, headers: bearer('servent___proto__') }), 401, 'UNAUTHORIZED', 'prototype');
  refused(t, await raw({ path: status, headers: bearer('x'.repeat(600)) }), 401, 'UNAUTHORIZED', 'long');
  const who = async (secret: string) => (await raw({ path: '/api/v1/caller', headers: bearer(secret) })).json;
  t.strictSame(await who('servent_reader'), { id: 'reader', name: 'reader', scopes: ['read'], expiresAt: null });
  t.match(await who(TOKEN), { id: 'owner', scopes: ['admin'] });
});

t.test('pages of strangers are refused, our own and listed ones are not; no CORS header without a list', async t => {
  const { raw, server } = await serveFake(t, { corsOrigins: ['https://dash.example'] });
  const from = (Origin: string, more: Record<string, string> = {}, method = 'GET'): Promise<Reply> =>
    raw({ method, path: status, headers: { Origin, ...more } });
  for (const origin of [
    'https://evil.example',
    'null',
    'https://dash.example.evil',
    'http://dash.example',
    `http://127.0.0.1:${server.port + 1}`,
  ]) {
    const reply = await from(origin);
    refused(t, reply, 403, 'FORBIDDEN_ORIGIN', origin);
    t.equal(reply.headers['access-control-allow-origin'], undefined);
  }
  const own = await from(`http://127.0.0.1:${server.port}`);
  t.equal(own.status, 200);
  t.equal(own.headers['access-control-allow-origin'], undefined);
  const listed = await from('https://dash.example');
  t.equal(listed.status, 200);
  t.equal(listed.headers['access-control-allow-origin'], 'https://dash.example');
  t.match(listed.headers['vary'], 'Origin');
  t.equal(listed.headers['access-control-allow-credentials'], undefined);
  const preflight = { 'Access-Control-Request-Method': 'PATCH', Authorization: '' };
  const asked = await from('https://dash.example', preflight, 'OPTIONS');
  t.equal(asked.status, 204, 'a preflight carries no token');
  t.match(asked.headers['access-control-allow-methods'], /PATCH/);
  t.match(asked.headers['access-control-allow-headers'], /Authorization.*If-Match/);
  refused(t, await from('https://evil.example', preflight, 'OPTIONS'), 403, 'FORBIDDEN_ORIGIN', 'preflight');
});

t.test('answers are data: nothing in them runs, is framed, or is guessed at', async t => {
  const { raw } = await serveFake(t);
  for (const path of [status, '/nothing', '/health/live'])
    t.match((await raw({ path })).headers, {
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'content-security-policy': /default-src 'none'/,
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
    });
});

t.test('who guesses waits longer each time; on this machine a right token still gets in', async t => {
  const { raw, server } = await serveFake(t);
  const codes: unknown[] = [];
  for (let i = 0; i < 12; i++) {
    const reply = await raw({ path: status, headers: bearer('wrong-wrong-wrong-wrong') });
    codes.push(reply.json?.['code']);
    if (reply.status === 429) t.match(reply.headers['retry-after'], /^[1-9]\d*$/);
  }
  t.strictSame(codes, [...Array(10).fill('UNAUTHORIZED'), 'TOO_MANY_FAILURES', 'TOO_MANY_FAILURES']);
  t.equal((await raw({ path: status })).status, 200);
  t.equal(server.counters.refused.TOO_MANY_FAILURES, 2);
  t.equal(server.counters.refused.UNAUTHORIZED, 10);
  t.equal(server.counters.requests, 13);
});

t.test('from elsewhere a right token waits too, an IPv6 network counts as one, and the table is bounded', async t => {
  let now = 0;
  const throttle = new Throttle(() => now);
  const locked = (address: string): boolean => {
    try {
      throttle.refuseLocked(address);
      return false;
    } catch {
      return true; // TOO_MANY_FAILURES
    }
  };
  const fail = (address: string): boolean => {
    try {
      throttle.noteFailure(address);
      return false;
    } catch {
      return true;
    }
  };
  for (let i = 0; i < 10; i++) t.notOk(fail('192.0.2.7'));
  t.notOk(locked('192.0.2.7'));
  t.ok(fail('192.0.2.7'));
  t.ok(locked('192.0.2.7') && locked('::ffff:192.0.2.7'));
  t.notOk(locked('192.0.2.8'));
  now += 5_001;
  t.notOk(locked('192.0.2.7'));
  t.ok(fail('192.0.2.7'));
  now += 5_001;
  t.ok(locked('192.0.2.7'), 'twice as long the second time');
  now += 400_000;
  t.notOk(fail('192.0.2.7'), 'forgiven');
  for (let i = 0; i < 11; i++) fail(`2001:db8::${i}`);
  t.ok(locked('2001:db8:0:0:ffff::1'));
  t.notOk(locked('2001:db8:0:1::1'));
  for (let i = 0; i < 10_000; i++) fail(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
  t.ok(throttle.size <= 4096);
});

t.test('the Unix socket asks for no token and is open to its owner alone', async t => {
  // a test's own folder has too long a name for a socket
  const folder = mkdtempSync(join(tmpdir(), 'servent-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const socketPath = join(folder, 'api.sock');
  const control = new FakeControl();
  const begin = () =>
    startApi(
      () => control,
      { host: '127.0.0.1', port: 0, socketPath },
      { token: TOKEN, onInternalError: error => t.fail(String(error)), checkOutput: true },
    );
  const first = await begin();
  t.equal(statSync(socketPath).mode & 0o777, 0o600);
  const client = createClient({ url: `unix:${socketPath}`, token: '' });
  t.match(await client.caller(), { id: 'local', scopes: ['admin'] });
  t.match(await client.createKey({ name: 'x' }), { secret: /./ });
  await t.rejects(createClient({ url: first.url, token: '' }).status(), {
    name: 'RefusedError',
    problem: { code: 'UNAUTHORIZED' },
  });
  await first.stop();
  t.throws(() => statSync(socketPath), 'nothing is left');
  const second = await begin();
  t.match(await client.caller(), { id: 'local' });
  await second.stop();
  await t.rejects(client.status(), { name: 'NoAnswerError' });
});

t.test('a path too long for a socket is told, and nothing is left listening', async t => {
  const at = { host: '127.0.0.1', port: 0, socketPath: `/${'x'.repeat(120)}` };
  await t.rejects(
    startApi(() => new FakeControl(), at, { token: TOKEN, onInternalError: () => undefined }),
    {
      name: 'ApiListenError',
      message: /shorter path/,
    },
  );
});

function certificate(t: Test): { cert: string; key: string } | null {
  const folder = t.testdir();
  const certFile = join(folder, 'cert.pem');
  const keyFile = join(folder, 'key.pem');
  const name = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'];
  const { status } = spawnSync('openssl', ['req', '-x509', ...kind, ...name, '-keyout', keyFile, '-out', certFile]);
  return status === 0 ? { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') } : null;
}

t.test('with a certificate it is HTTPS', async t => {
  const tls = certificate(t);
  if (tls === null) {
    t.pass('the openssl program is needed to make a certificate: skipped');
    return;
  }
  const { cert } = tls;
  const options = { token: TOKEN, onInternalError: () => undefined };
  const server = await startApi(() => new FakeControl(), { host: '127.0.0.1', port: 0, tls }, options);
  t.teardown(() => server.stop());
  t.match(server.url, /^https:\/\/127\.0\.0\.1:\d+$/);
  t.match(await createClient({ url: server.url, token: TOKEN, ca: cert }).caller(), { id: 'owner' });
  await t.rejects(createClient({ url: server.url, token: TOKEN }).status(), { name: 'NoAnswerError' });
  await t.rejects(
    startApi(() => new FakeControl(), { host: '127.0.0.1', port: 0, tls: { cert, key: 'nonsense' } }, options),
    { name: 'ApiListenError', message: /must be a PEM certificate and its private key/ },
  );
});

t.test('what is no HTTP gets a problem document and no more', async t => {
  const { server } = await serveFake(t);
  for (const [sent, expected] of [
    ['\x16\x03\x01\x00\xa5\x01\x00', /^HTTP\/1\.1 400 /],
    ['GET / HTTP/1.1\r\nno colon here\r\n\r\n', /^HTTP\/1\.1 400 /],
    [`GET / HTTP/1.1\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`, /the headers are too large/],
    ['GET /api/v1/status HTTP/1.1\r\nConnection: close\r\n\r\n', /"code":"INVALID","field":"Host"/],
    ['GET /api/v1/status HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: more\r\n\r\n', /^HTTP\/1\.1 417 /],
  ] as const) {
    const socket = connect(server.port, '127.0.0.1');
    socket.on('error', () => undefined); // it may be cut while we still write
    socket.write(sent);
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    t.match(text, expected);
    t.match(text, 'application/problem+json');
  }
});
