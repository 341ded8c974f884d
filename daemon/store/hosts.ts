// Stores the host cache: reads it at the start, writes changes every 10 s and at the stop.
import type { HostCache } from '../../protocol/overlay/neighbours/host-cache.ts';
import type { HostRecord } from '../../protocol/overlay/neighbours/known-host.ts';
import { formatEndpoint } from '../../protocol/wire/endpoint.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { Change, Table } from './table.ts';

/** A kill loses the changes of this interval; pongs bring several a second. */
const SAVE_INTERVAL_MS = 10_000;

export class HostStore {
  readonly #table: Table<HostRecord>;
  readonly #cache: HostCache;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #saveIntervalMs: number;
  /** Content of the table, as JSON by key; bounded like the cache. */
  readonly #stored = new Map<string, string>();
  #revision = -1;
  #timer: NodeJS.Timeout | null = null;
  #saving: Promise<void> = Promise.resolve();

  constructor(table: Table<HostRecord>, cache: HostCache, clock: Clock, log: Log, saveIntervalMs = SAVE_INTERVAL_MS) {
    this.#table = table;
    this.#cache = cache;
    this.#clock = clock;
    this.#log = log;
    this.#saveIntervalMs = saveIntervalMs;
  }

  /** Fills the cache and starts saving. Resolves with the number of stored hosts. */
  async start(): Promise<number> {
    const records: HostRecord[] = [];
    for await (const [key, record] of this.#table.entries()) {
      this.#stored.set(key, JSON.stringify(record));
      records.push(record);
    }
    const taken = this.#cache.fromRecords(records, this.#clock.wallTime());
    this.#timer = setInterval(() => void this.save(), this.#saveIntervalMs).unref();
    return taken;
  }

  /** Writes the changes since the last save in one batch. A failure is logged and tried again later. */
  save(): Promise<void> {
    this.#saving = this.#saving.then(() => this.#save());
    return this.#saving;
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    await this.save();
  }

  async #save(): Promise<void> {
    const { revision } = this.#cache;
    if (revision === this.#revision) return;
    const changes: Change<HostRecord>[] = [];
    const gone = new Set(this.#stored.keys());
    const now = new Map<string, string>();
    for (const record of this.#cache.toRecords()) {
      const key = formatEndpoint(record);
      const text = JSON.stringify(record);
      gone.delete(key);
      if (this.#stored.get(key) === text) continue;
      now.set(key, text);
      changes.push({ type: 'put', key, value: record });
    }
    for (const key of gone) changes.push({ type: 'del', key });
    try {
      await this.#table.batch(changes);
    } catch (err) {
      this.#log.warn({ err }, 'the hosts could not be saved; trying again later');
      return;
    }
    for (const [key, text] of now) this.#stored.set(key, text);
    for (const key of gone) this.#stored.delete(key);
    this.#revision = revision;
  }
}
