// How fast a relay passes bytes between two sockets of loopback, and what part of a core that takes. One JSON line.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { RelayPipe } from '../daemon/net/relay-pipe.ts';

const BYTES = 1 << 30;

/** Two sockets of the relay: one that is written to from outside, one that is read outside. */
async function relayed(): Promise<void> {
  const sockets: Socket[] = [];
  const server = createServer(socket => sockets.push(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const worker = new Worker(new URL(import.meta.url), { workerData: { port } });
  while (sockets.length < 2) await once(server, 'connection');
  const [a, b] = sockets;
  if (a === undefined || b === undefined) throw new Error('no sockets');
  let bytes = 0;
  const cpu = performance.eventLoopUtilization();
  const begun = process.hrtime.bigint();
  const pipe = new RelayPipe(a, b, {
    onBytes: count => {
      bytes += count;
      return true;
    },
    mayPass: () => true,
    onEnd: () => undefined,
  });
  await new Promise<void>(done => worker.once('message', () => done()));
  const seconds = Number(process.hrtime.bigint() - begun) / 1e9;
  const { utilization } = performance.eventLoopUtilization(cpu);
  pipe.end();
  await worker.terminate();
  server.close();
  const megabytesPerSecond = Math.round(bytes / seconds / 1e6);
  const core = Number(utilization.toFixed(2));
  const coreAt100 = Number(((utilization * 100) / megabytesPerSecond).toFixed(2));
  process.stdout.write(`${JSON.stringify({ bench: 'relay', bytes, megabytesPerSecond, core, coreAt100 })}\n`);
}

/** The other ends: one writes BYTES, the other reads them. */
async function outside(port: number): Promise<void> {
  const { parentPort } = await import('node:worker_threads');
  const writer = connect(port, '127.0.0.1');
  await once(writer, 'connect');
  const reader = connect(port, '127.0.0.1');
  await once(reader, 'connect');
  const chunk = Buffer.alloc(1 << 20, 7);
  let read = 0;
  reader.on('data', (bytes: Buffer) => {
    read += bytes.length;
    if (read >= BYTES) parentPort?.postMessage('read');
  });
  for (let sent = 0; sent < BYTES; sent += chunk.length) if (!writer.write(chunk)) await once(writer, 'drain');
}

await (isMainThread ? relayed() : outside((workerData as { port: number }).port));
