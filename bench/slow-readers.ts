// A servent process that serves slow readers: its memory, and how late queries through its overlay are meanwhile.
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ServentProcess } from './process/servent.ts';
import { Peers } from './routing-tcp/peers.ts';

export const about = 'a servent process with 2,000 slow readers: memory, and queries through its overlay beside them';

const READERS = 2000;
const FILE_BYTES = 64 << 20;
const NEIGHBOURS = 16;
const QPS = 200;
const SECONDS = 10;
const DRAIN_MS = 500;
const SETTLE_SECONDS_MAX = 60;
/** Each reads what has come once in so many steps of 10 ms. */
const BATCHES = 1000;
const STEP_MS = 10;

export async function run(): Promise<Record<string, unknown>> {
  const folder = await mkdtemp(join(tmpdir(), 'servent-bench-slow-'));
  await writeFile(join(folder, 'file.bin'), Buffer.alloc(FILE_BYTES, 'servent'));
  const options = ['--share', folder, '--upload-slots', String(READERS), '--max-ultrapeers', '64'];
  const servent = await ServentProcess.start(options);
  const peers = new Peers(false);
  const readers: Socket[] = [];
  try {
    await servent.hashed(1);
    await peers.connect(servent.port, NEIGHBOURS, 'ultrapeer');
    await peers.step(QPS, 1, 1, DRAIN_MS); // warms both sides up
    const before = await peers.step(QPS, SECONDS, 1, DRAIN_MS);
    const rssKiBIdle = servent.rssKiB;
    for (let n = 0; n < READERS; n++) readers.push(await slowReader(servent.port));
    const stop = readSlowly(readers);
    await settled(servent);
    await servent.loopDelayP99Ms();
    const beside = await peers.step(QPS, SECONDS, 1, DRAIN_MS);
    const loopDelayP99Ms = await servent.loopDelayP99Ms();
    const rssKiB = servent.rssKiB;
    const readersLeft = readers.filter(socket => !socket.destroyed).length;
    stop();
    return {
      readers: READERS,
      readersLeft,
      rssKiBIdle,
      rssKiB,
      rssMB: Math.round(rssKiB / 976.6),
      loopDelayP99Ms,
      before,
      beside,
    };
  } finally {
    for (const socket of readers) socket.destroy();
    peers.close();
    await servent.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Waits until the buffers of the kernel are full and the servent sends only what is read. */
async function settled(servent: ServentProcess): Promise<void> {
  for (let round = 0; round < SETTLE_SECONDS_MAX; round++) {
    const before = servent.cpuSeconds;
    await wait(1000);
    if (servent.cpuSeconds - before < 0.1) return;
  }
}

/** Has asked for the file and got the first bytes. */
async function slowReader(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => undefined);
  socket.write('GET /get/1/file.bin HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
  await once(socket, 'readable');
  return socket;
}

/** Each reads what has come now and then: a few KiB a second. Returns a function that ends it. */
function readSlowly(sockets: readonly Socket[]): () => void {
  let batch = 0;
  const timer = setInterval(() => {
    for (let n = batch; n < sockets.length; n += BATCHES) sockets[n]?.read();
    batch = (batch + 1) % BATCHES;
  }, STEP_MS);
  return () => clearInterval(timer);
}
