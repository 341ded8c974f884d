import { connect } from 'node:net';
import t, { type Test } from 'tap';
import { BODY_BYTES_MAX } from '../../api/body.ts';
import { endpointNames, endpoints } from '../../api/endpoints.ts';
import { problem } from '../../api/schemas/service.ts';
import { Throttle } from '../../api/throttle.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { type Call, type Reply, serveFake, TOKEN } from '../support/api-server.ts';

const json = { 'Content-Type': 'application/json' };

function isProblem(t: Test, reply: Reply, status: number, code: string): void {
  t.equal(reply.status, status, `${code}: ${reply.text.slice(0, 80)}`);
  t.equal(reply.headers['content-type'], 'application/problem+json');
  const { type, code: said } = problem.parse(reply.json);
  t.equal(said, code);
  t.equal(type, `urn:servent:problem:${code.toLowerCase().replaceAll('_', '-')}`);
}

t.test('every endpoint but the health probes wants the token, before it says anything else', async t => {
  const throttle = new Throttle(undefined, Number.POSITIVE_INFINITY);
  const { control, raw } = await serveFake(t, { throttle });
  for (const name of endpointNames) {
    const { method, path, scope } = endpoints[name];
    if (scope === 'open') continue;
    for (const Authorization of [
      '',
      'Bearer',
      'Bearer wrong',
      `Basic ${TOKEN}`,
      `Bearer ${TOKEN}x`,
      `Bearer ${TOKEN} x`,
      TOKEN,
    ]) {
      const reply = await raw({ method, path, headers: { Authorization } });
      isProblem(t, reply, 401, 'UNAUTHORIZED');
      t.match(reply.headers['www-authenticate'], /^Bearer/);
    }
  }
  isProblem(t, await raw({ path: '/nothing/here', headers: { Authorization: '' } }), 401, 'UNAUTHORIZED');
  t.strictSame(control.calls, []);
});

t.test('the health probes need no token and tell how it is', async t => {
  const { control, raw } = await serveFake(t);
  const headers = { Authorization: '' };
  t.strictSame((await raw({ path: '/health/live', headers })).json, { status: 'ok' });
  t.equal((await raw({ path: '/health/ready', headers })).status, 200);
  control.readyView = { status: 'unavailable', checks: [{ name: 'gnutella', ok: false, detail: 'not listening yet' }] };
  const reply = await raw({ path: '/health/ready', headers });
  t.equal(reply.status, 503);
  t.strictSame(reply.json, control.readyView);
});

t.test('a page of a stranger that rebinds its name is refused, addresses and localhost are not', async t => {
  const { raw } = await serveFake(t, { hostNames: ['nas.home'] });
  for (const Host of [
    'evil.example',
    'evil.example:8346',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'nas.home.evil.example',
  ])
    isProblem(t, await raw({ path: '/api/v1/status', headers: { Host } }), 403, 'FORBIDDEN_HOST');
  for (const Host of [
    '127.0.0.1:8346',
    'localhost:1',
    'LOCALHOST',
    'servent.localhost',
    '[::1]:8346',
    '192.168.1.2',
    'NAS.home:8346',
  ])
    t.equal((await raw({ path: '/api/v1/status', headers: { Host } })).status, 200, Host);
});

t.test('a wrong method is told which ones there are', async t => {
  const { raw } = await serveFake(t);
  for (const [method, path, allowed] of [
    ['PUT', '/api/v1/peers', /GET.*POST|POST.*GET/],
    ['POST', '/api/v1/status', /GET/],
    ['GET', '/api/v1/library/rescan', /POST/],
    ['DELETE', '/health/live', /GET/],
  ] as const) {
    const reply = await raw({ method, path });
    isProblem(t, reply, 405, 'METHOD_NOT_ALLOWED');
    t.match(reply.headers['allow'], allowed);
  }
  const options = await raw({ method: 'OPTIONS', path: '/api/v1/downloads/d1' });
  t.equal(options.status, 204, 'OPTIONS only asks');
  t.match(options.headers['allow'], /GET.*PATCH.*DELETE/);
});

