// Files whose bytes follow from a seed, and their hashes; bytes are made when they are needed, and the last ones kept.
import { createHash } from 'node:crypto';
import type { TigerTree } from '../../protocol/digest/tiger-tree.ts';
import { TigerTreeHasher } from '../../protocol/digest/tiger-tree-hasher.ts';
import { SeededRandom } from '../seeded-random.ts';

export const FILE_BYTES_MIN = 256 << 10;
export const FILE_BYTES_MAX = 2 << 20;
/** Of contents that are kept. */
const KEPT_BYTES_MAX = 64 << 20;

export class FileContent {
  readonly size: number;
  readonly #seed: number;
  readonly #kept: KeptContents;
  #sha1: Buffer | null = null;
  #tree: TigerTree | null = null;

  /** Small ones are more common than large ones. */
  constructor(seed: number, kept: KeptContents) {
    this.#seed = seed;
    this.#kept = kept;
    const share = new SeededRandom(seed).float() ** 2;
    this.size = Math.round(FILE_BYTES_MIN * (FILE_BYTES_MAX / FILE_BYTES_MIN) ** share);
  }

  /** Not to be changed. */
  get bytes(): Buffer {
    return this.#kept.get(this) ?? this.#kept.keep(this, contentOf(this.#seed, this.size));
  }

  get sha1(): Buffer {
    this.#sha1 ??= createHash('sha1').update(this.bytes).digest();
    return this.#sha1;
  }

  /** At the depth that servents keep. */
  get tree(): TigerTree {
    this.#tree ??= new TigerTreeHasher().update(this.bytes).finish();
    return this.#tree;
  }

  get tigerRoot(): Buffer {
    return this.tree.root;
  }
}

/** The contents that were asked for last, by file: at most KEPT_BYTES_MAX. */
export class KeptContents {
  readonly #contents = new Map<FileContent, Buffer>();
  #bytes = 0;

  get(file: FileContent): Buffer | null {
    const bytes = this.#contents.get(file);
    if (bytes === undefined) return null;
    this.#contents.delete(file);
    this.#contents.set(file, bytes);
    return bytes;
  }

  keep(file: FileContent, bytes: Buffer): Buffer {
    this.#contents.set(file, bytes);
    this.#bytes += bytes.length;
    for (const [other, { length }] of this.#contents) {
      if (this.#bytes <= KEPT_BYTES_MAX || other === file) break;
      this.#contents.delete(other);
      this.#bytes -= length;
    }
    return bytes;
  }
}

/** The same for a seed; no two of its blocks are alike. */
export function contentOf(seed: number, size: number): Buffer {
  const words = new Uint32Array(Math.ceil(size / 4));
  let state = Math.imul(seed + 1, 2_654_435_761) >>> 0 || 1;
  for (let at = 0; at < words.length; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[at] = state;
  }
  return Buffer.from(words.buffer, 0, size);
}
