// Gives a verified file its final name without overwriting another file.
import { link, mkdir, open, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { numberedName, safeFileName } from '../../protocol/transfer/file-name.ts';
import { diskError } from './disk-error.ts';

/** Highest number tried, as in `name (9999).ext`. */
const NUMBERS_MAX = 9999;

/**
 * Links `part` into `folder` and resolves with the new path. Both names exist until the caller has saved its record and unlinks the
 * part; after a crash in between the next call recognises its own file. On file systems without links the part is renamed; tests
 * pass `linkFile` for that. Throws DiskError.
 */
export async function placeFile(part: string, folder: string, name: string, linkFile = link): Promise<string> {
  const safe = safeFileName(name);
  try {
    await mkdir(folder, { recursive: true });
    for (let number = 0; number <= NUMBERS_MAX; number++) {
      const path = join(folder, number === 0 ? safe : numberedName(safe, number));
      if (await place(part, path, linkFile)) {
        await syncFolder(folder);
        return path;
      }
    }
  } catch (error) {
    throw diskError(error, folder);
  }
  throw diskError(new Error(`${NUMBERS_MAX} files named ${safe} exist already`), folder);
}

/** False: the name belongs to another file. */
async function place(part: string, path: string, linkFile: typeof link): Promise<boolean> {
  try {
    await linkFile(part, path);
    return true;
  } catch (error) {
    switch (error instanceof Error && 'code' in error ? error.code : '') {
      case 'EEXIST':
        return sameFile(part, path);
      case 'EPERM':
      case 'ENOTSUP':
      case 'EOPNOTSUPP':
      case 'ENOSYS':
      case 'EXDEV':
        return placeWithoutLinks(part, path);
      default:
        throw error;
    }
  }
}

/** For FAT and some network folders: reserves the name with an empty file, then renames. */
async function placeWithoutLinks(part: string, path: string): Promise<boolean> {
  try {
    await (await open(path, 'wx')).close();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
  try {
    await rename(part, path);
    return true;
  } catch (error) {
    await unlink(path);
    throw error;
  }
}

async function sameFile(part: string, path: string): Promise<boolean> {
  const [ours, theirs] = await Promise.all([stat(part), stat(path)]);
  return ours.ino === theirs.ino && ours.dev === theirs.dev;
}

/** Syncs the folder: otherwise a power cut loses the new name. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
