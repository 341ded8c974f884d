// A thread that hashes ranges of part files, reading them by file descriptor. Only part-verifier.ts talks to it.
import { createHash, type Hash } from 'node:crypto';
import { readSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { TigerTreeHasher } from '../../protocol/digest/tiger-tree-hasher.ts';

export type PartHashRequest = {
  readonly id: number;
  /** Open until the reply has come. */
  readonly fd: number;
  readonly start: number;
  readonly end: number;
} & (
  | { readonly kind: 'node' | 'sha1' }
  /** Continues the hash `hash` of the bytes before `start`, which begins at 0; `isLast`: gives its digest and forgets it. */
  | { readonly kind: 'follow'; readonly hash: number; readonly of: 'node' | 'sha1'; readonly isLast: boolean }
);

export type PartHashReply =
  /** Null: the hash goes on. */
  | { readonly id: number; readonly kind: 'digest'; readonly digest: Uint8Array | null }
  /** The file ends at `at`. */
  | { readonly id: number; readonly kind: 'short'; readonly at: number }
  | { readonly id: number; readonly kind: 'failed'; readonly code: string };

/** Drops the state of a hash that is not continued. */
export interface PartHashForget {
  readonly kind: 'forget';
  readonly hash: number;
}

interface Hasher {
  update(bytes: Uint8Array): unknown;
  digest(): Uint8Array;
}

class NodeHasher implements Hasher {
  readonly #tree = new TigerTreeHasher();
  update(bytes: Uint8Array): void {
    this.#tree.update(bytes);
  }
  digest(): Uint8Array {
    return this.#tree.finish().root;
  }
}

class ShortError extends Error {
  readonly at: number;
  constructor(at: number) {
    super(`the file ends at ${at}`);
    this.at = at;
  }
}

/** Small enough that the bytes are still in the processor's cache when they are hashed. */
const buffer = Buffer.allocUnsafeSlow(128 << 10);
/** One for each file whose beginning is hashed as it grows. */
const hashes = new Map<number, Hasher | Hash>();

const hasherOf = (kind: 'node' | 'sha1'): Hasher | Hash => (kind === 'node' ? new NodeHasher() : createHash('sha1'));

function read(fd: number, start: number, end: number, hasher: Hasher | Hash): void {
  for (let at = start; at < end; ) {
    const bytes = readSync(fd, buffer, 0, Math.min(buffer.length, end - at), at);
    if (bytes === 0) throw new ShortError(at);
    hasher.update(buffer.subarray(0, bytes));
    at += bytes;
  }
}

function digestOf(request: PartHashRequest): Uint8Array | null {
  const { fd, start, end } = request;
  if (request.kind !== 'follow') {
    const hasher = hasherOf(request.kind);
    read(fd, start, end, hasher);
    return hasher.digest();
  }
  const hasher = hashes.get(request.hash) ?? hasherOf(request.of);
  hashes.delete(request.hash); // a failed read leaves none
  read(fd, start, end, hasher);
  if (request.isLast) return hasher.digest();
  hashes.set(request.hash, hasher);
  return null;
}

parentPort?.on('message', (request: PartHashRequest | PartHashForget) => {
  if (request.kind === 'forget') {
    hashes.delete(request.hash);
    return;
  }
  let reply: PartHashReply;
  try {
    reply = { id: request.id, kind: 'digest', digest: digestOf(request) };
  } catch (error) {
    if (error instanceof ShortError) reply = { id: request.id, kind: 'short', at: error.at };
    else {
      const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
      reply = { id: request.id, kind: 'failed', code };
    }
  }
  parentPort?.postMessage(reply);
});
