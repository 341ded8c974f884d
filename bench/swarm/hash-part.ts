// Hashes a part file that is there as a download does: each slice for its leaf, and SHA-1 behind it.
import type { PartVerifier } from '../../daemon/transfer/part-verifier.ts';
import { keptDepth, sliceBytes } from '../../protocol/digest/tree-shape.ts';

export async function hashPart(verifier: PartVerifier, path: string, fd: number, size: number): Promise<void> {
  const slice = sliceBytes(size, keptDepth(size));
  const hashing = verifier.open(path, fd);
  const digests: Promise<Buffer>[] = [];
  for (let start = 0; start < size; start += slice) {
    const end = Math.min(size, start + slice);
    digests.push(hashing.digest('node', { start, end }));
    hashing.follow('sha1', end);
  }
  await Promise.all([...digests, hashing.whole('sha1', size)]);
  await hashing.close();
}
