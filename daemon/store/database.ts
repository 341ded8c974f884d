// The LevelDB under all tables, opened anew after a write that failed: its log is torn there, and what is written behind the tear would
// be acknowledged and yet lost at the next start.
import { rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Level } from 'level';
import { type StoreError, storeError } from './store-error.ts';

/** What opening may write: the log as a table, at most LevelDB's write buffer of 4 MiB, and new logs. */
const OPENING_BYTES = 8 << 20;
const PROBE_BYTES = 64 << 10;
const PROBE_FILE = 'room.probe';
/** After an opening that failed the next is tried no sooner: each costs a write that waits for the disk. */
const OPENING_WAIT_MS = 1_000;

export type Sublevel = ReturnType<typeof sublevelOf>;

export class Database {
  readonly #level: Level<string, string>;
  /** By table; made anew when the database is. */
  readonly #sublevels = new Map<string, Sublevel>();
  readonly #now: () => number;
  /** Reads and writes under way: closing would end them. */
  readonly #works = new Set<Promise<unknown>>();
  #torn = false;
  /** The last opening that failed. */
  #failed: { at: number; error: StoreError } | null = null;
  #mending: Promise<void> | null = null;
  #closed = false;

  /** `now` in milliseconds. */
  constructor(path: string, now: () => number = () => performance.now()) {
    this.#now = now;
    this.#level = new Level(path, { keyEncoding: 'utf8', valueEncoding: 'utf8' });
  }

  get path(): string {
    return this.#level.location;
  }

  /** Rejects with what level says. */
  async open(): Promise<void> {
    await this.#level.open();
  }

  /** All that is stored, as level has it. */
  get level(): Level<string, string> {
    return this.#level;
  }

  /** Rejects with StoreError. No iterator outlives `work`: it would be closed when the database is opened anew. */
  async read<T>(table: string, work: (sublevel: Sublevel) => Promise<T>): Promise<T> {
    await Promise.allSettled([this.#mending]); // who writes is told of a failure; what is stored can still be read
    if (this.#level.status === 'closed') await this.#mend();
    try {
      return await this.#tracked(work(this.sublevel(table)));
    } catch (error) {
      throw storeError(error, this.path);
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
      if (failure.code !== 'STORE_CLOSED') this.#torn = true; // nothing was written by a database that is closed
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

  /** Once for all who wait. Rejects with StoreError while there is no room: what is stored can still be read then. */
  #mend(): Promise<void> {
    this.#mending ??= this.#openAgain().finally(() => (this.#mending = null));
    return this.#mending;
  }

  async #openAgain(): Promise<void> {
    try {
      if (this.#closed) await this.#level.get(''); // rejects: it says that it is closed
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
    // a quota does not show in the free blocks
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
