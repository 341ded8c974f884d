// Puts a verified file under its name, never over another.
import { link, mkdir, open, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { numberedName, safeFileName } from '../../protocol/transfer/file-name.ts';
import { diskError } from './disk-error.ts';

/** `name (9999).ext`, and then somebody should tidy up. */
const NUMBERS_MAX = 9999;

/**
 * Gives the path in `folder` that `part` now has too. Both names are there until the caller unlinks the part, which it does once its
 * record says so: a crash in between is found by the next call, which recognises its own file. `linkFile` stands for file systems
 * without links, where the part is renamed. Throws DiskError.
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
  throw diskError(new Error(`there are ${NUMBERS_MAX} files called ${safe}`), folder);
}

/** False: another file has that name. */
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

/** FAT and some network folders: takes the name with an empty file first, so that nobody else does. */
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

/** Or a power cut loses the name though not the bytes. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
