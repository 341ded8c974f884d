// A real servent process that shares many small files: memory a file, restarts, rescans, queries. LIBRARY_FILES sets their number.
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { createClient } from '../api/client.ts';
import { ServentProcess } from './process/servent.ts';
import { Asker } from './routing-tcp/asker.ts';

export const about = 'a library of 100,000 files (LIBRARY_FILES: another number): memory, restart, rescan, queries';

const FILES = Number(process.env['LIBRARY_FILES'] ?? 100_000);
const FILES_PER_FOLDER = 500;
const QUERIES = 2000;
/** Garbage and freed pages go meanwhile. */
const REST_MS = 5000;

const ARTISTS = 997;
const ADJECTIVES = 'red green blue old new quiet loud early late bright dark slow quick first last north south'.split(
  ' ',
);
const NOUNS = 'moon river stone bird garden window letter summer winter engine harbour mirror forest station'.split(
  ' ',
);
const SUFFIXES = ['mp3', 'ogg', 'flac', 'pdf', 'txt'];

const word = (list: readonly string[], n: number): string => list[n % list.length] ?? '';

/** Every name has a word of its own, three to five that a few files have, and one that a fifth of all have. */
const nameOf = (n: number): string =>
  `artist${n % ARTISTS} - ${word(ADJECTIVES, n * 7)} ${word(NOUNS, n * 3 + (n >> 8))} ${n}.${word(SUFFIXES, n)}`;

function makeFiles(root: string): void {
  for (let n = 0; n < FILES; n++) {
    const folder = join(root, `folder ${Math.floor(n / FILES_PER_FOLDER)}`);
    if (n % FILES_PER_FOLDER === 0) mkdirSync(folder);
    writeFileSync(join(folder, nameOf(n)), `${n}`);
  }
}

export async function run(): Promise<Record<string, unknown>> {
  const root = await mkdtemp(join(tmpdir(), 'servent-bench-files-'));
  try {
    makeFiles(root);
    const empty = await ServentProcess.start([]);
    await wait(REST_MS);
    const [rssKiBEmpty, anonymousKiBEmpty] = [empty.rssKiB, empty.anonymousKiB];
    await empty.stop();
    return { files: FILES, rssMbEmpty: rssKiBEmpty / 1024, ...(await measured(root, rssKiBEmpty, anonymousKiBEmpty)) };
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

async function measured(
  root: string,
  rssKiBEmpty: number,
  anonymousKiBEmpty: number,
): Promise<Record<string, unknown>> {
  const bytesAFile = (kiB: number, empty = rssKiBEmpty): number => Math.round(((kiB - empty) * 1024) / FILES);
  let servent = await ServentProcess.start(['--share', root]);
  try {
    const hashed = await timed(() => servent.hashed(FILES));
    await wait(REST_MS);
    const first = { hashedMs: hashed, bytesAFile: bytesAFile(servent.rssKiB), cpuSeconds: servent.cpuSeconds };
    const { dataDir } = servent;
    await servent.end();
    const start = performance.now();
    servent = await ServentProcess.start(['--share', root], dataDir);
    const readyMs = performance.now() - start;
    await servent.loopDelayP99Ms();
    await servent.hashed(FILES);
    const sharedMs = performance.now() - start;
    const loopDelayP99Ms = await servent.loopDelayP99Ms();
    await wait(REST_MS);
    const { status } = clientOf(servent);
    const again = {
      readyMs,
      sharedMs,
      loopDelayP99Ms,
      cpuSeconds: servent.cpuSeconds,
      hashedAgain: (await status()).library.hashing,
    };
    const rss = {
      bytesAFile: bytesAFile(servent.rssKiB),
      anonymousBytesAFile: bytesAFile(servent.anonymousKiB, anonymousKiBEmpty),
      mb: servent.rssKiB / 1024,
    };
    return { first, restarted: { ...again, ...rss }, queries: await asked(servent), rescan: await rescanned(servent) };
  } finally {
    await servent.stop();
  }
}

const clientOf = ({ api: { port, token } }: ServentProcess) => createClient({ url: `http://127.0.0.1:${port}`, token });

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Over one link, each query sent when the one before has been answered. */
async function asked(servent: ServentProcess): Promise<Record<string, unknown>> {
  const asker = await Asker.connect(servent.port);
  try {
    const rare = Array.from({ length: QUERIES }, (_, i) => String((i * 7919) % FILES));
    const some = Array.from({ length: QUERIES }, (_, i) => `artist${i % ARTISTS} ${word(NOUNS, i)}`);
    const common = Array.from({ length: QUERIES }, (_, i) => `${word(ADJECTIVES, i)} ${word(NOUNS, i >> 4)} mp3`);
    await asker.ask(some.slice(0, 200)); // warms up
    return { rare: await asker.ask(rare), some: await asker.ask(some), common: await asker.ask(common) };
  } finally {
    asker.close();
  }
}

/** Nothing has changed; a query every few milliseconds meanwhile. */
async function rescanned(servent: ServentProcess): Promise<Record<string, unknown>> {
  const client = clientOf(servent);
  await servent.loopDelayP99Ms();
  const cpuBefore = servent.cpuSeconds;
  const asker = await Asker.connect(servent.port);
  let done = false;
  const texts = Array.from({ length: 100 }, (_, i) => `artist${i} ${word(NOUNS, i)}`);
  const p99s: number[] = [];
  try {
    const begun = performance.now();
    const scan = client.rescan().then(async () => {
      for (;;) {
        const { items } = await client.folders({});
        if (items.every(({ state }) => state === 'ready')) break;
        await wait(200);
      }
      done = true;
    });
    while (!done) p99s.push((await asker.ask(texts)).p99Ms);
    await scan;
    const ms = performance.now() - begun;
    const cpuSeconds = servent.cpuSeconds - cpuBefore;
    p99s.sort((a, b) => a - b);
    const worstOfHundredMs = { p50: p99s[p99s.length >> 1] ?? null, max: p99s.at(-1) ?? null };
    return { ms, cpuSeconds, loopDelayP99Ms: await servent.loopDelayP99Ms(), worstOfHundredMs };
  } finally {
    asker.close();
  }
}
