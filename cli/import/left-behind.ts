// Data found in the folder of another servent, converted to our settings.
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Endpoint } from '../../protocol/wire/endpoint.ts';
import { type SettingKey, settingsList } from '../../settings/settings.ts';
import { inProcess } from '../in-process.ts';

export interface LeftBehind {
  hosts: Endpoint[];
  /** As `uhc:HOST:PORT`. */
  caches: string[];
  /** Absolute paths without duplicates, none inside another. */
  folders: string[];
  settings: Map<SettingKey, unknown>;
  /** Messages about data that could not be imported. */
  notes: string[];
}

export interface Importer {
  name: string;
  /** Paths relative to the home folder, most likely first. */
  usualFolders: readonly string[];
  /** Rejects when the folder is not one of that servent. */
  read(folder: string): Promise<LeftBehind>;
}

const FILE_BYTES_MAX = 4 * 1024 * 1024;

export function nothingYet(): LeftBehind {
  return { hosts: [], caches: [], folders: [], settings: new Map(), notes: [] };
}

/** Reads a file of at most FILE_BYTES_MAX; null if it does not exist. */
export async function textOf(folder: string, name: string, encoding: BufferEncoding): Promise<string | null> {
  const path = join(folder, name);
  try {
    const { size } = await stat(path);
    if (size > FILE_BYTES_MAX) throw new Error(`${path}: ${size} bytes is more than the limit of ${FILE_BYTES_MAX}`);
    return await readFile(path, encoding);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Adds the hosts of these files; missing files are skipped. */
export async function takeHosts(into: LeftBehind, folder: string, names: readonly string[]): Promise<void> {
  const { readHostsFile } = await inProcess.hostsFile();
  const known = new Set<string>();
  for (const name of names) {
    let file: Awaited<ReturnType<typeof readHostsFile>>;
    try {
      file = await readHostsFile(join(folder, name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue;
      throw error;
    }
    for (const host of file.hosts) {
      const key = `${host.host} ${host.port}`;
      if (known.has(key)) continue;
      known.add(key);
      into.hosts.push(host);
    }
    into.caches.push(...file.udpHostCaches.map(address => `uhc:${address}`));
    if (file.unreadable > 0) into.notes.push(`${name}: ${file.unreadable} lines are not hosts`);
  }
}

/** Adds a value of another servent as our setting; an invalid one becomes a note. */
export function takeSetting(into: LeftBehind, key: SettingKey, given: unknown, theirName: string): void {
  const setting = settingsList.find(row => row.key === key)?.setting;
  const checked = setting?.check(typeof given === 'string' ? setting.fromText(given) : given);
  if (checked?.ok === true) into.settings.set(key, checked.value);
  else
    into.notes.push(`${theirName} is ${JSON.stringify(given)}: ${key} takes ${setting?.expected ?? 'something else'}`);
}

/** Adds folders; one inside another becomes a note, since it is shared with the outer one. */
export function takeFolders(into: LeftBehind, paths: readonly string[]): void {
  const sorted = [...new Set(paths.map(path => (path.length > 1 ? path.replace(/\/+$/, '') : path)))].sort();
  for (const path of sorted) {
    const outer = into.folders.find(
      folder => folder === path || path.startsWith(folder === '/' ? folder : `${folder}/`),
    );
    if (outer === undefined) into.folders.push(path);
    else into.notes.push(`${path} is inside ${outer}, and shared with it`);
  }
}
