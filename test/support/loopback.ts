// Sockets on 127.0.0.1 for tests, closed when the test ends.
import { readdirSync, readlinkSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Test } from 'tap';

/** Both ends of one connection. Errors are ignored: tests look at 'close'. */
export async function socketPair(t: Test): Promise<{ ours: Socket; theirs: Socket }> {
  const server = createServer({ noDelay: true });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const accepted = new Promise<Socket>(resolve => server.once('connection', resolve));
  const theirs = await dial(t, (server.address() as AddressInfo).port);
  const ours = await accepted;
  server.close();
  ours.on('error', () => {});
  t.teardown(() => ours.destroy());
  return { ours, theirs };
}

/** A plain client socket that is connected. */
export async function dial(t: Test, port: number, allowHalfOpen = false): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen });
  socket.on('error', () => {});
  t.teardown(() => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('close', () => reject(new Error('not connected')));
  });
  return socket;
}

/** Everything that arrives until the other side ends or resets. */
export async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', chunk => chunks.push(chunk));
  await closed(socket);
  return Buffer.concat(chunks);
}

/** Resolves when at least `bytes` have arrived; with all of them. */
export function readBytes(socket: Socket, bytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let held = Buffer.alloc(0);
    const onData = (chunk: Buffer) => {
      held = Buffer.concat([held, chunk]);
      if (held.length < bytes) return;
      socket.removeListener('data', onData);
      socket.removeListener('close', onClose);
      resolve(held);
    };
    const onClose = () => reject(new Error(`closed after ${held.length} of ${bytes} bytes`));
    socket.on('data', onData);
    socket.once('close', onClose);
  });
}

export function closed(socket: Socket): Promise<void> {
  if (socket.destroyed) return Promise.resolve();
  socket.resume();
  return new Promise(resolve => socket.once('close', () => resolve()));
}

/** Asks again and again, a turn of the event loop apart, until it is so; fails after `patienceMs`. */
export async function eventually(what: string, check: () => boolean, patienceMs = 60_000): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!check()) {
    if (performance.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await new Promise(resolve => setTimeout(resolve, 2));
  }
}

/** Open socket descriptors of this process. */
export function openSockets(): number {
  let sockets = 0;
  for (const fd of readdirSync('/proc/self/fd')) {
    try {
      if (readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:')) sockets++;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error; // the folder's own descriptor is gone by now
    }
  }
  return sockets;
}
