// Writes the state of a servent from its data folder to an archive, and restores it. No daemon may run on the data folder.
import { mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { version } from '../../api/version.ts';
import { FILE_NAME, resolveSettings } from '../../settings/resolve.ts';
import type { Log } from '../log.ts';
import { Store } from '../store/store.ts';
import type { Change } from '../store/table.ts';
import {
  ARCHIVE_FORMAT,
  type ArchiveHeader,
  type ArchiveLine,
  PIECE_BYTES,
  readArchive,
  writeArchive,
} from './archive.ts';

/** Tables in a backup. Events and hook cursors are left out: their ids are valid only in their own store; and the node of the DHT, as its original may still run. */
const TABLES = [
  'identity',
  'hosts',
  'caches',
  'files',
  'folders',
  'downloads',
  'saved-searches',
  'saved-finds',
  'declined',
  'bad-contents',
  'keys',
  'sessions',
] as const;
/** Tables whose keys are paths. */
const KEYED_BY_PATH = new Set<string>(['files', 'folders']);
const STORE = 'store';
const TOKEN = 'api-token';
const RESTORING = '.restoring';
/** Records written in one batch. */
const BATCH = 500;
const OWNER_ONLY = 0o600;

export interface BackupOptions {
  dataDir: string;
  /** The configuration file; null when there is none. */
  config: string | null;
  /** Folder with the part files of downloads. */
  downloadsFolder: string;
  parts: boolean;
  secrets: boolean;
  now: Date;
  log: Log;
}

export interface Holdings {
  /** Records by table. */
  records: Record<string, number>;
  files: string[];
  /** Part files of downloads. */
  parts: number;
}

/** Writes the archive. Rejects with StoreError STORE_LOCKED while a daemon runs. */
export async function backUp(file: string, options: BackupOptions): Promise<Holdings> {
  const held: Holdings = { records: {}, files: [], parts: 0 };
  const store = await Store.open(join(options.dataDir, STORE), options.log);
  try {
    await writeArchive(file, contents(options, store, held));
  } finally {
    await store.close();
  }
  return held;
}

async function* contents(options: BackupOptions, store: Store, held: Holdings): AsyncGenerator<ArchiveLine> {
  const { dataDir, config, secrets, parts, now } = options;
  const at = now.toISOString();
  yield { kind: 'servent-backup', format: ARCHIVE_FORMAT, version, at, dataDir, parts };
  for (const [name, path] of [
    [FILE_NAME, config],
    [TOKEN, secrets ? join(dataDir, TOKEN) : null],
  ] as const) {
    const text = path === null ? null : await textIfThere(path);
    if (text === null) continue;
    held.files.push(name);
    yield { kind: 'file', name, text };
  }
  for (const table of TABLES) {
    held.records[table] = 0;
    for await (const [key, value] of store.table<unknown>(table).entries()) {
      held.records[table]++;
      yield { kind: 'record', table, key, value };
    }
  }
  if (parts) yield* partsOf(join(options.downloadsFolder, '.incomplete'), held);
}

async function* partsOf(folder: string, held: Holdings): AsyncGenerator<ArchiveLine> {
  for (const name of await namesIn(folder)) {
    if (!name.endsWith('.part')) continue;
    held.parts++;
    const file = await open(join(folder, name));
    try {
      const buffer = Buffer.alloc(PIECE_BYTES);
      for (let at = 0; ; ) {
        const { bytesRead } = await file.read(buffer, 0, PIECE_BYTES, at);
        if (bytesRead === 0) break;
        yield { kind: 'part', name, at, bytes: buffer.toString('base64', 0, bytesRead) };
        at += bytesRead;
      }
    } finally {
      await file.close();
    }
  }
}

export interface RestoreOptions {
  dataDir: string;
  /** Moves existing data aside. */
  force: boolean;
  now: Date;
  log: Log;
}

export interface Restored extends Holdings {
  header: ArchiveHeader;
  /** Folder to which existing data was moved; null: none. */
  aside: string | null;
}

/** The data folder is in use; the message says what to do. */
class OccupiedError extends Error {
  override readonly name = 'OccupiedError';
}

/** Restores the whole archive or nothing: unpacks it into a temporary folder, then moves it into place. */
export async function restore(file: string, options: RestoreOptions): Promise<Restored> {
  const { dataDir, force, now, log } = options;
  const there = (await namesIn(dataDir)).filter(name => [STORE, FILE_NAME, TOKEN].includes(name));
  if (there.length > 0 && !force)
    throw new OccupiedError(
      `${dataDir} already has ${there.join(', ')}: give another --data-dir, or move them aside with --force`,
    );
  // fails while a daemon holds the lock
  if (there.includes(STORE)) await (await Store.open(join(dataDir, STORE), log)).close();
  const fresh = join(dataDir, RESTORING);
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh, { recursive: true, mode: 0o700 });
  try {
    const unpacked = await unpack(file, fresh, dataDir, log);
    let aside: string | null = null;
    if (there.length > 0) {
      aside = join(dataDir, `before-restore-${now.toISOString().slice(0, 19).replaceAll(':', '-')}`);
      await mkdir(aside, { mode: 0o700 });
      for (const name of there) await rename(join(dataDir, name), join(aside, name));
    }
    for (const name of [STORE, ...unpacked.files]) await rename(join(fresh, name), join(dataDir, name));
    if (unpacked.parts > 0) await placeParts(join(fresh, 'parts'), dataDir);
    return { ...unpacked, aside };
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

async function unpack(file: string, fresh: string, dataDir: string, log: Log): Promise<Omit<Restored, 'aside'>> {
  const held: Holdings = { records: {}, files: [], parts: 0 };
  let header: ArchiveHeader | null = null;
  const store = await Store.open(join(fresh, STORE), log);
  const parts = new Set<string>();
  let table = '';
  let pending: Change<unknown>[] = [];
  const flush = async (): Promise<void> => {
    if (pending.length > 0) await store.table<unknown>(table).batch(pending, { durable: true });
    pending = [];
  };
  try {
    for await (const line of readArchive(file)) {
      if (line.kind === 'servent-backup') header = line;
      else if (line.kind === 'file') {
        held.files.push(line.name);
        await writeFile(join(fresh, line.name), line.text, {
          mode: line.name === TOKEN ? OWNER_ONLY : 0o644,
          flush: true,
        });
      } else if (line.kind === 'part') {
        parts.add(line.name);
        await mkdir(join(fresh, 'parts'), { recursive: true });
        await writePiece(join(fresh, 'parts', line.name), line.at, Buffer.from(line.bytes, 'base64'));
      } else if ((TABLES as readonly string[]).includes(line.table) && header !== null) {
        if (line.table !== table || pending.length >= BATCH) await flush();
        table = line.table;
        held.records[table] = (held.records[table] ?? 0) + 1;
        const { key, value } = relocated(line, header, dataDir);
        pending.push({ type: 'put', key, value });
      }
    }
    await flush();
  } finally {
    await store.close();
  }
  if (header === null) throw new Error('an archive without a header was read to its end');
  return { ...held, parts: parts.size, header };
}

/** Moves paths below the old data folder to the new one, and clears the ranges of downloads whose bytes are not in the archive. */
function relocated(
  { table, key, value }: Extract<ArchiveLine, { kind: 'record' }>,
  { dataDir: then, parts }: ArchiveHeader,
  dataDir: string,
): { key: string; value: unknown } {
  const moved = (path: string): string =>
    path === then || path.startsWith(`${then}${sep}`) ? `${dataDir}${path.slice(then.length)}` : path;
  if (KEYED_BY_PATH.has(table)) return { key: moved(key), value };
  if (table !== 'downloads' || typeof value !== 'object' || value === null) return { key, value };
  const download = value as { path?: unknown; ranges?: unknown; state?: unknown };
  return {
    key,
    value: {
      ...download,
      ...(typeof download.path === 'string' ? { path: moved(download.path) } : {}),
      ...(parts || download.state === 'completed' ? {} : { ranges: [] }),
    },
  };
}

async function writePiece(path: string, at: number, bytes: Buffer): Promise<void> {
  const file = await open(path, at === 0 ? 'w' : 'r+');
  try {
    await file.write(bytes, 0, bytes.length, at);
    await file.datasync();
  } finally {
    await file.close();
  }
}

/** Moves part files to the downloads folder of the restored configuration. */
async function placeParts(from: string, dataDir: string): Promise<void> {
  const { settings } = await resolveSettings({ flags: { dataDir }, env: {}, cwd: dataDir });
  const folder = join(settings.downloads.folder, '.incomplete');
  await mkdir(folder, { recursive: true });
  for (const name of await namesIn(from)) {
    try {
      await rename(join(from, name), join(folder, name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
      await writeFile(join(folder, name), await readFile(join(from, name))); // copied: the folder may be on another disk
    }
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

async function textIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
