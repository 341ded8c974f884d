// How much a source is asked for before any of its bytes is judged: a liar among the sources shall not bring much.
import type { SwarmSource } from './swarm-source.ts';

/** A request is so many times what of the source was right. */
const GROWTH = 4;
/** Longest wait for a hash tree that was asked for, and for the first slices of a source to be hashed, before it is asked for more. */
const VERDICT_MS = 1000;

export class SourceTrust {
  /** Of the hash tree: requests end where its slices end. Null: there is none. */
  sliceBytes: number | null = null;
  #treeAskedAt: number | null = null;

  /** A source is asked for the hash tree. Null: it did not send it. */
  set treeAskedAt(at: number | null) {
    this.#treeAskedAt = at;
  }

  /** When the source may be asked for more. */
  mayAskAt({ verified, bytes, answeredAt }: SwarmSource): number {
    if (verified > 0 || bytes === 0) return 0;
    if (this.sliceBytes === null) return this.#treeAskedAt === null ? 0 : this.#treeAskedAt + VERDICT_MS;
    return bytes < this.sliceBytes ? 0 : answeredAt + VERDICT_MS;
  }

  /** Most bytes of the next request. Without a tree it doubles what came. */
  bytesFor({ verified, bytes }: SwarmSource): number {
    return this.sliceBytes === null ? bytes : Math.max(this.sliceBytes, GROWTH * verified);
  }
}
