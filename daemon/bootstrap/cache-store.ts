// Keeps what we know of caches in the store: politeness has to survive a restart.
import type { CacheBook, CacheRecord } from '../../protocol/bootstrap/cache-book.ts';
import type { Log } from '../log.ts';
import type { Change, Table } from '../store/table.ts';

export interface StoredCache extends CacheRecord {
  kind: 'web' | 'udp';
}

type Books = Readonly<Record<StoredCache['kind'], CacheBook>>;

export class CacheStore {
  readonly #table: Table<StoredCache>;
  readonly #books: Books;
  readonly #log: Log;
  /** What the table holds, as JSON by key: bounded like the books. */
  readonly #stored = new Map<string, string>();
  #revision = '';

  constructor(table: Table<StoredCache>, books: Books, log: Log) {
    this.#table = table;
    this.#books = books;
    this.#log = log;
  }

  async start(): Promise<void> {
    const records: StoredCache[] = [];
    for await (const [key, record] of this.#table.entries()) {
      this.#stored.set(key, JSON.stringify(record));
      records.push(record);
    }
    for (const kind of ['web', 'udp'] as const) {
      const known = records.filter(record => record.kind === kind);
      this.#books[kind].fromRecords(known.map(({ kind: _, ...record }) => record));
    }
  }

  records(): StoredCache[] {
    return (['web', 'udp'] as const).flatMap(kind =>
      this.#books[kind].toRecords().map(record => ({ kind, ...record })),
    );
  }

  /** Writes what has changed. A store that fails is said, and tried again with the next change. */
  async save(): Promise<void> {
    const revision = `${this.#books.web.revision}/${this.#books.udp.revision}`;
    if (revision === this.#revision) return;
    this.#revision = revision;
    const changes: Change<StoredCache>[] = [];
    const gone = new Set(this.#stored.keys());
    for (const record of this.records()) {
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
      this.#stored.clear(); // written whole the next time
      this.#log.warn({ err }, 'what is known of caches could not be saved');
    }
  }
}
