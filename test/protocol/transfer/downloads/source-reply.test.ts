import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { Headers } from '../../../../protocol/handshake/header-block.ts';
import { judgeReply, type RequestedRange } from '../../../../protocol/transfer/downloads/source-reply.ts';
import type { ResponseHead } from '../../../../protocol/transfer/http-head.ts';
import { parseUrn } from '../../../../protocol/wire/urn.ts';
import {
  type CapturedReply,
  gtkgReplies,
  limewireQueueHeads,
  limewireReplies,
} from '../../../support/captured-http.ts';

const OURS = parseUrn('urn:sha1:FEE3XSJMQAUQ3TZU3QR6ZVBTGTS2VDID').sha1;

function head(status: number, headers: Record<string, string> = {}, minor = 1): ResponseHead {
  return { status, reason: 'Because', major: 1, minor, headers: new Headers(Object.entries(headers)) };
}

function asked(start: number, end: number, size: number | null, sha1: Buffer | null = null): RequestedRange {
  return { range: { start, end }, size, sha1 };
}

function one(replies: CapturedReply[], label: string): CapturedReply {
  const reply = replies.find(each => each.label === label);
  if (reply === undefined) throw new Error(`no ${label} in the fixture`);
  return reply;
}

t.test('what gtk-gnutella answered to ranges', async t => {
  const replies = gtkgReplies('http-get-range');
  t.match(judgeReply(one(replies, 'first 200 bytes').head, asked(0, 200, 70_000, OURS)), {
    kind: 'body',
    framing: 'length',
    start: 0,
    bytes: 200,
    size: 70_000,
    keepAlive: true,
  });
  t.match(judgeReply(one(replies, 'open end near the end').head, asked(69_900, 80_000, null, OURS)), {
    kind: 'body',
    start: 69_900,
    bytes: 100,
    size: 70_000,
  });
  t.match(judgeReply(one(replies, 'two ranges').head, asked(0, 10, 70_000)), { kind: 'body', bytes: 10 });
  t.match(
    judgeReply(one(replies, 'beyond the end: 416').head, asked(80_000, 90_001, null)),
    { kind: 'drop', reason: /other bytes/ },
    'its clamped start is not what we asked for',
  );
  const [whole] = gtkgReplies('http-get-whole');
  if (whole === undefined) throw new Error('empty fixture');
  t.match(judgeReply(whole.head, asked(0, 3000, 3000)), { kind: 'body', bytes: 3000, keepAlive: false });
  t.match(judgeReply(whole.head, asked(0, 3000, 3000, OURS)), { kind: 'drop', reason: /another file/ });
  t.match(judgeReply(whole.head, asked(0, 70_000, 70_000)), { kind: 'drop', reason: /3000 bytes, not 70000/ });
});

t.test('what gtk-gnutella answered when its slots were taken', async t => {
  const [busy] = gtkgReplies('http-busy');
  const [queued] = gtkgReplies('http-queued-active');
  if (busy === undefined || queued === undefined) throw new Error('empty fixture');
  t.match(judgeReply(busy.head, asked(0, 10, null)), {
    kind: 'busy',
    retrySeconds: 90,
    keepAlive: false,
    queue: { id: 'cc3b8051ce5d6ded19b1389e3f2800b1', position: 5, pollMinSeconds: 90, pollMaxSeconds: 150 },
  });
  t.match(judgeReply(queued.head, asked(0, 10, null)), {
    kind: 'busy',
    keepAlive: true,
    sinkBytes: 0,
    queue: { id: null, position: 3, pollMinSeconds: 60, pollMaxSeconds: 120 },
  });
});

t.test('what gtk-gnutella refuses', async t => {
  for (const { head } of gtkgReplies('http-404')) {
    t.match(judgeReply(head, asked(0, 10, null)), { kind: 'drop', keepAlive: true, sinkBytes: 0, reason: /404/ });
  }
  for (const { head } of gtkgReplies('http-400')) {
    t.match(judgeReply(head, asked(0, 10, null)), { kind: 'drop', keepAlive: false, reason: /400 Malformed URN/ });
  }
});

