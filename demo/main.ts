// A private network on loopback: real servent processes, real TCP, one search, one verified download.
import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, extname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { DownloadView, ResultView } from '../api/control.ts';
import { ServentProcess } from './servent-process.ts';

const here = dirname(fileURLToPath(import.meta.url));
const built = extname(fileURLToPath(import.meta.url)) === '.js';
const root = built ? join(here, '..', '..') : join(here, '..');
const program = join(root, 'dist', 'daemon', 'main.js');
const keep = process.argv.includes('--keep');

/** Whom each servent dials. A line from alpha to delta, and a mesh of delta, echo and foxtrot behind it. */
const network: Readonly<Record<string, readonly string[]>> = {
  alpha: [],
  bravo: ['alpha'],
  charlie: ['bravo'],
  delta: ['charlie'],
  echo: ['delta'],
  foxtrot: ['delta', 'echo'],
};
const picture = `
  alpha ── bravo ── charlie ── delta ── echo
                                  ╲     ╱
                                  foxtrot
`;
const searched = 'mountain ballad';
const searchMs = 1500;
const recordingBytes = 12 << 20;
const recordingName = 'mountain ballad recording.bin';

const startedAt = Date.now();
function say(text = ''): void {
  process.stdout.write(`${text}\n`);
}

function step(text: string): void {
  say(`${((Date.now() - startedAt) / 1000).toFixed(1).padStart(5)} s  ${text}`);
}

/** Polls, since the demo is a client like any other. */
async function until<T>(what: string, ask: () => Promise<T | null>, waitMs = 15_000): Promise<T> {
  for (const deadline = Date.now() + waitMs; Date.now() < deadline; await wait(50)) {
    const found = await ask();
    if (found !== null) return found;
  }
  throw new Error(`${what}: not after ${waitMs / 1000} s`);
}

/** Bytes that look random, the same on every machine. */
function recording(): Buffer {
  const blocks: Buffer[] = [];
  for (let i = 0; i < recordingBytes / 20; i++) blocks.push(createHash('sha1').update(`block ${i}`).digest());
  return Buffer.concat(blocks);
}

async function shareFolder(folder: string, name: string): Promise<string> {
  const shared = join(folder, name, 'shared');
  await mkdir(shared, { recursive: true });
  const samples = join(root, 'demo', 'samples', name);
  for (const file of await readdir(samples)) await copyFile(join(samples, file), join(shared, file));
  if (name === 'foxtrot') await writeFile(join(shared, recordingName), recording());
  return shared;
}

async function startNetwork(folder: string, servents: Map<string, ServentProcess>): Promise<void> {
  for (const [name, neighbours] of Object.entries(network)) {
    const connect = neighbours.flatMap(other => ['--connect', servents.get(other)?.gnutella ?? '']);
    const servent = await ServentProcess.start({
      name,
      program,
      dataDir: join(folder, name),
      args: ['--mode', 'ultrapeer', '--log-level', 'warn', '--share', await shareFolder(folder, name), ...connect],
    });
    servents.set(name, servent);
    step(`${name.padEnd(8)} gnutella ${servent.gnutella}  admin ${servent.api}`);
  }
}

async function settled(servents: Map<string, ServentProcess>): Promise<void> {
  const links = 2 * Object.values(network).flat().length; // each has two ends
  await until('the servents are connected and their files hashed', async () => {
    let peers = 0;
    let hashing = 0;
    let files = 0;
    for (const { client } of servents.values()) {
      const status = await client.status();
      peers += status.peers.ultrapeers;
      hashing += status.library.hashing;
      files += status.library.files;
    }
    return peers === links && hashing === 0 && files === 7 ? true : null;
  });
}

/** The recording, as alpha finds it. */
async function find(alpha: ServentProcess): Promise<{ search: string; result: ResultView }> {
  step(`alpha searches for "${searched}"`);
  let search = '';
  // What a servent shares travels as a query routing table, at most once a second: a search may come too early.
  const results = await until('both ballads and the recording are found', async () => {
    if (search !== '') await alpha.client.removeSearch({ id: search });
    search = (await alpha.client.startSearch({ text: searched })).id;
    await wait(searchMs);
    const { items } = await alpha.client.results({ id: search });
    return items.length >= 3 ? items : null;
  });
  for (const { name, size, sources } of results) {
    const [source] = sources;
    say(`         found  ${name}  ${size} bytes at ${source?.address}, ${(source?.hops ?? 0) + 1} links away`);
  }
  const result = results.find(({ name }) => name === recordingName);
  if (result === undefined) throw new Error('the recording is not among the results');
  return { search, result };
}

