// A servent that downloads one file from eight sources, beside hashing alone, curl and aria2 from the same sources.
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '../api/client.ts';
import { PartVerifier } from '../daemon/transfer/part-verifier.ts';
import { ContentHasher } from '../protocol/digest/content-digest.ts';
import { encodeThex } from '../protocol/digest/thex.ts';
import { TigerTree } from '../protocol/digest/tiger-tree.ts';
import { keptDepth } from '../protocol/digest/tree-shape.ts';
import { formatBase32, formatSha1Urn } from '../protocol/wire/urn.ts';
import { ServentProcess } from './process/servent.ts';
import { hashPart } from './swarm/hash-part.ts';
import { SOURCES, type Sources, startSources } from './swarm/sources.ts';

export const about = 'swarm: 1 GiB from eight sources, verified, beside hashing alone, curl and aria2; needs nginx';

const GIB = 1 << 30;
const SLOW_FILE_BYTES = 256 << 20;
const SLOW_SOURCE_BYTES = 4 << 20;
const ROUNDS = 3;
const CHUNK_BYTES = 1 << 20;

/** Of a whole download. CPU seconds are of all threads of the program that downloads. */
interface Cost {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

interface Served {
  readonly folder: string;
  readonly size: number;
  readonly sha1Urn: string;
  readonly root: string;
}

function makeFile(folder: string, size: number): Served {
  const chunk = randomFillSync(Buffer.alloc(CHUNK_BYTES));
  const hasher = new ContentHasher();
  const file = openSync(join(folder, 'file.bin'), 'w');
  for (let at = 0; at < size; at += chunk.length) {
    chunk.writeDoubleLE(at); // no two chunks are the same
    writeSync(file, chunk);
    hasher.update(chunk);
  }
  closeSync(file);
  const { sha1, leaves, tigerRoot } = hasher.finish();
  writeFileSync(join(folder, 'tree.dime'), encodeThex(new TigerTree(size, keptDepth(size), leaves)));
  return { folder, size, sha1Urn: formatSha1Urn(sha1), root: formatBase32(tigerRoot) };
}

/**
 * By a servent of its own, as one that has seen the file knows more of its sources than it is told. Its time is from the request to the
 * event that the file is complete.
 */
async function byServent(file: Served, ports: readonly number[], tree: boolean, folder: string): Promise<Cost> {
  const servent = await ServentProcess.start(['--download-dir', folder]);
  try {
    return await download(servent, file, ports, tree);
  } finally {
    await servent.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function download(servent: ServentProcess, file: Served, ports: readonly number[], tree: boolean): Promise<Cost> {
  const client = createClient({ url: `http://127.0.0.1:${servent.api.port}`, token: servent.api.token });
  const told = await downloadEvents(servent);
  const sources = ports.map(port => `xs=${encodeURIComponent(`http://127.0.0.1:${port}/uri-res/N2R?${file.sha1Urn}`)}`);
  const urn = tree ? `urn:bitprint:${file.sha1Urn.slice('urn:sha1:'.length)}.${file.root}` : file.sha1Urn;
  const cpu = servent.cpuSeconds;
  const began = performance.now();
  const { id } = await client.startDownload({
    magnet: `magnet:?xt=${urn}&xl=${file.size}&dn=file.bin&${sources.join('&')}`,
  });
  const end = await told('download.finished', 'download.failed');
  const cost = { seconds: (performance.now() - began) / 1000, cpuSeconds: servent.cpuSeconds - cpu };
  if (end !== 'download.finished') throw new Error((await client.download({ id })).error ?? 'failed');
  return cost;
}

/** Gives a function that resolves with the type of the next event among those given. Events cost the servent little, polls much. */
async function downloadEvents({ api }: ServentProcess): Promise<(...types: string[]) => Promise<string>> {
  const { body } = await fetch(`http://127.0.0.1:${api.port}/api/v1/events?topics=downloads`, {
    headers: { authorization: `Bearer ${api.token}` },
  });
  if (body === null) throw new Error('no events from the servent');
  const frames = body.pipeThrough(new TextDecoderStream()).getReader();
  return async (...types) => {
    for (let text = ''; ; ) {
      const { value, done } = await frames.read();
      if (done) throw new Error('the servent ended its events');
      text += value;
      const type = types.find(each => text.includes(`event: ${each}\n`));
      if (type === undefined) continue;
      await frames.cancel();
      return type;
    }
  };
}

/** By another program, timed by bash. Null: it is not installed. */
function byProgram(command: string, words: readonly string[], folder: string): Cost | null {
  if (spawnSync(command, ['--version']).status !== 0) return null;
  const line = [command, ...words].map(word => `'${word}'`).join(' ');
  const result: SpawnSyncReturns<string> = spawnSync(
    'bash',
    ['-c', `TIMEFORMAT='%R %U %S'; time ${line} >/dev/null 2>&1`],
    {
      cwd: folder,
      encoding: 'utf8',
    },
  );
  const [seconds = 0, user = 0, system = 0] = result.stderr.trim().split(' ').map(Number);
  if (result.status !== 0) throw new Error(`${command} ended with ${result.status}`);
  return { seconds, cpuSeconds: user + system };
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
const round = (value: number): number => Math.round(value * 100) / 100;

function costOf(costs: readonly Cost[]): Cost {
  return {
    seconds: round(median(costs.map(each => each.seconds))),
    cpuSeconds: round(median(costs.map(each => each.cpuSeconds))),
  };
}

/** Each slice against its leaf, and SHA-1, in two threads, as a download does it, of a file that is there. */
async function hashAlone(path: string, size: number): Promise<Cost> {
  const verifier = new PartVerifier();
  const file = await open(path, 'r');
  const cpu = process.cpuUsage();
  const began = performance.now();
  await hashPart(verifier, path, file.fd, size);
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  await verifier.close();
  await file.close();
  return { seconds, cpuSeconds: (user + system) / 1e6 };
}

/** Fetches the file over and over, each way in turn. */
async function measure(file: Served, sources: Sources, folder: string): Promise<Record<string, unknown>> {
  const costs: Record<string, Cost[]> = { tree: [], plain: [], curl: [], aria2: [], hashing: [] };
  const keep = (name: string, cost: Cost | null): void => void (cost !== null && costs[name]?.push(cost));
  const url = (port: number): string => `http://127.0.0.1:${port}/file.bin`;
  for (let turn = 0; turn <= ROUNDS; turn++) {
    if (turn === 1) for (const each of Object.values(costs)) each.length = 0; // the first was to warm up
    keep('tree', await byServent(file, sources.ports.tree, true, join(folder, 'ours')));
    keep('plain', await byServent(file, sources.ports.plain, false, join(folder, 'ours')));
    keep('curl', byProgram('curl', ['-s', '-o', 'curl.bin', url(sources.ports.plain[0] ?? 0)], folder));
    rmSync(join(folder, 'curl.bin'), { force: true });
    const many = ['-q', `-s${SOURCES}`, `-j1`, `-x1`, '-k1M', '--file-allocation=none', '-o', 'aria2.bin'];
    keep('aria2', byProgram('aria2c', [...many, ...sources.ports.plain.map(url)], folder));
    rmSync(join(folder, 'aria2.bin'), { force: true });
    keep('hashing', await hashAlone(join(file.folder, 'file.bin'), file.size));
  }
  const { tree, plain, curl, aria2, hashing } = Object.fromEntries(
    Object.entries(costs).map(([name, each]) => [name, each.length === 0 ? null : costOf(each)]),
  ) as Record<'tree' | 'plain' | 'hashing', Cost> & Record<'curl' | 'aria2', Cost | null>;
  return {
    ...{ tree, plain, curl, aria2, hashing },
    treeToHashing: round(tree.seconds / hashing.seconds),
    plainToCurl: curl === null ? null : round(curl.seconds / plain.seconds),
    cpuToAria2: aria2 === null ? null : round((tree.cpuSeconds - hashing.cpuSeconds) / aria2.cpuSeconds),
  };
}

/** Part of the sum of the sources' rates that a download reaches. */
async function fromSlow(file: Served, sources: Sources, folder: string): Promise<number> {
  const { seconds } = await byServent(file, sources.ports.slow, false, join(folder, 'ours'));
  return round(file.size / seconds / (SOURCES * SLOW_SOURCE_BYTES));
}

export async function run(): Promise<Record<string, unknown>> {
  const folder = mkdtempSync(join(tmpdir(), 'servent-swarm-'));
  try {
    let result: Record<string, unknown> = { bytes: GIB, sources: SOURCES, rounds: ROUNDS };
    for (const [name, size, act] of [
      ['fast', GIB, measure],
      ['ofSlowSum', SLOW_FILE_BYTES, fromSlow],
    ] as const) {
      const served = mkdtempSync(join(folder, `${name}-`));
      const file = makeFile(served, size);
      const sources = await startSources(file, served, SLOW_SOURCE_BYTES);
      if (sources === null) return { skipped: 'nginx is not installed' };
      try {
        const measured = await act(file, sources, folder);
        result =
          typeof measured === 'number'
            ? { ...result, [name]: measured }
            : { ...result, nginx: sources.version, ...measured };
      } finally {
        await sources.stop();
      }
      rmSync(served, { recursive: true, force: true });
    }
    return result;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
