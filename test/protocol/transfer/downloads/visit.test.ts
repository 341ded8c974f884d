import fc from 'fast-check';
import t from 'tap';
import { PLAIN_SOURCE } from '../../../../protocol/transfer/downloads/source.ts';
import type { Framing } from '../../../../protocol/transfer/downloads/source-reply.ts';
import { Visit } from '../../../../protocol/transfer/downloads/visit.ts';
import type { RequestHead } from '../../../../protocol/transfer/http-head.ts';
import { parseRange } from '../../../../protocol/transfer/range.ts';
import type { ByteRange } from '../../../../protocol/transfer/range-set.ts';
import { gtkgReplies } from '../../../support/captured-http.ts';
import { testBytes, testIdentity } from '../../../support/shared-files.ts';
import { type Answers, MemoryDownload, type Said, VisitScene } from '../../../support/visit-scene.ts';

const ENDED: Said = { end: 'ended' };

function rangeOf(request: RequestHead, size: number): ByteRange {
  const range = parseRange(request.headers.get('Range'), size);
  if (typeof range === 'string') throw new Error(range);
  return range ?? { start: 0, end: size };
}

/** A 206 for what is asked, its body framed as named. */
function framed(content: Buffer, request: RequestHead, framing: Framing): Buffer {
  const { start, end } = rangeOf(request, content.length);
  const body = content.subarray(start, end);
  const lines = ['HTTP/1.1 206 Partial Content', `Content-Range: bytes ${start}-${end - 1}/${content.length}`];
  if (framing === 'length') lines.push(`Content-Length: ${body.length}`);
  if (framing === 'chunked') lines.push('Transfer-Encoding: chunked');
  if (framing === 'close') lines.push('Connection: close');
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`);
  if (framing !== 'chunked') return Buffer.concat([head, body]);
  const half = body.length >> 1;
  const chunks = [body.subarray(0, half), body.subarray(half)].filter(({ length }) => length > 0);
  return Buffer.concat([
    head,
    ...chunks.flatMap(chunk => [Buffer.from(`${chunk.length.toString(16)};x=y\r\n`), chunk, Buffer.from('\r\n')]),
    Buffer.from('0\r\nTrailer: 1\r\n\r\n'),
  ]);
}

function cut(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const length = lengths[i % lengths.length] ?? 1;
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  return pieces;
}

t.test('a liar that connects to us as another servent is known by its public address', async t => {
  const drops = (charged: string | null, remote: string | null, isPardoned = false): boolean => {
    const download = new MemoryDownload(3000);
    const { planner } = download;
    const push = { ...PLAIN_SOURCE, endpoint: { host: '192.168.1.2', port: 6346 }, push: true, index: 1, name: 'x' };
    const guid = (byte: number): Buffer => Buffer.alloc(16, byte);
    planner.add('liar', { ...push, serventGuid: guid(1) });
    const liar = [...planner].find(({ key }) => key === 'liar');
    if (liar === undefined) throw new Error('not added');
    liar.remote = charged;
    planner.onCorrupt(liar, 'corrupt', 0);
    const again = download.source({ ...push, serventGuid: guid(2) });
    if (isPardoned) planner.onPardoned(liar);
    const { kind } = new Visit(again, download, testIdentity).connected(null, remote, 0);
    t.equal(kind === 'close', again.state === 'dropped');
    return again.state === 'dropped';
  };
  t.ok(drops('5.6.6.6', '5.6.6.6'));
  t.notOk(drops('5.6.6.6', '5.6.6.7'));
  t.notOk(drops('192.168.1.3', '192.168.1.3'), 'others may share it');
  t.notOk(drops('5.6.6.6', null));
  t.notOk(drops('5.6.6.6', '5.6.6.6', true), 'pardoned');
});

t.test('a file comes whole in any framing and any chunking, with interim answers before it', t => {
  const content = testBytes(3000);
  fc.assert(
    fc.property(
      fc.constantFrom<Framing>('length', 'chunked', 'close'),
      fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 20 }),
      fc.boolean(),
      fc.nat({ max: 4 }),
      (framing, lengths, sizeKnown, interims) => {
        const download = new MemoryDownload(sizeKnown ? content.length : null);
        const interim = Buffer.from('HTTP/1.1 100 Continue\r\n\r\n'.repeat(interims));
        const scene = new VisitScene(download, request => [
          ...cut(Buffer.concat([interim, framed(content, request, framing)]), lengths),
          ...(framing === 'close' ? [ENDED] : []),
        ]).run();
        return (
          scene.requests.length === 1 &&
          download.content.equals(content) &&
          download.map.complete &&
          !(scene.command === 'close' && scene.source.isConnected) &&
          scene.source.error === null
        );
      },
    ),
  );
  t.end();
});

t.test('the replies of gtk-gnutella in pieces of any size', t => {
  const [whole] = gtkgReplies('http-get-whole');
  if (whole === undefined) throw new Error('empty fixture');
  const bytes = Buffer.concat([Buffer.from(whole.headText, 'latin1'), whole.body]);
  for (const length of [1, 7, 100, 5000]) {
    const download = new MemoryDownload(3000);
    new VisitScene(download, () => cut(bytes, [length])).run();
    t.ok(download.content.equals(whole.body), `${length} bytes at a time`);
  }
  t.end();
});

t.test('requests grow while the source answers, and a connection that it keeps is used again', t => {
  const content = testBytes(5 << 20);
  const download = new MemoryDownload(content.length);
  const scene = new VisitScene(download, request => [framed(content, request, 'length')]).run();
  const lengths = scene.requests.map(({ head }) => {
    const { start, end } = rangeOf(head, content.length);
    return end - start;
  });
  t.ok((lengths[0] ?? 0) < Math.max(...lengths), `${lengths}`);
  t.equal(
    lengths.reduce((sum, each) => sum + each, 0),
    content.length,
    'nothing twice',
  );
  t.ok(download.content.equals(content));
  t.equal(scene.command, 'ready');
  t.equal(scene.now, 0, 'nobody waited');
  t.end();
});

t.test('a queued source is polled at its time, with its place, and not as a failure', t => {
  const id = '0123456789abcdef0123456789abcdef';
  const queue = (header: string) => `HTTP/1.1 503 Busy\r\n${header}\r\nContent-Length: 4\r\n\r\nbusy`;
  const content = testBytes(10);
  const download = new MemoryDownload(content.length);
  const scene = new VisitScene(download, (request, number) => {
    if (number === 0) return [queue('X-Queue: position=2, pollMin=45, pollMax=120')];
    if (number === 1) return [queue(`X-Queued: position=1; ID=${id}; lifetime=150\r\nRetry-After: 90`)];
    return [framed(content, request, 'length')];
  }).run();
  t.strictSame(
    scene.requests.map(({ at }) => at),
    [0, 46_000, 137_000],
  );
  t.equal(scene.requests[1]?.head.headers.get('X-Queued'), null);
  t.equal(scene.requests[2]?.head.headers.get('X-Queued'), `position=1; ID=${id}`);
  t.strictSame(download.queued, [2, 1, null]);
  t.ok(download.content.equals(content));
  t.end();
});

t.test('a place of PARQ outlives its connection: the next one comes when it may, with the id', t => {
  const [busy] = gtkgReplies('http-busy');
  if (busy === undefined) throw new Error('empty fixture');
  const id = 'cc3b8051ce5d6ded19b1389e3f2800b1';
  const content = testBytes(10);
  const download = new MemoryDownload(content.length);
  const first = new VisitScene(download, () => [busy.headText]).run();
  t.equal(first.requests[0]?.head.headers.get('X-Queue'), '1.1');
  t.match(first.source, { state: 'waiting', until: 90_000, failures: 0, place: { position: 5, id } });
  const granted = `HTTP/1.1 206 Partial Content\r\nX-Queued: ID=${'ab'.repeat(16)}\r\nContent-Length: 4\r\nContent-Range: bytes 0-3/10\r\n\r\n`;
  const second = new VisitScene(download, (request, number) =>
    number === 0 ? [granted, content.subarray(0, 4)] : [framed(content, request, 'length')],
  ).run();
  t.strictSame(
    second.requests.map(({ head }) => head.headers.get('X-Queued')),
    [`position=5; ID=${id}`, `position=5; ID=${'ab'.repeat(16)}`],
    'the latest id',
  );
  t.ok(download.content.equals(content));
  t.end();
});

t.test('a connection that breaks in the queue of PARQ is made anew within the life of the place', t => {
  const id = '0123456789abcdef0123456789abcdef';
  const queued = `HTTP/1.1 503 Queued\r\nX-Queued: position=2; ID=${id}; lifetime=150\r\nRetry-After: 90\r\nContent-Length: 0\r\n\r\n`;
  const scene = new VisitScene(new MemoryDownload(10), () => [queued, ENDED]).run();
  t.match(scene.source, { state: 'waiting', failures: 0, until: 91_000 + 12_000, place: { position: 2, id } });
  t.end();
});

t.test('without Retry-After a queue is asked again well within the lifetime that it tells', t => {
  const id = '0123456789abcdef0123456789abcdef';
  const polls = (header: string, close = '') =>
    new VisitScene(new MemoryDownload(10), (_, number) =>
      number > 0 ? [ENDED] : [`HTTP/1.1 503 Queued\r\nX-Queued: ${header}\r\n${close}Content-Length: 0\r\n\r\n`],
    ).run();
  t.equal(polls(`position=2; ID=${id}; lifetime=40`).requests[1]?.at, 21_000);
  t.equal(polls(`position=2; ID=${id}; lifetime=999999`).requests[1]?.at, 61_000);
  t.equal(polls(`position=2; ID=${id}`).requests[1]?.at, 61_000);
  t.equal(polls(`position=2; ID=${id}; lifetime=40`, 'Connection: close\r\n').source.until, 20_000);
  t.end();
});

t.test('a queued source that closes costs the place, but is no failure', t => {
  const scene = new VisitScene(new MemoryDownload(10), () => [
    'HTTP/1.1 503 Busy\r\nX-Queue: position=2, pollMin=1, pollMax=9\r\nContent-Length: 0\r\n\r\n',
    ENDED,
  ]).run();
  t.match(scene.source, { state: 'waiting', failures: 0, until: 2000 + 60_000 });
  t.equal(scene.requests.length, 2);
  t.end();
});

t.test('a source that is silent for 60 s is left; one that says something each 59 s is not', t => {
  const head = 'HTTP/1.1 206 Partial\r\nContent-Range: bytes 0-2/3\r\nContent-Length: 3\r\n\r\n';
  const run = (...said: Said[]) => new VisitScene(new MemoryDownload(3), () => said).run();

  t.match(run(), { now: 60_000, source: { state: 'waiting', error: 'sent nothing for too long', failures: 1 } });
  t.match(run(head, 59_999, 'a', 59_999), { now: 59_999 + 60_000, source: { state: 'waiting', bytes: 1, cuts: 1 } });
  const slow = run(head, 59_000, 'a', 59_000, 'b', 59_000, 'c');
  t.match(slow, { now: 177_000, source: { state: 'ready', error: null } });
  t.end();
});

t.test('what a source breaks is told: an early end, another file, more than there is, no HTTP', t => {
  const partial = (range: string, length: number) =>
    `HTTP/1.1 206 Partial\r\nContent-Range: bytes ${range}\r\nContent-Length: ${length}\r\n\r\n`;
  const cases: [label: string, said: Said[], state: string, error: RegExp][] = [
    ['an early end', [partial('0-9/10', 10), 'abc', ENDED], 'waiting', /closed the connection in the middle/],
    ['an end before the answer', [ENDED], 'waiting', /closed the connection without an answer/],
    ['half a head', ['HTTP/1.1 200', { end: 'broken' }], 'waiting', /without an answer/],
    ['close framing that breaks', ['HTTP/1.0 200 OK\r\n\r\nabc', { end: 'broken' }], 'waiting', /in the middle/],
    ['a size that is not ours', [partial('0-9/11', 10)], 'dropped', /has another file: 11 bytes, not 10/],
    ['other bytes than asked for', [partial('20-29/10', 10)], 'dropped', /Content-Range/],
    ['206 without a range', ['HTTP/1.1 206 Partial\r\nContent-Length: 3\r\n\r\n'], 'dropped', /206 without/],
    ['longer than the file', ['HTTP/1.1 200 OK\r\n\r\n', '01234567890'], 'dropped', /more than the file has/],
    [
      'chunks beyond what was announced',
      ['HTTP/1.1 206 P\r\nContent-Range: bytes 0-3/10\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n'],
      'dropped',
      /more than it announced/,
    ],
    [
      'chunks short of what was announced',
      ['HTTP/1.1 206 P\r\nContent-Range: bytes 0-9/10\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n'],
      'waiting',
      /less than it announced/,
    ],
    ['interim answers without end', ['HTTP/1.1 100 Go\r\n\r\n'.repeat(9)], 'dropped', /interim answers/],
    ['no HTTP', ['SSH-2.0-x\r\n\r\n'], 'dropped', /no HTTP/],
    ['a head without end', ['HTTP/1.1 200 OK\r\n', `X: ${'y'.repeat(20_000)}`], 'dropped', /no HTTP/],
    ['404', ['HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n'], 'dropped', /404 Not Found/],
    ['403', ['HTTP/1.1 403 No\r\n\r\n'], 'waiting', /403/],
    ['500', ['HTTP/1.1 500 No\r\n\r\n'], 'waiting', /500/],
    ['503', ['HTTP/1.1 503 Busy\r\nRetry-After: 7\r\n\r\n'], 'waiting', /503/],
  ];
  for (const [label, said, state, error] of cases) {
    const scene = new VisitScene(new MemoryDownload(10), () => said).run();
    t.match(scene.source, { state, error }, label);
  }
  t.end();
});

t.test('bytes that are kept count for their source, whatever the end', t => {
  const head = 'HTTP/1.1 200 OK\r\n\r\n';
  for (const [said, bytes] of [
    [[head, 'abc', { end: 'broken' }], 3],
    [[head, 'abc', 60_000], 3],
    [[head, 'abc', '01234567890'], 3],
  ] as [Said[], number][]) {
    const scene = new VisitScene(new MemoryDownload(10), () => said).run();
    t.equal(scene.source.bytes, bytes);
  }
  t.end();
});

t.test('a size that nobody told is taken from the source, unless the disk has no room for it', t => {
  const told = new MemoryDownload();
  const answers: Answers = request => [framed(testBytes(5000), request, 'length')];
  new VisitScene(told, answers, 6346, 5000).run();
  t.equal(told.size, 5000);
  const tight = new VisitScene(new MemoryDownload(), answers, 6346, 4999).run();
  t.match(tight.source, { state: 'dropped', error: /says the file has 5000 bytes, and the disk has room for 4999/ });

  const endless = new VisitScene(
    new MemoryDownload(),
    () => ['HTTP/1.0 200 OK\r\n\r\n', testBytes(501), ENDED],
    6346,
    1000,
  );
  t.match(endless.run().source, { state: 'dropped', error: /and does not say how much/ });
  const untold = new MemoryDownload();
  new VisitScene(untold, () => ['HTTP/1.0 200 OK\r\n\r\n', testBytes(500), ENDED], 6346, 1000).run();
  t.equal(untold.size, 500, 'its end tells');
  t.end();
});

t.test('a partial source is asked again for what it has, three times at most', t => {
  const content = testBytes(100);
  const refusal = 'HTTP/1.1 416 No\r\nX-Available-Ranges: bytes 40-59\r\nContent-Length: 0\r\n\r\n';
  const download = new MemoryDownload(content.length);
  const scene = new VisitScene(download, (request, number) => [
    number === 0 ? refusal : framed(content, request, 'length'),
  ]).run();
  t.equal(scene.requests[1]?.head.headers.get('Range'), 'bytes=40-59');
  t.ok(download.content.subarray(40, 60).equals(content.subarray(40, 60)));
  const stubborn = new VisitScene(new MemoryDownload(100), () => [refusal]).run();
  t.ok(stubborn.requests.length <= 4);
  t.equal(stubborn.source.state, 'waiting');
  t.end();
});

t.test('a stopped visit does not count against its source, nor does one that was to ask for a tree', t => {
  const download = new MemoryDownload(10);
  const scene = new VisitScene(download, () => ['HTTP/1.1 200 OK\r\n\r\n', 'abc']);
  t.equal(scene.source.state, 'asking');
  for (let i = 0; i < 3; i++) scene.step();
  download.planner.onReleased(scene.source, 0);
  scene.visit.stop();
  scene.visit.stop();
  t.match(scene.source, { state: 'idle', failures: 0, error: null });
  t.equal(download.map.bytes('assigned'), 0);
  t.equal(scene.step(), false);

  const wanting = new MemoryDownload(10);
  wanting.treeTarget = '/tree';
  const asking = new VisitScene(wanting, () => []);
  asking.step();
  asking.visit.stop();
  t.strictSame(wanting.trees, ['not now']);

  const unreached = new VisitScene(new MemoryDownload(10), () => []);
  unreached.visit.unreachable('nobody there', 5);
  t.match(unreached.source, { state: 'waiting', failures: 1, error: 'nobody there', until: 60_005 });
  t.end();
});

t.test('two visits of one download, step by step in turn, make one file', t => {
  const content = testBytes(4 << 20);
  const download = new MemoryDownload(content.length);
  const pieces: Answers = request => cut(framed(content, request, 'length'), [65_536]);
  const first = new VisitScene(download, pieces, 1);
  const second = new VisitScene(download, pieces, 2);
  for (let going = true; going; ) going = [first.step(), second.step()].includes(true);
  t.ok(download.content.equals(content));
  t.ok(download.map.complete);
  t.ok(first.source.bytes > 0 && second.source.bytes > 0, 'both brought some');
  t.end();
});

t.test('a source that closes between two answers is connected to again after a while, and has not failed', t => {
  const content = testBytes(100);
  const refusal = 'HTTP/1.1 206 P\r\nContent-Range: bytes 0-9/100\r\nContent-Length: 10\r\n\r\n';
  const download = new MemoryDownload(100);
  const scene = new VisitScene(download, (_, number) =>
    number === 0 ? [refusal, content.subarray(0, 10)] : [ENDED],
  ).run();
  t.match(scene.source, { state: 'waiting', until: 12_000, failures: 0, error: null });
  const idle = new VisitScene(new MemoryDownload(10), request => [framed(testBytes(10), request, 'length')]).run();
  t.match(idle.closed().source, { state: 'waiting', until: 12_000, failures: 0 });
  const rude = new VisitScene(new MemoryDownload(10), () => [ENDED]).run();
  t.match(rude.source, { failures: 1, error: /without an answer/ }, 'who never served has failed');
  t.end();
});

t.test('a hash tree is asked for like a range, and the connection goes on', t => {
  const content = testBytes(10);
  const thex = testBytes(500, 3);
  const answers =
    (tree: readonly Said[]): Answers =>
    request =>
      request.target === '/tree' ? tree : [`${framed(content, request, 'length').toString('latin1')}`];
  const wanting = () => {
    const download = new MemoryDownload(10, Buffer.alloc(20, 1));
    download.treeTarget = '/tree';
    return download;
  };
  const ok = 'HTTP/1.1 200 OK\r\nContent-Type: application/dime\r\nContent-Length: 500\r\n\r\n';
  const download = wanting();
  const scene = new VisitScene(download, answers([ok, thex])).run();
  t.strictSame(download.trees, [thex]);
  t.equal(scene.requests[0]?.head.headers.get('Accept'), 'application/dime');
  t.ok(download.content.equals(content));
  t.equal(scene.requests.length, 2);

  const cases: [what: string, said: Said[], tree: 'none' | 'not now', requests: number][] = [
    ['404', ['HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno'], 'none', 2],
    ['503', ['HTTP/1.1 503 Later\r\nContent-Length: 0\r\n\r\n'], 'not now', 2],
    ['an early end', [ok, 'abc', ENDED], 'not now', 1],
    ['without end', ['HTTP/1.1 200 OK\r\n\r\n', testBytes(1 << 20)], 'not now', 1],
    ['silence', [], 'not now', 1],
    ['a byte a second', [ok, ...Array.from(thex).flatMap(byte => [Buffer.of(byte), 1000])], 'not now', 1],
  ];
  for (const [what, said, tree, requests] of cases) {
    const refused = wanting();
    const { requests: made } = new VisitScene(refused, answers(said)).run();
    t.strictSame(refused.trees, [tree], what);
    t.equal(made.length, requests, what);
  }
  const offering = new MemoryDownload(10, Buffer.alloc(20, 1));
  new VisitScene(offering, () => [
    'HTTP/1.1 206 P\r\nX-Thex-URI: /t;ABC\r\nContent-Range: bytes 0-9/10\r\nContent-Length: 10\r\n\r\n0123456789',
  ]).run();
  t.strictSame(offering.offers, ['/t;ABC']);
  t.end();
});

t.test('cut lists of ranges are added up, until they contradict the sum that is told', t => {
  const partly = (ranges: string, sum: string | null) =>
    `HTTP/1.1 206 P\r\nContent-Range: bytes 0-9/1000\r\nContent-Length: 10\r\nX-Available-Ranges: bytes ${ranges}\r\n${
      sum === null ? '' : `X-Available: bytes ${sum}\r\n`
    }\r\n0123456789`;
  const download = new MemoryDownload(1000);
  const scene = new VisitScene(download, (request, number) => {
    const { start } = rangeOf(request, 1000);
    const text = partly(number === 0 ? '0-99' : '200-299', '200').replace('0-9/', `${start}-${start + 9}/`);
    return number < 2 ? [text] : [ENDED];
  }).run();
  t.strictSame(scene.source.available?.toPairs(), [
    [0, 100],
    [200, 300],
  ]);
  const shrunk = new VisitScene(new MemoryDownload(1000), (request, number) => {
    const { start } = rangeOf(request, 1000);
    const text = partly(number === 0 ? '0-99' : '20-59', '50').replace('0-9/', `${start}-${start + 9}/`);
    return number < 2 ? [text] : [ENDED];
  }).run();
  t.strictSame(shrunk.source.available?.toPairs(), [[20, 60]]);
  t.end();
});

t.test('a head that trickles is left after the time that silence may last', t => {
  const slowly = Array.from({ length: 200 }, (): Said[] => [30_000, 'X']).flat();
  const scene = new VisitScene(new MemoryDownload(10), () => ['HTTP/1.1 200 OK\r\n', ...slowly]).run();
  t.match(scene.source, { state: 'waiting', error: 'sent nothing for too long' });
  t.equal(scene.now, 60_000);
  t.end();
});

t.test('any bytes for an answer: the visit ends or goes on asking, and the planner knows it', t => {
  const valid = Buffer.from(
    'HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-9/10\r\nTransfer-Encoding: chunked\r\nX-Queue: position=1, pollMin=1, pollMax=2\r\n\r\na\r\n0123456789\r\n0\r\n\r\n',
  );
  const mutated = fc
    .array(fc.tuple(fc.nat({ max: valid.length - 1 }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 6 })
    .map(changes => {
      const bytes = Buffer.from(valid);
      for (const [at, byte] of changes) bytes[at] = byte;
      return bytes;
    });
  const noise = fc.uint8Array({ minLength: 1, maxLength: 300 }).map(bytes => Buffer.from(bytes));
  fc.assert(
    fc.property(fc.oneof(mutated, noise), fc.option(fc.constant(10)), (bytes, size) => {
      const scene = new VisitScene(new MemoryDownload(size), () => [bytes, ENDED]).run(1000);
      return scene.command === (scene.source.isConnected ? 'ready' : 'close');
    }),
    { numRuns: 500 },
  );
  t.end();
});