t.test('what LimeWire answered', async t => {
  const replies = limewireReplies();
  t.match(judgeReply(one(replies, 'GET range, features, alts').head, asked(1024, 2048, 3_146_505)), {
    kind: 'body',
    start: 1024,
    bytes: 1024,
    size: 3_146_505,
  });
  t.match(judgeReply(one(replies, 'GET no range, HTTP/1.0').head, asked(0, 1000, null)), {
    kind: 'body',
    start: 0,
    bytes: 5000,
    size: 5000,
    keepAlive: false,
  });
  t.match(judgeReply(one(replies, 'GET bad range').head, asked(90_000, 100_000, null)), {
    kind: 'unavailable',
    size: null,
  });
  t.match(judgeReply(one(replies, 'GET unknown URN').head, asked(0, 1, null)), { kind: 'drop' });
  t.match(judgeReply(one(replies, 'GET by index').head, asked(0, 1, null)), { kind: 'drop' });

  const [granted, queued, tooEarly, plain] = limewireQueueHeads();
  if (!granted || !queued || !tooEarly || !plain) throw new Error('the fixture has four');
  t.match(judgeReply(granted, asked(0, 1, null)), { kind: 'body', bytes: 3_146_505 });
  t.match(judgeReply(queued, asked(0, 1, null)), {
    kind: 'busy',
    keepAlive: true,
    queue: { position: 1, pollMinSeconds: 45, pollMaxSeconds: 120, id: null },
  });
  t.match(judgeReply(tooEarly, asked(0, 1, null)), { kind: 'forbidden' });
  t.match(judgeReply(plain, asked(0, 1, null)), { kind: 'busy', retrySeconds: 1200, queue: null, sinkBytes: 38 });
});

t.test('a body in every framing', async t => {
  t.match(judgeReply(head(200, { 'Transfer-Encoding': 'chunked' }), asked(0, 5, null)), {
    kind: 'body',
    framing: 'chunked',
    bytes: null,
    size: null,
    keepAlive: true,
  });
  t.match(judgeReply(head(200, { 'Transfer-Encoding': 'chunked' }), asked(0, 5, 9)), { kind: 'body', size: null });
  t.match(judgeReply(head(200), asked(0, 5, null)), { framing: 'close', bytes: null, keepAlive: false });
  t.match(
    judgeReply(head(206, { 'Content-Range': 'bytes 2-4/9', 'Content-Length': '9' }), asked(2, 9, null)),
    { framing: 'length', start: 2, bytes: 3, size: 9 },
    'Content-Range is the truth',
  );
  t.match(judgeReply(head(206, { 'Content-Range': 'bytes 5-8/9' }), asked(2, 9, 9)), { start: 5, bytes: 4 }, 'later');
  t.match(judgeReply(head(206, { 'Content-Range': 'bytes 0-8/*' }), asked(0, 9, null)), { size: null, bytes: 9 });
  t.match(judgeReply(head(200, { 'Content-Length': '0' }), asked(0, 9, null)), { bytes: 0, size: 0 });
});

t.test('bodies that cannot be part of our file', async t => {
  const bad: [ResponseHead, RegExp][] = [
    [head(206, { 'Content-Length': '5' }), /without Content-Range/],
    [head(206, { 'Content-Range': 'bytes 5-2/9' }), /bad Content-Range/],
    [head(206, { 'Content-Range': 'bytes */9' }), /bad Content-Range/],
    [head(206, { 'Content-Range': 'bytes 0-4/8' }), /8 bytes, not 9/],
    [head(206, { 'Content-Range': 'bytes 0-4/9' }), /other bytes/],
    [head(206, { 'Content-Range': 'bytes 2-9/*' }), /beyond the end/],
    [head(200, { 'Content-Length': '-1' }), /no number/],
    [head(200, { 'Content-Length': '9', 'Content-Encoding': 'gzip' }), /encodes/],
    [head(200, { 'Transfer-Encoding': 'gzip, chunked' }), /transfer coding/],
    [
      head(200, { 'Content-Length': '9', 'X-Gnutella-Content-URN': 'urn:sha1:PLKQGIZGSFAYIS2XQOHQNEAWXQNE7MEE' }),
      /another/,
    ],
  ];
  for (const [reply, reason] of bad) t.match(judgeReply(reply, asked(2, 9, 9, OURS)), { kind: 'drop', reason });
  const both = 'urn:sha1:PLKQGIZGSFAYIS2XQOHQNEAWXQNE7MEE, urn:sha1:FEE3XSJMQAUQ3TZU3QR6ZVBTGTS2VDID';
  t.match(judgeReply(head(200, { 'Content-Length': '9', 'X-Gnutella-Content-URN': both }), asked(0, 9, 9, OURS)), {
    kind: 'body',
  });
});

