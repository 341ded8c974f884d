// Scans the shared folders: when they are asked to, at intervals, and after changes that were not reported one by one. Drops files that are gone.
import { setImmediate } from 'node:timers/promises';
import type { Log } from '../log.ts';
import type { FileStore } from '../store/files.ts';
import { growHeapFreely, growHeapSlowly } from '../v8.ts';
import type { Catalog } from './catalog.ts';
import { Changes, type WatchOptions } from './changes.ts';
import type { Intake } from './intake.ts';
import type { OwnFolder } from './own-folder.ts';
import { type FoundFile, type ScanOptions, scanFolder } from './scanner.ts';
import type { FolderStatus, SharedFolder } from './shared-folder.ts';
import { Survey } from './survey.ts';

/** Most files of all folders, about 300 MB of memory. Further files are not shared and reported as left out. */
const FILES_MAX = 1_000_000;
const RESCAN_INTERVAL_MS = 15 * 60_000;
/** Interval of scans while folders cannot be watched. */
const UNWATCHED_RESCAN_MS = 60_000;
/** Such scans take at most a tenth of the time. */
const SCAN_SHARE = 10;
/** Entries looked at or dropped before yielding to the event loop. */
const DROP_SLICE = 100;

export interface ScansOptions {
  readonly catalog: Catalog;
  readonly intake: Intake;
  readonly store: FileStore;
  readonly own: OwnFolder | null;
  readonly log: Log;
  readonly watch: WatchOptions;
  /** Aborts when the library stops. */
  readonly signal: AbortSignal;
  readonly folders: () => Iterable<SharedFolder>;
  /** The shared folder that contains a real path. */
  readonly folderOf: (realPath: string) => SharedFolder | null;
  /** Rejects with LibraryError when a folder must not be shared. */
  readonly check: (folder: SharedFolder) => Promise<void>;
  readonly onScanned: (folder: FolderStatus) => void;
  /** Called when scans end. */
  readonly onDone: () => void;
  /** 0: no automatic rescan. */
  readonly rescanIntervalMs?: number | undefined;
  readonly filesMax?: number | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export class Scans {
  readonly #options: ScansOptions;
  readonly #changes: Changes;
  readonly #rescanIntervalMs: number;
  readonly #filesMax: number;
  /** Aborted when scans are cancelled. */
  #run = new AbortController();
  #scanning: Promise<void> | null = null;
  /** Duration of the latest scans. */
  #scanMs = 0;
  #rescanTimer: NodeJS.Timeout | null = null;

  constructor(options: ScansOptions) {
    this.#options = options;
    this.#rescanIntervalMs = options.rescanIntervalMs ?? RESCAN_INTERVAL_MS;
    this.#filesMax = options.filesMax ?? FILES_MAX;
    const { catalog, intake, own, signal, folderOf, onDone, now } = options;
    this.#changes = new Changes({
      ...options.watch,
      catalog,
      intake,
      own,
      signal,
      onDone,
      now,
      folderOf: path => (this.isCancelled ? null : folderOf(path)),
      withinBound: (slice, survey) => this.#withinBound(slice, survey),
      drop: indices => this.drop(indices),
      scan: folder => void this.scan(folder === null ? [...options.folders()] : [folder]),
    });
  }

  /** Files on the disk may differ from those in the catalog. */
  get isBusy(): boolean {
    return this.#scanning !== null || this.#changes.isBusy;
  }

  get isScanning(): boolean {
    return this.#scanning !== null;
  }

  /** Ends scans; none begins, and no change is looked at, until allow(). */
  cancel(): void {
    this.#run.abort();
    if (this.#rescanTimer !== null) clearTimeout(this.#rescanTimer);
    this.#changes.forget();
    for (const folder of this.#options.folders()) {
      folder.due = false;
      if (folder.state === 'waiting' || folder.state === 'scanning') folder.state = 'cancelled';
    }
  }

  get isCancelled(): boolean {
    return this.#run.signal.aborted;
  }

  allow(): void {
    if (this.isCancelled) this.#run = new AbortController();
  }

  /** Switches watching on or off. */
  set watching(enabled: boolean) {
    if (enabled === this.#changes.enabled) return;
    this.#changes.enabled = enabled;
    const folders = [...this.#options.folders()];
    for (const folder of folders) folder.unwatched = null;
    if (enabled) void this.scan(folders);
  }

  /** Drops all files of a folder, which is watched no longer. */
  async forget(folder: SharedFolder): Promise<void> {
    this.#changes.retain(folder, () => false);
    await this.drop(this.#options.catalog.indicesIn(place => place.folder === folder));
  }

  /** Begins nothing any more. Idempotent; the options' signal ends what is going on. */
  stop(): void {
    if (this.#rescanTimer !== null) clearTimeout(this.#rescanTimer);
    this.#changes.stop();
  }

  /** Resolves when no scan is going on. */
  async idle(): Promise<void> {
    await this.#scanning;
    await this.#changes.idle();
  }

  /** Scans folders, and those being scanned once more. Resolves when the scans end; hashing may go on. */
  async scan(folders: readonly SharedFolder[]): Promise<void> {
    if (folders.length === 0 || this.#options.signal.aborted || this.isCancelled) return;
    for (const folder of folders) {
      folder.due = true;
      if (folder.state !== 'scanning') folder.state = 'waiting';
    }
    this.#scanning ??= this.#scanDue();
    await this.#scanning;
  }

  async #scanDue(): Promise<void> {
    if (this.#rescanTimer !== null) clearTimeout(this.#rescanTimer);
    const startedAt = performance.now();
    growHeapSlowly();
    for (;;) {
      const scanned = new Set<SharedFolder>();
      for (let folder = this.#nextDue(); folder !== undefined; folder = this.#nextDue()) {
        folder.due = false;
        scanned.add(folder);
        await this.#scanOne(folder);
      }
      if (scanned.size === 0) break;
      if (!this.#options.signal.aborted && !this.isCancelled) await this.#sweep(scanned);
    }
    growHeapFreely();
    this.#scanning = null;
    this.#scanMs = performance.now() - startedAt;
    this.#waitForRescan();
    this.#options.onDone();
  }

  #waitForRescan(): void {
    if (this.#rescanIntervalMs === 0 || this.#options.signal.aborted || this.isCancelled) return;
    const isWatched = [...this.#options.folders()].every(({ unwatched }) => unwatched === null);
    const soonMs = Math.max(UNWATCHED_RESCAN_MS, SCAN_SHARE * this.#scanMs);
    const intervalMs = isWatched ? this.#rescanIntervalMs : Math.min(this.#rescanIntervalMs, soonMs);
    this.#rescanTimer = setTimeout(() => void this.scan([...this.#options.folders()]), intervalMs).unref();
  }

  #nextDue(): SharedFolder | undefined {
    return this.#options.signal.aborted ? undefined : [...this.#options.folders()].find(({ due }) => due);
  }

  /** Drops hashes of deleted files; keeps those that may return for a time. */
  async #sweep(scanned: ReadonlySet<SharedFolder>): Promise<void> {
    await this.#options.store.sweep((path, { dev }) => {
      if (this.#options.catalog.has(path)) return 'keep';
      const folder = this.#options.folderOf(path);
      if (folder === null) return 'away'; // not in a shared folder
      if (!scanned.has(folder) || folder.survey.withholds(path)) return 'keep';
      return folder.survey.mayReturn(path, dev) ? 'away' : 'gone';
    }, this.#options.now());
    for (const { survey } of scanned) survey.close();
  }

  async #scanOne(folder: SharedFolder): Promise<void> {
    const startedAt = performance.now();
    let survey = new Survey();
    folder.running = survey;
    folder.state = 'scanning';
    const generation = ++folder.generation;
    const signal = AbortSignal.any([this.#options.signal, this.#run.signal]);
    let found = 0;
    try {
      await this.#options.check(folder);
      const excluded: ScanOptions['excluded'] = (path, kind) => folder.excluded(path, kind);
      folder.unwatched = null;
      const onFolder = (path: string): void => this.#changes.enter(folder, path);
      const options = { signal, survey, own: this.#options.own, excluded, onFolder };
      for await (const slice of scanFolder(folder.realPath, options)) {
        if (folder.removed) break;
        found += slice.length;
        await this.#options.intake.take(folder, this.#withinBound(slice, survey));
      }
      if (folder.removed || signal.aborted) {
        folder.running = null;
        return;
      }
      await this.drop(this.#options.catalog.indicesIn(place => place.folder === folder, generation));
      this.#changes.retain(folder, path => survey.visited(path));
      folder.trouble = null;
      folder.state = 'ready';
    } catch (error) {
      // The folder cannot be read, so its files cannot be served.
      await this.forget(folder);
      survey = new Survey();
      folder.trouble = error instanceof Error ? error.message : String(error);
      folder.state = 'failed';
    }
    folder.survey = survey;
    folder.running = null;
    folder.scannedAt = this.#options.now();
    folder.say(this.#options.log);
    const ms = Math.round(performance.now() - startedAt);
    this.#options.log.debug({ folder: folder.path, found, ms }, 'folder scanned');
    this.#options.onScanned(folder.status);
  }

  /** Leaves out new files above FILES_MAX. */
  #withinBound(slice: readonly FoundFile[], survey: Survey): readonly FoundFile[] {
    if (this.#options.catalog.size + slice.length <= this.#filesMax) return slice;
    let room = this.#filesMax - this.#options.catalog.size;
    return slice.filter(({ path }) => {
      if (this.#options.catalog.has(path) || room-- > 0) return true;
      survey.leaveOut('too-many', path, 'file');
      return false;
    });
  }

  async drop(slices: Iterable<readonly number[]>, drops = (_path: string) => true): Promise<void> {
    let looked = 0;
    for (const indices of slices) {
      for (const index of indices) {
        const entry = this.#options.catalog.byIndex(index);
        if (entry !== null && drops(entry.path)) this.#options.intake.remove(entry);
        if (++looked % DROP_SLICE === 0) await setImmediate();
      }
      await setImmediate();
    }
  }
}
