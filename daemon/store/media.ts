// Stores the metadata of media files by SHA-1, also that a file has none, so that no file is read twice.
import type { MediaRecord } from '../../protocol/search/media-record.ts';
import type { Log } from '../log.ts';
import type { Table } from './table.ts';

export interface StoredMedia {
  /** Null: the file has no metadata, or it could not be read. */
  readonly media: MediaRecord | null;
  /** Why it could not be read; absent: it could. */
  readonly failed?: string;
}

/** Contents that are not shared, compared at a time with those of files that are away. */
const UNUSED_MAX = 100_000;
const SWEEP_SLICE = 1000;

export class MediaStore {
  readonly #table: Table<StoredMedia>;
  readonly #log: Log;
  #failing = false;

  constructor(table: Table<StoredMedia>, log: Log) {
    this.#table = table;
    this.#log = log;
  }

  /** By base32 SHA-1, in their order; undefined: unknown, also when the store fails. */
  async lookUp(keys: readonly string[]): Promise<(StoredMedia | undefined)[]> {
    try {
      return await this.#table.getMany(keys);
    } catch (err) {
      this.#complain(err);
      return [];
    }
  }

  /** A failing store is logged once; the files are read again at the next start. */
  async remember(key: string, stored: StoredMedia): Promise<void> {
    try {
      await this.#table.put(key, stored);
      this.#failing = false;
    } catch (err) {
      this.#complain(err);
    }
  }

  /** Drops records of contents that are not shared and that `spare` leaves in a set of them. */
  async sweep(isShared: (key: string) => boolean, spare: (keys: Set<string>) => Promise<void>): Promise<void> {
    try {
      for (let after: string | null = ''; after !== null; ) {
        const unused = new Set<string>();
        const from: string = after;
        after = null;
        for await (const [key] of this.#table.entries({ gt: from })) {
          if (isShared(key)) continue;
          unused.add(key);
          if (unused.size < UNUSED_MAX) continue;
          after = key;
          break;
        }
        if (unused.size === 0) return;
        await spare(unused);
        const gone = [...unused].filter(key => !isShared(key));
        for (let at = 0; at < gone.length; at += SWEEP_SLICE)
          await this.#table.batch(gone.slice(at, at + SWEEP_SLICE).map(key => ({ type: 'del', key })));
      }
    } catch (err) {
      this.#complain(err);
    }
  }

  #complain(err: unknown): void {
    if (!this.#failing) this.#log.error({ err }, 'stored metadata of media files cannot be read or written');
    this.#failing = true;
  }
}