t.test('every other status has its meaning', async t => {
  const kind = (status: number, headers = {}) => judgeReply(head(status, headers), asked(0, 5, null));
  t.match(kind(429), { kind: 'busy', retrySeconds: 180 });
  t.match(kind(550, { 'Retry-After': '7' }), { kind: 'busy', retrySeconds: 7 });
  t.match(kind(409), { kind: 'busy', retrySeconds: null });
  t.match(kind(403), { kind: 'forbidden' });
  t.match(kind(500), { kind: 'failed' });
  for (const status of [101, 204, 301, 302, 304, 400, 404, 405, 410, 501, 505, 999]) {
    t.match(kind(status), { kind: 'drop', reason: `answered ${status} Because` });
  }
  t.match(kind(416, { 'Content-Range': 'bytes */7' }), { kind: 'unavailable', size: 7 });
  t.match(judgeReply(head(416, { 'Content-Range': 'bytes */7' }), asked(0, 5, 9)), { kind: 'drop' });
  const partial = kind(416, { 'X-Available-Ranges': 'bytes 2-3, 6-9' });
  t.strictSame(partial.available?.toPairs(), [
    [2, 4],
    [6, 10],
  ]);
});

t.test('refusals too long to read away end the connection', async t => {
  t.match(judgeReply(head(404, { 'Content-Length': '16385' }), asked(0, 5, null)), { sinkBytes: null });
  t.match(judgeReply(head(404, { 'Content-Length': '16384' }), asked(0, 5, null)), { sinkBytes: 16_384 });
  t.match(judgeReply(head(404, { 'Transfer-Encoding': 'chunked' }), asked(0, 5, null)), { sinkBytes: null });
});

t.test('remote text in reasons is short and printable', async t => {
  const reply = judgeReply({ ...head(404), reason: `\x1b[31m${'x'.repeat(500)}` }, asked(0, 5, null));
  t.match(reply, { reason: /^answered 404 \?\[31mx{75}$/ });
});

t.test('any headers give a judgement whose body lies within the file', async () => {
  const name = fc.constantFrom(
    'Content-Range',
    'Content-Length',
    'Transfer-Encoding',
    'X-Queue',
    'X-Queued',
    'Retry-After',
  );
  const value = fc.oneof(
    fc.string({ maxLength: 30 }),
    fc.stringMatching(/^bytes [0-9]{1,3}-[0-9]{1,3}\/([0-9]{1,3}|\*)$/),
    fc.nat().map(String),
    fc.constant('chunked'),
  );
  fc.assert(
    fc.property(
      fc.constantFrom(200, 206, 416, 503),
      fc.dictionary(name, value, { noNullPrototype: true }),
      fc.option(fc.nat({ max: 999 })),
      (status, headers, size) => {
        const reply = judgeReply(head(status, headers), asked(3, 500, size));
        if (reply.kind !== 'body') return;
        assert.ok(reply.start === 0 || (reply.start >= 3 && reply.start < 500));
        if (reply.bytes !== null && reply.size !== null) assert.ok(reply.start + reply.bytes <= reply.size);
        if (size !== null && reply.size !== null) assert.equal(reply.size, size);
      },
    ),
    { numRuns: 2000 },
  );
});
