import { open } from 'node:fs/promises';
import { inflateSync } from 'node:zlib';
import t from 'tap';
import { ChunkedBody } from '../../../protocol/transfer/chunked-body.ts';
import { RangeSet } from '../../../protocol/transfer/range-set.ts';
import type { PartialFile } from '../../../protocol/transfer/uploads/partial-file.ts';
import { formatSha1Urn } from '../../../protocol/wire/urn.ts';
import { HttpClient } from '../../support/http-client.ts';
import { readAll, socketPair } from '../../support/loopback.ts';
import { SharedFiles, serve, testBytes } from '../../support/shared-files.ts';

const BROWSE = 'GET / HTTP/1.1';
const ACCEPT = 'Accept: application/x-gnutella-packets';

t.test('a browse in chunks, deflated: all hits come, and the connection goes on', async t => {
  const files = new SharedFiles(t.testdir());
  for (let i = 0; i < 300; i++) files.add(`file ${i}.txt`, testBytes(10, i + 1));
  const { port } = await serve(t, files, { browse: () => files.files });
  const plain = await (await HttpClient.open(t, port)).ask(BROWSE, ACCEPT);
  t.equal(plain.head.headers.get('Connection'), 'close');
  const client = await HttpClient.open(t, port);
  client.send(BROWSE, ACCEPT, 'Accept-Encoding: deflate');
  client.send('HEAD /get/1/file%200.txt HTTP/1.1');
  const { head } = await client.reply(false);
  t.equal(head.headers.get('Transfer-Encoding'), 'chunked');
  t.equal(head.headers.get('Content-Encoding'), 'deflate');
  const body = new ChunkedBody();
  const parts: Buffer[] = [];
  while (!body.done) parts.push(...body.data(await client.bytes(1)));
  t.ok(inflateSync(Buffer.concat(parts)).equals(plain.body));
  t.equal((await client.reply(false)).head.headers.get('Content-Length'), '10', 'the request behind it');
  const closing = await HttpClient.open(t, port);
  const deflated = await closing.ask(BROWSE, ACCEPT, 'Accept-Encoding: deflate', 'Connection: close');
  t.ok(inflateSync(deflated.body).equals(plain.body));
});

t.test('a list that cannot be made ends the connection, and gives its turn back', async t => {
  const files = new SharedFiles(t.testdir());
  files.add('x', testBytes(10));
  const { port } = await serve(t, files, {
    browse: function* () {
      yield* files.files;
      throw new Error('the library is gone');
    },
  });
  for (let i = 0; i < 6; i++) {
    const client = await HttpClient.open(t, port);
    const { status } = await client.ask(BROWSE, ACCEPT, 'Accept-Encoding: deflate', 'Connection: close');
    t.equal(status, 200);
  }
});

t.test('a thousand requests in one packet are answered in order, beside another client', async t => {
  const files = new SharedFiles(t.testdir());
  const content = testBytes(2000);
  files.add('x', content);
  const { port } = await serve(t, files);
  const flood = await HttpClient.open(t, port);
  const other = await HttpClient.open(t, port);
  flood.socket.write(
    Array.from({ length: 1000 }, (_, i) => `GET /get/1/x HTTP/1.1\r\nHost: x\r\nRange: bytes=${i}-${i}\r\n\r\n`).join(
      '',
    ),
  );
  await flood.reply();
  t.equal((await other.ask('GET /get/1/x HTTP/1.1')).status, 200);
  for (let i = 1; i < 1000; i++) {
    const { body } = await flood.reply();
    if (body[0] !== content[i]) t.fail(`answer ${i}`);
  }
});

t.test(
  'a part of a running download is served over the wire: verified bytes, then a 416, on one connection',
  async t => {
    const files = new SharedFiles(t.testdir());
    const content = testBytes(100_000);
    const whole = files.add('x.part', content);
    const verified = RangeSet.of([{ start: 1000, end: 50_000 }]);
    const file: PartialFile = {
      ...whole,
      index: 0,
      tigerRoot: null,
      verified,
      growing: true,
      sha1: Buffer.alloc(20, 9),
    };
    let opened = 0;
    const partials = {
      partialOf: (sha1: Buffer) => (sha1.equals(file.sha1) ? file : null),
      treeOf: () => null,
      openPartial: () => (opened++ < 1 ? open(files.pathOf(whole)) : Promise.resolve(null)),
    };
    const { port } = await serve(t, files, { partials });
    const client = await HttpClient.open(t, port);
    const request = `GET /uri-res/N2R?${formatSha1Urn(file.sha1)} HTTP/1.1`;
    const missing = await client.ask(request, 'Range: bytes=0-99');
    t.equal(missing.status, 416);
    t.equal(missing.head.headers.get('X-Available-Ranges'), 'bytes 1000-49999');
    const part = await client.ask(request, 'Range: bytes=40000-');
    t.equal(part.head.headers.get('Content-Range'), 'bytes 40000-49999/100000');
    t.ok(part.body.equals(content.subarray(40_000, 50_000)));
    t.equal((await client.ask(request, 'Range: bytes=40000-')).status, 404, 'the download was removed');
    t.equal(files.uploads, 0, 'not an upload of a shared file');
  },
);

t.test('a client that comes over IPv4 to a socket for both protocols is known by its IPv4 address', async t => {
  const files = new SharedFiles(t.testdir());
  files.add('a', testBytes(10));
  const hosts: string[] = [];
  const { server } = await serve(t, files, { onFinished: ({ remote }) => hosts.push(remote.host) });
  const { ours, theirs } = await socketPair(t);
  Object.defineProperty(ours, 'remoteAddress', { value: '::ffff:192.0.2.7' }); // as Node.js gives it there
  server.handle(ours, Buffer.from('GET /get/1/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'));
  t.match((await readAll(theirs)).toString(), /^HTTP.1.1 200/);
  await server.stop();
  t.strictSame(hosts, ['192.0.2.7']);
});
