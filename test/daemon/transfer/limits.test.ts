import { connect } from 'node:net';
import t from 'tap';
import { Bandwidth } from '../../../daemon/net/bandwidth.ts';
import { SourceConnection } from '../../../daemon/transfer/source-connection.ts';
import { formatSha1Urn } from '../../../protocol/wire/urn.ts';
import { eventually, readAll, socketPair } from '../../support/loopback.ts';
import { SharedFiles, serve, testBytes } from '../../support/shared-files.ts';

t.test('uploads share their limit and arrive whole', async t => {
  const bandwidth = new Bandwidth();
  bandwidth.limit('upload', 1_000_000);
  const files = new SharedFiles(t.testdir());
  const content = Buffer.alloc(200_000, 7);
  files.add('a.bin', content);
  const { port } = await serve(t, files, { bandwidth });
  const began = performance.now();
  const answers = await Promise.all(
    [1, 2, 3].map(() => {
      const socket = connect({ port, host: '127.0.0.1' });
      socket.write('GET /get/1/a.bin HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
      return readAll(socket);
    }),
  );
  const ms = performance.now() - began;
  for (const answer of answers) t.ok(answer.subarray(answer.indexOf('\r\n\r\n') + 4).equals(content));
  t.ok(ms > 390, `600 kB at 1 MB/s, 200 of them at once, took ${ms} ms`);
  t.equal(bandwidth.moved.upload, 600_000);
});

t.test(
  'at 1 byte a second an upload gets its head and its bytes, is not cut for silence, and ends when the reader goes',
  async t => {
    const bandwidth = new Bandwidth();
    bandwidth.limit('upload', 1);
    const files = new SharedFiles(t.testdir());
    files.add('a.bin', Buffer.alloc(60_000, 7));
    const { port, server, queue } = await serve(t, files, { bandwidth, times: { stallMs: 800 } });
    const socket = connect({ port, host: '127.0.0.1' });
    let got = '';
    socket.on('data', bytes => {
      got += bytes.toString('latin1');
    });
    socket.write('GET /get/1/a.bin HTTP/1.1\r\nHost: x\r\n\r\n');
    await eventually('the head and two bytes are there', () => (got.split('\r\n\r\n')[1]?.length ?? 0) >= 2);
    t.equal(server.list().length, 1);
    bandwidth.limit('upload', 0);
    await eventually('a lifted limit lets the rest go', () => got.length > 60_000);
    socket.destroy();
    await eventually('the slot is free', () => queue.sending === 0);
  },
);

t.test('an upload that waits for bandwidth ends with its connection', async t => {
  const bandwidth = new Bandwidth();
  bandwidth.limit('upload', 1);
  const files = new SharedFiles(t.testdir());
  files.add('a.bin', Buffer.alloc(60_000, 7));
  const { port, queue } = await serve(t, files, { bandwidth });
  const socket = connect({ port, host: '127.0.0.1' });
  socket.write('GET /get/1/a.bin HTTP/1.1\r\nHost: x\r\n\r\n');
  await eventually('it waits', () => bandwidth.waiting === 1);
  socket.destroy();
  await eventually('it is gone', () => bandwidth.waiting === 0 && queue.sending === 0);
});

t.test('the body of a download is read as the limit allows, its head at once', async t => {
  const bandwidth = new Bandwidth();
  bandwidth.limit('download', 1_000_000);
  const { ours, theirs } = await socketPair(t);
  const connection = new SourceConnection(ours, 60_000, bandwidth.usage('download'));
  theirs.write(`HTTP/1.1 200 OK\r\nContent-Length: 500000\r\n\r\n`);
  t.equal((await connection.request(Buffer.from('GET / HTTP/1.1\r\n\r\n'))).status, 200);
  theirs.end(Buffer.alloc(500_000, 1));
  const began = performance.now();
  let bytes = 0;
  await connection.body('length', 500_000, chunk => {
    bytes += chunk.length;
    return null;
  });
  const ms = performance.now() - began;
  t.equal(bytes, 500_000);
  t.ok(ms > 150, `500 kB at 1 MB/s, 200 of them at once, took ${ms} ms`); // what had come with the head is not held back
});

t.test('hash trees count as uploads and keep their limit: they are had without a slot', async t => {
  const bandwidth = new Bandwidth();
  const files = new SharedFiles(t.testdir());
  const file = files.add('a.bin', testBytes(32 << 20));
  const { port } = await serve(t, files, { bandwidth });
  bandwidth.limit('upload', 50_000);
  const socket = connect({ port, host: '127.0.0.1' });
  const ask = `GET /uri-res/N2X?${formatSha1Urn(file.sha1)} HTTP/1.1\r\nHost: x\r\n`;
  const began = performance.now();
  socket.write(`${ask}\r\n${ask}Connection: close\r\n\r\n`);
  const { length } = await readAll(socket);
  const ms = performance.now() - began;
  t.ok(length > 25_000, `${length} bytes`);
  t.ok(ms > 400, `${length} bytes at 50 kB/s, 10 of them at once, took ${ms} ms`);
  t.equal(bandwidth.moved.upload, length);
});
