// The list of contents that are marked as bad wherever they are found, kept over a restart.
import { BAD_CONTENTS_MAX, type BadContent, type KnownSpam } from '../../protocol/overlay/queries/known-spam.ts';
import { SHA1_BYTES } from '../../protocol/wire/urn.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { Table } from '../store/table.ts';
import { WriteBehind } from '../store/write-behind.ts';

/** A kill loses the changes of this interval. */
const WRITE_EVERY_MS = 1000;

export interface BadContentSnapshot extends BadContent {
  readonly sha1: Buffer;
}

export class BadContents {
  readonly #known: KnownSpam;
  readonly #table: Table<BadContent>;
  readonly #clock: Clock;
  readonly #written: WriteBehind<BadContent>;

  constructor(known: KnownSpam, table: Table<BadContent>, clock: Clock, log: Log) {
    this.#known = known;
    this.#table = table;
    this.#clock = clock;
    this.#written = new WriteBehind(table, log, WRITE_EVERY_MS);
  }

  /** Reads what is stored. Rejects with StoreError. */
  async start(): Promise<void> {
    for await (const [key, { note, addedAt }] of this.#table.entries({ limit: BAD_CONTENTS_MAX })) {
      const sha1 = Buffer.from(key, 'hex');
      if (sha1.length === SHA1_BYTES && Number.isFinite(addedAt))
        this.#known.add(sha1, { note: typeof note === 'string' ? note : null, addedAt });
    }
  }

  stop(): Promise<void> {
    return this.#written.stop();
  }

  get size(): number {
    return this.#known.size;
  }

  /** Newest first. */
  list(): BadContentSnapshot[] {
    return this.#known
      .list()
      .map(({ sha1, bad }) => ({ sha1, ...bad }))
      .sort((a, b) => b.addedAt - a.addedAt);
  }

  /** Null: the list is full. */
  add(sha1: Buffer, note: string | null): BadContentSnapshot | null {
    const bad = { note, addedAt: this.#clock.wallTime() };
    if (!this.#known.add(sha1, bad)) return null;
    this.#written.put(sha1.toString('hex'), bad);
    return { sha1, ...bad };
  }

  /** False: it was not on the list. */
  remove(sha1: Buffer): boolean {
    if (!this.#known.remove(sha1)) return false;
    this.#written.delete(sha1.toString('hex'));
    return true;
  }
}
