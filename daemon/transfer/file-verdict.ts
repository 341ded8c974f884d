// Compares a complete part file with the hashes of its download.
import type { Swarm } from '../../protocol/transfer/downloads/swarm.ts';
import type { WrongFile } from '../../protocol/transfer/downloads/verification.ts';
import type { PartHashing } from './part-verifier.ts';

/** What is wrong is missing again when it resolves. `root`: of the hash tree, where the user gave it. Rejects as `PartHashing.digest`. */
export async function judgeFile(
  { sha1, map, verification }: Swarm,
  hashing: PartHashing,
  { size, root }: { size: number; root: Buffer | null },
  now: () => number,
): Promise<'right' | WrongFile> {
  if (sha1 !== null && !(await hashing.whole('sha1', size)).equals(sha1)) return verification.onWrongFile(now());
  const fitsTree = verification.quest.isAsked && map.allVerified;
  if (root !== null && !fitsTree && !(await hashing.whole('node', size)).equals(root))
    return sha1 === null ? verification.onWrongFile(now()) : 'contradicted';
  const digests: Buffer[] = [];
  for (const block of verification.disputed) digests.push(await hashing.digest('sha1', block));
  verification.onRightFile(digests, now());
  return 'right';
}
