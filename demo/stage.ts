// What both networks of the demo need: words for the audience, patience, the files, the download and its proof.
import { createCipheriv, createHash } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { DownloadView, ResultView } from '../api/control.ts';
import type { ServentProcess } from './servent-process.ts';

const here = dirname(fileURLToPath(import.meta.url));
const built = extname(fileURLToPath(import.meta.url)) === '.js';
const root = built ? join(here, '..', '..') : join(here, '..');
/** The built servent. */
export const program = join(root, 'dist', 'daemon', 'main.js');

export const searched = 'mountain ballad';
export const recordingName = 'mountain ballad recording.bin';
/** Who has the recording from the start, and who has the words of the ballad. */
export const recordist = 'foxtrot';
export const poet = 'echo';
const recordingBytes = 12 << 20;
/** The file that comes from several sources at once, and the servents that have it from the start. */
export const swarmedName = 'long concert recording.bin';
export const swarmSources: readonly string[] = ['golf', 'india', 'kilo'];
const swarmedBytes = 24 << 20;

/** A network on its stage: the servents by name, and the folder that all of them live in. */
export interface Stage {
  readonly folder: string;
  readonly servents: Map<string, ServentProcess>;
}

const startedAt = Date.now();

export function say(text = ''): void {
  process.stdout.write(`${text}\n`);
}

export function step(text: string): void {
  say(`${((Date.now() - startedAt) / 1000).toFixed(1).padStart(5)} s  ${text}`);
}

/** A line under a step. */
export function detail(text: string): void {
  say(`         ${text}`);
}

/** Polls, since the demo is a client like any other. */
export async function until<T>(what: string, ask: () => Promise<T | null>, waitMs = 15_000): Promise<T> {
  for (const deadline = Date.now() + waitMs; Date.now() < deadline; await wait(50)) {
    const found = await ask();
    if (found !== null) return found;
  }
  throw new Error(`${what}: not after ${waitMs / 1000} s`);
}

/** Bytes that look random, the same on every machine. */
export function pseudoRandom(name: string, bytes: number): Buffer {
  const key = createHash('sha256').update(name).digest();
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(bytes));
}

/** The samples of that name, if there are any, and the texts given. */
export async function shareFolder(folder: string, name: string, texts: Record<string, string> = {}): Promise<string> {
  const shared = join(folder, name, 'shared');
  await mkdir(shared, { recursive: true });
  const samples = join(root, 'demo', 'samples', name);
  const named = await readdir(dirname(samples));
  for (const file of named.includes(name) ? await readdir(samples) : []) {
    await copyFile(join(samples, file), join(shared, file));
  }
  for (const [file, text] of Object.entries(texts)) await writeFile(join(shared, file), text);
  if (name === recordist) await writeFile(join(shared, recordingName), pseudoRandom(recordingName, recordingBytes));
  if (swarmSources.includes(name)) await writeFile(join(shared, swarmedName), pseudoRandom(swarmedName, swarmedBytes));
  return shared;
}

export function serventOf({ servents }: Stage, name: string): ServentProcess {
  const servent = servents.get(name);
  if (servent === undefined) throw new Error(`no ${name}`);
  return servent;
}

/** A search that is old enough to be asked anew. */
const SEARCH_MS = 1500;

/**
 * Searches until there are so many results. What a servent shares travels as a query routing table, at most once a
 * second: a search may come too early and is repeated then.
 */
export async function searchFor(
  seeker: ServentProcess,
  text: string,
  wanted: number,
): Promise<{ search: string; results: ResultView[] }> {
  let search = '';
  let asked = 0;
  const results = await until(`${seeker.name} finds ${wanted} for "${text}"`, async () => {
    if (Date.now() - asked > SEARCH_MS) {
      if (search !== '') await seeker.client.removeSearch({ id: search });
      search = (await seeker.client.startSearch({ text })).id;
      asked = Date.now();
    }
    const { items } = await seeker.client.results({ id: search });
    return items.length >= wanted ? items : null;
  });
  return { search, results };
}

/** Both ballads and the recording, as `seeker` finds them. */
export async function findRecording(seeker: ServentProcess): Promise<{ search: string; result: ResultView }> {
  step(`${seeker.name} searches for "${searched}"`);
  const { search, results } = await searchFor(seeker, searched, 3);
  for (const { name, size, sources } of results) {
    const [source] = sources;
    detail(`found  ${name}  ${size} bytes at ${source?.address}, ${(source?.hops ?? 0) + 1} links away`);
  }
  const result = results.find(({ name }) => name === recordingName);
  if (result === undefined) throw new Error('the recording is not among the results');
  return { search, result };
}

/** Downloads it and compares the copy with the original. */
export async function fetchRecording(stage: Stage, seeker: ServentProcess): Promise<void> {
  const { search, result } = await findRecording(seeker);
  const { id } = await seeker.client.startDownload({ search, result: result.id });
  const began = Date.now();
  const done = await until('the download is complete', async () => {
    const download = await seeker.client.download({ id });
    if (download.state === 'failed') throw new Error(`the download failed: ${download.error}`);
    return download.state === 'completed' ? download : null;
  });
  step(`downloaded ${done.name}, ${done.size} bytes in ${((Date.now() - began) / 1000).toFixed(2)} s`);
  await compare(stage, join(recordist, 'shared', recordingName), seeker, done);
}

/** `original`: its path in the stage's folder, which begins with the name of its servent. */
export async function compare(
  { folder }: Stage,
  original: string,
  seeker: ServentProcess,
  download: DownloadView,
): Promise<void> {
  const sha1 = async (path: string) =>
    createHash('sha1')
      .update(await readFile(path))
      .digest('hex');
  const wanted = await sha1(join(folder, original));
  const copy = await sha1(download.path ?? '');
  detail(`SHA-1 at ${dirname(dirname(original)).padEnd(8)} ${wanted}`);
  detail(`SHA-1 at ${seeker.name.padEnd(8)} ${copy}  ${copy === wanted ? 'the same' : 'DIFFERENT'}`);
  if (copy !== wanted) throw new Error('the copy differs from the original');
}

export async function printCounts({ servents }: Stage): Promise<void> {
  step('messages');
  detail(`${'servent'.padEnd(8)} ${'in'.padStart(6)} ${'out'.padStart(6)} ${'dropped'.padStart(8)}  reasons`);
  for (const [name, { client }] of servents) {
    const { messages } = await client.status();
    const reasons = Object.entries(messages.reasons)
      .filter(([, count]) => count > 0)
      .map(([reason, count]) => `${reason} ${count}`);
    const numbers = [
      String(messages.in).padStart(6),
      String(messages.out).padStart(6),
      String(messages.dropped).padStart(8),
    ];
    detail(`${name.padEnd(8)} ${numbers.join(' ')}  ${reasons.join(', ')}`);
  }
}

export async function stopAll({ servents }: Stage): Promise<void> {
  const codes = await Promise.all(
    [...servents.values()].map(async servent => `${servent.name} ${await servent.stop()}`),
  );
  step(`stopped; exit codes: ${codes.join(', ')}`);
  if (codes.some(code => !code.endsWith(' 0'))) throw new Error('a servent did not stop cleanly');
}
