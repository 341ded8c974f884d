// Collects changes of a table and writes them together after a while. A failing store is logged once.
import type { Log } from '../log.ts';
import type { Change, Table } from './table.ts';

export class WriteBehind<V> {
  readonly #table: Table<V>;
  readonly #log: Log;
  readonly #everyMs: number;
  /** By key; bounded by what the owner keeps. */
  #changes = new Map<string, Change<V>>();
  #timer: NodeJS.Timeout | null = null;
  #writing: Promise<void> = Promise.resolve();
  #failing = false;

  /** A kill loses the changes of `everyMs`. */
  constructor(table: Table<V>, log: Log, everyMs: number) {
    this.#table = table;
    this.#log = log;
    this.#everyMs = everyMs;
  }

  put(key: string, value: V): void {
    this.#change({ type: 'put', key, value });
  }

  delete(key: string): void {
    this.#change({ type: 'del', key });
  }

  /** Writes what is left. */
  async stop(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    await this.#write();
  }

  #change(change: Change<V>): void {
    this.#changes.set(change.key, change);
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      void this.#write();
    }, this.#everyMs).unref();
  }

  /** One write at a time. What the store does not take is not tried again. */
  #write(): Promise<void> {
    const changes = [...this.#changes.values()];
    this.#changes = new Map();
    this.#writing = this.#writing.then(async () => {
      try {
        await this.#table.batch(changes);
        this.#failing = false;
      } catch (err) {
        if (!this.#failing) this.#log.error({ err, table: this.#table.name }, 'records cannot be stored');
        this.#failing = true;
      }
    });
    return this.#writing;
  }
}
