// Limits of bandwidth on real sockets: what a limit lets through, how evenly, and what it costs to have none set.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, extname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Bandwidth } from '../daemon/net/bandwidth.ts';
import { startOwnServer } from './serve/own-server.ts';
import type { Fetch, Fetched } from './serve/reader.ts';

export const about =
  'bandwidth: 1 MB/s held over 20 s and shared by ten uploads, and what a scheduler without limits costs';

const FILE_BYTES = 1 << 29;
const LIMIT = 1_000_000;
const SECONDS = 20;
const UPLOADS = 10;
const ROUNDS = 7;
const self = fileURLToPath(import.meta.url);

function writeFile(path: string): void {
  const chunk = Buffer.alloc(1 << 20, 'servent');
  const fd = openSync(path, 'w');
  for (let at = 0; at < FILE_BYTES; at += chunk.length) writeSync(fd, chunk);
  closeSync(fd);
}

/** Bytes that each of some readers gets in a time, from when all have begun. */
async function received(port: number, readers: number, seconds: number): Promise<{ bytes: number[]; ms: number }> {
  const bytes = new Array<number>(readers).fill(0);
  const sockets = bytes.map((_, i) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('data', chunk => {
      bytes[i] = (bytes[i] ?? 0) + chunk.length;
    });
    socket.write('GET /get/1/file.bin HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
    return socket;
  });
  while (bytes.some(got => got === 0)) await wait(5);
  const before = [...bytes];
  const began = performance.now();
  await wait(seconds * 1000);
  const got = bytes.map((sum, i) => sum - (before[i] ?? 0));
  const ms = performance.now() - began;
  for (const socket of sockets) socket.destroy();
  return { bytes: got, ms };
}

async function fetchWith(reader: ChildProcess, fetch: Fetch): Promise<number> {
  const answered = once(reader, 'message');
  reader.send(fetch);
  const [answer] = (await answered) as [Fetched];
  if ('error' in answer) throw new Error(answer.error);
  return answer.ms;
}

/** Stands for the scheduler where there is none. */
function unscheduled(): Bandwidth {
  const usage = { limited: false, moved: () => undefined, close: () => undefined };
  return { usage: () => usage } as unknown as Bandwidth;
}

const ratio = (ours: number[], theirs: number[]): number => Math.round((median(ours) / median(theirs)) * 1000) / 1000;

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] ?? 0;

export async function run(): Promise<Record<string, unknown>> {
  const folder = mkdtempSync(join(tmpdir(), 'servent-limits-'));
  const path = join(folder, 'file.bin');
  const reader = fork(join(dirname(self), 'serve', `reader${extname(self)}`), { execArgv: process.execArgv });
  try {
    writeFile(path);
    const bandwidth = new Bandwidth();
    const server = await startOwnServer(path, bandwidth);
    const fetch = { port: server.port, path: '/get/1/file.bin', connections: 1, bytes: FILE_BYTES };
    const plain = await startOwnServer(path, unscheduled());
    // without a scheduler; with one and no limit; with one so high that everybody has to ask but nobody waits: in turn
    const times: { plain: number[]; none: number[]; asked: number[] } = { plain: [], none: [], asked: [] };
    for (let round = 0; round <= ROUNDS; round++) {
      const bare = await fetchWith(reader, { ...fetch, port: plain.port });
      bandwidth.limit('upload', 0);
      const none = await fetchWith(reader, fetch);
      bandwidth.limit('upload', 1e12);
      await wait(250); // its burst is there
      const asked = await fetchWith(reader, fetch);
      if (round === 0) continue; // warm: page cache and compiler
      times.plain.push(bare);
      times.none.push(none);
      times.asked.push(asked);
    }
    await plain.stop();
    bandwidth.limit('upload', LIMIT);
    const alone = await received(server.port, 1, SECONDS);
    const shared = await received(server.port, UPLOADS, SECONDS);
    await server.stop();
    const perSecond = ({ bytes, ms }: typeof alone): number =>
      Math.round(bytes.reduce((sum, got) => sum + got, 0) / (ms / 1000));
    return {
      limit: LIMIT,
      seconds: SECONDS,
      alone: perSecond(alone),
      shared: perSecond(shared),
      leastOfTen: Math.min(...shared.bytes),
      mostOfTen: Math.max(...shared.bytes),
      unlimitedBesidePlain: ratio(times.none, times.plain),
      askedBesidePlain: ratio(times.asked, times.plain),
    };
  } finally {
    reader.disconnect();
    rmSync(folder, { recursive: true, force: true });
  }
}
