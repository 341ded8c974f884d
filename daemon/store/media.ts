// Stores the metadata of media files by SHA-1, also that a file has none, so that no file is read twice.
import type { MediaRecord } from '../../protocol/search/media-record.ts';
import type { Log } from '../log.ts';
import type { Change, Table } from './table.ts';

export interface StoredMedia {
  /** Null: the file has no metadata, or it could not be read. */
  readonly media: MediaRecord | null;
  /** Why it could not be read; absent: it could. */
  readonly failed?: string;
}

/** Records of contents that are not shared, as of a disk that is away; further ones are dropped. */
const AWAY_MAX = 100_000;
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
      return await Promise.all(keys.map(key => this.#table.get(key)));
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

  /** Drops records of contents that are not shared, but for AWAY_MAX. */
  async sweep(isShared: (key: string) => boolean): Promise<void> {
    try {
      let away = 0;
      let changes: Change<StoredMedia>[] = [];
      for await (const [key] of this.#table.entries()) {
        if (isShared(key) || ++away <= AWAY_MAX) continue;
        changes.push({ type: 'del', key });
        if (changes.length < SWEEP_SLICE) continue;
        await this.#table.batch(changes);
        changes = [];
      }
      await this.#table.batch(changes);
    } catch (err) {
      this.#complain(err);
    }
  }

  #complain(err: unknown): void {
    if (!this.#failing) this.#log.error({ err }, 'stored metadata of media files cannot be read or written');
    this.#failing = true;
  }
}
