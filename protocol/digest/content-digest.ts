// ContentHasher reads all bytes of a file once and gives a ContentDigest: the SHA-1, and the hash tree down to the depth that is kept.
import { createHash } from 'node:crypto';
import { formatBitprint } from '../wire/urn.ts';
import { TigerTree } from './tiger-tree.ts';
import { TigerTreeHasher } from './tiger-tree-hasher.ts';
import { keptDepth } from './tree-shape.ts';

/** Plain bytes, so that it can go from a thread to another. */
export interface ContentDigest {
  readonly sha1: Uint8Array;
  readonly tigerRoot: Uint8Array;
  /** The bottom level of the tree at keptDepth(size): TIGER_BYTES for each slice, 48 KiB at most. The root itself for a small file. */
  readonly leaves: Uint8Array;
}

/** `urn:bitprint:` with both hashes in base32. */
export function bitprintOf({ sha1, tigerRoot }: ContentDigest): string {
  return formatBitprint(sha1, tigerRoot);
}

/** Rebuilds the tree of a file of `size` bytes. Gives null if the leaves are not those of such a file, or do not lead to the root. */
export function treeOf({ tigerRoot, leaves }: Omit<ContentDigest, 'sha1'>, size: number): TigerTree | null {
  const tree = TigerTree.orNull(size, keptDepth(size), leaves);
  return tree?.root.equals(tigerRoot) ? tree : null;
}

/** Takes a file in pieces, from its beginning to its end. */
export class ContentHasher {
  readonly #sha1 = createHash('sha1');
  readonly #tree = new TigerTreeHasher();

  update(bytes: Uint8Array): this {
    this.#sha1.update(bytes);
    this.#tree.update(bytes);
    return this;
  }

  /** Nothing may be added afterwards. */
  finish(): ContentDigest {
    const { root, leaves } = this.#tree.finish();
    return { sha1: this.#sha1.digest(), tigerRoot: root, leaves };
  }
}
