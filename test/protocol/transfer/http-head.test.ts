import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { ProtocolError } from '../../../protocol/errors.ts';
import { HeaderReader, Headers } from '../../../protocol/handshake/header-block.ts';
import {
  encodeRequestHead,
  encodeResponseHead,
  HTTP_LIMITS,
  keepsAlive,
  listOf,
  numberOf,
  parseRequestHead,
  parseResponseHead,
} from '../../../protocol/transfer/http-head.ts';

const block = (firstLine: string, headers: [string, string][] = []) => ({ firstLine, headers: new Headers(headers) });

function read(bytes: Buffer) {
  const reader = new HeaderReader(HTTP_LIMITS);
  t.equal(reader.push(bytes), 'done');
  return reader.block;
}

t.test('request lines, odd ones too', async t => {
  t.match(parseRequestHead(block('GET /uri-res/N2R?urn:sha1:X HTTP/1.1')), {
    method: 'GET',
    target: '/uri-res/N2R?urn:sha1:X',
    major: 1,
    minor: 1,
  });
  t.match(parseRequestHead(block('GET /get/1/a name.txt HTTP/1.0')), { target: '/get/1/a name.txt', minor: 0 });
  t.match(parseRequestHead(block('GET  /  HTTP/2.0')), { target: '/', major: 2 });
  for (const line of [
    'GET /',
    'GET / HTTP/1',
    'GET  HTTP/1.1',
    '/ HTTP/1.1',
    'GET / HTTP/1.1 x',
    'G(T / HTTP/1.1',
    '',
  ]) {
    t.throws(() => parseRequestHead(block(line)), { code: 'HTTP_MALFORMED' }, line);
  }
});

t.test('status lines, odd ones too', async t => {
  t.match(parseResponseHead(block('HTTP/1.1 503 Queued (slot 3, ETA: 7h 22m)')), {
    status: 503,
    reason: 'Queued (slot 3, ETA: 7h 22m)',
  });
  t.match(parseResponseHead(block('HTTP/1.0 404')), { status: 404, reason: '', minor: 0 });
  t.match(parseResponseHead(block('HTTP/1.1 200 ')), { status: 200, reason: '' });
  for (const line of ['HTTP/1.1', 'HTTP/1.1 20', 'HTTP/1.1 2000 OK', 'ICY 200 OK', 'HTTP/1.1 OK']) {
    t.throws(() => parseResponseHead(block(line)), { code: 'HTTP_MALFORMED' }, line);
  }
});

t.test('heads are written as they are read', async t => {
  const request = encodeRequestHead('GET', '/', [['Host', '1.2.3.4:5']]);
  t.equal(request.toString(), 'GET / HTTP/1.1\r\nHost: 1.2.3.4:5\r\n\r\n');
  t.match(parseRequestHead(read(request)), { method: 'GET', target: '/' });
  const response = encodeResponseHead(206, 'Partial Content', [['Content-Length', '5']]);
  t.equal(response.toString(), 'HTTP/1.1 206 Partial Content\r\nContent-Length: 5\r\n\r\n');
  t.match(parseResponseHead(read(response)), { status: 206, reason: 'Partial Content' });
});

t.test('no reply has more headers than LimeWire reads', async t => {
  const headers = Array.from({ length: 21 }, (_, i): [string, string] => [`X-${i}`, 'y']);
  t.throws(() => encodeResponseHead(200, 'OK', headers), RangeError);
  t.ok(encodeResponseHead(200, 'OK', headers.slice(1)));
});

t.test('who keeps the connection', async t => {
  const kept = (minor: number, connection?: string) =>
    keepsAlive({
      major: 1,
      minor,
      headers: new Headers(connection === undefined ? [] : [['Connection', connection]]),
    });
  t.ok(kept(1));
  t.ok(kept(1, 'Keep-Alive'));
  t.notOk(kept(1, 'Close'));
  t.notOk(kept(1, 'keep-alive, close'));
  t.notOk(kept(0));
  t.ok(kept(0, 'Upgrade, Keep-Alive'));
});

t.test('lists and numbers', async t => {
  t.strictSame(listOf(' Upgrade,, Close '), ['upgrade', 'close']);
  t.strictSame(listOf(null), []);
  t.equal(numberOf(null), null);
  t.equal(numberOf('5'), 5);
  t.equal(numberOf('5, 5'), 5, 'said twice');
  for (const odd of ['', '-1', '5, 6', '0x5', '1e3', '99999999999999999', '+5']) t.equal(numberOf(odd), -1, odd);
});

t.test('any first line is a head or a ProtocolError', async () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), line => {
      for (const parse of [parseRequestHead, parseResponseHead]) {
        try {
          parse(block(line));
        } catch (error) {
          assert.ok(error instanceof ProtocolError);
        }
      }
    }),
  );
});

t.test('a hostile first line costs no more than its length', async t => {
  for (const line of [`GET ${' '.repeat(1000)}`, `GET /${' x'.repeat(500)}`, `${'A'.repeat(32)} ${' '.repeat(900)}/`]) {
    const head = block(line);
    t.throws(() => parseRequestHead(head), { code: 'HTTP_MALFORMED' });
    // so often that the square of the length would take longer than the time limit of a test
    let refused = 0;
    for (let i = 0; i < 20_000; i++) {
      try {
        parseRequestHead(head);
      } catch (error) {
        if (error instanceof ProtocolError) refused++;
      }
    }
    t.equal(refused, 20_000);
  }
});
