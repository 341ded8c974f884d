import t from 'tap';
import { judgeReply } from '../../../protocol/transfer/downloads/source-reply.ts';
import { parseRequestHead, parseResponseHead, REPLY_HEADERS_MAX } from '../../../protocol/transfer/http-head.ts';
import { MeshTalk } from '../../../protocol/transfer/mesh/mesh-talk.ts';
import { UploadAnswerer } from '../../../protocol/transfer/uploads/upload-answerer.ts';
import { blockOf, split } from '../../support/captured-http.ts';
import { captureFiles } from '../../support/captures.ts';
import { readFixture } from '../../support/fixtures.ts';
import { testIdentity, testMesh } from '../../support/shared-files.ts';
import { uploadQueue } from '../../support/upload-queue.ts';

const REQUEST = /^(GET|HEAD) \S.* HTTP\/1\.\d\r?\n/;
const REPLY = /^HTTP\/1\.\d \d{3}/;

/** Every text in a fixture, those in hex as latin1. */
function* textsIn(value: unknown): Generator<string> {
  if (typeof value === 'string') {
    yield /^([0-9a-f]{2}){16,}$/.test(value) ? Buffer.from(value, 'hex').toString('latin1') : value;
  } else if (typeof value === 'object' && value !== null) {
    for (const each of Object.values(value)) yield* textsIn(each);
  }
}

const heads = captureFiles().flatMap(file =>
  [...textsIn(readFixture(file))].filter(text => /\r\n/.test(text)).map(text => ({ file, text: `${text}\r\n\r\n` })),
);
const requests = heads.filter(({ text }) => REQUEST.test(text));
const replies = heads.filter(({ text }) => REPLY.test(text));

t.test('every captured request of every servent is answered with a head that all of them read', async t => {
  const sha1 = Buffer.alloc(20, 1);
  const file = { index: 1, name: 'x', size: 1 << 20, sha1, tigerRoot: Buffer.alloc(24), modifiedAt: 0 };
  const answerer = new UploadAnswerer({
    files: { byIndex: () => file, bySha1: () => file, byTigerRoot: () => file },
    queue: uploadQueue({ slots: 4, slotsPerAddress: 0, queue: 2 }),
    identity: testIdentity,
    mesh: testMesh(),
    browse: () => [file],
  });
  for (const { file: from, text } of requests) {
    const connection = answerer.connect('20.0.0.1', 0);
    if (connection === null) throw new Error('no room');
    const request = parseRequestHead(blockOf(text));
    const verdict = connection.request(request, 0, 0);
    const bytes =
      verdict.kind === 'file'
        ? connection.opened().bytes
        : verdict.kind === 'tree'
          ? connection.treeFound(null).bytes
          : verdict.bytes;
    const { head } = split(bytes);
    t.ok([...head.headers].length <= REPLY_HEADERS_MAX, `${from}: ${request.target} ${head.status}`);
    const ended = head.headers.has('Content-Length') || head.headers.get('Connection') === 'close';
    t.ok(ended || head.headers.get('Transfer-Encoding') === 'chunked', 'its end can be found');
    if (head.status === 503)
      t.match(head.headers.get('Retry-After'), /^\d+$/, 'seconds: LimeWire throws on anything else');
    if (verdict.kind === 'file') connection.sent('whole', 0);
    if (verdict.kind === 'browse') connection.browsed();
  }
  t.ok(requests.length > 40, `${requests.length} requests`);
});

t.test('every captured reply of every servent is read, and its locations are heard', async t => {
  const sha1 = Buffer.alloc(20, 1);
  const mesh = testMesh();
  const requested = { range: { start: 0, end: 100 }, size: null, sha1: null };
  let heard = 0;
  for (const { file, text } of replies) {
    const head = parseResponseHead(blockOf(text));
    t.ok(judgeReply(head, requested).kind, `${file}: ${head.status}`);
    heard += new MeshTalk(mesh, '20.0.0.1', 6346).hear(sha1, head.headers, false, 0).length;
  }
  t.ok(replies.length > 40, `${replies.length} replies`);
  t.ok(heard > 0, `${heard} locations`);
});
