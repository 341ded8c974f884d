import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { SLAB_BYTES, Slab } from '../../../daemon/net/slab.ts';
import { SlabSocket } from '../../../daemon/net/slab-socket.ts';
import { testBytes } from '../../support/shared-files.ts';

async function connected(t: Test): Promise<{ ours: SlabSocket; theirs: Socket }> {
  const server = createServer({ noDelay: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const ours = new SlabSocket();
  ours.connect((server.address() as AddressInfo).port, '127.0.0.1');
  ours.on('error', () => undefined);
  const [theirs] = await accepted;
  theirs.on('error', () => undefined);
  server.close();
  t.teardown(() => {
    ours.destroy();
    theirs.destroy();
  });
  return { ours, theirs };
}

t.test('all bytes come, in order, and then the end', async t => {
  const { ours, theirs } = await connected(t);
  const content = testBytes(5_000_000);
  theirs.end(content);
  const parts: Buffer[] = [];
  for (let bytes = await ours.input.next(); bytes !== null; bytes = await ours.input.next()) {
    parts.push(Buffer.from(bytes));
    Slab.written(bytes); // so the next ones may come into the same memory
  }
  t.ok(Buffer.concat(parts).equals(content));
  t.ok(ours.readableEnded);
  t.equal(await ours.input.next(), null, 'for good');
});

t.test('bytes that are not written stay as they are', async t => {
  const { ours, theirs } = await connected(t);
  const content = testBytes(3_000_000);
  theirs.end(content);
  const parts: Buffer[] = [];
  for (let bytes = await ours.input.next(); bytes !== null; bytes = await ours.input.next()) parts.push(bytes);
  t.ok(Buffer.concat(parts).equals(content));
});

t.test('what nobody waits for stays in the kernel', async t => {
  const { ours, theirs } = await connected(t);
  const content = testBytes(40_000_000);
  theirs.end(content);
  while (ours.bytesRead === 0) await turn();
  for (let i = 0; i < 100; i++) await turn();
  t.ok(ours.bytesRead <= SLAB_BYTES, 'it has read once');
  let bytes = 0;
  for (let part = await ours.input.next(); part !== null; part = await ours.input.next()) {
    if (!part.equals(content.subarray(bytes, bytes + part.length))) t.fail(`wrong bytes at ${bytes}`);
    bytes += part.length;
    Slab.written(part);
  }
  t.equal(bytes, content.length, 'it goes on when somebody does');
});

t.test('bytes are taken as a limit allows', async t => {
  const { ours, theirs } = await connected(t);
  const { input } = ours;
  t.equal(input.now(), null, 'none yet');
  theirs.end('abcdef');
  let got = '';
  while ((await input.ready()) > 0) got += `${input.take(4)} `;
  t.equal(got, 'abcd ef ');
});

t.test('a connection that is reset is over', async t => {
  const { ours, theirs } = await connected(t);
  const next = ours.input.next();
  theirs.resetAndDestroy();
  t.equal(await next, null);
  t.equal(await ours.input.ready(), 0);
  t.notOk(ours.readableEnded);
});

t.test('one that cannot be made gives its memory back', async t => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  const next = Slab.take();
  next.close(); // the one that the socket takes
  const socket = new SlabSocket();
  socket.on('error', () => undefined);
  socket.connect(port, '127.0.0.1');
  await new Promise<unknown>(over => socket.once('close', over));
  t.equal(Slab.take(), next);
});
