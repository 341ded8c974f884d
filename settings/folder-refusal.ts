// Whether a folder of this machine may be shared at all: asks the list of what is never shared, and the system what the folder is.
import { access, readFile, realpath, stat, statfs } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { homeFolder } from '../api/home.ts';
import { type NeverShared, neverShared } from './never-shared.ts';

export interface RefusalOptions {
  readonly list?: NeverShared;
  /** A person means it: only what is closed to everybody is refused. */
  readonly force?: boolean;
  /** Whether what lies in the folder counts. */
  readonly signs?: boolean;
}

/** Null, or why the folder is refused and what to do instead. Links are followed first. */
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

const INSTEAD = 'Share a folder that holds only what strangers may have';
const FORCE = '"servent share" with --force shares it';

function firstOf(names: readonly string[], reasonOf: (name: string) => string | null): string | null {
  for (const name of names) {
    const reason = reasonOf(name);
    if (reason !== null) return reason;
  }
  return null;
}

/** What a folder is called if it is one of the known ones, or lies in one: what is mounted in two places has two paths. */
async function otherNames(real: string, known: readonly string[]): Promise<string[]> {
  const paths = new Map(await Promise.all(known.map(async path => [await identityOf(path), path] as const)));
  const names: string[] = [];
  for (let at = real; ; at = dirname(at)) {
    const path = paths.get((await identityOf(at)) ?? '');
    if (path !== undefined && path !== at) names.push(join(path, relative(at, real)));
    if (at === dirname(at)) return names;
  }
}

/** Null for what cannot be looked at. */
async function identityOf(path: string): Promise<string | null> {
  const found = await stat(path, { bigint: true }).catch(() => null);
  return found === null ? null : `${found.dev} ${found.ino}`;
}

/** What lies on another file system than its parent: why nothing on it is shared, or null. */
export async function refusedFileSystem(real: string, list: NeverShared): Promise<string | null> {
  if (process.platform !== 'linux') return null;
  const found = await statfs(real).catch(() => null); // not there, or not to be looked at: others say so
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

/** Those of people and of root: accounts of services have no shell. */
async function homeFolders(): Promise<string[]> {
  // HOME may say another one than the system does.
  const homes = new Set([homeFolder(process.env), homeFolder({})].filter(home => home !== null));
  const accounts = process.platform === 'win32' ? '' : await readFile('/etc/passwd', 'utf8').catch(() => '');
  for (const line of accounts.split('\n')) {
    const [, , , , , home = '', shell = ''] = line.split(':');
    if (home.startsWith('/') && shell !== '' && !/\/(nologin|false|sync|shutdown|halt)$/.test(shell)) homes.add(home);
  }
  return await Promise.all([...homes].map(realAsFarAsThere));
}

/** The real path of what is there of a path, and the rest as it is. */
async function realAsFarAsThere(path: string): Promise<string> {
  const whole = resolve(path);
  for (let at = whole; ; at = dirname(at)) {
    const real = await realpath(at).catch(() => null);
    if (real !== null) return join(real, whole.slice(at.length));
    if (at === dirname(at)) return whole;
  }
}
