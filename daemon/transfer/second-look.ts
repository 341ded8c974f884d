// Looks through bytes again that were verified or finished before.
import { constants, copyFile, mkdir, open, stat, truncate } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Swarm } from '../../protocol/transfer/downloads/swarm.ts';
import { RangeSet } from '../../protocol/transfer/range-set.ts';
import type { PartFile } from './part-file.ts';
import type { PartHashing, PartVerifier } from './part-verifier.ts';

export interface FileContent {
  readonly sha1: Buffer | null;
  readonly root: Buffer | null;
  readonly size: number;
}

/** Has every slice hashed that is there: resolves when what does not fit the tree is missing. Without a tree it resolves at once. */
export async function lookThrough(
  { map, verification }: Swarm,
  part: PartFile,
  hashing: PartHashing,
  now: () => number,
): Promise<void> {
  map.unverify(0, map.size ?? 0);
  const looked = new Promise<void>((done, failed) => {
    const settle = (): void => {
      if (verification.isSettled) done();
    };
    verification.start({
      hash: order => {
        hashing.digest(order.kind, order.range).then(digest => {
          verification.onHashed(order, digest, now());
          settle();
        }, failed);
      },
      drop: (start, end) => part.drop(start, end),
    });
    settle();
  });
  try {
    await looked;
  } finally {
    verification.stop(); // what is not hashed yet is given up
  }
}

/** Makes a part file of a finished file that is not right. Gives the bytes there are of it; null: it is right. */
export async function reclaim(
  path: string,
  part: string,
  content: FileContent,
  verifier: PartVerifier,
): Promise<RangeSet | null> {
  if (await isFileRight(path, content, verifier)) return null;
  return RangeSet.of([{ start: 0, end: await takeBack(path, part, content.size) }]);
}

/** Whether a finished file has its hash: SHA-1, or without one the root of the hash tree. One that has neither is right by its size. */
async function isFileRight(path: string, { sha1, root, size }: FileContent, verifier: PartVerifier): Promise<boolean> {
  const handle = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return null;
  });
  if (handle === null) return false;
  const hashing = verifier.open(path, handle.fd);
  try {
    if ((await handle.stat()).size !== size) return false;
    const hash = sha1 ?? root;
    return hash === null || (await hashing.whole(sha1 === null ? 'node' : 'sha1', size)).equals(hash);
  } finally {
    await hashing.close();
    await handle.close();
  }
}

/** The finished file stays. Gives the bytes there are of it: none when it is gone. */
async function takeBack(path: string, part: string, size: number): Promise<number> {
  await mkdir(dirname(part), { recursive: true });
  try {
    await copyFile(path, part, constants.COPYFILE_FICLONE);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 0;
    throw error;
  }
  const there = Math.min(size, (await stat(part)).size);
  await truncate(part, there);
  return there;
}
