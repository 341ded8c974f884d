// Walks a folder and tells which files could be shared. Symbolic links are passed over: one that leads inside names a file that is
// found anyway, one that leads outside is not ours to share.
import type { Dirent } from 'node:fs';
import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from './library-error.ts';
import type { OwnFolder } from './own-folder.ts';

export interface FoundFile {
  readonly path: string;
  readonly name: string;
  readonly size: number;
  readonly mtimeMs: number;
}

export interface ScanOptions {
  readonly signal: AbortSignal;
  /** A folder or file that could not be looked at; the walk goes on. */
  readonly onUnreadable: (path: string, code: string) => void;
  /** Passed over, but for what in it may be shared. */
  readonly own?: OwnFolder | null;
}

/** Files looked at in one go; between slices others have their turn. */
const SLICE_FILES = 64;
/** Deeper than any sane tree; keeps paths short of the system's limit too. */
const DEPTH_MAX = 100;

/** What browsers and file sharing programs call files that are not whole. */
const PARTIAL = /\.(part|partial|crdownload|download|incomplete|tmp|temp|aria2|!qb|!ut|bc!|dctmp)$|~$/i;

/** Hidden ones, partial downloads, and names that are no Unicode, which could not be opened again. */
export function isPassedOver(name: string): boolean {
  return name.startsWith('.') || PARTIAL.test(name) || name.includes('\ufffd');
}

/** Regular files that are not empty, in slices. `root` is a real path. Ends early, without an error, when the signal says so. */
export async function* scanFolder(root: string, options: ScanOptions): AsyncGenerator<FoundFile[]> {
  const { signal, onUnreadable, own = null } = options;
  const folders: { path: string; depth: number }[] = [{ path: root, depth: 0 }];
  let names: { path: string; name: string }[] = [];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    try {
      for await (const entry of entriesOf(folder.path)) {
        if (signal.aborted) return;
        if (isPassedOver(entry.name)) continue;
        const path = join(folder.path, entry.name);
        if (entry.isDirectory()) {
          if (own?.isClosed(path) === true) continue;
          if (folder.depth < DEPTH_MAX) folders.push({ path, depth: folder.depth + 1 });
          else onUnreadable(path, 'TOO_DEEP');
        } else if (entry.isFile() && own?.isPrivate(path) !== true) names.push({ path, name: entry.name });
        if (names.length < SLICE_FILES) continue;
        yield await lookedAt(names, onUnreadable);
        names = [];
      }
    } catch (error) {
      if (systemCode(error) !== 'ENOENT' || folder.path === root) onUnreadable(folder.path, systemCode(error));
    }
  }
  if (names.length > 0 && !signal.aborted) yield await lookedAt(names, onUnreadable);
}

async function* entriesOf(path: string): AsyncGenerator<Dirent> {
  yield* await opendir(path, { bufferSize: SLICE_FILES });
}

async function lookedAt(
  names: readonly { path: string; name: string }[],
  onUnreadable: ScanOptions['onUnreadable'],
): Promise<FoundFile[]> {
  const found = await Promise.all(
    names.map(({ path, name }) =>
      findFile(path, name).catch(error => {
        if (systemCode(error) !== 'ENOENT') onUnreadable(path, systemCode(error));
        return null;
      }),
    ),
  );
  return found.filter(file => file !== null);
}

/** Null for what is no regular file or is empty. Rejects with the system's error. */
export async function findFile(path: string, name: string): Promise<FoundFile | null> {
  const stats = await lstat(path);
  if (!stats.isFile() || stats.size === 0) return null;
  return { path, name, size: stats.size, mtimeMs: stats.mtimeMs };
}
