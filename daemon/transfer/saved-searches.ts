// Runs saved searches, tells or fetches what they find that is new, and keeps them and what they found over a restart.
import { v4 as uuid } from 'uuid';
import { CodedError } from '../../protocol/errors.ts';
import {
  type Find,
  type FindOutcome,
  type FindsRecord,
  SavedFinds,
} from '../../protocol/overlay/queries/saved-finds.ts';
import { SavedSchedule } from '../../protocol/overlay/queries/saved-schedule.ts';
import type { Random } from '../../protocol/ports.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { FoundResult, SearchRegistry, SearchSnapshot } from '../network/search-registry.ts';
import type { SavedSearchRecord } from '../store/saved-search.ts';
import type { Table } from '../store/table.ts';
import { WriteBehind } from '../store/write-behind.ts';
import type { Downloads } from './downloads.ts';
import { requestOfFound } from './found-request.ts';

export const SAVED_MAX = 100;
/** A kill loses the changes of this interval. */
const WRITE_EVERY_MS = 1000;
/** New finds of one run that are told or fetched; what is beyond is left for the next runs. */
const FINDS_PER_RUN_MAX = 100;
/** Contents that the user removed from the downloads; the oldest is forgotten. */
const DECLINED_MAX = 10_000;
const NOT_VERIFIABLE = 'no source tells its hash, so it could not be verified';

/** There are as many as are kept, or it runs already. */
export class SavedSearchError extends CodedError<'SAVED_SEARCHES_TOO_MANY' | 'SAVED_SEARCH_RUNS'> {}

/** What a person decides about it. */
export type SavedSearchSpec = Pick<SavedSearchRecord, 'text' | 'urn' | 'filter' | 'action' | 'every' | 'paused'>;

export interface SavedSearchSnapshot extends Omit<SavedSearchRecord, 'waitMs'> {
  readonly id: string;
  /** The running search, or that of the latest run. */
  readonly search: string | null;
  readonly running: boolean;
}

interface Saved {
  readonly id: string;
  readonly record: SavedSearchRecord;
  readonly finds: SavedFinds;
  search: string | null;
}

export interface SavedSearchesOptions {
  readonly searches: SearchRegistry;
  readonly downloads: Pick<Downloads, 'add' | 'list'>;
  /** Whether the library has the content. */
  readonly isShared: (sha1: Buffer) => boolean;
  /** Whether there is a neighbour to ask. */
  readonly isLinked: () => boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly table: Table<SavedSearchRecord>;
  readonly findsTable: Table<FindsRecord>;
  readonly declinedTable: Table<number>;
  readonly log: Log;
  /** Accepts results by the text of a filter. */
  readonly accepts: (filter: string) => (result: FoundResult) => boolean;
  readonly onChange: (saved: SavedSearchSnapshot) => void;
  readonly onRemoved: (id: string) => void;
  readonly onFound: (saved: SavedSearchSnapshot, find: Find) => void;
}

export class SavedSearches {
  readonly #options: SavedSearchesOptions;
  readonly #schedule: SavedSchedule;
  /** In the order of adding, at most SAVED_MAX. */
  readonly #saved = new Map<string, Saved>();
  /** Of a run of the registry its saved search. */
  readonly #runs = new Map<string, Saved>();
  /** SHA-1s as hex, at most DECLINED_MAX. */
  readonly #declined = new Set<string>();
  readonly #written: WriteBehind<SavedSearchRecord>;
  readonly #writtenFinds: WriteBehind<FindsRecord>;
  readonly #writtenDeclined: WriteBehind<number>;
  /** What the runs that are over have found is handled one run after the other. */
  #handling: Promise<void> = Promise.resolve();
  #stopped = true;
  readonly counts = { runs: 0, told: 0, downloaded: 0, known: 0, failed: 0 };

  constructor(options: SavedSearchesOptions) {
    this.#options = options;
    const { random, table, findsTable, declinedTable, log } = options;
    this.#schedule = new SavedSchedule(random);
    this.#written = new WriteBehind(table, log, WRITE_EVERY_MS);
    this.#writtenFinds = new WriteBehind(findsTable, log, WRITE_EVERY_MS);
    this.#writtenDeclined = new WriteBehind(declinedTable, log, WRITE_EVERY_MS);
  }

