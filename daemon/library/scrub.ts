// Reads shared files again in idle time: first those without a hash tree, to make it, then all in turn, to check that their content is that
// which was hashed. Reads one file at a time at a low pace, and begins none while the library scans or hashes.
import { treeOf } from '../../protocol/digest/content-digest.ts';
import type { TigerTree } from '../../protocol/digest/tiger-tree.ts';
import { keptDepth } from '../../protocol/digest/tree-shape.ts';
import type { Log } from '../log.ts';
import type { FileRecord, FileStore, ScrubRound } from '../store/files.ts';
import type { Catalog, CatalogEntry } from './catalog.ts';
import { HashPool } from './hash-pool.ts';
import type { HashResult } from './hash-worker.ts';
import type { ReadAgain } from './intake.ts';

const MIB = 2 ** 20;
const DAY_MS = 24 * 3600_000;

export interface ScrubRules {
  /** Bytes a second. */
  readonly treePace: number;
  readonly checkPace: number;
  /** From the start of a round over all files to the start of the next. */
  readonly roundMs: number;
  /** Until the next look whether there is something to do. */
  readonly busyMs: number;
  /** Until the next attempt at trees that could not be made. */
  readonly retryMs: number;
}

/** Checks each file four times a year; the check of a terabyte takes three days. */
export const SCRUB_RULES: ScrubRules = {
  treePace: 32 * MIB,
  checkPace: 4 * MIB,
  roundMs: 90 * DAY_MS,
  busyMs: 5_000,
  retryMs: 10 * 60_000,
};

/** Records read from the store at a time. A restart checks at most as many files twice. */
const PAGE_RECORDS = 100;
/** Most requested trees; others are made in order of index. */
const ASKED_MAX = 1000;
/** Trees kept in memory, of at most 96 KiB. */
const RECENT_MAX = 16;

export interface ScrubOptions {
  readonly catalog: Catalog;
  readonly store: FileStore;
  /** A pool owned by the caller. Absent: an own one, so that slow reads do not delay new files. */
  readonly hashPool?: Pick<HashPool, 'submit'> | undefined;
  readonly log: Log;
  readonly isIdle: () => boolean;
  /** Takes the result. */
  readonly onRead: (entry: CatalogEntry, result: HashResult, record: FileRecord) => ReadAgain;
  readonly onDone?: ((path: string, outcome: ReadAgain) => void) | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly rules?: ScrubRules | undefined;
}

export class Scrub {
  readonly #options: ScrubOptions;
  readonly #rules: ScrubRules;
  readonly #pool: Pick<HashPool, 'submit'>;
  readonly #closePool: () => Promise<void>;
  #round: ScrubRound | null = null;
  /** The rest of a page of records. */
  #page: [path: string, record: FileRecord][] = [];
  #pageEnd: string | null = null;
  /** Trees asked for last, by root. */
  readonly #recent = new Map<string, TigerTree>();
  /** Indices of files whose tree was requested. */
  readonly #asked = new Set<number>();
  /** Index of the last file found without a tree, and the time from which the search may start over. */
  #treelessAfter = -1;
  #treelessAt = 0;
  /** Time from which the pace allows the next read. */
  #freeAt = 0;
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor(options: ScrubOptions) {
    this.#options = options;
    this.#rules = options.rules ?? SCRUB_RULES;
    const own = new HashPool(1); // starts no thread before its first job
    this.#pool = options.hashPool ?? own;
    this.#closePool = () => own.close();
  }

