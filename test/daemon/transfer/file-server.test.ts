import { createHash } from 'node:crypto';
import { truncateSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { parseThex } from '../../../protocol/digest/thex.ts';
import { formatBase32, formatBitprint, formatSha1Urn } from '../../../protocol/wire/urn.ts';
import { readFixture } from '../../support/fixtures.ts';
import { HttpClient } from '../../support/http-client.ts';
import { SharedFiles, serve, testBytes } from '../../support/shared-files.ts';

interface RangeCase {
  range?: string;
  expect: { status: number; content_range?: string; length?: number };
}

t.test('a file by hash, by bitprint and by index', async t => {
  const files = new SharedFiles(t.testdir());
  const content = testBytes(3000);
  const file = files.add('an été song.ogg', content);
  const { port, server } = await serve(t, files);
  const urn = formatSha1Urn(file.sha1);
  const client = await HttpClient.open(t, port);
  for (const target of [
    `/uri-res/N2R?${urn}`,
    `/uri-res/N2R?${formatBitprint(file.sha1, file.tigerRoot ?? Buffer.alloc(24))}`,
    `/uri-res/N2R?urn:tree:tiger:${formatBase32(file.tigerRoot ?? Buffer.alloc(24))}`,
    '/get/1/an%20%C3%A9t%C3%A9%20song.ogg',
    '/get/1/an \xc3\xa9t\xc3\xa9 song.ogg/',
    `http://127.0.0.1:${port}/get/1/an%20%C3%A9t%C3%A9%20song.ogg`,
  ]) {
    const { status, head, body } = await client.ask(`GET ${target} HTTP/1.1`);
    t.equal(status, 200, target);
    t.equal(head.headers.get('X-Gnutella-Content-URN'), urn);
    t.ok(body.equals(content));
  }
  t.equal(server.outcomes.of('whole'), 6);
  t.equal(files.uploads, 1, 'one upload, however often it asked');
  for (const service of ['N2R', 'N2X']) {
    const { status } = await client.ask(
      `GET /uri-res/${service}?${formatBitprint(file.sha1, Buffer.alloc(24))} HTTP/1.1`,
    );
    t.equal(status, 404, 'a wrong tree root names another file');
  }
});

t.test('a hash tree over the wire: no slot, no range, and 503 while it is still to be made', async t => {
  const files = new SharedFiles(t.testdir());
  const file = files.add('big.bin', testBytes(5 << 20));
  const { sha1, size, tigerRoot } = file;
  const urn = formatSha1Urn(sha1);
  const { port, server } = await serve(t, files, { limits: { slots: 1, slotsPerAddress: 0, queue: 0 } });
  const client = await HttpClient.open(t, port);
  const root = tigerRoot ?? Buffer.alloc(24);
  const link = (await client.ask(`HEAD /uri-res/N2R?${urn} HTTP/1.1`)).head.headers.get('X-Thex-URI');
  t.equal(link, `/uri-res/N2X?${urn};${formatBase32(root)}`);
  const target = `/uri-res/N2X?${urn}`;
  const plain = await client.ask(`GET ${target} HTTP/1.1`, 'Range: bytes=0-9');
  t.equal(plain.status, 200, 'a range means nothing');
  t.equal(plain.head.headers.get('Content-Type'), 'application/dime');
  t.notOk(plain.head.headers.has('X-Gnutella-Content-URN'));
  t.equal(parseThex(plain.body, { size, root }).sliceCount, 20);
  const head = await client.ask(`HEAD ${target} HTTP/1.1`);
  t.equal(head.head.headers.get('Content-Length'), String(plain.body.length));
  files.trees.delete(file.index);
  const missing = await client.ask(`GET ${target} HTTP/1.1`);
  t.match([missing.status, missing.head.headers.get('Retry-After')], [503, /^\d+$/]);
  t.same([server.outcomes.of('tree'), server.outcomes.of('no_tree')], [2, 1]);
});

t.test('the headers of a reply: exact names, the introduction once', async t => {
  const files = new SharedFiles(t.testdir());
  const file = files.add('a b.txt', testBytes(100));
  const { port } = await serve(t, files);
  const client = await HttpClient.open(t, port);
  const first = await client.ask('GET /get/1/a%20b.txt HTTP/1.1', 'Range: bytes=10-19');
  t.strictSame(
    [...first.head.headers].filter(([name]) => name !== 'Date' && name !== 'Last-Modified'),
    [
      ['Server', 'servent-test/1.0'],
      ['Content-Type', 'application/octet-stream'],
      ['Content-Length', '10'],
      ['Content-Range', 'bytes 10-19/100'],
      ['X-Gnutella-Content-URN', formatSha1Urn(file.sha1)],
      ['X-Thex-URI', `/uri-res/N2X?${formatSha1Urn(file.sha1)};${formatBase32(file.tigerRoot ?? Buffer.alloc(24))}`],
      ['Content-Disposition', "attachment; filename*=UTF-8''a%20b.txt"],
      ['X-Features', 'queue/1.1, fwalt/0.1'],
      ['X-Node', '127.0.0.1:6346'],
      ['X-GUID', 'ab'.repeat(16)],
    ],
  );
  t.equal(first.head.reason, 'Partial Content');
  const second = await client.ask('GET /get/1/a%20b.txt HTTP/1.1', 'Range: bytes=20-29');
  for (const name of ['X-Features', 'X-Node', 'Content-Disposition']) t.notOk(second.head.headers.has(name));
});

t.test('ranges as the vectors say, over the wire', async t => {
  const files = new SharedFiles(t.testdir());
  const content = testBytes(1000);
  files.add('k.bin', content);
  const { port } = await serve(t, files);
  const { range_full_file_1000_bytes: cases } = readFixture<{ range_full_file_1000_bytes: RangeCase[] }>(
    'vectors/transfer-vectors.json',
  );
  for (const { range, expect } of cases) {
    for (const method of ['GET', 'HEAD']) {
      const client = await HttpClient.open(t, port);
      const { status, head, body } = await client.ask(
        `${method} /get/1/k.bin HTTP/1.1`,
        ...(range === undefined ? [] : [`Range: ${range}`]),
      );
      t.equal(status, expect.status, `${method} ${range}`);
      t.equal(head.headers.get('Content-Range'), expect.content_range ?? null);
      const [, start, end] = /bytes (\d+)-(\d+)\//.exec(expect.content_range ?? '') ?? [];
      const part =
        start === undefined
          ? status === 200
            ? content
            : Buffer.alloc(0)
          : content.subarray(Number(start), Number(end) + 1);
      t.equal(head.headers.get('Content-Length'), String(part.length));
      if (method === 'GET') t.ok(body.equals(part));
      client.socket.destroy();
    }
  }
});

t.test('an empty file, whatever the range', async t => {
  const files = new SharedFiles(t.testdir());
  files.add('empty', Buffer.alloc(0));
  const { port } = await serve(t, files);
  const client = await HttpClient.open(t, port);
  for (const headers of [[], ['Range: bytes=0-'], ['Range: bytes=0-9']]) {
    const { status, head } = await client.ask('GET /get/1/empty HTTP/1.1', ...headers);
    t.equal(status, 200);
    t.equal(head.headers.get('Content-Length'), '0');
  }
});

t.test('large ranges come whole, from any offset', async t => {
  const files = new SharedFiles(t.testdir());
  const content = testBytes(5_000_000);
  files.add('large.bin', content);
  const { port } = await serve(t, files);
  const client = await HttpClient.open(t, port);
  for (const [start, end] of [
    [0, 5_000_000],
    [1, 1_048_577],
    [524_287, 3_000_001],
    [4_999_999, 5_000_000],
    [123_456, 254_528],
  ] as const) {
    const { body } = await client.ask('GET /get/1/large.bin HTTP/1.1', `Range: bytes=${start}-${end - 1}`);
    t.ok(body.equals(content.subarray(start, end)), `${start}-${end}`);
  }
});

t.test('pipelined requests are answered in order', async t => {
  const files = new SharedFiles(t.testdir());
  const content = testBytes(300_000);
  files.add('p.bin', content);
  const { port } = await serve(t, files);
  const client = await HttpClient.open(t, port);
  const ranges = Array.from({ length: 20 }, (_, i): [number, number] => [i * 1000, i * 1000 + 10_000 * i]);
  const text = ranges
    .map(([start, end]) => `GET /get/1/p.bin HTTP/1.1\r\nHost: x\r\nRange: bytes=${start}-${end}\r\n\r\n`)
    .join('');
  client.socket.write(
    `\r\n${text}HEAD /get/1/p.bin HTTP/1.1\r\nHost: x\r\n\r\nGET /get/9/p HTTP/1.1\r\nHost: x\r\n\r\n`,
  );
  for (const [start, end] of ranges) {
    const { status, body } = await client.reply();
    t.equal(status, 206);
    t.ok(body.equals(content.subarray(start, end + 1)));
  }
  t.equal((await client.reply(false)).head.headers.get('Content-Length'), '300000');
  t.equal((await client.reply()).status, 404);
});

t.test('who keeps the connection, and who wants it closed', async t => {
  const files = new SharedFiles(t.testdir());
  files.add('k.bin', testBytes(10));
  const { port } = await serve(t, files);
  const kept = async (requestLine: string, ...headers: string[]) => {
    const client = await HttpClient.open(t, port);
    const { head } = await client.ask(requestLine, ...headers);
    const connection = head.headers.get('Connection');
    if (connection === 'close') t.ok(await client.ended());
    else t.equal((await client.ask('GET /get/1/k.bin HTTP/1.1')).status, 200);
    client.socket.destroy();
    return connection;
  };
  t.equal(await kept('GET /get/1/k.bin HTTP/1.1'), null);
  t.equal(await kept('GET /get/1/k.bin HTTP/1.1', 'Connection: close'), 'close');
  t.equal(await kept('GET /get/1/k.bin HTTP/1.0'), 'close');
  t.equal(await kept('GET /get/1/k.bin HTTP/1.0', 'Connection: Keep-Alive'), 'Keep-Alive');
  t.equal(await kept('GET /get/2/x HTTP/1.1'), null, 'not found is no reason to close');
  t.equal(await kept('GET /get/1/k.bin HTTP/1.1', 'Range: bytes=10-'), null);
});

t.test('a client that shuts its side still gets its answer', async t => {
  const files = new SharedFiles(t.testdir());
  const content = testBytes(2_000_000);
  files.add('k.bin', content);
  const { port } = await serve(t, files);
  const client = await HttpClient.open(t, port);
  client.socket.end('GET /get/1/k.bin HTTP/1.1\r\nHost: x\r\n\r\n');
  t.ok((await client.reply()).body.equals(content));
  t.ok(await client.ended());
});

t.test('refusals: what is said and what becomes of the connection', async t => {
  const files = new SharedFiles(t.testdir());
  const file = files.add('k.bin', testBytes(10));
  const { port, server } = await serve(t, files);
  const other = formatSha1Urn(Buffer.alloc(20, 9));
  const cases: [string, number, boolean][] = [
    ['GET /get/7/x HTTP/1.1\r\nHost: x\r\n\r\n', 404, true],
    ['GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n', 404, true],
    [`GET /uri-res/N2R?${other} HTTP/1.1\r\nHost: x\r\n\r\n`, 404, true],
    [
      `GET /uri-res/N2R?${formatSha1Urn(file.sha1)} HTTP/1.1\r\nHost: x\r\nX-Gnutella-Content-URN: ${other}\r\n\r\n`,
      404,
      true,
    ],
    [`GET /get/1/k.bin HTTP/1.1\r\nHost: x\r\nX-Gnutella-Content-URN: ${other}\r\n\r\n`, 404, true],
    ['GET /get/1/k.bin HTTP/1.1\r\nHost: x\r\nRange: bytes=10-\r\n\r\n', 416, true],
    ['GET / HTTP/1.1\r\nHost: x\r\nAccept: application/x-gnutella-packets\r\n\r\n', 403, false],
    ['GET /uri-res/N2R?urn:sha1:XYZ HTTP/1.1\r\nHost: x\r\n\r\n', 400, false],
    ['GET /get/1/../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n', 400, false],
    ['GET /get/1/%2e%2e%2f%2e%2e%2fetc%2fpasswd HTTP/1.1\r\nHost: x\r\n\r\n', 400, false],
    ['GET /get/1/%00 HTTP/1.1\r\nHost: x\r\n\r\n', 400, false],
    ['GET /get/1/%E0%A4%A HTTP/1.1\r\nHost: x\r\n\r\n', 404, true],
    ['GET /get/1/k.bin HTTP/1.1\r\nHost: x\r\nRange: bytes=9-1\r\n\r\n', 400, false],
    ['GET /get/1/k.bin HTTP/1.1\r\n\r\n', 400, false],
    ['GET /get/1/k.bin\r\nHost: x\r\n\r\n', 400, false],
    ['GET /get/1/k.bin HTTP/2.0\r\nHost: x\r\n\r\n', 505, false],
    ['POST /get/1/k.bin HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello', 501, false],
    ['OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n', 501, false],
    ['GET /get/1/k.bin HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello', 403, false],
    ['GET /get/1/k.bin HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 403, false],
    [`GET /${'x'.repeat(1100)} HTTP/1.1\r\n`, 431, false],
    [`GET / HTTP/1.1\r\n${'X: y\r\n'.repeat(200)}\r\n`, 431, false],
    [`GET / HTTP/1.1\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`, 431, false],
  ];
  for (const [request, status, kept] of cases) {
    const client = await HttpClient.open(t, port);
    client.socket.write(request);
    const reply = await client.reply();
    t.equal(reply.status, status, JSON.stringify(request.slice(0, 60)));
    t.equal(reply.head.headers.get('Content-Length'), '0');
    t.ok([...reply.head.headers].length <= 20);
    if (kept) t.equal((await client.ask('GET /get/1/k.bin HTTP/1.1')).status, 200, 'and the connection goes on');
    else t.ok(await client.ended(), 'and the connection is closed');
    client.socket.destroy();
  }
  t.equal(server.outcomes.of('malformed'), 7);
  t.equal(server.outcomes.of('too_long'), 3);
});

t.test('the hash that a client names wins over an index that went to another file', async t => {
  const files = new SharedFiles(t.testdir());
  files.add('a.bin', testBytes(10, 1));
  const content = testBytes(10, 2);
  const file = files.add('b.bin', content);
  const { port } = await serve(t, files);
  const client = await HttpClient.open(t, port);
  const { body } = await client.ask('GET /get/1/b.bin HTTP/1.1', `X-Gnutella-Content-URN: ${formatSha1Urn(file.sha1)}`);
  t.ok(body.equals(content));
});

t.test('an index that went to another file since the hit gives nothing, not the other file', async t => {
  const files = new SharedFiles(t.testdir());
  files.add('now.ogg', testBytes(10));
  files.add('100% moon.ogg', testBytes(20));
  const { port } = await serve(t, files);
  const client = await HttpClient.open(t, port);
  for (const target of ['/get/1/before.ogg', '/get/1/', '/get/1', '/get/1/now', '/get/2/now.ogg', '/get/2/100'])
    t.equal((await client.ask(`GET ${target} HTTP/1.1`)).status, 404, target);
  for (const target of ['/get/2/100% moon.ogg', '/get/2/100%25%20moon.ogg', '/get/2/100%+moon.ogg/'])
    t.equal((await client.ask(`GET ${target} HTTP/1.1`)).body.length, 20, target);
});

t.test('ten refusals are enough for one connection', async t => {
  const { port } = await serve(t, new SharedFiles(t.testdir()));
  const client = await HttpClient.open(t, port);
  for (let i = 1; i < 10; i++) t.equal((await client.ask('GET /x HTTP/1.1')).head.headers.get('Connection'), null);
  t.equal((await client.ask('GET /x HTTP/1.1')).head.headers.get('Connection'), 'close');
  t.ok(await client.ended());
});

t.test(
  'a file that is gone or was changed is not found; one that shrinks while it is sent cuts the connection',
  async t => {
    const files = new SharedFiles(t.testdir());
    const gone = files.add('gone', testBytes(10));
    const grown = files.add('grown', testBytes(10));
    const touched = files.add('touched', testBytes(10));
    const shrinking = files.add('shrinking', testBytes(64 << 20));
    unlinkSync(files.pathOf(gone));
    writeFileSync(files.pathOf(grown), testBytes(11));
    utimesSync(files.pathOf(touched), 1, 1);
    const { port, server } = await serve(t, files);
    const client = await HttpClient.open(t, port);
    for (const { index, name } of [gone, grown, touched]) {
      t.equal((await client.ask(`GET /get/${index}/${name} HTTP/1.1`)).status, 404);
      t.equal((await client.ask(`HEAD /get/${index}/${name} HTTP/1.1`)).status, 404);
    }
    client.send('GET /get/4/shrinking HTTP/1.1');
    const head = await client.bytes(1000);
    t.match(head.toString('latin1'), /^HTTP\/1.1 200/);
    truncateSync(files.pathOf(shrinking), 1000);
    const rest = await client.bytes(Number.POSITIVE_INFINITY);
    t.ok(rest.length < 64 << 20, 'what was promised cannot be kept');
    t.equal(server.outcomes.of('unreadable'), 1);
    t.strictSame(server.list(), []);
  },
);

t.test('nothing of a file is ever invented: every byte has the hash of the file', async t => {
  const files = new SharedFiles(t.testdir());
  const file = files.add('x.bin', testBytes(10_000_000, 3));
  const { port } = await serve(t, files);
  const hashes = await Promise.all(
    Array.from({ length: 8 }, async () => {
      const client = await HttpClient.open(t, port);
      const { body } = await client.ask(`GET /uri-res/N2R?${formatSha1Urn(file.sha1)} HTTP/1.1`);
      return createHash('sha1').update(body).digest('hex');
    }),
  );
  t.strictSame([...new Set(hashes)], [file.sha1.toString('hex')], 'eight at once share the buffers');
});