t.test('paths are taken literally', async t => {
  const { control, raw } = await serveFake(t);
  for (const path of [
    '/',
    '/api/v1',
    '/api/v1/',
    '/api/v1/status/',
    '/API/v1/status',
    '/api/v1//status',
    '/api/v1/../v1/status',
    '/api/v1/%2e%2e/v1/status',
    '/api/v1/downloads/..%2f..%2fetc',
    '/api/v1/downloads/%00',
    '/api/v1/downloads/%E0%A4%A',
    '/api/v1/downloads/__proto__',
    '/api/v1/downloads/constructor',
    '/api/v1/downloads/d1/results',
    '/health/live/',
    '/api/v1/status;x=1',
  ])
    isProblem(t, await raw({ path }), 404, 'NOT_FOUND');
  isProblem(t, await raw({ path: `/api/v1/downloads/${'x'.repeat(129)}` }), 400, 'INVALID');
  t.notOk(control.calls.some(([name]) => name === 'status'));
});

t.test('HEAD answers as GET does, without the body', async t => {
  const { raw } = await serveFake(t);
  const reply = await raw({ method: 'HEAD', path: '/api/v1/status' });
  t.equal(reply.status, 200);
  t.equal(reply.text, '');
});

t.test('bodies that are not JSON objects are refused for what they are', async t => {
  const { control, raw } = await serveFake(t);
  const post = (body: Call['body'], headers: Record<string, string> = json): Promise<Reply> =>
    raw({ method: 'POST', path: '/api/v1/searches', headers, ...(body === undefined ? {} : { body }) });
  isProblem(t, await post('{"text":'), 400, 'MALFORMED_JSON');
  isProblem(t, await post('\xff\xfe'), 400, 'MALFORMED_JSON');
  isProblem(t, await post('['.repeat(100_000)), 400, 'MALFORMED_JSON');
  for (const body of ['[]', '"text"', '1', 'null', '[{"text":"a"}]', undefined])
    isProblem(t, await post(body), 400, 'INVALID');
  isProblem(t, await post('{"text":"a"}', {}), 415, 'UNSUPPORTED_MEDIA_TYPE');
  isProblem(
    t,
    await post('text=a', { 'Content-Type': 'application/x-www-form-urlencoded' }),
    415,
    'UNSUPPORTED_MEDIA_TYPE',
  );
  isProblem(t, await post('{"text":"a"}', { 'Content-Type': 'text/plain' }), 415, 'UNSUPPORTED_MEDIA_TYPE');
  isProblem(t, await post('x', { ...json, 'Content-Encoding': 'gzip' }), 415, 'UNSUPPORTED_MEDIA_TYPE');
  t.strictSame(control.calls, []);
  t.equal((await post('{"text":"a"}', { 'Content-Type': 'Application/JSON; charset=utf-8' })).status, 201);
});

t.test('a body over 1 MiB is refused whether or not it says so first', async t => {
  const { raw } = await serveFake(t);
  const body = JSON.stringify({ text: 'x'.repeat(BODY_BYTES_MAX) });
  const call = { method: 'POST', path: '/api/v1/searches', body };
  isProblem(
    t,
    await raw({ ...call, headers: { ...json, 'Content-Length': String(body.length) } }),
    413,
    'BODY_TOO_LARGE',
  );
  const reply = await raw({ ...call, headers: { ...json, 'Transfer-Encoding': 'chunked' } });
  isProblem(t, reply, 413, 'BODY_TOO_LARGE');
  t.equal(reply.headers['connection'], 'close');
});

t.test('who sends on and on is told so, and then cut', async t => {
  const { server } = await serveFake(t);
  const socket = connect(server.port, '127.0.0.1');
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  const closed = new Promise<boolean>(resolve => socket.once('close', resolve));
  const written = (data: Buffer | string) => new Promise<void>(done => socket.write(data, () => done()));
  await written(
    `POST /api/v1/searches HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${TOKEN}\r\n` +
      'Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n',
  );
  const chunk = Buffer.concat([Buffer.from('100000\r\n'), Buffer.alloc(0x100000, 0x20), Buffer.from('\r\n')]);
  for (let mib = 0; mib < 30; mib++) await written(chunk);
  await written('0\r\n\r\n');
  t.equal(await closed, false, 'an end, no reset');
  t.match(text, /^HTTP\/1.1 413 /);
  t.match(text, 'BODY_TOO_LARGE');
});

