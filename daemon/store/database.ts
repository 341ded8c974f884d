// Opens the LevelDB under all tables, and reopens it after a failed write: LevelDB's log is torn there, and later writes would be
// acknowledged but lost at the next start.
import { rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Level } from 'level';
import { type StoreError, storeError } from './store-error.ts';

/**
 * LevelDB maps table files into memory, where the pages read count as resident memory. It keeps ten files for other uses and 64 tables, both
 * its minimum, as are tables of 1 MiB: 64 MiB. Tables that were written with 2 MiB shrink when they are compacted.
 */
const OPEN_FILES_MAX = 74;
const TABLE_BYTES_MAX = 1 << 20;
/** Free space needed to open: the log written as a table (at most LevelDB's 4 MiB write buffer) and new logs. */
const OPENING_BYTES = 8 << 20;
const PROBE_BYTES = 64 << 10;
const PROBE_FILE = 'room.probe';
/** File that marks a database in which damage was found while it was in use. */
export const DAMAGE_FILE = 'damage.seen';
/** Shortest time between two attempts to open: each costs a write to the disk. */
const OPENING_WAIT_MS = 1_000;

export type Sublevel = ReturnType<typeof sublevelOf>;

export class Database {
  readonly #level: Level<string, string>;
  /** By table; replaced when the database is reopened. */
  readonly #sublevels = new Map<string, Sublevel>();
  readonly #now: () => number;
  /** Running reads and writes: closing waits for them. */
  readonly #works = new Set<Promise<unknown>>();
  #torn = false;
  /** The latest failed attempt to open. */
  #failed: { at: number; error: StoreError } | null = null;
  #mending: Promise<void> | null = null;
  #closed = false;

  /** `now` in milliseconds. */
  constructor(path: string, now: () => number = () => performance.now()) {
    this.#now = now;
    const bounds = { maxOpenFiles: OPEN_FILES_MAX, maxFileSize: TABLE_BYTES_MAX };
    this.#level = new Level(path, { keyEncoding: 'utf8', valueEncoding: 'utf8', ...bounds });
  }

  get path(): string {
    return this.#level.location;
  }

  /** Rejects with the error of `level`. */
  async open(): Promise<void> {
    await this.#level.open();
  }

  get level(): Level<string, string> {
    return this.#level;
  }

  /** Rejects with StoreError. `work` must end its iterators: reopening closes them. */
  async read<T>(table: string, work: (sublevel: Sublevel) => Promise<T>): Promise<T> {
    await Promise.allSettled([this.#mending]); // reads go on after a failed repair; writes report it
    if (this.#level.status === 'closed') await this.#mend();
    try {
      return await this.#tracked(work(this.sublevel(table)));
    } catch (error) {
      const failure = storeError(error, this.path);
      await this.#noteDamage(failure);
      throw failure;
    }
  }

  /** Rejects with StoreError. */
  async write(table: string, work: (sublevel: Sublevel) => Promise<void>): Promise<void> {
    await this.#mending;
    if (this.#torn) await this.#mend();
    try {
      await this.#tracked(work(this.sublevel(table)));
    } catch (error) {
      const failure = storeError(error, this.path);
      if (failure.code !== 'STORE_CLOSED') this.#torn = true; // a closed database has written nothing
      await this.#noteDamage(failure);
      throw failure;
    }
  }

  sublevel(table: string): Sublevel {
    const known = this.#sublevels.get(table);
    if (known !== undefined) return known;
    const made = sublevelOf(this.#level, table);
    this.#sublevels.set(table, made);
    return made;
  }

  /** Waits for pending writes; safe to call again. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled([this.#mending]);
    await this.#level.close();
  }

  /** Reopens the database once for all waiting writes. Rejects with StoreError while the disk is full; reads still work. */
  #mend(): Promise<void> {
    this.#mending ??= this.#openAgain().finally(() => (this.#mending = null));
    return this.#mending;
  }

  async #openAgain(): Promise<void> {
    try {
      if (this.#closed) await this.#level.get(''); // rejects with the error for a closed database
      if (this.#failed !== null && this.#now() - this.#failed.at < OPENING_WAIT_MS) throw this.#failed.error;
      await this.#requireRoom();
      await Promise.allSettled(this.#works);
      await this.#level.close();
      this.#sublevels.clear();
      await this.#level.open();
      this.#torn = false;
      this.#failed = null;
    } catch (error) {
      const failure = storeError(error, this.path);
      if (failure !== this.#failed?.error) this.#failed = { at: this.#now(), error: failure };
      throw failure;
    }
  }

  /** Has the next start read every table. */
  async #noteDamage({ code }: StoreError): Promise<void> {
    if (code === 'STORE_DAMAGED') await Promise.allSettled([writeFile(join(this.path, DAMAGE_FILE), '')]);
  }

  async #tracked<T>(work: Promise<T>): Promise<T> {
    this.#works.add(work);
    try {
      return await work;
    } finally {
      this.#works.delete(work);
    }
  }

  async #requireRoom(): Promise<void> {
    const { bavail, bsize } = await statfs(this.path);
    if (bavail * bsize < OPENING_BYTES) throw Object.assign(new Error('the disk is full'), { code: 'ENOSPC' });
    // A quota does not show in the free blocks, so a probe file is written.
    const probe = join(this.path, PROBE_FILE);
    try {
      await writeFile(probe, Buffer.alloc(PROBE_BYTES), { flush: true });
    } finally {
      await rm(probe, { force: true });
    }
  }
}

function sublevelOf(level: Level<string, string>, name: string) {
  return level.sublevel<string, string>(name, { keyEncoding: 'utf8', valueEncoding: 'utf8' });
}
