// Compares a few slices of a file with the leaves of its hash tree: the first and the last, where programs write tags, and two between.
import { readSync } from 'node:fs';
import { SliceCheck } from '../../protocol/digest/slice-check.ts';
import type { TigerTree } from '../../protocol/digest/tiger-tree.ts';

/** Whether the sampled slices of the open file are those of the tree. Throws the system's error. */
export function hasSample(file: number, tree: TigerTree, buffer: Buffer): boolean {
  const last = tree.sliceCount - 1;
  const slices = new Set([0, last, Math.floor(last / 3), Math.floor((2 * last) / 3)]);
  return [...slices].every(slice => isRight(file, tree, slice, buffer));
}

function isRight(file: number, tree: TigerTree, slice: number, buffer: Buffer): boolean {
  const check = new SliceCheck(tree, slice);
  const { start, end } = tree.slice(slice);
  for (let at = start; at < end; ) {
    const bytes = readSync(file, buffer, 0, Math.min(buffer.length, end - at), at);
    if (bytes === 0) return false; // the file has become shorter
    at += bytes;
    for (const verdict of check.update(buffer.subarray(0, bytes))) return verdict.isRight;
  }
  return false;
}
