// Stores one kind of record in one sublevel: string keys, JSON values.
import type { Log } from '../log.ts';
import type { Database } from './database.ts';

const PAGE_ENTRIES = 500;

export type Change<V> = { type: 'put'; key: string; value: V } | { type: 'del'; key: string };

/** Bounds over keys in byte order; all optional. */
export interface Range {
  gte?: string;
  gt?: string;
  lt?: string;
  lte?: string;
  reverse?: boolean;
  limit?: number;
  /** Records read, and parsed, in one turn of the event loop. */
  page?: number;
}

export interface WriteOptions {
  /** Waits for an fsync, so that the write survives a power cut. */
  durable?: boolean;
}

/** Every method rejects with StoreError: STORE_FULL, STORE_UNREADABLE, STORE_DAMAGED, STORE_CLOSED, STORE_FAILED. */
export class Table<V> {
  readonly name: string;
  /** Number of records that were not JSON; each was skipped and logged once. */
  unreadable = 0;
  readonly #database: Database;
  readonly #log: Log;

  constructor(name: string, database: Database, log: Log) {
    this.name = name;
    this.#database = database;
    this.#log = log;
  }

  async get(key: string): Promise<V | undefined> {
    const text = await this.#database.read(this.name, sublevel => sublevel.get(key));
    return text === undefined ? undefined : this.#parse(key, text);
  }

  /** Reads several records, in the order of the keys. */
  async getMany(keys: readonly string[]): Promise<(V | undefined)[]> {
    const texts = await this.#database.read(this.name, sublevel => sublevel.getMany([...keys]));
    return texts.map((text, i) => (text === undefined ? undefined : this.#parse(keys[i] ?? '', text)));
  }

  async put(key: string, value: V, options: WriteOptions = {}): Promise<void> {
    await this.batch([{ type: 'put', key, value }], options);
  }

  async delete(key: string, options: WriteOptions = {}): Promise<void> {
    await this.batch([{ type: 'del', key }], options);
  }

  /** Applies all changes atomically. */
  async batch(changes: readonly Change<V>[], options: WriteOptions = {}): Promise<void> {
    if (changes.length === 0) return;
    const texts = changes.map(change =>
      change.type === 'put' ? { ...change, value: JSON.stringify(change.value) } : change,
    );
    const how = options.durable === true ? SYNC : {};
    await this.#database.write(this.name, sublevel => sublevel.batch(texts, how));
  }

  /** Iterates in key order, a page at a time; sees writes beyond the pages already read. Skips records that are not JSON. */
  async *entries({
    limit = Number.POSITIVE_INFINITY,
    page: size = PAGE_ENTRIES,
    ...range
  }: Range = {}): AsyncGenerator<[string, V]> {
    let left = limit;
    for (let rest: Range = range; left > 0; ) {
      const most = Math.min(left, size);
      const page = await this.#database.read(this.name, sublevel => sublevel.iterator({ ...rest, limit: most }).all());
      for (const [key, text] of page) {
        const value = this.#parse(key, text);
        if (value !== undefined) yield [key, value];
      }
      const last = page.at(-1);
      if (last === undefined || page.length < most) return;
      left -= page.length;
      rest = behind(last[0], range);
    }
  }

  async clear(): Promise<void> {
    await this.#database.write(this.name, sublevel => sublevel.clear());
  }

  #parse(key: string, text: string): V | undefined {
    try {
      return JSON.parse(text) as V;
    } catch (cause) {
      this.unreadable++;
      this.#log.warn({ table: this.name, key, cause }, 'a stored record is unreadable and was skipped');
      return undefined;
    }
  }
}

/** The part of a range after `key`. */
function behind(key: string, range: Range): Range {
  const rest = { ...range };
  if (rest.reverse === true) {
    delete rest.lte;
    rest.lt = key;
  } else {
    delete rest.gte;
    rest.gt = key;
  }
  return rest;
}

// abstract-level's sublevel type lacks `sync` but passes it to classic-level.
const SYNC = { sync: true } as object;
