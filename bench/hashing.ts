// SHA-1 and hash tree of large files: alone, together, and in the threads of the library and of downloads.
import { createHash, randomFillSync } from 'node:crypto';
import { appendFileSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HashPool } from '../daemon/library/hash-pool.ts';
import type { HashResult } from '../daemon/library/hash-worker.ts';
import { PartVerifier } from '../daemon/transfer/part-verifier.ts';
import { ContentHasher } from '../protocol/digest/content-digest.ts';
import { TigerTreeHasher } from '../protocol/digest/tiger-tree-hasher.ts';
import { hashPart } from './swarm/hash-part.ts';

export const about =
  'hashing: SHA-1, hash tree and both, in MB/s; in one and in two threads that read files, and a part file by slices';

const FILE_BYTES = 64 << 20;
const FILES = 8;
const PIECE_BYTES = 1 << 20;
const ROUNDS = 3;

interface Rates {
  /** By the clock. */
  readonly mbPerSecond: number;
  /** By the processor time of all threads: what a machine that does nothing else would reach with one. */
  readonly mbPerCpuSecond: number;
}

/** The best of some rounds, as others' work on the machine only slows them. */
async function best(bytes: number, work: () => Promise<void> | void): Promise<Rates> {
  const rates: Rates[] = [];
  await work(); // warm
  for (let round = 0; round < ROUNDS; round++) {
    const cpu = process.cpuUsage();
    const began = performance.now();
    await work();
    const ms = performance.now() - began;
    const { user, system } = process.cpuUsage(cpu);
    rates.push({ mbPerSecond: bytes / ms / 1000, mbPerCpuSecond: bytes / (user + system) });
  }
  const most = (name: keyof Rates): number => Math.round(Math.max(...rates.map(rate => rate[name])));
  return { mbPerSecond: most('mbPerSecond'), mbPerCpuSecond: most('mbPerCpuSecond') };
}

function inPieces(bytes: Buffer, update: (piece: Buffer) => void): void {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) update(bytes.subarray(at, at + PIECE_BYTES));
}

async function hashFiles(pool: HashPool, path: string): Promise<void> {
  const { size, mtimeMs } = statSync(path);
  const jobs = Array.from(
    { length: FILES },
    () =>
      new Promise<HashResult>(done => pool.submit({ path, size, mtimeMs, isHashed: false, cancelled: false, done })),
  );
  for (const result of await Promise.all(jobs)) if (result.kind !== 'hashed') throw new Error(result.kind);
}

async function asPart(threadsMax: number, path: string, size: number): Promise<Rates> {
  const verifier = new PartVerifier({ threadsMax });
  const handle = await open(path, 'r');
  const rates = await best(size, () => hashPart(verifier, path, handle.fd, size));
  await verifier.close();
  await handle.close();
  return rates;
}

async function inThreads(threads: number, path: string): Promise<Rates> {
  const pool = new HashPool(threads);
  const rates = await best(FILES * FILE_BYTES, () => hashFiles(pool, path));
  await pool.close();
  return rates;
}

export async function run(): Promise<Record<string, unknown>> {
  const folder = mkdtempSync(join(tmpdir(), 'servent-hashing-'));
  try {
    const bytes = randomFillSync(Buffer.alloc(FILE_BYTES));
    const path = join(folder, 'file');
    writeFileSync(path, bytes);
    const oneThread = await inThreads(1, path);
    const twoThreads = await inThreads(2, path);
    const partPath = join(folder, 'part');
    for (let i = 0; i < FILES; i++) appendFileSync(partPath, bytes);
    const partInOneThread = await asPart(1, partPath, FILES * FILE_BYTES);
    const partInTwoThreads = await asPart(2, partPath, FILES * FILE_BYTES);
    return {
      sha1: await best(FILE_BYTES, () => {
        const hash = createHash('sha1');
        inPieces(bytes, piece => hash.update(piece));
        hash.digest();
      }),
      tree: await best(FILE_BYTES, () => {
        const hasher = new TigerTreeHasher();
        inPieces(bytes, piece => hasher.update(piece));
        hasher.finish();
      }),
      both: await best(FILE_BYTES, () => {
        const hasher = new ContentHasher();
        inPieces(bytes, piece => hasher.update(piece));
        hasher.finish();
      }),
      oneThread,
      twoThreads,
      partInOneThread,
      partInTwoThreads,
      twoToOne: Math.round((100 * twoThreads.mbPerSecond) / oneThread.mbPerSecond) / 100,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
