import t from 'tap';
import { browseHost } from '../../../daemon/transfer/browse-host.ts';
import { encodeDescriptor } from '../../../protocol/wire/header.ts';
import type { QueryHit } from '../../../protocol/wire/query-hit.ts';
import { type CapturedReply, gtkgReplies, limewireReplies } from '../../support/captured-http.ts';
import { dialPlain } from '../../support/download-rig.ts';
import { HttpClient } from '../../support/http-client.ts';
import { drip, ScriptedSource } from '../../support/scripted-source.ts';
import { SharedFiles, serve, testBytes, testIdentity } from '../../support/shared-files.ts';

const options = { dial: dialPlain, userAgent: 'servent-test/1.0', stallMs: 60_000 };
const never = new AbortController().signal;

async function namesAt(port: number, more = {}): Promise<string[]> {
  const names: string[] = [];
  const onHit = (hit: QueryHit) => names.push(...hit.hits.map(({ name }) => name));
  await browseHost({ ...options, ...more }, { host: '127.0.0.1', port }, onHit, never);
  return names;
}

t.test('our own shares, asked of our own server, in their order', async t => {
  const files = new SharedFiles(t.testdir());
  for (let i = 0; i < 25; i++) files.add(`file ${i}.txt`, testBytes(i + 1, i));
  const { port, server } = await serve(t, files, { browse: () => files.files });
  const hits: QueryHit[] = [];
  await browseHost(options, { host: '127.0.0.1', port }, hit => hits.push(hit), never);
  t.strictSame(
    hits.map(({ hits }) => hits.length),
    [10, 10, 5],
  );
  const [first] = hits;
  t.match(first, { vendor: 'TEST', browsable: true, endpoint: { host: '127.0.0.1', port: 6346 } });
  t.ok(first?.serventGuid.equals(testIdentity.serventGuid));
  t.match(first?.hits[3], { index: 4, name: 'file 3.txt', size: 4, sha1: files.files[3]?.sha1 });
  t.equal(server.outcomes.of('browse'), 1);
});

t.test('browsing: packets for who asks for packets, and nothing shared is an empty answer', async t => {
  const files = new SharedFiles(t.testdir());
  const { port } = await serve(t, files, { browse: () => files.files });
  const client = await HttpClient.open(t, port);
  t.equal((await client.ask('GET / HTTP/1.1', 'Accept: image/png')).status, 406);
  const { status, head, body } = await client.ask(
    'GET / HTTP/1.1',
    'Accept: text/html, application/x-gnutella-packets;q=0.9',
  );
  t.equal(status, 200);
  t.equal(head.headers.get('Content-Type'), 'application/x-gnutella-packets');
  t.equal(head.headers.get('Connection'), 'close');
  t.equal(head.headers.get('X-Features'), null, 'told already');
  t.equal(body.length, 0);
  t.strictSame(await namesAt(port), []);
});

const GTKG_FILES = [
  'Éclair résumé.txt',
  'beta_report-2026.pdf',
  'fixture alpha song.ogg',
  'gamma delta.movie.mkv',
  'tiny hello.txt',
  'zz big filler.bin',
];
const LIMEWIRE_FILES = ['alpha lime song.mp3', 'beta lime notes.txt', 'gamma unique wordlist.ogg'];
const captured: [string, CapturedReply[], string[]][] = [
  ['gtk-gnutella, chunked', gtkgReplies('http-browse-packets'), GTKG_FILES],
  ['gtk-gnutella, chunked and deflated', gtkgReplies('http-browse-deflate'), GTKG_FILES],
  ['LimeWire', limewireReplies().filter(({ label }) => label === 'browse host'), LIMEWIRE_FILES],
];
for (const [what, [reply], expected] of captured) {
  t.test(`what ${what} answered, in pieces of any size`, async t => {
    if (reply === undefined) throw new Error('not in the fixture');
    const bytes = Buffer.concat([Buffer.from(reply.headText, 'latin1'), reply.body]);
    for (const piece of [1, 7, 100, 5000]) {
      const source = await ScriptedSource.open(t, async ({ socket }) => {
        await drip(socket, bytes, () => piece);
        return false;
      });
      t.strictSame((await namesAt(source.source.endpoint.port)).sort(), [...expected].sort());
    }
  });
}

t.test('who refuses or answers something else is an error that says so', async t => {
  for (const [reply, message] of [
    ['HTTP/1.1 403 Browse Host Disabled\r\nContent-Length: 0\r\n\r\n', /refused the browse: 403 Browse Host Disabled/],
    ['HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>', /without query hits/],
    [
      'HTTP/1.1 200 OK\r\nContent-Type: application/x-gnutella-packets\r\nContent-Encoding: deflate\r\n\r\nxx',
      /inflated/,
    ],
    ['SSH-2.0-x\r\n\r\n', /no HTTP/],
    ['', /without an answer/],
  ] as const) {
    const source = await ScriptedSource.open(t, ({ socket }) => {
      socket.end(reply);
      return false;
    });
    await t.rejects(namesAt(source.source.endpoint.port), { message });
  }
});

t.test('garbage among the hits is passed over, floods end at the limits', async t => {
  const files = new SharedFiles(t.testdir());
  for (let i = 0; i < 40; i++) files.add(`f${i}`, testBytes(1, i));
  const { port } = await serve(t, files, { browse: () => files.files });
  t.equal((await namesAt(port, { filesMax: 25 })).length, 20);
  const browse = (more: object) =>
    browseHost({ ...options, ...more }, { host: '127.0.0.1', port }, () => undefined, never);
  t.match(await browse({ filesMax: 25 }), /^only the first 20 files/, 'and say so');
  t.match(await browse({ bytesMax: 1000 }), /^only the first \d+ files/);
  t.equal(await browse({}), null, 'all of it');
  t.ok((await namesAt(port, { bytesMax: 1000 })).length < 40);

  const good = await HttpClient.open(t, port);
  const { body } = await good.ask('GET / HTTP/1.1', 'Accept: application/x-gnutella-packets');
  const guid = Buffer.alloc(16);
  const source = await ScriptedSource.open(t, ({ socket }) => {
    socket.write('HTTP/1.0 200 OK\r\nContent-Type: application/x-gnutella-packets\r\n\r\n');
    socket.write(encodeDescriptor(guid, 0x81, 1, 0, Buffer.alloc(50, 0xff)));
    socket.write(encodeDescriptor(guid, 0x00, 1, 0, Buffer.alloc(0)));
    socket.write(body);
    socket.write(encodeDescriptor(guid, 0x81, 1, 0, Buffer.alloc(0)).fill(0xff, 19));
    return false;
  });
  t.equal((await namesAt(source.source.endpoint.port)).length, 40, 'what came before the nonsense counts');
});

t.test('a browse can be given up', async t => {
  const source = await ScriptedSource.open(t, () => true);
  const abort = new AbortController();
  const browse = browseHost(options, source.source.endpoint, () => undefined, abort.signal);
  abort.abort();
  await t.rejects(browse);
});
