// Opens the LevelDB of a data folder, renames a damaged one, and gives one table for each kind of record.
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { Log } from '../log.ts';
import { DAMAGE_FILE, Database } from './database.ts';
import { damagedBy, StoreError, storeError } from './store-error.ts';
import { Table } from './table.ts';

/**
 * Increased when the meaning of stored records changes. open() refuses a newer store and migrates an older one.
 * 2: file records may have a hash tree. Records of version 1 stay valid: their files are shared by SHA-1, and trees are made in idle time.
 */
const SCHEMA_VERSION = 2;
/** Entries read at a time during the check at open. */
const SCAN_ENTRIES = 1000;
const SCAN_BYTES = 65_536;
/** Bytes read of the lines that LevelDB writes about opening. */
const NOTES_BYTES_MAX = 65_536;
/** Keys of all tables but that of hash trees; a key begins with the table's name between two `!`. */
const BUT_TREES = [{ lt: '!trees!' }, { gte: '!trees"' }];

export class Store {
  /** New path of a damaged database that this start has renamed; null: none. */
  readonly damagedAside: string | null;
  /** Bytes of the latest changes that this start could not read; LevelDB leaves them out and goes on. */
  readonly lostBytes: number;
  readonly #database: Database;
  readonly #log: Log;

  private constructor(database: Database, log: Log, damagedAside: string | null, lostBytes: number) {
    this.#database = database;
    this.#log = log;
    this.damagedAside = damagedAside;
    this.lostBytes = lostBytes;
  }

  /**
   * Opens or creates the database in `folder`. A damaged one is renamed to `<folder>.damaged-<date>` and a new one is created.
   * Throws StoreError: STORE_LOCKED, STORE_FULL, STORE_UNREADABLE, STORE_NEWER, STORE_FAILED.
   */
  static async open(folder: string, log: Log): Promise<Store> {
    const path = resolve(folder);
    await mkdir(path, { recursive: true }).catch(error => {
      throw storeError(error, path);
    });
    try {
      const database = await openSound(path);
      const lostBytes = await lostAtOpen(path);
      if (lostBytes > 0)
        log.error(
          { code: 'STORE_DAMAGED', lostBytes },
          `${lostBytes} bytes of the latest changes to ${path} were damaged and are lost`,
        );
      return new Store(database, log, null, lostBytes);
    } catch (error) {
      const damage = damagedBy(error);
      if (damage === null) throw storeError(error, path);
      const aside = await putAside(path);
      log.error(
        { code: 'STORE_DAMAGED', damage, aside },
        `the database was damaged: renamed to ${aside}, a new one is used`,
      );
      const database = await openSound(path).catch(again => {
        throw storeError(again, path);
      });
      return new Store(database, log, aside, 0);
    }
  }

  /** Records of one kind. Names are lower-case words; asking twice gives two views of the same table. */
  table<V>(name: string): Table<V> {
    if (!/^[a-z][a-z-]*$/.test(name)) throw new RangeError(`not a table name: ${name}`);
    return new Table<V>(name, this.#database, this.#log);
  }

  /** Waits for pending writes; safe to call again. */
  async close(): Promise<void> {
    await this.#database.close();
  }
}

/**
 * Opens the database and reads every record, to find damage at the start; a million records take about a second. Hash trees, which may be
 * many gigabytes, are read only after damage was found in use.
 */
async function openSound(path: string): Promise<Database> {
  await refuseHeadless(path);
  const database = new Database(path);
  await database.open();
  try {
    const wasDamaged = await exists(join(path, DAMAGE_FILE));
    for (const range of wasDamaged ? [{}] : BUT_TREES) {
      // LevelDB unpacks whole blocks for keys alone, and passing values to JavaScript takes most of the time.
      const keys = database.level.keys({ ...range, highWaterMarkBytes: SCAN_BYTES } as object);
      while ((await keys.nextv(SCAN_ENTRIES)).length > 0);
      await keys.close();
    }
    if (wasDamaged) await rm(join(path, DAMAGE_FILE), { force: true });
    await migrate(database, path);
  } catch (error) {
    await database.close();
    throw error;
  }
  return database;
}

/** LevelDB tells only its own notes that it left out damaged changes. A last change that was cut short, as by a kill, is not damage. */
async function lostAtOpen(path: string): Promise<number> {
  const file = await open(join(path, 'LOG'));
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(NOTES_BYTES_MAX));
    const notes = buffer.toString('latin1', 0, bytesRead).matchAll(/: dropping (\d{1,15}) bytes; /g);
    return [...notes].reduce((sum, [, bytes]) => sum + Number(bytes), 0);
  } finally {
    await file.close();
  }
}

/** Rejects a folder with tables but without CURRENT: LevelDB would take it for empty and delete the tables. */
async function refuseHeadless(path: string): Promise<void> {
  const names = await readdir(path);
  if (!names.includes('CURRENT') && names.some(name => name.endsWith('.ldb') || name.startsWith('MANIFEST-'))) {
    throw new StoreError('STORE_DAMAGED', `${path} has tables but no CURRENT file`);
  }
}

async function migrate(database: Database, path: string): Promise<void> {
  const meta = database.sublevel('meta');
  const found = await meta.get('schema');
  const written = String(SCHEMA_VERSION);
  if (found === undefined) await meta.put('schema', written);
  else if (!/^[1-9]\d{0,8}$/.test(found)) throw new StoreError('STORE_DAMAGED', `schema version is "${found}"`);
  else if (Number(found) > SCHEMA_VERSION) {
    throw new StoreError(
      'STORE_NEWER',
      `${path} was written by a newer servent (schema ${found}, this one knows ${SCHEMA_VERSION}): update, or use another --data-dir`,
    );
  } else if (found !== written) await meta.put('schema', written);
}

async function putAside(path: string): Promise<string> {
  const date = new Date().toISOString().slice(0, 19).replaceAll(':', '-');
  const wanted = join(dirname(path), `${basename(path)}.damaged-${date}`);
  let aside = wanted;
  for (let n = 2; await exists(aside); n++) aside = `${wanted}-${n}`;
  await rename(path, aside);
  await mkdir(path, { recursive: true });
  return aside;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
