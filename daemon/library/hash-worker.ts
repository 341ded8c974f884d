// A thread that reads files once for SHA-1 and hash tree, and judges them by their first bytes. Only hash-pool.ts talks to it.
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { type ContentDigest, ContentHasher } from '../../protocol/digest/content-digest.ts';
import { type BytesRule, FirstBytes, HEAD_BYTES } from './first-bytes.ts';

export interface HashRequest {
  readonly id: number;
  readonly path: string;
  readonly size: number;
  readonly mtimeMs: number;
  /** Its digest is known: only the first bytes are read. */
  readonly isHashed: boolean;
}

export type HashResult =
  | { readonly kind: 'hashed'; readonly content: ContentDigest }
  /** The first bytes are those of nothing private. */
  | { readonly kind: 'harmless' }
  /** Never to be shared, by that rule. */
  | { readonly kind: 'private'; readonly rule: string }
  /** Not, or no longer, the file it was when the request was made. */
  | { readonly kind: 'changed' }
  | { readonly kind: 'failed'; readonly code: string };

export type HashReply =
  | { readonly kind: 'result'; readonly id: number; readonly result: HashResult }
  /** So many more bytes of the file at hand. */
  | { readonly kind: 'progress'; readonly bytes: number };

const READ_BYTES = 1 << 20;
const PROGRESS_BYTES = 64 << 20;
const NICENESS = 10;

const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
const firstBytes = new FirstBytes(workerData as readonly BytesRule[]);

/** Neither links nor devices are followed: the path may have become something else since the scan. */
function hash({ path, size, mtimeMs, isHashed }: HashRequest): HashResult {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const same = (): boolean => {
      const stats = fstatSync(file);
      return stats.isFile() && stats.size === size && stats.mtimeMs === mtimeMs;
    };
    if (!same()) return { kind: 'changed' };
    const hasher = new ContentHasher();
    let done = 0;
    let told = 0;
    for (let bytes = -1; bytes !== 0 && done <= size; ) {
      bytes = readAtLeast(file, done === 0 ? HEAD_BYTES : 1, isHashed ? HEAD_BYTES : READ_BYTES);
      const rule = done === 0 ? firstBytes.ruleFor(buffer.subarray(0, Math.min(bytes, HEAD_BYTES))) : null;
      if (rule !== null) return same() ? { kind: 'private', rule } : { kind: 'changed' };
      if (isHashed) return same() ? { kind: 'harmless' } : { kind: 'changed' };
      hasher.update(buffer.subarray(0, bytes));
      done += bytes;
      if (done - told < PROGRESS_BYTES) continue;
      reply({ kind: 'progress', bytes: done - told });
      told = done;
    }
    return done === size && same() ? { kind: 'hashed', content: hasher.finish() } : { kind: 'changed' };
  } finally {
    closeSync(file);
  }
}

/** A file system of a program (FUSE) may give less at once than was asked for. Less than `least` is the end of the file. */
function readAtLeast(file: number, least: number, most: number): number {
  let bytes = 0;
  for (let some = -1; some !== 0 && bytes < least; bytes += some)
    some = readSync(file, buffer, bytes, most - bytes, null);
  return bytes;
}

function reply(message: HashReply): void {
  parentPort?.postMessage(message);
}

// On Linux this is the priority of the calling thread alone.
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
