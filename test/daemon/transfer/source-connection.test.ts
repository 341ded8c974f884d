import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { SourceConnection } from '../../../daemon/transfer/source-connection.ts';
import { SourceError } from '../../../protocol/transfer/downloads/source-exchange.ts';
import { judgeReply } from '../../../protocol/transfer/downloads/source-reply.ts';
import { closed, socketPair } from '../../support/loopback.ts';

const REQUEST = Buffer.from('GET / HTTP/1.1\r\n\r\n');

t.test('interim answers are passed over, not without end', async t => {
  const { ours, theirs } = await socketPair(t);
  const connection = new SourceConnection(ours, 60_000);
  theirs.write(
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
  );
  t.equal((await connection.request(REQUEST)).status, 200);
  const got: string[] = [];
  await connection.body('length', 5, bytes => {
    got.push(bytes.toString());
    return null;
  });
  t.equal(got.join(''), 'hello');
  theirs.write('HTTP/1.1 100 Continue\r\n\r\n'.repeat(9));
  await t.rejects(connection.request(REQUEST), { code: 'SOURCE_MALFORMED' });
});

t.test('bytes of the next answer stay for the next request', async t => {
  const { ours, theirs } = await socketPair(t);
  const connection = new SourceConnection(ours, 60_000);
  theirs.write('HTTP/1.1 200 OK\r\n\r\nabcHTTP/1.1 404 No\r\n\r\n');
  await connection.request(REQUEST);
  await connection.body('length', 3, () => null);
  t.equal((await connection.request(REQUEST)).status, 404);
});

t.test('a sink that asks to wait is waited for, and the other side with it', async t => {
  const { ours, theirs } = await socketPair(t);
  const connection = new SourceConnection(ours, 60_000);
  theirs.end(`HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(500_000)}`);
  await connection.request(REQUEST);
  let waiting = false;
  let bytes = 0;
  await connection.body('close', null, chunk => {
    t.notOk(waiting, 'one at a time');
    waiting = true;
    bytes += chunk.length;
    return new Promise(go =>
      setImmediate(() => {
        waiting = false;
        go();
      }),
    );
  });
  t.equal(bytes, 500_000);
});

t.test('silence, an early end and a reset are told apart', async t => {
  const silent = await socketPair(t);
  await t.rejects(new SourceConnection(silent.ours, 50).request(REQUEST), { code: 'SOURCE_STALLED' });

  const early = await socketPair(t);
  const connection = new SourceConnection(early.ours, 60_000);
  early.theirs.end('HTTP/1.1 200 OK\r\n\r\nabc');
  await connection.request(REQUEST);
  await t.rejects(
    connection.body('length', 10, () => null),
    { code: 'SOURCE_CLOSED', message: /in the middle/ },
  );

  const reset = await socketPair(t);
  reset.theirs.resetAndDestroy();
  await closed(reset.ours);
  await t.rejects(new SourceConnection(reset.ours, 60_000).request(REQUEST), { code: 'SOURCE_CLOSED' });
});

t.test('chunked bodies keep to what was announced', async t => {
  for (const [announced, code] of [
    [5, null],
    [4, 'SOURCE_MALFORMED'],
    [6, 'SOURCE_CLOSED'],
    [null, null],
  ] as const) {
    const { ours, theirs } = await socketPair(t);
    const connection = new SourceConnection(ours, 60_000);
    theirs.write('HTTP/1.1 200 OK\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n');
    await connection.request(REQUEST);
    const read = connection.body('chunked', announced, () => null);
    if (code === null) await read;
    else await t.rejects(read, { code });
  }
});

t.test('any bytes for an answer: read, or refused with a SourceError', async t => {
  const valid = Buffer.from(
    'HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-9/10\r\nTransfer-Encoding: chunked\r\nX-Queue: position=1\r\n\r\na\r\n0123456789\r\n0\r\n\r\n',
  );
  const mutated = fc
    .array(fc.tuple(fc.nat({ max: valid.length - 1 }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 6 })
    .map(changes => {
      const bytes = Buffer.from(valid);
      for (const [at, byte] of changes) bytes[at] = byte;
      return bytes;
    });
  await fc.assert(
    fc.asyncProperty(fc.oneof(mutated, fc.uint8Array({ maxLength: 300 })), async bytes => {
      const { ours, theirs } = await socketPair(t);
      const connection = new SourceConnection(ours, 60_000);
      theirs.end(bytes);
      try {
        const head = await connection.request(REQUEST);
        const reply = judgeReply(head, { range: { start: 0, end: 10 }, size: null, sha1: null });
        if (reply.kind === 'body') await connection.body(reply.framing, reply.bytes, () => null);
      } catch (error) {
        assert.ok(error instanceof SourceError, String(error));
      } finally {
        connection.close();
        theirs.destroy();
      }
    }),
    { numRuns: 150 },
  );
});
