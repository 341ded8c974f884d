// Stores known caches and the times of their last requests: reads them at the start, writes changes each second.
import type { Bootstrap, KnownCache } from '../../protocol/bootstrap/bootstrap.ts';
import type { Log } from '../log.ts';
import type { Change, Table } from '../store/table.ts';

/** Time between writes. After a kill, requests of the last interval may be repeated. */
const SAVE_INTERVAL_MS = 1_000;

export class CacheStore {
  readonly #table: Table<KnownCache>;
  readonly #bootstrap: Bootstrap;
  readonly #log: Log;
  /** Content of the table, as JSON by key; bounded like the cache books. */
  readonly #stored = new Map<string, string>();
  #revision = '';
  #timer: NodeJS.Timeout | null = null;
  #saving: Promise<void> = Promise.resolve();

  constructor(table: Table<KnownCache>, bootstrap: Bootstrap, log: Log) {
    this.#table = table;
    this.#bootstrap = bootstrap;
    this.#log = log;
  }

  /** Loads the stored caches into the bootstrap and starts saving. */
  async start(): Promise<void> {
    const records: KnownCache[] = [];
    for await (const [key, record] of this.#table.entries()) {
      this.#stored.set(key, JSON.stringify(record));
      records.push(record);
    }
    this.#bootstrap.fromRecords(records);
    this.#timer = setInterval(() => void this.save(), SAVE_INTERVAL_MS).unref();
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    await this.save();
  }

  /** Writes the changes. A failure is logged and tried again with the next change. */
  save(): Promise<void> {
    this.#saving = this.#saving.then(() => this.#save());
    return this.#saving;
  }

  async #save(): Promise<void> {
    const { revision } = this.#bootstrap;
    if (revision === this.#revision) return;
    this.#revision = revision;
    const changes: Change<KnownCache>[] = [];
    const gone = new Set(this.#stored.keys());
    for (const record of this.#bootstrap.toRecords()) {
      const key = `${record.kind} ${record.address}`;
      const text = JSON.stringify(record);
      gone.delete(key);
      if (this.#stored.get(key) === text) continue;
      this.#stored.set(key, text);
      changes.push({ type: 'put', key, value: record });
    }
    for (const key of gone) {
      this.#stored.delete(key);
      changes.push({ type: 'del', key });
    }
    try {
      await this.#table.batch(changes);
    } catch (err) {
      this.#stored.clear(); // the next save writes everything
      this.#log.warn({ err }, 'the known caches could not be saved');
    }
  }
}
