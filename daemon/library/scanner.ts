// Walks a folder, yields the files that can be shared, and reports everything else to the survey. Symbolic links are skipped: a target
// inside the folder is found anyway, one outside must not be shared.
import type { Dirent } from 'node:fs';
import { lstat, opendir } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { refusedFileSystem } from '../../settings/folder-refusal.ts';
import { type NeverShared, neverShared, type Secret } from '../../settings/never-shared.ts';
import type { Evidence } from './evidence.ts';
import { systemCode } from './library-error.ts';
import type { OwnFolder } from './own-folder.ts';
import type { Kind, Reason, Survey } from './survey.ts';

export interface FoundFile extends Evidence {
  readonly path: string;
  readonly name: string;
  readonly size: number;
  readonly mtimeMs: number;
  /** Device of its folder; on some file systems a file has another. */
  readonly dev: number;
}

export interface ScanOptions {
  readonly signal: AbortSignal;
  /** Receives everything that is not shared. */
  readonly survey: Pick<Survey, 'leaveOut' | 'noteUnreadable' | 'enter' | 'noteFile'>;
  /** Skipped, except for the shareable folders in it. */
  readonly own?: OwnFolder | null;
  readonly never?: NeverShared;
  /** Why its owner leaves something out, by its path, or null. */
  readonly excluded?: (path: string, kind: Kind) => Secret | null;
  /** A folder at or below the root to begin with. */
  readonly from?: string;
  /** Called before the entries of a folder are read. */
  readonly onFolder?: (path: string) => void;
  /** Whether to scan a folder below as well; by default all are. */
  readonly descend?: (path: string) => boolean;
}

/** Files examined before yielding to the event loop. */
const SLICE_FILES = 64;
/** Most folders of one scan; bounds the survey. */
const FOLDERS_MAX = 200_000;
/** Greatest depth; keeps paths below the system's limit. */
const DEPTH_MAX = 100;

/** Names that browsers and file sharing programs give to incomplete files. */
const PARTIAL = /\.(part|partial|crdownload|download|incomplete|tmp|temp|aria2|!qb|!ut|bc!|dctmp)$|~$/i;

/** The reason to leave out a name; null: none. A name with U+FFFD was not UTF-8 and cannot be opened. */
export function leftOutByName(name: string, kind: Kind, never: NeverShared): Reason | null {
  const secret = kind === 'folder' ? never.folder(name) : never.file(name);
  if (secret !== null) return secret;
  if (name.includes('\ufffd')) return 'not-utf8';
  if (name.startsWith('.')) return 'hidden';
  return PARTIAL.test(name) ? 'partial' : null;
}

/** Yields non-empty regular files in slices. `root` is a real path. Ends without an error when the signal aborts. */
export async function* scanFolder(root: string, options: ScanOptions): AsyncGenerator<FoundFile[]> {
  const { signal, survey, from = root, onFolder, descend } = options;
  const never = options.never ?? neverShared();
  const isBelow = from !== root;
  const folders: { path: string; depth: number; devAbove: number | null }[] = [
    {
      path: from,
      depth: isBelow ? relative(root, from).split(sep).length : 0,
      devAbove: isBelow ? await deviceOf(dirname(from)) : null,
    },
  ];
  let names: Seen[] = [];
  let count = 0;
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    try {
      const inode = await lstat(folder.path);
      const { dev } = inode;
      if (options.own?.isMount(folder.path, inode) === true) {
        survey.leaveOut('data-folder', folder.path, 'folder');
        continue;
      }
      const isMounted = folder.devAbove !== null && folder.devAbove !== dev;
      if (isMounted && (await refusedFileSystem(folder.path, never)) !== null) {
        survey.leaveOut('file-system', folder.path, 'folder');
        continue;
      }
      survey.enter(folder.path, dev);
      onFolder?.(folder.path);
      for await (const entry of entriesOf(folder.path)) {
        if (signal.aborted) return;
        const { name } = entry;
        const path = join(folder.path, name);
        const isFolder = entry.isDirectory();
        let rule = leftOut(entry, path, folder.depth, options, never);
        if (rule === null && isFolder && ++count > FOLDERS_MAX) rule = 'too-many';
        if (rule !== null) survey.leaveOut(rule, path, isFolder ? 'folder' : 'file');
        else if (isFolder && descend?.(path) === false) continue;
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
  { own = null, excluded }: ScanOptions,
  never: NeverShared,
): Reason | null {
  const kind = entry.isDirectory() ? 'folder' : 'file';
  const reason = leftOutByName(entry.name, kind, never) ?? excluded?.(path, kind) ?? null;
  if (reason !== null) return reason;
  if (entry.isDirectory()) {
    const closed = never.closedPlace(path);
    if (closed !== null) return closed;
    if (own?.isClosed(path) === true) return 'data-folder';
    return depth < DEPTH_MAX ? null : 'too-deep';
  }
  if (entry.isSymbolicLink()) return 'link';
  if (!entry.isFile()) return 'special';
  return own?.isPrivate(path) === true ? 'data-folder' : null;
}

/** Null for a folder that has gone. */
async function deviceOf(path: string): Promise<number | null> {
  return await lstat(path).then(
    ({ dev }) => dev,
    () => null,
  );
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

/** Null for anything but a regular file. Rejects with the system's error. */
async function findFile(path: string, name: string, dev: number): Promise<FoundFile | null> {
  const stats = await lstat(path);
  if (!stats.isFile()) return null;
  const { size, mtimeMs, ctimeMs, ino, birthtimeMs } = stats;
  return { path, name, size, mtimeMs, ctimeMs, ino, birthtimeMs, dev };
}

/** A file that is not empty, by its real path; null for anything else. Rejects with the system's error. */
export async function findOne(path: string): Promise<FoundFile | null> {
  const { dev } = await lstat(dirname(path));
  const found = await findFile(path, basename(path), dev);
  return found?.size === 0 ? null : found;
}
