// A client that waits in the upload queue is called over a real socket, and served on it.
import { type AddressInfo, createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { silentLog } from '../../../daemon/log.ts';
import { Dialer } from '../../../daemon/net/dialer.ts';
import { QueueCalls } from '../../../daemon/network/queue-calls.ts';
import { SystemRandom } from '../../../daemon/system.ts';
import type { FileServer } from '../../../daemon/transfer/file-server.ts';
import { UploadQueue } from '../../../protocol/transfer/uploads/upload-queue.ts';
import { HttpClient } from '../../support/http-client.ts';
import { eventually, readBytes } from '../../support/loopback.ts';
import { SharedFiles, serve, testBytes } from '../../support/shared-files.ts';

const OWN = { host: '127.0.0.1', port: 6346 };
const CONTENT = testBytes(300_000);

/** A file server with one slot that calls clients that wait. */
async function scene(t: Test) {
  const files = new SharedFiles(t.testdir());
  const file = files.add('a file.bin', CONTENT);
  const calls = new QueueCalls({
    servent: { endpoint: OWN },
    dialer: new Dialer({ forbids: () => null }),
    serve: (socket, head, pushed) => server.handle(socket, head, pushed),
    log: silentLog,
  });
  const queue = new UploadQueue(
    { slots: 1, slotsPerAddress: 0, queue: 5 },
    { random: new SystemRandom(), callBack: (to, id) => calls.call(to, id) },
  );
  const { server, port }: { server: FileServer; port: number } = await serve(t, files, { queue });
  t.teardown(() => calls.stop());

  const request = `GET /get/${file.index}/${file.name.replace(' ', '%20')} HTTP/1.1`;
  return { calls, queue, port, request };
}

async function listen(t: Test, onSocket: (socket: Socket) => void): Promise<number> {
  const server = createServer(socket => {
    socket.on('error', () => {});
    t.teardown(() => socket.destroy());
    onSocket(socket);
  });
  await new Promise<void>(listening => server.listen(0, '127.0.0.1', listening));
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

t.test('the call says QUEUE, the id and where we listen, and what is asked for on it is sent', async t => {
  const { calls, queue, port, request } = await scene(t);
  let called: Socket | null = null;
  const node = await listen(t, socket => {
    socket.pause();
    called = socket;
  });
  const holder = await HttpClient.open(t, port);
  t.equal((await holder.ask(request, 'X-Queue: 1.1', 'Range: bytes=0-99999')).status, 206);

  const client = await HttpClient.open(t, port);
  const { status, head } = await client.ask(request, 'X-Queue: 1.1', `X-Node: 127.0.0.1:${node}`, 'Connection: close');
  t.equal(status, 503);
  const id = /ID=([0-9a-f]{32})/.exec(head.headers.get('X-Queued') ?? '')?.[1] ?? '';
  await eventually('it waits without a connection', () => queue.absent().length === 1);
  holder.socket.destroy();
  await eventually('it is called', () => {
    queue.tick(performance.now() + 60_000); // the slot of the holder is kept for a while
    return called !== null;
  });
  t.equal(calls.outcomes.of('reached'), 1);
  const socket = called as unknown as Socket;
  const line = `QUEUE ${id} 127.0.0.1:6346\r\n`;
  socket.resume();
  t.equal((await readBytes(socket, line.length)).toString(), line);
  const again = new HttpClient(socket);
  const reply = await again.ask(request, 'X-Queue: 1.1', `X-Queued: position=1; ID=${id}`);
  t.equal(reply.status, 200);
  t.ok(reply.body.equals(CONTENT));
  t.equal(reply.head.headers.get('X-Queued'), `ID=${id}`);
  t.equal(queue.violations.of('early_polls'), 0);
});

t.test('a client that cannot be reached is counted', async t => {
  const { calls } = await scene(t);
  const port = await listen(t, () => undefined);
  calls.call({ host: '127.0.0.2', port }, '0'.repeat(32));
  await eventually('it is counted', () => calls.outcomes.of('unreachable') === 1);
  t.equal(calls.outcomes.of('reached'), 0);
});
