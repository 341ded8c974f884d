import { type AddressInfo, createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { SocketReader } from '../../../daemon/net/socket-reader.ts';
import type { Downloads } from '../../../daemon/transfer/downloads.ts';
import { parseRequestHead } from '../../../protocol/transfer/http-head.ts';
import { gtkgReplies } from '../../support/captured-http.ts';
import { DownloadRig, sha1 } from '../../support/download-rig.ts';
import { dial, readAll } from '../../support/loopback.ts';
import { partial, ScriptedSource } from '../../support/scripted-source.ts';
import { testBytes } from '../../support/shared-files.ts';

/** Of the place in the captured answer. */
const ID = 'cc3b8051ce5d6ded19b1389e3f2800b1';

/** An answer that keeps the connection. */
const QUEUED = `HTTP/1.1 503 Queued\r\nContent-Length: 0\r\nRetry-After: 600\r\nX-Queued: ID=${ID}; position=2; length=2; lifetime=700\r\n\r\n`;

/** A port that passes on sockets with their first bytes, as the listener does. */
async function callbackPort(t: Test, downloads: Downloads): Promise<number> {
  const server = createServer({ noDelay: true }, socket => {
    socket.on('error', () => undefined);
    socket.once('data', head => downloads.onQueueCallback(socket, head));
  });
  await new Promise<void>(listening => server.listen(0, '127.0.0.1', listening));
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

t.test('a download that gtk-gnutella has queued goes on over the connection with which its queue calls', async t => {
  const [busy] = gtkgReplies('http-busy');
  if (busy === undefined) throw new Error('empty fixture');
  const content = testBytes(5000);
  const { source, requests } = await ScriptedSource.open(t, ({ socket }) => {
    socket.write(busy.headText.replace(/Content-Length: \d+/i, 'Content-Length: 0'));
    return false;
  });
  const rig = await DownloadRig.open(t, t.testdir());
  const port = await callbackPort(t, rig.downloads);
  const call = async (line: string) => {
    const socket = await dial(t, port);
    socket.write(line);
    return socket;
  };
  const { id } = await rig.downloads.add({ sha1: sha1(content), size: 5000, name: 'x', sources: [source] });
  await rig.until(id, ({ sources }) => sources[0]?.state === 'waiting');
  t.equal(requests.length, 1);

  t.equal((await readAll(await call(`QUEUE ${'ab'.repeat(16)} 127.0.0.1:6346\r\n`))).length, 0);
  t.equal((await readAll(await call('QUEUE me\r\n'))).length, 0);
  const socket = await call(`QUEUE ${ID} 127.0.0.1:6346\r\n`);
  const block = await new SocketReader(socket).nextHead();
  if (block === null) throw new Error('no request');
  t.equal(parseRequestHead(block).headers.get('X-Queued'), `position=5; ID=${ID}`);
  socket.write(partial(content, { start: 0, end: 5000 }));
  t.match(await rig.ended(id), { state: 'completed' });
  t.equal(requests.length, 1, 'nobody was dialled again');
  t.equal((await readAll(await call(`QUEUE ${ID} 127.0.0.1:6346\r\n`))).length, 0, 'nothing waits any more');
  t.strictSame(rig.downloads.callbacks.toRecord(), { taken: 1, unasked: 2, malformed: 1 });
});

t.test('a source that closes while we wait in its queue is asked again with our place at once', async t => {
  const content = testBytes(5000);
  const waiting: Socket[] = [];
  const { source, requests } = await ScriptedSource.open(t, ({ connection, socket }) => {
    if (connection === 0) waiting.push(socket);
    socket.write(connection === 0 ? QUEUED : partial(content, { start: 0, end: 5000 }));
    return true;
  });
  const rig = await DownloadRig.open(t, t.testdir());
  const { id } = await rig.downloads.add({ sha1: sha1(content), size: 5000, name: 'x', sources: [source] });
  await rig.until(id, ({ sources }) => sources[0]?.state === 'queued');
  waiting[0]?.end();
  t.match(await rig.ended(id), { state: 'completed' });
  t.strictSame(
    requests.map(({ headers }) => headers.get('X-Queued')),
    [null, `position=2; ID=${ID}`],
  );
});

t.test('a queue that calls while we wait on a connection is asked on the new one', async t => {
  const content = testBytes(5000);
  const { source, requests } = await ScriptedSource.open(t, ({ socket }) => socket.write(QUEUED));
  const rig = await DownloadRig.open(t, t.testdir());
  const port = await callbackPort(t, rig.downloads);
  const { id } = await rig.downloads.add({ sha1: sha1(content), size: 5000, name: 'x', sources: [source] });
  await rig.until(id, ({ sources }) => sources[0]?.state === 'queued');
  const socket = await dial(t, port);
  socket.write(`QUEUE ${ID} 127.0.0.1:6346\r\n`);
  const block = await new SocketReader(socket).nextHead();
  if (block === null) throw new Error('no request');
  t.equal(parseRequestHead(block).headers.get('X-Queued'), `position=2; ID=${ID}`);
  socket.write(partial(content, { start: 0, end: 5000 }));
  t.match(await rig.ended(id), { state: 'completed' });
  t.equal(requests.length, 1, 'nobody was dialled again');
});
