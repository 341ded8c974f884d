// Says how deep the hash tree of a file is, how deep servents keep it, and which bytes its bottom nodes cover.
import { LEAF_BYTES } from './tiger-engine.ts';

const MIB = 2 ** 20;

/** Depth that is kept and served of files below a size, as LimeWire and gtk-gnutella do. */
const DEPTH_BELOW: readonly (readonly [size: number, depth: number])[] = [
  [MIB / 4, 0],
  [MIB / 2, 1],
  [MIB, 2],
  [2 * MIB, 3],
  [4 * MIB, 4],
  [8 * MIB, 5],
  [16 * MIB, 6],
  [32 * MIB, 7],
  [64 * MIB, 8],
  [256 * MIB, 9],
  [1024 * MIB, 10],
];

/** Of larger files, by gtk-gnutella's rule: 2,048 nodes of 24 bytes. LimeWire goes to 13 beyond 64 GiB. */
export const KEPT_DEPTH_MAX = 11;
/** What is taken from others. */
export const DEPTH_MAX = 13;

/** Levels below the root when every bottom node covers LEAF_BYTES. */
export function fullDepth(size: number): number {
  let depth = 0;
  for (let covered = LEAF_BYTES; covered < size; covered *= 2) depth++;
  return depth;
}

/** Levels below the root that are kept and served. */
export function keptDepth(size: number): number {
  for (const [below, depth] of DEPTH_BELOW) if (size < below) return depth;
  return KEPT_DEPTH_MAX;
}

/** Bytes that a bottom node covers in a tree of that depth. */
export function sliceBytes(size: number, depth: number): number {
  return LEAF_BYTES * 2 ** (fullDepth(size) - depth);
}

/** Bottom nodes of such a tree: the empty file has one, too. */
export function sliceCount(size: number, depth: number): number {
  return Math.max(1, Math.ceil(size / sliceBytes(size, depth)));
}
