// A shared file as it was hashed, opened: a file swapped for another, or for a link, is not served.
import { constants } from 'node:fs';
import { type FileHandle, open, realpath } from 'node:fs/promises';
import type { CatalogEntry } from './catalog.ts';
import { systemCode } from './library-error.ts';

/** Null unless the path leads, without any link, to the file that was hashed. */
export async function openAsHashed({ path, size, mtimeMs }: CatalogEntry): Promise<FileHandle | null> {
  let handle: FileHandle | null = null;
  try {
    // NONBLOCK: should it have become a pipe, opening must not wait for a writer.
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stats = await handle.stat();
    const same = stats.isFile() && stats.size === size && stats.mtimeMs === mtimeMs;
    if (same && (await realpath(path)) === path) return handle;
  } catch (error) {
    if (!['ENOENT', 'ELOOP', 'EACCES', 'ENOTDIR', 'ENXIO'].includes(systemCode(error))) {
      await handle?.close();
      throw error;
    }
  }
  await handle?.close();
  return null;
}
