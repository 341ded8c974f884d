// Walks a folder and tells which files could be shared, and the survey of everything else. Symbolic links are passed over: one that leads
// inside names a file that is found anyway, one that leads outside is not ours to share.
import type { Dirent } from 'node:fs';
import { lstat, opendir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { refusedFileSystem } from '../../settings/folder-refusal.ts';
import { type NeverShared, neverShared } from '../../settings/never-shared.ts';
import { systemCode } from './library-error.ts';
import type { OwnFolder } from './own-folder.ts';
import type { Kind, Reason, Survey } from './survey.ts';

export interface FoundFile {
  readonly path: string;
  readonly name: string;
  readonly size: number;
  readonly mtimeMs: number;
  /** Device of the folder that it lies in: on some file systems files have another. */
  readonly dev: number;
}

export interface ScanOptions {
  readonly signal: AbortSignal;
  /** Told of everything that is there and not shared; the walk goes on. */
  readonly survey: Pick<Survey, 'leaveOut' | 'noteUnreadable' | 'enter' | 'noteFile'>;
  /** Passed over, but for what in it may be shared. */
  readonly own?: OwnFolder | null;
  readonly never?: NeverShared;
}

/** Files looked at in one go; between slices others have their turn. */
const SLICE_FILES = 64;
/** Of one scan: bounds what the survey knows of folders. */
const FOLDERS_MAX = 200_000;
/** Deeper than any sane tree; keeps paths short of the system's limit too. */
const DEPTH_MAX = 100;

/** What browsers and file sharing programs call files that are not whole. */
const PARTIAL = /\.(part|partial|crdownload|download|incomplete|tmp|temp|aria2|!qb|!ut|bc!|dctmp)$|~$/i;

/** Why something of that name is left out. What is no UTF-8 came with U+FFFD in it and could not be opened again. */
export function leftOutByName(name: string, kind: Kind, never: NeverShared): Reason | null {
  const secret = kind === 'folder' ? never.folder(name) : never.file(name);
  if (secret !== null) return secret;
  if (name.includes('\ufffd')) return 'not-utf8';
  if (name.startsWith('.')) return 'hidden';
  return PARTIAL.test(name) ? 'partial' : null;
}

/** Regular files that are not empty, in slices. `root` is a real path. Ends early, without an error, when the signal says so. */
export async function* scanFolder(root: string, options: ScanOptions): AsyncGenerator<FoundFile[]> {
  const { signal, survey } = options;
  const never = options.never ?? neverShared();
  const folders: { path: string; depth: number; devAbove: number | null }[] = [
    { path: root, depth: 0, devAbove: null },
  ];
  let names: Seen[] = [];
  let count = 0;
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    try {
      const { dev } = await lstat(folder.path);
      const isMounted = folder.devAbove !== null && folder.devAbove !== dev;
      if (isMounted && (await refusedFileSystem(folder.path, never)) !== null) {
        survey.leaveOut('file-system', folder.path, 'folder');
        continue;
      }
      survey.enter(folder.path, dev);
      for await (const entry of entriesOf(folder.path)) {
        if (signal.aborted) return;
        const { name } = entry;
        const path = join(folder.path, name);
        const isFolder = entry.isDirectory();
        let rule = leftOut(entry, path, folder.depth, options, never);
        if (rule === null && isFolder && ++count > FOLDERS_MAX) rule = 'too-many';
        if (rule !== null) survey.leaveOut(rule, path, isFolder ? 'folder' : 'file');
        else if (isFolder) folders.push({ path, depth: folder.depth + 1, devAbove: dev });
        else names.push({ path, name, dev });
        if (names.length < SLICE_FILES) continue;
        yield await lookedAt(names, survey);
        names = [];
      }
    } catch (error) {
      const code = systemCode(error);
      if (code !== 'ENOENT' || folder.path === root) survey.noteUnreadable(folder.path, code, 'folder');
    }
  }
  if (names.length > 0 && !signal.aborted) yield await lookedAt(names, survey);
}

function leftOut(
  entry: Dirent,
  path: string,
  depth: number,
  { own = null }: ScanOptions,
  never: NeverShared,
): Reason | null {
  const byName = leftOutByName(entry.name, entry.isDirectory() ? 'folder' : 'file', never);
  if (byName !== null) return byName;
  if (entry.isDirectory()) {
    if (own?.isClosed(path) === true) return 'data-folder';
    return depth < DEPTH_MAX ? null : 'too-deep';
  }
  if (entry.isSymbolicLink()) return 'link';
  if (!entry.isFile()) return 'special';
  return own?.isPrivate(path) === true ? 'data-folder' : null;
}

async function* entriesOf(path: string): AsyncGenerator<Dirent> {
  yield* await opendir(path, { bufferSize: SLICE_FILES });
}

interface Seen {
  readonly path: string;
  readonly name: string;
  readonly dev: number;
}

async function lookedAt(names: readonly Seen[], survey: ScanOptions['survey']): Promise<FoundFile[]> {
  const found = await Promise.all(
    names.map(async ({ path, name, dev }) => {
      try {
        const file = await findFile(path, name, dev);
        if (file !== null && file.size > 0) {
          survey.noteFile(path);
          return file;
        }
        if (file !== null) survey.leaveOut('empty', path, 'file');
      } catch (error) {
        if (systemCode(error) !== 'ENOENT') survey.noteUnreadable(path, systemCode(error), 'file');
      }
      return null;
    }),
  );
  return found.filter(file => file !== null);
}

/** Null for what is no regular file. Rejects with the system's error. */
async function findFile(path: string, name: string, dev: number): Promise<FoundFile | null> {
  const stats = await lstat(path);
  return stats.isFile() ? { path, name, size: stats.size, mtimeMs: stats.mtimeMs, dev } : null;
}

/** A file that is not empty, by its real path; null for anything else. Rejects with the system's error. */
export async function findOne(path: string): Promise<FoundFile | null> {
  const { dev } = await lstat(dirname(path));
  const found = await findFile(path, basename(path), dev);
  return found?.size === 0 ? null : found;
}