t.test('a body that never ends is given up', async t => {
  const { server } = await serveFake(t, { bodyWaitMs: 30 });
  const socket = connect(server.port, '127.0.0.1');
  socket.write(
    `POST /api/v1/searches HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${TOKEN}\r\n` +
      'Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"te',
  );
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  t.match(text, /^HTTP\/1.1 408 /);
  t.match(text, 'TOO_SLOW');
});

t.test('prototype keys are just unknown fields', async t => {
  const { control, raw } = await serveFake(t);
  for (const body of [
    '{"text":"a","__proto__":{"admin":true}}',
    '{"text":"a","constructor":{"prototype":{"admin":true}}}',
    '{"__proto__":{"text":"a"}}',
    '{"text":"a","toString":1}',
  ]) {
    const reply = await raw({ method: 'POST', path: '/api/v1/searches', headers: json, body });
    isProblem(t, reply, 400, 'INVALID');
  }
  t.strictSame(control.calls, []);
  t.notOk('admin' in {});
});

t.test('nor are they overlooked where any field may be, or further in', async t => {
  const { control, raw } = await serveFake(t);
  for (const body of [
    '{"__proto__":{"gnutella":{"port":1}}}',
    '{"gnutella":{"__proto__":{"port":1}}}',
    '{"gnutella":{"port":1,"\\u005f_proto__":1}}',
  ]) {
    const reply = await raw({ method: 'PATCH', path: '/api/v1/config', headers: json, body });
    isProblem(t, reply, 400, 'INVALID');
    t.match(reply.json, { field: '__proto__' });
  }
  t.strictSame(control.calls, []);
});

t.test('a request line whose URL cannot be read is a bad request', async t => {
  const { raw, mistakes } = await serveFake(t);
  for (const path of ['http://[::bad/', 'http://[', '//[::bad'])
    isProblem(
      t,
      await raw({ path }),
      path.startsWith('//') ? 404 : 400,
      path.startsWith('//') ? 'NOT_FOUND' : 'INVALID',
    );
  t.strictSame(mistakes, []);
});

t.test('what Control refuses keeps its code; what it throws by mistake tells the log and not the caller', async t => {
  const { control, raw, mistakes } = await serveFake(t);
  const failing = async (error: unknown): Promise<Reply> => {
    control.before = () => {
      throw error;
    };
    return raw({ path: '/api/v1/status' });
  };
  isProblem(t, await failing(new ProtocolError('MAGNET_MALFORMED', 'no xt')), 400, 'INVALID');
  t.strictSame(mistakes, []);
  for (const error of [
    new Error('secret /home/me'),
    'a string',
    null,
    Object.assign(new Error('x'), { status: 200 }),
  ]) {
    const reply = await failing(error);
    isProblem(t, reply, 500, 'INTERNAL');
    t.notMatch(reply.text, 'secret');
  }
  t.equal(mistakes.length, 4);
});

t.test('an answer that does not fit its schema is a mistake', async t => {
  const { control, raw, mistakes } = await serveFake(t);
  control.peerList = [{ ...control.peerList[0], bytes: { in: -1, out: 0 } } as never];
  isProblem(t, await raw({ path: '/api/v1/peers' }), 500, 'INTERNAL');
  t.equal(mistakes.length, 1);
});

t.test('a token too short to protect anything is not accepted', async t => {
  await t.rejects(serveFake(t, { token: '' }));
  await t.rejects(serveFake(t, { token: 'short' }));
});

t.test('a port in use says what to do', async t => {
  const { control, server } = await serveFake(t);
  const { startApi } = await import('../../api/server.ts');
  await t.rejects(
    startApi(
      () => control,
      { host: '127.0.0.1', port: server.port },
      { token: TOKEN, onInternalError: () => undefined },
    ),
    { name: 'ApiListenError', code: 'EADDRINUSE', message: /--api-port/ },
  );
});

t.test('stopping does not wait for idle connections and may be asked twice', async t => {
  const { client, server } = await serveFake(t);
  await client.status();
  await Promise.all([server.stop(), server.stop()]);
  await t.rejects(client.status(), { name: 'NoAnswerError' });
});
