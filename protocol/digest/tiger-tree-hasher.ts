// TigerTreeHasher makes the hash tree of bytes that come in pieces of any size. It holds at most 96 KiB, however long the file.
import { TIGER_BYTES } from '../wire/urn.ts';
import { INPUT_BYTES, LEAF_BYTES, levelAbove, TigerEngine } from './tiger-engine.ts';
import { TigerTree } from './tiger-tree.ts';
import { fullDepth, KEPT_DEPTH_MAX, keptDepth } from './tree-shape.ts';

/** 48 KiB of nodes: when one more would come, the level above is kept instead. */
const KEPT_MAX = 2 ** KEPT_DEPTH_MAX;
const KEPT_AT_FIRST = 64;
const LEAVES_AT_ONCE = INPUT_BYTES / LEAF_BYTES;

export class TigerTreeHasher {
  readonly #engine = TigerEngine.shared;
  #size = 0;
  /** The beginning of a leaf. */
  readonly #rest = Buffer.allocUnsafe(LEAF_BYTES);
  #restBytes = 0;
  /** How far above the whole tree's leaves the nodes are that are kept. */
  #height = 0;
  #kept = Buffer.allocUnsafe(KEPT_AT_FIRST * TIGER_BYTES);
  #keptCount = 0;
  /** By height, below those: a node that waits for the one to its right. */
  #waiting: (Buffer | undefined)[] = [];

  update(bytes: Uint8Array): this {
    let at = 0;
    if (this.#restBytes > 0) {
      at = Math.min(LEAF_BYTES - this.#restBytes, bytes.length);
      this.#putAside(bytes.subarray(0, at));
      if (this.#restBytes < LEAF_BYTES) return this;
      this.#restBytes = 0;
      this.#take(this.#rest);
    }
    for (let leaves = 0; bytes.length - at >= LEAF_BYTES; at += leaves * LEAF_BYTES) {
      leaves = this.#wholeLeaves(Math.floor((bytes.length - at) / LEAF_BYTES));
      this.#take(bytes.subarray(at, at + leaves * LEAF_BYTES));
    }
    this.#putAside(bytes.subarray(at));
    return this;
  }

  /** Gives the tree, as deep as servents keep it (keptDepth). Nothing may be added afterwards. */
  finish(): TigerTree {
    let last: Buffer | undefined;
    if (this.#restBytes > 0 || this.#size === 0) {
      this.#makeRoom();
      this.#engine.input.set(this.#rest.subarray(0, this.#restBytes));
      this.#engine.leaves(this.#restBytes);
      last = this.#firstNode();
      this.#size += this.#restBytes;
    }
    // What has no node to its right goes up as it is.
    for (const left of this.#waiting) if (left !== undefined) last = last === undefined ? left : join(left, last);
    if (last !== undefined) this.#keep(last);
    const depth = keptDepth(this.#size);
    const height = fullDepth(this.#size) - depth;
    while (this.#height < height) this.#rise();
    return new TigerTree(this.#size, depth, this.#kept.subarray(0, this.#keptCount * TIGER_BYTES));
  }

  #putAside(bytes: Uint8Array): void {
    this.#rest.set(bytes, this.#restBytes);
    this.#restBytes += bytes.length;
  }

  /** Gives how many of `available` leaves make one whole branch of the tree at this place: a power of two. */
  #wholeLeaves(available: number): number {
    const place = (this.#size / LEAF_BYTES) % LEAVES_AT_ONCE;
    const most = place === 0 ? LEAVES_AT_ONCE : place & -place;
    return Math.min(most, 2 ** Math.floor(Math.log2(Math.min(available, LEAVES_AT_ONCE))));
  }

  /** Hashes the leaves of one whole branch. */
  #take(bytes: Uint8Array): void {
    this.#makeRoom();
    this.#engine.input.set(bytes);
    let count = this.#engine.leaves(bytes.length);
    let height = 0;
    for (; count > 1 && height < this.#height; height++) count = this.#engine.merge(count);
    this.#size += bytes.length;
    if (height === this.#height) this.#keep(this.#engine.nodes.subarray(0, count * TIGER_BYTES));
    else this.#wait(this.#firstNode(), height);
  }

  /** Joins a node with those that waited for it, and keeps or puts aside what comes of it. */
  #wait(node: Buffer, height: number): void {
    let branch = node;
    for (let at = height; at < this.#height; at++) {
      const left = this.#waiting[at];
      this.#waiting[at] = left === undefined ? branch : undefined;
      if (left === undefined) return;
      branch = join(left, branch);
    }
    this.#keep(branch);
  }

  #keep(nodes: Uint8Array): void {
    const at = this.#keptCount * TIGER_BYTES;
    while (this.#kept.length < at + nodes.length)
      this.#kept = Buffer.concat([this.#kept, this.#kept], 2 * this.#kept.length);
    this.#kept.set(nodes, at);
    this.#keptCount += nodes.length / TIGER_BYTES;
  }

  /** As branches are whole and powers of two, there is room for all of one or for none of it. */
  #makeRoom(): void {
    if (this.#keptCount === KEPT_MAX) this.#rise();
  }

  /** Replaces the kept nodes by the level above them. */
  #rise(): void {
    const above = levelAbove(this.#kept.subarray(0, this.#keptCount * TIGER_BYTES));
    this.#kept.set(above);
    this.#keptCount = above.length / TIGER_BYTES;
    this.#height++;
  }

  #firstNode(): Buffer {
    return Buffer.from(this.#engine.nodes.subarray(0, TIGER_BYTES));
  }
}

function join(left: Uint8Array, right: Uint8Array): Buffer {
  return levelAbove(Buffer.concat([left, right]));
}
