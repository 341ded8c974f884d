// TigerTree holds the hash tree of a file from the root down to a depth; each of its leaves proves one slice of the file.
import { TIGER_BYTES } from '../wire/urn.ts';
import { levelAbove } from './tiger-engine.ts';
import { DEPTH_MAX, fullDepth, sliceBytes, sliceCount } from './tree-shape.ts';

export class TigerTree {
  /** Of the file, bytes. */
  readonly size: number;
  /** Levels below the root. */
  readonly depth: number;
  /** The nodes of each level, TIGER_BYTES each: the root first and the leaves last. */
  readonly levels: readonly Buffer[];
  /** Bytes that a leaf covers; the last may cover fewer. */
  readonly sliceBytes: number;

  /** Throws RangeError unless a file of that size has so many leaves at that depth. */
  constructor(size: number, depth: number, leaves: Uint8Array) {
    if (!fits(size, depth, leaves))
      throw new RangeError(`${leaves.length} bytes are not the leaves of a file of ${size} bytes at depth ${depth}`);
    this.size = size;
    this.depth = depth;
    this.levels = levelsOn(Buffer.from(leaves));
    this.sliceBytes = sliceBytes(size, depth);
  }

  /** Does what the constructor does, and gives null where that throws. */
  static orNull(size: number, depth: number, leaves: Uint8Array): TigerTree | null {
    return fits(size, depth, leaves) ? new TigerTree(size, depth, leaves) : null;
  }

  get root(): Buffer {
    return this.levels[0] as Buffer;
  }

  /** The bottom level. */
  get leaves(): Buffer {
    return this.levels.at(-1) as Buffer;
  }

  get sliceCount(): number {
    return this.leaves.length / TIGER_BYTES;
  }

  /** Gives the index of the slice that the byte at `offset` lies in. */
  sliceAt(offset: number): number {
    return Math.floor(offset / this.sliceBytes);
  }

  /** The bytes that a leaf covers; `end` is the offset after the last. */
  slice(index: number): { readonly start: number; readonly end: number } {
    const start = index * this.sliceBytes;
    return { start, end: Math.min(this.size, start + this.sliceBytes) };
  }

  /** Gives the slices that lie wholly in a range of bytes: indices from `first` to before `end`, none when these are equal. */
  slicesWithin(start: number, end: number): { readonly first: number; readonly end: number } {
    const first = Math.ceil(start / this.sliceBytes);
    const last = end >= this.size ? this.sliceCount : Math.floor(end / this.sliceBytes);
    return { first, end: Math.max(first, last) };
  }

  leaf(index: number): Buffer {
    return this.leaves.subarray(index * TIGER_BYTES, (index + 1) * TIGER_BYTES);
  }

  /** Gives the tree without the levels below `depth`; itself if it has none. */
  toDepth(depth: number): TigerTree {
    return depth >= this.depth ? this : new TigerTree(this.size, depth, this.levels[depth] ?? this.leaves);
  }
}

/** The levels of the tree with these leaves, the root first. */
function levelsOn(leaves: Buffer): Buffer[] {
  const levels = [leaves];
  for (let level = leaves; level.length > TIGER_BYTES; ) {
    level = levelAbove(level);
    levels.unshift(level);
  }
  return levels;
}

function fits(size: number, depth: number, leaves: Uint8Array): boolean {
  if (!Number.isSafeInteger(size) || size < 0 || !Number.isInteger(depth)) return false;
  if (depth < 0 || depth > Math.min(DEPTH_MAX, fullDepth(size))) return false;
  return leaves.length === sliceCount(size, depth) * TIGER_BYTES;
}
