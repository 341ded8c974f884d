// Stores the upload queue: restores it at the start, writes changes each second and at the stop.
import { isQueueRecord, type QueueRecord } from '../../protocol/transfer/uploads/queue/queue-record.ts';
import type { UploadQueue } from '../../protocol/transfer/uploads/upload-queue.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { PeriodicSave } from './periodic-save.ts';
import type { Change, Table } from './table.ts';

/** A kill loses the changes of this interval. */
const SAVE_INTERVAL_MS = 1000;
/** After a failure everything is written again, but not sooner than this. */
const RETRY_MS = 60_000;

export class UploadQueueStore {
  readonly #table: Table<QueueRecord>;
  readonly #queue: UploadQueue;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #saves = new PeriodicSave(SAVE_INTERVAL_MS, isLast => this.#save(isLast));
  /** Ids; bounded by what the queue takes in within RETRY_MS. */
  #changed = new Set<string>();
  /** When the store last failed and nothing was written since; null: it is in step. */
  #failedAt: number | null = null;

  constructor(table: Table<QueueRecord>, queue: UploadQueue, clock: Clock, log: Log) {
    this.#table = table;
    this.#queue = queue;
    this.#clock = clock;
    this.#log = log;
  }

  /** Fills the queue, before its first request, and starts saving. Rejects with StoreError. */
  async start(): Promise<void> {
    const records: QueueRecord[] = [];
    for await (const [key, record] of this.#table.entries()) {
      if (isQueueRecord(record)) records.push(record);
      else this.#changed.add(key);
    }
    this.#queue.restore(records, this.#clock.now(), this.#clock.wallTime());
    // those that the queue has no room for go
    for (const { id } of records) if (this.#record(id) === null) this.#changed.add(id);
    this.#queue.changed = { add: id => this.#changed.add(id) };
    this.#saves.start();
  }

  /** Writes what has changed since the last save in one batch. A failure is logged, and all is written a minute later. */
  save(): Promise<void> {
    return this.#saves.save();
  }

  /** Writes what is left, and nothing from now on: connections that are closed by the stop do not count as broken. */
  async stop(): Promise<void> {
    this.#queue.changed = null;
    await this.#saves.stop();
  }

  async #save(isLast: boolean): Promise<void> {
    const again = this.#failedAt !== null;
    if (this.#failedAt !== null && !isLast && this.#clock.now() - this.#failedAt < RETRY_MS) {
      this.#changed.clear();
      return;
    }
    if (this.#changed.size === 0 && !again) return;
    try {
      if (again) await this.#noteAll();
      const changes = [...this.#changed].map(id => this.#changeOf(id));
      this.#changed.clear();
      await this.#table.batch(changes);
      this.#failedAt = null;
    } catch (err) {
      if (!again) this.#log.warn({ err }, 'the upload queue could not be saved; trying again every minute');
      this.#failedAt = this.#clock.now();
    }
  }

  #record(id: string): QueueRecord | null {
    return this.#queue.record(id, this.#clock.now(), this.#clock.wallTime());
  }

  #changeOf(id: string): Change<QueueRecord> {
    const value = this.#record(id);
    return value === null ? { type: 'del', key: id } : { type: 'put', key: id, value };
  }

  async #noteAll(): Promise<void> {
    for await (const [key] of this.#table.entries()) this.#changed.add(key);
    for (const id of this.#queue.ids()) this.#changed.add(id);
  }
}
