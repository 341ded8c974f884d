// A thread that reads files once for SHA-1 and hash tree, and judges them by their first bytes. Only hash-pool.ts talks to it.
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { Bucket } from '../../protocol/bandwidth/bucket.ts';
import { type ContentDigest, ContentHasher } from '../../protocol/digest/content-digest.ts';
import { TigerTree } from '../../protocol/digest/tiger-tree.ts';
import { keptDepth } from '../../protocol/digest/tree-shape.ts';
import { hasSample } from './content-sample.ts';
import type { Evidence } from './evidence.ts';
import { type BytesRule, bytesToJudge, FirstBytes } from './first-bytes.ts';

export interface HashRequest {
  readonly id: number;
  readonly path: string;
  readonly size: number;
  readonly mtimeMs: number;
  /** Its digest is known: only the bytes that judge it are read. */
  readonly isHashed: boolean;
  /** Leaves of its hash tree: only a sample is read and compared with them. Null: the file is read as a whole. */
  readonly leaves: Uint8Array | null;
  /** Most bytes read a second; null: no limit. Delays later requests of the thread. */
  readonly pace: number | null;
}

export type HashResult =
  | { readonly kind: 'hashed'; readonly content: ContentDigest; readonly evidence: Evidence }
  /** The first bytes are those of nothing private. */
  | { readonly kind: 'harmless'; readonly evidence: Evidence }
  /** The sample is, or is not, that of the file whose leaves were given. */
  | { readonly kind: 'sampled'; readonly isSame: boolean; readonly evidence: Evidence }
  /** Excluded by `rule`. */
  | { readonly kind: 'private'; readonly rule: string }
  /** The file differs from the one requested. */
  | { readonly kind: 'changed' }
  | { readonly kind: 'failed'; readonly code: string };

export type HashReply =
  | { readonly kind: 'result'; readonly id: number; readonly result: HashResult }
  /** Further bytes of the present file are done. */
  | { readonly kind: 'progress'; readonly bytes: number };

export interface HashWorkerData {
  readonly rules: readonly BytesRule[];
  /** One cell: KiB that this thread may read per second; 0: no limit. Changes at any time. */
  readonly speed: Int32Array;
}

const PROGRESS_MS = 250;
const NICENESS = 10;
const SPEED_UNIT = 1024;
/** Reads of one call to the system. */
const READ_BYTES_MAX = 1 << 20;
const READ_BYTES_MIN = 16 << 10;
/** With a limit, bytes are read about so many times a second. */
const READS_PER_SECOND = 4;

const { rules, speed } = workerData as HashWorkerData;
const buffer = Buffer.allocUnsafeSlow(READ_BYTES_MAX);
const firstBytes = new FirstBytes(rules);
const bucket = new Bucket();
const bytesPerSecond = (): number => SPEED_UNIT * Atomics.load(speed, 0);

/** Waits as long as the limit wants; a change of the limit ends the wait. */
function rest(bytes: number): void {
  const limit = Atomics.load(speed, 0);
  bucket.limit(SPEED_UNIT * limit, performance.now());
  bucket.spend(bytes);
  const ms = bucket.msUntil(1, performance.now());
  if (ms > 0) Atomics.wait(speed, 0, limit, ms);
}

/** Bytes to read at once. */
function readBytes(): number {
  const limit = bytesPerSecond();
  if (limit === 0) return READ_BYTES_MAX;
  return Math.max(READ_BYTES_MIN, Math.min(READ_BYTES_MAX, Math.floor(limit / READS_PER_SECOND)));
}

/** Opens without following links or blocking: the path may have changed since the scan. */
function hash({ path, size, mtimeMs, isHashed, leaves, pace }: HashRequest): HashResult {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const { ctimeMs, ino, birthtimeMs } = fstatSync(file);
    const evidence = { ctimeMs, ino, birthtimeMs };
    const same = (): boolean => {
      const stats = fstatSync(file);
      return stats.isFile() && stats.size === size && stats.mtimeMs === mtimeMs && stats.ctimeMs === ctimeMs;
    };
    if (!same()) return { kind: 'changed' };
    if (leaves !== null) {
      const isSame = hasSample(file, new TigerTree(size, keptDepth(size), leaves), buffer);
      return same() ? { kind: 'sampled', isSame, evidence } : { kind: 'changed' };
    }
    const hasher = new ContentHasher();
    const judged = bytesToJudge(size);
    let done = 0;
    let told = 0;
    const startedAt = performance.now();
    let toldAt = performance.now();
    for (let bytes = -1; bytes !== 0 && done <= size; ) {
      bytes = readAtLeast(file, done === 0 ? judged : 1, isHashed ? judged : Math.max(judged, readBytes()));
      const rule = done === 0 ? firstBytes.ruleFor(buffer.subarray(0, Math.min(bytes, judged))) : null;
      if (rule !== null) return same() ? { kind: 'private', rule } : { kind: 'changed' };
      if (isHashed) return same() ? { kind: 'harmless', evidence } : { kind: 'changed' };
      hasher.update(buffer.subarray(0, bytes));
      done += bytes;
      if (pace !== null && done < size) sleep(startedAt + (1000 * done) / pace - performance.now());
      rest(bytes);
      const now = performance.now();
      if (now - toldAt < PROGRESS_MS) continue;
      reply({ kind: 'progress', bytes: done - told });
      told = done;
      toldAt = now;
    }
    return done === size && same() ? { kind: 'hashed', content: hasher.finish(), evidence } : { kind: 'changed' };
  } finally {
    closeSync(file);
  }
}

function sleep(ms: number): void {
  if (ms > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** Reads at least `least` bytes unless the file ends; a FUSE file system may return less than asked for. */
function readAtLeast(file: number, least: number, most: number): number {
  let bytes = 0;
  for (let some = -1; some !== 0 && bytes < least; bytes += some)
    some = readSync(file, buffer, bytes, most - bytes, null);
  return bytes;
}

function reply(message: HashReply): void {
  parentPort?.postMessage(message);
}

// On Linux this sets the priority of this thread only.
if (process.platform === 'linux') setPriority(NICENESS);

parentPort?.on('message', (request: HashRequest) => {
  let result: HashResult;
  try {
    result = hash(request);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    result = { kind: 'failed', code };
  }
  reply({ kind: 'result', id: request.id, result });
});
