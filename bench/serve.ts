// Our file server beside nginx: the same file, the same reader in a process of its own, in turn.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startNginx } from './serve/nginx.ts';
import { startOwnServer } from './serve/own-server.ts';
import type { Fetch, Fetched } from './serve/reader.ts';

export const about = 'file server: 1 GiB on one and on eight connections, beside nginx when it is installed';

const FILE_BYTES = 1 << 30;
const ROUNDS = 5;
const self = fileURLToPath(import.meta.url);

function writeFile(path: string): void {
  const chunk = Buffer.alloc(1 << 20);
  for (let i = 0; i < chunk.length; i++) chunk[i] = i % 251;
  const fd = openSync(path, 'w');
  for (let at = 0; at < FILE_BYTES; at += chunk.length) writeSync(fd, chunk);
  closeSync(fd);
}

async function fetchWith(reader: ChildProcess, fetch: Fetch): Promise<number> {
  const answered = once(reader, 'message');
  reader.send(fetch);
  const [answer] = (await answered) as [Fetched];
  if ('error' in answer) throw new Error(answer.error);
  return fetch.bytes / answer.ms / 1000; // MB/s
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1] ?? 0;
}

export async function run(): Promise<Record<string, unknown>> {
  const folder = mkdtempSync(join(tmpdir(), 'servent-serve-'));
  const path = join(folder, 'file.bin');
  const reader = fork(join(dirname(self), 'serve', `reader${extname(self)}`), { execArgv: process.execArgv });
  try {
    writeFile(path);
    const ours = await startOwnServer(path);
    const nginx = await startNginx(folder, folder);
    const result: Record<string, unknown> = { bytes: FILE_BYTES, rounds: ROUNDS, nginx: nginx?.version ?? null };
    for (const connections of [1, 8]) {
      const speeds: { ours: number[]; nginx: number[]; cpu: number[] } = { ours: [], nginx: [], cpu: [] };
      for (let round = 0; round <= ROUNDS; round++) {
        const before = process.cpuUsage();
        const mine = await fetchWith(reader, {
          port: ours.port,
          path: '/get/1/file.bin',
          connections,
          bytes: FILE_BYTES,
        });
        const { user, system } = process.cpuUsage(before);
        const theirs =
          nginx === null
            ? null
            : await fetchWith(reader, { port: nginx.port, path: '/file.bin', connections, bytes: FILE_BYTES });
        if (round === 0) continue; // warm: page cache and compiler
        speeds.ours.push(mine);
        speeds.cpu.push((user + system) / 1e6);
        if (theirs !== null) speeds.nginx.push(theirs);
      }
      const mine = median(speeds.ours);
      const theirs = nginx === null ? null : median(speeds.nginx);
      result[`connections${connections}`] = {
        megabytesPerSecond: Math.round(mine),
        cpuSecondsPerGiB: Math.round(median(speeds.cpu) * 100) / 100,
        nginxMegabytesPerSecond: theirs === null ? null : Math.round(theirs),
        ratio: theirs === null ? null : Math.round((mine / theirs) * 100) / 100,
      };
    }
    await nginx?.stop();
    await ours.stop();
    return result;
  } finally {
    reader.disconnect();
    rmSync(folder, { recursive: true, force: true });
  }
}
