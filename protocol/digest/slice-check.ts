// SliceCheck compares bytes of a file, as they come in order, with the leaves of its hash tree.
import type { TigerTree } from './tiger-tree.ts';
import { TigerTreeHasher } from './tiger-tree-hasher.ts';

export interface SliceVerdict {
  readonly slice: number;
  readonly isRight: boolean;
}

export class SliceCheck {
  readonly #tree: TigerTree;
  #slice: number;
  #hasher = new TigerTreeHasher();
  #bytesLeft: number;

  /** The bytes begin with those of slice `first`. Throws RangeError for one that the tree does not have. */
  constructor(tree: TigerTree, first: number) {
    if (!Number.isInteger(first) || first < 0 || first >= tree.sliceCount)
      throw new RangeError(`the tree has ${tree.sliceCount} slices, and none called ${first}`);
    this.#tree = tree;
    this.#slice = first;
    this.#bytesLeft = lengthOf(tree, first);
  }

  /** Gives the verdict on each slice that these bytes complete. Throws RangeError for bytes beyond the end of the file. */
  update(bytes: Uint8Array): SliceVerdict[] {
    const verdicts: SliceVerdict[] = [];
    for (let at = 0; at < bytes.length; ) {
      if (this.#bytesLeft === 0) throw new RangeError(`the file has ${this.#tree.size} bytes, and there are more`);
      const some = bytes.subarray(at, at + this.#bytesLeft);
      this.#hasher.update(some);
      at += some.length;
      this.#bytesLeft -= some.length;
      if (this.#bytesLeft > 0) break;
      const isRight = this.#hasher.finish().root.equals(this.#tree.leaf(this.#slice));
      verdicts.push({ slice: this.#slice, isRight });
      this.#slice++;
      this.#hasher = new TigerTreeHasher();
      this.#bytesLeft = this.#slice < this.#tree.sliceCount ? lengthOf(this.#tree, this.#slice) : 0;
    }
    return verdicts;
  }
}

function lengthOf(tree: TigerTree, slice: number): number {
  const { start, end } = tree.slice(slice);
  return end - start;
}
