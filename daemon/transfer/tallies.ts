// Bytes and numbers of transfers over the life of the servent: in all, by address, and by content.
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { Table } from '../store/table.ts';
import { WriteBehind } from '../store/write-behind.ts';

/** Addresses and contents that are remembered, each; the one that moved longest ago goes first. About 200 bytes each. */
const TALLIES_MAX = 10_000;
const WRITE_EVERY_MS = 10_000;

export interface Tally {
  /** An IP address, a base32 SHA-1, or empty for the sum. */
  readonly key: string;
  /** Of a content: its latest name; else empty. */
  readonly name: string;
  /** Bytes. */
  readonly uploaded: number;
  readonly downloaded: number;
  /** Transfers that are over. */
  readonly uploads: number;
  readonly downloads: number;
  /** Milliseconds since 1970 of the first and latest transfer. */
  readonly since: number;
  readonly at: number;
}

export interface Moved {
  readonly direction: 'upload' | 'download';
  readonly host: string | null;
  readonly sha1: string | null;
  readonly name: string;
  readonly bytes: number;
  /** Transfers that ended with it. */
  readonly ends: number;
}

const KINDS = { all: 'a', address: 'h', content: 'c' } as const;
type Kind = keyof typeof KINDS;

export class Tallies {
  readonly #table: Table<Tally>;
  readonly #clock: Clock;
  readonly #written: WriteBehind<Tally>;
  /** By kind and key, the one that moved last at the end; each but `all` at most TALLIES_MAX. */
  readonly #kept: Record<Kind, Map<string, Tally>> = { all: new Map(), address: new Map(), content: new Map() };

  constructor(table: Table<Tally>, clock: Clock, log: Log) {
    this.#table = table;
    this.#clock = clock;
    this.#written = new WriteBehind(table, log, WRITE_EVERY_MS);
  }

  /** Rejects with StoreError. */
  async start(): Promise<void> {
    const found: Record<Kind, Tally[]> = { all: [], address: [], content: [] };
    for await (const [place, tally] of this.#table.entries()) {
      const kind = (Object.keys(KINDS) as Kind[]).find(kind => place.startsWith(KINDS[kind]));
      if (kind !== undefined) found[kind].push(tally);
    }
    for (const kind of Object.keys(KINDS) as Kind[])
      for (const tally of found[kind].sort((one, other) => one.at - other.at)) this.#kept[kind].set(tally.key, tally);
  }

  stop(): Promise<void> {
    return this.#written.stop();
  }

  add({ direction, host, sha1, name, bytes, ends }: Moved): void {
    const sums = direction === 'upload' ? { uploaded: bytes, uploads: ends } : { downloaded: bytes, downloads: ends };
    this.#add('all', '', '', sums);
    if (host !== null) this.#add('address', host, '', sums);
    if (sha1 !== null) this.#add('content', sha1, name, sums);
  }

  /** A transfer is over whose bytes were added before. */
  count(direction: Moved['direction'], sha1: string | null, name: string): void {
    this.add({ direction, host: null, sha1, name, bytes: 0, ends: 1 });
  }

  get all(): Tally {
    return this.#kept.all.get('') ?? this.#none('', '');
  }

  /** Null: nothing is known of it. */
  ofAddress(host: string): Tally | null {
    return this.#kept.address.get(host) ?? null;
  }

  /** Those that moved last come first. */
  addresses(): Tally[] {
    return [...this.#kept.address.values()].reverse();
  }

  contents(): Tally[] {
    return [...this.#kept.content.values()].reverse();
  }

  #none(key: string, name: string): Tally {
    const at = this.#clock.wallTime();
    return { key, name, uploaded: 0, downloaded: 0, uploads: 0, downloads: 0, since: at, at };
  }

  #add(kind: Kind, key: string, name: string, sums: Partial<Tally>): void {
    const kept = this.#kept[kind];
    const before = kept.get(key) ?? this.#none(key, name);
    const sum = (field: 'uploaded' | 'downloaded' | 'uploads' | 'downloads') => before[field] + (sums[field] ?? 0);
    const tally: Tally = {
      ...{ key, name, since: before.since, at: this.#clock.wallTime() },
      ...{ uploaded: sum('uploaded'), downloaded: sum('downloaded') },
      ...{ uploads: sum('uploads'), downloads: sum('downloads') },
    };
    kept.delete(key); // it goes to the end
    kept.set(key, tally);
    this.#written.put(KINDS[kind] + key, tally);
    const [oldest] = kept.keys();
    if (kept.size <= TALLIES_MAX || oldest === undefined) return;
    kept.delete(oldest);
    this.#written.delete(KINDS[kind] + oldest);
  }
}
