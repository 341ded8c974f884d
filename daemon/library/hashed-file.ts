// Opens a shared file only if it is the one that was hashed.
import { constants } from 'node:fs';
import { type FileHandle, open, realpath } from 'node:fs/promises';
import type { CatalogEntry } from './catalog.ts';
import { systemCode } from './library-error.ts';

export interface OpenedFile {
  readonly handle: FileHandle;
  readonly ctimeMs: number;
}

/** Resolves with null when the path has a link in it, or size or modification time differ. */
export async function openAsHashed({ path, size, mtimeMs }: CatalogEntry): Promise<OpenedFile | null> {
  let handle: FileHandle | null = null;
  try {
    // NONBLOCK: opening a pipe would wait for a writer.
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stats = await handle.stat();
    const same = stats.isFile() && stats.size === size && stats.mtimeMs === mtimeMs;
    if (same && (await realpath(path)) === path) return { handle, ctimeMs: stats.ctimeMs };
  } catch (error) {
    if (!['ENOENT', 'ELOOP', 'EACCES', 'ENOTDIR', 'ENXIO'].includes(systemCode(error))) {
      await handle?.close();
      throw error;
    }
  }
  await handle?.close();
  return null;
}
