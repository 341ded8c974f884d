// Keeps in a table the records that a part of the servent has: reads them at the start, then writes the differences.
import type { Log } from '../log.ts';
import { PeriodicSave } from './periodic-save.ts';
import type { Change, Table } from './table.ts';

export interface MirrorOptions<V> {
  readonly table: Table<V>;
  /** The records as they are now; the revision changes with them. */
  readonly source: { readonly revision: string | number; toRecords(): Iterable<V> };
  readonly keyOf: (record: V) => string;
  /** A kill loses the changes of this time. */
  readonly intervalMs: number;
  readonly log: Log;
}

export class TableMirror<V> {
  readonly #options: MirrorOptions<V>;
  readonly #saves: PeriodicSave;
  /** Content of the table, as JSON by key; bounded like the source. */
  readonly #stored = new Map<string, string>();
  /** Of the source when it was written; null: not written yet. */
  #revision: string | number | null = null;

  constructor(options: MirrorOptions<V>) {
    this.#options = options;
    this.#saves = new PeriodicSave(options.intervalMs, () => this.#write());
  }

  /** Starts saving. Resolves with the stored records, which the caller gives to the source. Rejects with StoreError. */
  async start(): Promise<V[]> {
    const records: V[] = [];
    for await (const [key, record] of this.#options.table.entries()) {
      this.#stored.set(key, JSON.stringify(record));
      records.push(record);
    }
    this.#saves.start();
    return records;
  }

  /** Writes the changes since the last save in one batch. A failure is logged and tried again later. */
  save(): Promise<void> {
    return this.#saves.save();
  }

  stop(): Promise<void> {
    return this.#saves.stop();
  }

  async #write(): Promise<void> {
    const { table, source, keyOf, log } = this.#options;
    const { revision } = source;
    if (revision === this.#revision) return;
    const changes: Change<V>[] = [];
    const gone = new Set(this.#stored.keys());
    const now = new Map<string, string>();
    for (const record of source.toRecords()) {
      const key = keyOf(record);
      const text = JSON.stringify(record);
      gone.delete(key);
      if (this.#stored.get(key) === text) continue;
      now.set(key, text);
      changes.push({ type: 'put', key, value: record });
    }
    for (const key of gone) changes.push({ type: 'del', key });
    try {
      await table.batch(changes);
    } catch (err) {
      log.warn({ err, table: table.name }, 'records could not be saved; trying again later');
      return;
    }
    for (const [key, text] of now) this.#stored.set(key, text);
    for (const key of gone) this.#stored.delete(key);
    this.#revision = revision;
  }
}
