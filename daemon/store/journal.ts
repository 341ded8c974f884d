// Keeps records of what is over, the newest in memory and in the store, within a number and an age.
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { Table } from './table.ts';
import { WriteBehind } from './write-behind.ts';

/** A kill loses the records of this interval. */
const WRITE_EVERY_MS = 1000;
const DAY_MS = 86_400_000;

export interface JournalLimits {
  /** Records kept; the oldest go first. 0: none. */
  readonly records: number;
  /** Days that a record is kept. */
  readonly days: number;
}

interface Kept<V> {
  readonly key: string;
  readonly value: V;
}

export class Journal<V extends { readonly at: number }> {
  readonly #table: Table<V>;
  readonly #clock: Clock;
  readonly #written: WriteBehind<V>;
  #limits: JournalLimits;
  /** Oldest first; at most `limits.records`. */
  #kept: Kept<V>[] = [];
  #serial = 0;

  constructor(table: Table<V>, clock: Clock, log: Log, limits: JournalLimits) {
    this.#table = table;
    this.#clock = clock;
    this.#written = new WriteBehind(table, log, WRITE_EVERY_MS);
    this.#limits = limits;
  }

  /** Reads what is stored. Rejects with StoreError. */
  async start(): Promise<void> {
    for await (const [key, value] of this.#table.entries()) this.#kept.push({ key, value });
    this.#trim();
  }

  stop(): Promise<void> {
    return this.#written.stop();
  }

  /** `value.at`: when it was over, milliseconds since 1970. */
  add(value: V): void {
    if (this.#limits.records === 0) return;
    const key = `${String(Math.max(0, value.at)).padStart(15, '0')}-${String(this.#serial++ % 1e6).padStart(6, '0')}`;
    this.#kept.push({ key, value });
    this.#written.put(key, value);
    this.#trim();
  }

  get size(): number {
    return this.#kept.length;
  }

  newestFirst(): V[] {
    this.#trim();
    return this.#kept.map(({ value }) => value).reverse();
  }

  set limits(limits: JournalLimits) {
    this.#limits = limits;
    this.#trim();
  }

  #trim(): void {
    const oldest = this.#clock.wallTime() - this.#limits.days * DAY_MS;
    let gone = Math.max(0, this.#kept.length - this.#limits.records);
    while ((this.#kept[gone]?.value.at ?? Infinity) < oldest) gone++;
    if (gone === 0) return;
    for (const { key } of this.#kept.splice(0, gone)) this.#written.delete(key);
  }
}
