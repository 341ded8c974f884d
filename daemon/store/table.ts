// One kind of record: string keys to JSON values in one sublevel.
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
}

export interface WriteOptions {
  /** Wait until the disk has it: survives a power cut, not only a killed process. Costs an fsync. */
  durable?: boolean;
}

/** Every method rejects with StoreError: STORE_FULL, STORE_UNREADABLE, STORE_DAMAGED, STORE_CLOSED, STORE_FAILED. */
export class Table<V> {
  readonly name: string;
  /** Records met that were not JSON; each was skipped and said once in the log. */
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

  async put(key: string, value: V, options: WriteOptions = {}): Promise<void> {
    await this.batch([{ type: 'put', key, value }], options);
  }

  async delete(key: string, options: WriteOptions = {}): Promise<void> {
    await this.batch([{ type: 'del', key }], options);
  }

  /** All of the changes or none of them. */
  async batch(changes: readonly Change<V>[], options: WriteOptions = {}): Promise<void> {
    if (changes.length === 0) return;
    const texts = changes.map(change =>
      change.type === 'put' ? { ...change, value: JSON.stringify(change.value) } : change,
    );
    const how = options.durable === true ? SYNC : {};
    await this.#database.write(this.name, sublevel => sublevel.batch(texts, how));
  }

  /** In key order, a page at a time: what is written behind the last page is met. A record that is not JSON is skipped. */
  async *entries({ limit = Number.POSITIVE_INFINITY, ...range }: Range = {}): AsyncGenerator<[string, V]> {
    let left = limit;
    for (let rest: Range = range; left > 0; ) {
      const most = Math.min(left, PAGE_ENTRIES);
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

/** What of the range is left once this key has been met. */
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

// classic-level knows `sync`, abstract-level's sublevel type does not name it but passes it on.
const SYNC = { sync: true } as object;
