// Part files that no download knows: their record was lost, and nobody fetches the rest. They are named, and never deleted.
import { opendir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { PART_SUFFIX, partsFolder } from './part-file.ts';

/** Named by their paths; the others are counted. */
const NAMED_MAX = 100;
/** Looked at; the rest of a larger folder is not. */
const LOOKED_AT_MAX = 20_000;

export interface LostParts {
  count: number;
  bytes: number;
  /** At most 100 of them. */
  paths: string[];
}

export const NO_LOST_PARTS: LostParts = { count: 0, bytes: 0, paths: [] };

/** None where there is no folder. Rejects with the system's error when it cannot be read. */
export async function findLostParts(folder: string, isKnown: (id: string) => boolean): Promise<LostParts> {
  const lost: LostParts = { count: 0, bytes: 0, paths: [] };
  let looked = 0;
  for (const path of await partPaths(partsFolder(folder))) {
    if (isKnown(basename(path, PART_SUFFIX))) continue;
    if (++looked > LOOKED_AT_MAX) break;
    const size = await sizeOf(path);
    if (size === null) continue;
    lost.count++;
    lost.bytes += size;
    if (lost.paths.length < NAMED_MAX) lost.paths.push(path);
  }
  return lost;
}

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

/** Null: gone meanwhile. */
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
