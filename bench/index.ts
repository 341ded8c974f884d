// The search index and the QRP table over 100,000 made-up names whose words are as uneven as real ones.
import { setImmediate } from 'node:timers/promises';
import { queryHashes } from '../protocol/qrp/hash.ts';
import { encodeTable } from '../protocol/qrp/patch.ts';
import { QrpTable } from '../protocol/qrp/table.ts';
import { SearchIndex } from '../protocol/search/search-index.ts';
import type { SharedFile } from '../protocol/search/shared-file.ts';

export const about = 'search index: build, queries by words and by URN, misses; QRP table of the same names';

const FILES = 100_000;
const VOCABULARY = 40_000;
const HITS_MAX = 64;

/** A small generator of its own (mulberry32), so that every run sees the same names. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const next = random(1);
const pick = (items: readonly string[]): string => items[Math.floor(next() * items.length)] ?? '';

function vocabulary(): string[] {
  const syllables = 'ba ce di fo gu ka le mi no pu ra se ti vo zu an er in on ul sta tre pli cro qua'.split(' ');
  const words = new Set<string>();
  while (words.size < VOCABULARY) {
    let word = '';
    for (let i = 1 + Math.floor(next() * 4); i >= 0; i--) word += pick(syllables);
    words.add(word);
  }
  return [...words];
}

/** Zipf's law: the n-th word is n times rarer than the first. */
const zipf = (words: readonly string[]): string => words[Math.floor(words.length ** next()) - 1] ?? '';

function makeFiles(words: readonly string[]): SharedFile[] {
  return Array.from({ length: FILES }, (_, i) => {
    const name = Array.from({ length: 3 + Math.floor(next() * 5) }, () => zipf(words)).join(
      pick([' ', '_', '.', ' - ']),
    );
    const sha1 = Buffer.alloc(20);
    for (let at = 0; at < 20; at += 4) sha1.writeUInt32LE(Math.floor(next() * 2 ** 32), at);
    const suffix = pick(['.mp3', '.ogg', '.pdf', '.mkv', "'s.txt"]);
    return {
      index: i + 1,
      name: `${name} ${1 + (i % 99)}${suffix}`,
      size: 1 + i,
      sha1,
      tigerRoot: null,
      modifiedAt: 0,
    };
  });
}

/** Microseconds a call. */
function timed(calls: number, work: (i: number) => unknown): { usMean: number; usMedian: number; usP99: number } {
  for (let i = 0; i < calls / 10; i++) work(i);
  const took: number[] = [];
  for (let i = 0; i < calls; i++) {
    const start = process.hrtime.bigint();
    work(i);
    took.push(Number(process.hrtime.bigint() - start) / 1000);
  }
  took.sort((a, b) => a - b);
  const usMean = took.reduce((sum, us) => sum + us, 0) / calls;
  return { usMean, usMedian: took[calls >> 1] ?? 0, usP99: took[Math.floor(calls * 0.99)] ?? 0 };
}

/** Twice, with a turn between: array buffers are freed late. */
const heapBytes = async (): Promise<number> => {
  globalThis.gc?.();
  await setImmediate();
  globalThis.gc?.();
  await setImmediate();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};

export async function run(): Promise<Record<string, unknown>> {
  const words = vocabulary();
  const files = makeFiles(words);
  const before = await heapBytes();
  const start = performance.now();
  const index = new SearchIndex();
  for (const file of files) index.add(file);
  const buildMs = performance.now() - start;
  const indexMb = ((await heapBytes()) - before) / 1e6;

  const chosen = (i: number): SharedFile => files[(i * 7919) % FILES] ?? files[0] ?? raise();
  const some = (i: number, count: number): string => chosen(i).name.split(/[ _.]/).slice(0, count).join(' ');
  const threeWords = Array.from({ length: 5000 }, (_, i) => some(i, 3));
  const oneWord = Array.from({ length: 5000 }, (_, i) => some(i, 1));
  // Three words of different names: each is known, all together hardly anywhere.
  const misses = Array.from({ length: 5000 }, () => `${zipf(words)} ${zipf(words)} ${zipf(words)}`);
  const ask = (texts: readonly string[]) =>
    timed(texts.length, i => index.match({ text: texts[i] ?? '', urns: [] }, HITS_MAX));

  const results = {
    files: FILES,
    words: [...index.words()].length,
    buildMs,
    indexMb: globalThis.gc === undefined ? null : indexMb,
    threeWords: ask(threeWords),
    oneWord: ask(oneWord),
    threeCommonWordsMostlyMissing: ask(misses),
    unknownWord: timed(5000, i => index.match({ text: `nothing${i} here`, urns: [] }, HITS_MAX)),
    urn: timed(5000, i => index.match({ text: '', urns: [{ sha1: chosen(i).sha1, tigerRoot: null }] }, HITS_MAX)),
  };

  const tableStart = performance.now();
  const table = QrpTable.of(index.words());
  const tableMs = performance.now() - tableStart;
  const encodeStart = performance.now();
  const updates = encodeTable(null, table);
  const patchBytes = updates.reduce((sum, update) => sum + (update.kind === 'patch' ? update.data.length : 0), 0);
  const encodeMs = performance.now() - encodeStart;
  const hashes = threeWords.map(text => queryHashes(text, []));
  return {
    ...results,
    removeAllMs: removeAll(index),
    qrp: {
      slots: table.slots,
      fill: table.fill,
      tableMs,
      encodeMs,
      patchBytes,
      queryHashes: timed(5000, i => queryHashes(threeWords[i] ?? '', [])),
      nsMayMatch: (timed(50, () => hashes.filter(hash => table.mayMatch(hash))).usMedian * 1000) / hashes.length,
    },
  };
}

function removeAll(index: SearchIndex): number {
  const start = performance.now();
  for (let i = FILES; i > 0; i--) index.remove(i);
  return performance.now() - start;
}

function raise(): never {
  throw new Error('no files were made');
}
