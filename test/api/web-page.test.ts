// The page as a browser gets it: which files there are, what protects them, and what is refused.
import { connect } from 'node:net';
import t from 'tap';
import { webPage } from '../../api/web-page.ts';
import { serveFake, TOKEN } from '../support/api-server.ts';

/** Sent by nobody who has a token. */
const nobody = { Authorization: '' };

t.test('the page and all its files are there for everybody, with headers that keep others out', async t => {
  const { raw, mistakes } = await serveFake(t, { page: webPage });
  for (const path of (await webPage()).keys()) {
    const reply = await raw({ path, headers: nobody });
    t.equal(reply.status, 200, path);
    t.match(reply.headers, {
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
      'cross-origin-opener-policy': 'same-origin',
      'cache-control': 'no-cache',
      etag: /^"/,
      'content-type': /^(text\/(html|css|javascript); charset=utf-8|image\/svg\+xml)$/,
    });
    t.equal(reply.headers['set-cookie'], undefined);
    const policy = String(reply.headers['content-security-policy']);
    for (const rule of [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "connect-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
    ])
      t.ok(policy.split('; ').includes(rule), rule);
    t.notMatch(policy, /unsafe|https?:|data:|\*/);
  }
  t.strictSame(mistakes, []);
});

t.test('nothing is written inline, and whatever is referred to is there', async t => {
  const page = await webPage();
  const html = page.get('/')?.bytes.toString() ?? '';
  t.notMatch(html, /<style|style=|\son\w+=|<script(?![^>]* src=)|javascript:|https?:/i);
  const linked = [...html.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, path]) => `/${path}`);
  t.ok(linked.length >= 3);
  for (const path of linked) t.ok(page.has(path), path);
  let modules = 0;
  for (const [path, { bytes }] of page) {
    if (!path.endsWith('.js')) continue;
    modules++;
    const text = bytes.toString();
    t.notMatch(text, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|localStorage/, path);
    for (const [, to = ''] of text.matchAll(/from '([^']+)'/g))
      t.ok(page.has(new URL(to, `http://page${path}`).pathname), `${path} imports ${to}`);
  }
  t.ok(modules > 15);
  for (const [path, { bytes }] of page) if (path.endsWith('.css')) t.notMatch(bytes.toString(), /url\(|@import/, path);
});

t.test('what has been fetched is not fetched again, and HEAD says what GET would', async t => {
  const { raw } = await serveFake(t, { page: webPage });
  const { headers, text } = await raw({ path: '/', headers: nobody });
  const again = await raw({ path: '/', headers: { ...nobody, 'If-None-Match': String(headers['etag']) } });
  t.match(again, { status: 304, text: '' });
  t.match(again.headers['content-security-policy'], "default-src 'none'");
  const head = await raw({ method: 'HEAD', path: '/', headers: nobody });
  t.match(head, { status: 200, text: '', headers: { 'content-length': String(Buffer.byteLength(text)) } });
  t.match(head.headers['content-type'], 'text/html');
});

t.test('other methods, other names and tricks with paths get a problem document', async t => {
  const { raw, server, mistakes } = await serveFake(t, { page: webPage });
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH'])
    t.match(await raw({ method, path: '/', headers: nobody }), {
      status: 405,
      headers: { allow: 'GET, HEAD' },
      json: { code: 'METHOD_NOT_ALLOWED' },
    });
  for (const path of [
    '/web/nothing.js',
    '/web/',
    '/web/main.ts',
    '/web/main.js.map',
    '/web/../package.json',
    '/web/..%2f..%2fpackage.json',
    '/web/%2e%2e/%2e%2e/package.json',
    '/web/..\\package.json',
    '/web//main.js',
    '/web/main.js/',
    '/web/main.js%00.css',
    '/web/__proto__',
    '/WEB/MAIN.JS',
    '//web/main.js',
    '/index.html',
    '/api/app.js',
    '/constructor',
  ]) {
    const reply = await raw({ path, headers: nobody });
    t.ok(reply.status === 404 || reply.status === 401, `${path} ${reply.status}`);
    t.match(reply.headers['content-type'], 'application/problem+json', path);
    t.notMatch(reply.text, /"dependencies"|import /, path);
  }
  t.match(await raw({ path: '/web/nothing.js', headers: nobody }), { status: 404, json: { code: 'NOT_FOUND' } });
  t.match(await raw({ path: '/nothing', headers: nobody }), { status: 401 }, 'a stranger learns no other paths');
  const absolute = connect(server.port, '127.0.0.1');
  absolute.write(
    'GET http://127.0.0.1/web/../../package.json HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n',
  );
  let text = '';
  for await (const chunk of absolute) text += String(chunk);
  t.match(text, /^HTTP\/1\.1 40[14] /);
  t.strictSame(mistakes, []);
});

t.test('a name that is not ours gets no page, whatever it points to; our own page may call', async t => {
  const { raw, server } = await serveFake(t, { page: webPage, hostNames: ['Servent.example'] });
  for (const path of ['/', '/web/main.js'])
    t.match(await raw({ path, headers: { ...nobody, Host: 'evil.example' } }), {
      status: 403,
      json: { code: 'FORBIDDEN_HOST' },
    });
  for (const host of [`127.0.0.1:${server.port}`, 'localhost:1', '[::1]:8346', 'servent.example'])
    t.equal((await raw({ path: '/', headers: { ...nobody, Host: host } })).status, 200, host);
  const own = { Origin: `http://127.0.0.1:${server.port}`, Authorization: `Bearer ${TOKEN}` };
  t.equal((await raw({ path: '/api/v1/status', headers: own })).status, 200);
  t.match(await raw({ path: '/api/v1/status', headers: { ...own, Origin: 'https://evil.example' } }), {
    status: 403,
    json: { code: 'FORBIDDEN_ORIGIN' },
  });
});

t.test('switched off, and on again, without a new start', async t => {
  let on = false;
  const { raw } = await serveFake(t, { page: () => (on ? webPage() : null) });
  t.equal((await raw({ path: '/', headers: nobody })).status, 401);
  t.equal((await raw({ path: '/web/main.js', headers: nobody })).status, 401);
  t.equal((await raw({ path: '/' })).status, 404);
  on = true;
  t.equal((await raw({ path: '/', headers: nobody })).status, 200);
});