  start(): void {
    void this.step().then(ms => {
      if (!this.#stopped) this.#timer = setTimeout(() => this.start(), ms).unref();
    });
  }

  /** Abandons a running read. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#closePool();
  }

  /** The hash tree of a shared file, as deep as servents keep it. Null: it is still to be made; then it is made next. */
  async treeOf(entry: CatalogEntry): Promise<TigerTree | null> {
    if (entry.file === null) return null;
    const { tigerRoot, size } = entry.file;
    const key = tigerRoot?.toString('latin1') ?? '';
    const recent = this.#recent.get(key);
    if (recent?.size === size) return recent;
    const leaves = keptDepth(size) === 0 ? tigerRoot : await this.#options.store.leavesOf(entry.path);
    const tree = tigerRoot === null || leaves === null ? null : treeOf({ tigerRoot, leaves }, size);
    if (tree === null) {
      if (this.#asked.size < ASKED_MAX) this.#asked.add(entry.index);
      return null;
    }
    for (const oldest of this.#recent.keys()) if (this.#recent.size >= RECENT_MAX) this.#recent.delete(oldest);
    this.#recent.set(key, tree);
    return tree;
  }

  /** Starts a round over all files, unless one is running. */
  begin(): void {
    if (this.#round?.after === null || this.#round === null)
      this.#round = { after: '', startedAt: this.#options.now() };
  }

  /** Reads at most one file. Resolves with the milliseconds until the next call. Never rejects. */
  async step(): Promise<number> {
    const { isIdle, log, now } = this.#options;
    if (!isIdle()) return this.#rules.busyMs;
    if (now() >= this.#freeAt) {
      try {
        if (!(await this.#doNext(now()))) return this.#rules.busyMs;
      } catch (err) {
        log.warn({ err }, 'shared files cannot be checked again; trying later');
        return this.#rules.retryMs;
      }
    }
    return Math.max(0, this.#freeAt - now());
  }

  /** Resolves with false when nothing is due. */
  async #doNext(now: number): Promise<boolean> {
    if (await this.#makeTree(now)) return true;
    if (this.#round === null) {
      const kept = await this.#options.store.scrubRound();
      this.#round ??= kept ?? null; // begin() may have started one meanwhile
    }
    if (this.#round === null) {
      await this.#goOn({ after: null, startedAt: now }); // all files have just been hashed
      return true;
    }
    const { after, startedAt } = this.#round;
    if (after !== null) await this.#check(after, startedAt);
    else if (now >= startedAt + this.#rules.roundMs) await this.#goOn({ after: '', startedAt: now });
    else return false;
    return true;
  }

  /** Resolves with false when no tree is due. */
  async #makeTree(now: number): Promise<boolean> {
    const entry = this.#firstAsked() ?? this.#nextTreeless(now);
    if (entry === null) return false;
    const [record] = await this.#options.store.lookUp([entry.path]);
    if (record !== undefined) await this.#read(entry, record, this.#rules.treePace);
    return true;
  }

  #firstAsked(): CatalogEntry | null {
    for (const index of this.#asked) {
      this.#asked.delete(index);
      const entry = this.#options.catalog.byIndex(index);
      if (entry !== null && entry.file !== null) return entry;
    }
    return null;
  }

  #nextTreeless(now: number): CatalogEntry | null {
    const { catalog } = this.#options;
    if (catalog.treeless === 0 || now < this.#treelessAt) return null;
    const entry = catalog.nextTreeless(this.#treelessAfter);
    this.#treelessAfter = entry?.index ?? -1;
    if (entry === null) this.#treelessAt = now + this.#rules.retryMs;
    return entry;
  }

  async #goOn(round: ScrubRound): Promise<void> {
    this.#round = round;
    await this.#options.store.saveScrubRound(round);
  }

  /** Reads the next file of the page, or the next page. */
  async #check(after: string, startedAt: number): Promise<void> {
    const { catalog, store } = this.#options;
    for (let next = this.#page.shift(); next !== undefined; next = this.#page.shift()) {
      const [path, record] = next;
      const entry = catalog.byPath(path);
      // A file that has been hashed since then needs no check.
      if (entry === null || entry.size !== record.size || entry.mtimeMs !== record.mtimeMs) continue;
      if (entry.file === null && record.differs !== true) continue;
      await this.#read(entry, record, this.#rules.checkPace);
      return;
    }
    const from = this.#pageEnd ?? after;
    this.#page = await store.recordsAfter(from, PAGE_RECORDS);
    this.#pageEnd = this.#page.at(-1)?.[0] ?? null;
    await this.#goOn({ after: this.#pageEnd === null ? null : from, startedAt });
  }

  async #read(entry: CatalogEntry, record: FileRecord, pace: number): Promise<void> {
    const { now, onRead, onDone } = this.#options;
    const { path, size, mtimeMs } = entry;
    this.#freeAt = now() + (1000 * size) / pace;
    const result = await new Promise<HashResult>(done =>
      this.#pool.submit({ path, size, mtimeMs, isHashed: false, pace, cancelled: false, done }),
    );
    const outcome = onRead(entry, result, record);
    onDone?.(path, outcome);
  }
}
