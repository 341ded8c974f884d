// Finds part files without a download record. They are reported, never deleted; see recovery.ts.
import { opendir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { PART_SUFFIX, partsFolder } from './part-file.ts';

/** Most paths listed; further files are only counted. */
const NAMED_MAX = 100;
/** Most directory entries examined. */
const LOOKED_AT_MAX = 20_000;

export interface LostParts {
  count: number;
  bytes: number;
  /** At most 100. */
  paths: string[];
}

export const NO_LOST_PARTS: LostParts = { count: 0, bytes: 0, paths: [] };

/** Resolves with no files when the folder is missing. Rejects with the system's error when it cannot be read. */
export async function findLostParts(folder: string, isKnown: (id: string) => boolean): Promise<LostParts> {
  const lost: LostParts = { count: 0, bytes: 0, paths: [] };
  let looked = 0;
  for (const path of await lostPartsIn(folder, isKnown)) {
    if (++looked > LOOKED_AT_MAX) break;
    const size = await sizeOf(path);
    if (size === null) continue;
    lost.count++;
    lost.bytes += size;
    if (lost.paths.length < NAMED_MAX) lost.paths.push(path);
  }
  return lost;
}

/** Part files whose names are the ids of no known download. */
export async function lostPartsIn(folder: string, isKnown: (id: string) => boolean): Promise<string[]> {
  const paths = await partPaths(partsFolder(folder));
  return paths.filter(path => !isKnown(idOf(path)));
}

/** The ids after which the part files in a folder of downloads are named. */
export async function partIdsIn(folder: string): Promise<string[]> {
  return (await partPaths(partsFolder(folder))).map(idOf);
}

const idOf = (path: string): string => basename(path, PART_SUFFIX);

async function partPaths(folder: string): Promise<string[]> {
  const paths: string[] = [];
  try {
    for await (const { name } of await opendir(folder)) {
      if (name.endsWith(PART_SUFFIX)) paths.push(join(folder, name));
      if (paths.length >= 2 * LOOKED_AT_MAX) break;
    }
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  return paths.sort();
}

/** Null: the file was deleted meanwhile. */
async function sizeOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
