// One kind of record: string keys to JSON values in one sublevel.
import type { Level } from 'level';
import type { Log } from '../log.ts';
import { storeError } from './store-error.ts';

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

type Sublevel = ReturnType<typeof sublevelOf>;

/** Every method rejects with StoreError: STORE_FULL, STORE_DAMAGED, STORE_FAILED. */
export class Table<V> {
  readonly name: string;
  /** Records met that were not JSON; each was skipped and said once in the log. */
  unreadable = 0;
  readonly #sublevel: Sublevel;
  readonly #log: Log;
  readonly #path: string;

  constructor(name: string, database: Level<string, string>, log: Log) {
    this.name = name;
    this.#sublevel = sublevelOf(database, name);
    this.#log = log;
    this.#path = database.location;
  }

  async get(key: string): Promise<V | undefined> {
    const text = await this.#tried(this.#sublevel.get(key));
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
    await this.#tried(this.#sublevel.batch(texts, options.durable === true ? SYNC : {}));
  }

  /** In key order. A record that is not JSON is skipped. */
  async *entries(range: Range = {}): AsyncGenerator<[string, V]> {
    const iterator = this.#sublevel.iterator(range);
    try {
      for (;;) {
        const some = await this.#tried(iterator.nextv(500));
        if (some.length === 0) return;
        for (const [key, text] of some) {
          const value = this.#parse(key, text);
          if (value !== undefined) yield [key, value];
        }
      }
    } finally {
      await iterator.close();
    }
  }

  async clear(): Promise<void> {
    await this.#tried(this.#sublevel.clear());
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

  async #tried<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      throw storeError(error, this.#path);
    }
  }
}

function sublevelOf(database: Level<string, string>, name: string) {
  return database.sublevel<string, string>(name, { keyEncoding: 'utf8', valueEncoding: 'utf8' });
}

// classic-level knows `sync`, abstract-level's sublevel type does not name it but passes it on.
const SYNC = { sync: true } as object;