  /** Reads what is stored. Rejects with StoreError. */
  async start(): Promise<void> {
    const { table, findsTable, declinedTable, clock, log } = this.#options;
    const stored: Saved[] = [];
    for await (const [id, value] of table.entries()) {
      const { savedSearchRecord } = await import('../store/saved-search.ts');
      const { data: record } = savedSearchRecord.safeParse(value);
      if (record === undefined) log.error({ id }, 'a saved search is unreadable and was left out');
      else stored.push({ id, record, finds: SavedFinds.restore(await findsTable.get(id)), search: null });
    }
    stored.sort((a, b) => a.record.addedAt - b.record.addedAt);
    for (const saved of stored.slice(0, SAVED_MAX)) {
      const { every, dueAt, waitMs, paused } = saved.record;
      this.#saved.set(saved.id, saved);
      this.#schedule.add(saved.id, msOf(every), clock.now(), dueAt - clock.wallTime(), waitMs);
      this.#schedule.pause(saved.id, paused);
    }
    for await (const [sha1] of declinedTable.entries()) this.#declined.add(sha1);
    this.#stopped = false;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#handling;
    await Promise.all([this.#written.stop(), this.#writtenFinds.stop(), this.#writtenDeclined.stop()]);
  }

  get size(): number {
    return this.#saved.size;
  }

  /** Oldest first. */
  list(): SavedSearchSnapshot[] {
    return Array.from(this.#saved.values(), saved => this.#snapshotOf(saved));
  }

  get(id: string): SavedSearchSnapshot | null {
    const saved = this.#saved.get(id);
    return saved === undefined ? null : this.#snapshotOf(saved);
  }

  /** Newest first; null: unknown. */
  finds(id: string): Find[] | null {
    return this.#saved.get(id)?.finds.newestFirst() ?? null;
  }

  /** Throws SavedSearchError. It runs as soon as there are neighbours. */
  add(spec: SavedSearchSpec): SavedSearchSnapshot {
    if (this.#saved.size >= SAVED_MAX)
      throw new SavedSearchError('SAVED_SEARCHES_TOO_MANY', `there are ${SAVED_MAX} saved searches: remove one first`);
    const { clock } = this.#options;
    const at = clock.wallTime();
    const record = { ...spec, ...{ news: 0, runs: 0, addedAt: at, ranAt: null, dueAt: at, waitMs: 0, error: null } };
    const saved: Saved = { id: uuid(), record, finds: new SavedFinds(), search: null };
    this.#saved.set(saved.id, saved);
    this.#schedule.add(saved.id, msOf(spec.every), clock.now());
    this.#schedule.pause(saved.id, spec.paused);
    return this.#changed(saved);
  }

  /** Null: unknown. `news`: 0 when all were seen. */
  change(id: string, change: Partial<SavedSearchSpec & Pick<SavedSearchRecord, 'news'>>): SavedSearchSnapshot | null {
    const saved = this.#saved.get(id);
    if (saved === undefined) return null;
    Object.assign(saved.record, change);
    const { every, paused } = saved.record;
    this.#schedule.setEvery(id, msOf(every), this.#options.clock.now());
    this.#schedule.pause(id, paused);
    return this.#changed(saved);
  }

  /** False: unknown. A run of it ends without being told. */
  remove(id: string): boolean {
    const saved = this.#saved.get(id);
    if (saved === undefined) return false;
    this.#saved.delete(id);
    this.#schedule.remove(id);
    this.#written.delete(id);
    this.#writtenFinds.delete(id);
    if (saved.search !== null) this.#options.searches.remove(saved.search);
    this.#options.onRemoved(id);
    return true;
  }

  /** Runs it now, also when it is paused; null: unknown. Throws SavedSearchError, SearchError and SearchInputError. */
  run(id: string, durationSeconds?: number): SavedSearchSnapshot | null {
    const saved = this.#saved.get(id);
    if (saved === undefined) return null;
    if (!this.#start(saved, durationSeconds))
      throw new SavedSearchError('SAVED_SEARCH_RUNS', 'it is running: wait until it has ended');
    return this.#snapshotOf(saved);
  }

  /** Starts those that are due; when the next one is. */
  tick(now: number): number {
    if (this.#stopped || this.#saved.size === 0 || !this.#options.isLinked()) return Number.POSITIVE_INFINITY;
    for (let id = this.#schedule.due(now); id !== null; id = this.#schedule.due(now)) {
      const saved = this.#saved.get(id);
      if (saved === undefined) break;
      try {
        this.#start(saved);
      } catch (error) {
        saved.record.error = error instanceof Error ? error.message : String(error);
        this.#changed(saved);
      }
    }
    return this.#schedule.nextAt();
  }

  /** A search of the registry changed. True: it is a run of a saved search. */
  onSearch(search: SearchSnapshot): boolean {
    const saved = this.#runs.get(search.id);
    if (saved === undefined) return false;
    if (search.state === 'running') return true;
    this.#runs.delete(search.id);
    if (this.#stopped) return true;
    const results = this.#options.searches.results(search.id) ?? [];
    this.#handling = this.#handling.then(() => this.#handle(saved, search, results));
    return true;
  }

  /** The user removed a download: its content is not fetched again. */
  decline(sha1: Buffer): void {
    const key = sha1.toString('hex');
    this.#declined.add(key);
    this.#writtenDeclined.put(key, this.#options.clock.wallTime());
    if (this.#declined.size <= DECLINED_MAX) return;
    const [oldest = ''] = this.#declined;
    this.#declined.delete(oldest);
    this.#writtenDeclined.delete(oldest);
  }

  /** False: it runs already. */
  #start(saved: Saved, duration?: number): boolean {
    const { searches, clock } = this.#options;
    const { text, urn } = saved.record;
    if (!this.#schedule.start(saved.id, clock.now())) return false;
    if (saved.search !== null) searches.remove(saved.search);
    try {
      const wanted = { text: text ?? undefined, urn: urn ?? undefined, duration };
      saved.search = searches.start(wanted, id => this.#runs.set(id, saved)).id;
    } catch (error) {
      this.#schedule.end(saved.id, { asked: true, found: 0 }, clock.now());
      throw error;
    }
    this.counts.runs++;
    saved.record.runs++;
    saved.record.ranAt = clock.wallTime();
    saved.record.error = null;
    this.#changed(saved);
    return true;
  }

  async #handle(saved: Saved, search: SearchSnapshot, results: readonly FoundResult[]): Promise<void> {
    const { clock, accepts, onFound, log } = this.#options;
    const { record, finds, id } = saved;
    let found = 0;
    try {
      const isWanted = record.filter === null ? () => true : accepts(record.filter);
      for (const result of results.filter(isWanted)) {
        if (found >= FINDS_PER_RUN_MAX || !this.#saved.has(id)) break;
        if (!finds.see(result.content)) continue;
        const find = await this.#act(saved, result);
        if (!finds.add(find)) continue;
        this.counts[find.outcome]++;
        if (find.outcome === 'known') continue;
        found++;
        record.news++;
        onFound(this.#snapshotOf(saved), find);
      }
    } catch (err) {
      log.error({ err, id }, 'the results of a saved search could not be handled');
      record.error = err instanceof Error ? err.message : String(err);
    }
    this.#schedule.end(id, { asked: search.peers > 0, found }, clock.now());
    if (!this.#saved.has(id)) return;
    this.#writtenFinds.put(id, finds.record());
    this.#changed(saved);
  }

  /** A download that cannot be added now is tried again with the next run that finds it. */
  async #act({ record: { action }, finds }: Saved, { content }: FoundResult): Promise<Find> {
    const { sha1, name, size, sources } = content;
    const make = (outcome: FindOutcome, download: string | null = null, error: string | null = null): Find => ({
      ...{ name, size, sources: sources.length, outcome, download, error },
      sha1: sha1?.toString('hex') ?? null,
      at: this.#options.clock.wallTime(),
    });
    if (sha1 !== null && this.#isHad(sha1)) return make('known');
    if (action === 'notify') return make('told');
    if (sha1 === null) return make('failed', null, NOT_VERIFIABLE);
    try {
      return make('downloaded', (await this.#options.downloads.add(requestOfFound(content))).id);
    } catch (error) {
      finds.forget(content);
      if (!(error instanceof CodedError)) throw error;
      return make('failed', null, error.message);
    }
  }

  #isHad(sha1: Buffer): boolean {
    const { downloads, isShared } = this.#options;
    if (isShared(sha1) || this.#declined.has(sha1.toString('hex'))) return true;
    return downloads.list().some(download => download.sha1?.equals(sha1) === true);
  }

  #snapshotOf({ id, record, search }: Saved): SavedSearchSnapshot {
    const { waitMs: _, ...seen } = record;
    return { ...seen, id, search, running: this.#schedule.isRunning(id) };
  }

  #changed(saved: Saved): SavedSearchSnapshot {
    const { clock, onChange } = this.#options;
    const { leftMs, waitMs } = this.#schedule.waitOf(saved.id, clock.now()) ?? { leftMs: 0, waitMs: 0 };
    saved.record.dueAt = clock.wallTime() + leftMs;
    saved.record.waitMs = waitMs;
    this.#written.put(saved.id, { ...saved.record });
    const snapshot = this.#snapshotOf(saved);
    onChange(snapshot);
    return snapshot;
  }
}

const msOf = (seconds: number | null): number | null => (seconds === null ? null : seconds * 1000);