async function fetchFile(alpha: ServentProcess, search: string, result: ResultView): Promise<DownloadView> {
  const { id } = await alpha.client.startDownload({ search, result: result.id });
  const began = Date.now();
  const done = await until('the download is complete', async () => {
    const download = await alpha.client.download({ id });
    if (download.state === 'failed') throw new Error(`the download failed: ${download.error}`);
    return download.state === 'completed' ? download : null;
  });
  step(`downloaded ${done.name}, ${done.size} bytes in ${((Date.now() - began) / 1000).toFixed(2)} s`);
  return done;
}

async function compare(folder: string, download: DownloadView): Promise<void> {
  const sha1 = async (path: string) =>
    createHash('sha1')
      .update(await readFile(path))
      .digest('hex');
  const original = await sha1(join(folder, 'foxtrot', 'shared', recordingName));
  const copy = await sha1(download.path ?? '');
  say(`         SHA-1 at foxtrot  ${original}`);
  say(`         SHA-1 at alpha    ${copy}  ${copy === original ? 'the same' : 'DIFFERENT'}`);
  if (copy !== original) throw new Error('the copy differs from the original');
}

/** Who saw the query, and from whom it came first. */
async function printRoute(servents: Map<string, ServentProcess>): Promise<void> {
  step('the route of the query, as each servent saw it');
  const alpha = servents.get('alpha');
  for (const [name, { client }] of servents) {
    if (client === alpha?.client) continue;
    const { items } = await client.queries();
    const query = items.find(({ text }) => text === searched);
    say(
      query === undefined
        ? `         ${name.padEnd(8)} did not see it`
        : `         ${name.padEnd(8)} hops ${query.hops}  ttl ${query.ttl}  from ${query.from}  hits sent back ${query.hits}`,
    );
  }
}

async function printCounts(servents: Map<string, ServentProcess>): Promise<void> {
  step('messages');
  say(`         ${'servent'.padEnd(8)} ${'in'.padStart(6)} ${'out'.padStart(6)} ${'dropped'.padStart(8)}  reasons`);
  for (const [name, { client }] of servents) {
    const { messages } = await client.status();
    const reasons = Object.entries(messages.reasons).map(([reason, count]) => `${reason} ${count}`);
    const numbers = [
      String(messages.in).padStart(6),
      String(messages.out).padStart(6),
      String(messages.dropped).padStart(8),
    ];
    say(`         ${name.padEnd(8)} ${numbers.join(' ')}  ${reasons.join(', ')}`);
  }
}

async function stopAll(servents: Iterable<ServentProcess>): Promise<void> {
  const codes = await Promise.all([...servents].map(async servent => `${servent.name} ${await servent.stop()}`));
  step(`stopped; exit codes: ${codes.join(', ')}`);
  if (codes.some(code => !code.endsWith(' 0'))) throw new Error('a servent did not stop cleanly');
}

const folder = await mkdtemp(join(tmpdir(), 'servent-demo-'));
const servents = new Map<string, ServentProcess>();
try {
  say(picture);
  await startNetwork(folder, servents);
  await settled(servents);
  step('connected, every file hashed');
  const alpha = servents.get('alpha');
  if (alpha === undefined) throw new Error('no alpha');
  const { search, result } = await find(alpha);
  await compare(folder, await fetchFile(alpha, search, result));
  await printRoute(servents);
  await printCounts(servents);
  if (keep) {
    say('\nLeft running; Ctrl-C stops all. Look around with, for example:');
    for (const [name, { dataDir }] of servents) say(`  node ${program} status --data-dir ${dataDir}   # ${name}`);
    await new Promise(resolve => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, resolve);
    });
  }
  await stopAll(servents.values());
  say('\nThe file came over and is verified.');
} catch (error) {
  process.stderr.write(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}\n`);
  for (const servent of servents.values()) {
    if (servent.log() !== '') process.stderr.write(`--- ${servent.name} said:\n${servent.log()}`);
    await servent.stop();
  }
  process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
