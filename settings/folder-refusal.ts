// Checks whether a folder may be shared, by the list of NeverShared and by its real path and file system.
import { access, readFile, realpath, stat, statfs } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { homeFolder } from '../api/home.ts';
import { type NeverShared, neverShared } from './never-shared.ts';

export interface RefusalOptions {
  readonly list?: NeverShared;
  /** Forced by the user: only folders that can never be shared are refused. */
  readonly force?: boolean;
  /** Whether the content of the folder is checked too. */
  readonly signs?: boolean;
}

/** Returns null, or why the folder is refused and what to do. Follows links first. */
export async function folderRefusal(
  path: string,
  { list = neverShared(), force = false, signs = true }: RefusalOptions = {},
): Promise<string | null> {
  const real = await realAsFarAsThere(path);
  const homes = await homeFolders();
  const names = [real, ...(await otherNames(real, [...list.list.places.map(({ path }) => path), ...homes]))];
  const shown = real === resolve(path) ? path : `${path} (${real})`;
  const closed = firstOf(names, name => list.closed(name)) ?? (await refusedFileSystem(real, list));
  if (closed !== null) return `${shown} is never shared: ${closed}. ${INSTEAD}`;
  if (force) return null;
  const reason = firstOf(names, name => list.refusal(name, homes)) ?? (signs ? await refusedSign(real, list) : null);
  return reason === null ? null : `${shown} is not shared: ${reason}. ${INSTEAD}; if you mean it, ${FORCE}`;
}

const INSTEAD = 'Share a folder that holds only public files';
const FORCE = '"servent share" with --force shares it';

function firstOf(names: readonly string[], reasonOf: (name: string) => string | null): string | null {
  for (const name of names) {
    const reason = reasonOf(name);
    if (reason !== null) return reason;
  }
  return null;
}

/** Returns other paths of a folder that is, or lies in, a known one: a file system may be mounted twice. */
async function otherNames(real: string, known: readonly string[]): Promise<string[]> {
  const paths = new Map(await Promise.all(known.map(async path => [await identityOf(path), path] as const)));
  const names: string[] = [];
  for (let at = real; ; at = dirname(at)) {
    const path = paths.get((await identityOf(at)) ?? '');
    if (path !== undefined && path !== at) names.push(join(path, relative(at, real)));
    if (at === dirname(at)) return names;
  }
}

/** Returns device and inode; null when they cannot be read. */
async function identityOf(path: string): Promise<string | null> {
  const found = await stat(path, { bigint: true }).catch(() => null);
  return found === null ? null : `${found.dev} ${found.ino}`;
}

/** Returns why nothing on a folder's file system is shared, or null. For a folder on another file system than its parent. */
export async function refusedFileSystem(real: string, list: NeverShared): Promise<string | null> {
  if (process.platform !== 'linux') return null;
  const found = await statfs(real).catch(() => null); // missing or unreadable: reported elsewhere
  return found === null ? null : list.fileSystem(found.type);
}

async function refusedSign(real: string, list: NeverShared): Promise<string | null> {
  const found = await Promise.all(
    list.list.signs.map(async ({ has, reason }) => {
      const isThere = await access(join(real, has)).then(
        () => true,
        () => false,
      );
      return isThere ? `${reason} (it has ${has})` : null;
    }),
  );
  return found.find(reason => reason !== null) ?? null;
}

/** Home folders of root and of users with a login shell. */
async function homeFolders(): Promise<string[]> {
  // HOME may differ from the passwd entry.
  const homes = new Set([homeFolder(process.env), homeFolder({})].filter(home => home !== null));
  const accounts = process.platform === 'win32' ? '' : await readFile('/etc/passwd', 'utf8').catch(() => '');
  for (const line of accounts.split('\n')) {
    const [, , , , , home = '', shell = ''] = line.split(':');
    if (home.startsWith('/') && shell !== '' && !/\/(nologin|false|sync|shutdown|halt)$/.test(shell)) homes.add(home);
  }
  return await Promise.all([...homes].map(realAsFarAsThere));
}

/** Resolves links in the existing part of a path. */
async function realAsFarAsThere(path: string): Promise<string> {
  const whole = resolve(path);
  for (let at = whole; ; at = dirname(at)) {
    const real = await realpath(at).catch(() => null);
    if (real !== null) return join(real, whole.slice(at.length));
    if (at === dirname(at)) return whole;
  }
}
