// Finds what a crash left: bytes that were written to a part file after its last record. Each slice of the hash tree that is there as a
// whole counts as verified.
import type { Swarm } from '../../protocol/transfer/downloads/swarm.ts';
import type { ByteRange } from '../../protocol/transfer/range-set.ts';
import type { PartFile } from './part-file.ts';
import type { PartHashing } from './part-verifier.ts';

/** Slices looked at in one go. */
const LOOKS = 4;
const PROBE_BYTES = 4096;

/**
 * Hashes the slices that the record does not cover and whose first and last bytes were written, which are few: what came since the record.
 * Holes are not read. The download must not run; without a tree nothing is found. Rejects as `PartHashing.digest`.
 */
export async function takeUnrecorded(
  { map, verification }: Swarm,
  part: PartFile,
  hashing: PartHashing,
): Promise<void> {
  const { tree } = verification.quest;
  if (tree === null || tree.size !== map.size) return;
  const indexes = Array.from({ length: tree.sliceCount }, (_, i) => i).values();
  const look = async (): Promise<void> => {
    for (const index of indexes) {
      const range = tree.slice(index);
      if (map.gap(range.start, range.end, 'missing') === null || !(await isWritten(part, range))) continue;
      if (!(await hashing.digest('node', range)).equals(tree.leaf(index))) continue;
      map.found(range.start, range.end);
      map.verify(range.start, range.end);
      part.done.add(range.start, range.end);
    }
  };
  await Promise.all(Array.from({ length: LOOKS }, look));
}

/** A hole reads as zeros. */
async function isWritten(part: PartFile, { start, end }: ByteRange): Promise<boolean> {
  const length = Math.min(PROBE_BYTES, end - start);
  for (const at of [end - length, start]) {
    const probe = Buffer.alloc(length);
    const { bytesRead } = await part.read(probe, at);
    if (bytesRead < length || probe.every(byte => byte === 0)) return false;
  }
  return true;
}
