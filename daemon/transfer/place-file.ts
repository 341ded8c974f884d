// Gives a verified file its final name without overwriting another file.
import { copyFile, link, mkdir, open, rename, rm, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { numberedName, safeFileName } from '../../protocol/transfer/file-name.ts';
import { diskError } from './disk-error.ts';

/** Highest number tried, as in `name (9999).ext`. */
const NUMBERS_MAX = 9999;

/**
 * Links `part` into `folder` and resolves with the new path. Both names exist until the caller has saved its record and unlinks the
 * part; after a crash in between the next call recognises its own file. To another volume the part is copied first, see removeCopy(). On file systems without links the part is renamed; tests
 * pass `linkFile` for that. Throws DiskError.
 */
export async function placeFile(part: string, folder: string, name: string, linkFile = link): Promise<string> {
  const safe = safeFileName(name);
  try {
    await mkdir(folder, { recursive: true });
    for (let number = 0; number <= NUMBERS_MAX; number++) {
      const path = join(folder, number === 0 ? safe : numberedName(safe, number));
      if (await place(part, path, linkFile)) {
        await syncFile(folder);
        return path;
      }
    }
  } catch (error) {
    throw diskError(error, folder);
  }
  throw diskError(new Error(`${NUMBERS_MAX} files named ${safe} exist already`), folder);
}

/** Puts `part`, or a copy of it on another volume, in the place of the file at `path`. Tests pass `renameFile`. Throws DiskError. */
export async function replaceFile(part: string, path: string, renameFile = rename): Promise<string> {
  const folder = dirname(path);
  try {
    await mkdir(folder, { recursive: true });
    await renameFile(part, path).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EXDEV') throw error;
      await removeCopy(part, folder); // of an earlier attempt
      await renameFile(await copied(part, folder), path);
    });
    await syncFile(folder);
    return path;
  } catch (error) {
    throw diskError(error, folder);
  }
}

/** Links `part` as `path`. False: the name belongs to another file. */
export async function place(part: string, path: string, linkFile = link): Promise<boolean> {
  try {
    await linkFile(part, path);
    return true;
  } catch (error) {
    switch (error instanceof Error && 'code' in error ? error.code : '') {
      case 'EEXIST':
        return (await sameFile(part, path)) || sameFile(copyOf(part, dirname(path)), path);
      case 'EXDEV':
        return place(await copied(part, dirname(path)), path, linkFile);
      case 'EPERM':
      case 'ENOTSUP':
      case 'EOPNOTSUPP':
      case 'ENOSYS':
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

/** False also when our file is missing. */
export async function sameFile(ours: string, theirs: string): Promise<boolean> {
  const [a, b] = await Promise.all([ours, theirs].map(path => stat(path).catch(() => null)));
  return a != null && b != null && a.ino === b.ino && a.dev === b.dev;
}

/** The whole copy of a part in a folder on another volume. */
const copyOf = (part: string, folder: string): string => join(folder, `.${basename(part)}`);

/** Copies a part to another volume, if that has not been done. The name of a copy appears when all of it is on the disk. */
async function copied(part: string, folder: string): Promise<string> {
  const copy = copyOf(part, folder);
  if ((await stat(copy).catch(() => null)) !== null) return copy;
  const unfinished = `${copy}.copying`;
  try {
    await copyFile(part, unfinished);
    await syncFile(unfinished);
    await rename(unfinished, copy);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
  return copy;
}

/** Removes what placeFile() left beside the file on another volume; to be called when the record is saved. */
export async function removeCopy(part: string, folder: string): Promise<void> {
  await rm(copyOf(part, folder), { force: true });
}

/** Syncs a file, or a folder: otherwise a power cut loses the new name. */
export async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Whether a file is there and has the size; null: any. */
export async function isFileOf(path: string, size: number | null): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  return found?.isFile() === true && (size === null || found.size === size);
}
