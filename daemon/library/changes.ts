// Follows changes in the shared folders: has them watched, and looks at those in which something has changed, each alone.
import { realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Catalog } from './catalog.ts';
import { FolderWatcher, type FolderWatcherOptions } from './folder-watcher.ts';
import type { Intake } from './intake.ts';
import { systemCode } from './library-error.ts';
import type { OwnFolder } from './own-folder.ts';
import { QUIET_MS, RescanPlan } from './rescan-plan.ts';
import { type FoundFile, type ScanOptions, scanFolder } from './scanner.ts';
import type { SharedFolder } from './shared-folder.ts';
import { Survey } from './survey.ts';

export interface WatchOptions {
  readonly enabled: boolean;
  readonly quietMs?: number;
  /** Folders that may wait. */
  readonly foldersMax?: number;
  readonly watcher?: Partial<FolderWatcherOptions>;
}

export interface ChangesOptions extends WatchOptions {
  readonly catalog: Catalog;
  readonly intake: Intake;
  readonly own: OwnFolder | null;
  readonly signal: AbortSignal;
  /** The shared folder that contains a real path. */
  readonly folderOf: (realPath: string) => SharedFolder | null;
  /** Leaves out files that are too many. */
  readonly withinBound: (slice: readonly FoundFile[], survey: Survey) => readonly FoundFile[];
  readonly drop: (indices: Iterable<number[]>) => Promise<void>;
  /** Scans one folder, or all, with everything below. */
  readonly scan: (folder: SharedFolder | null) => void;
  readonly onDone: () => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export class Changes {
  readonly #options: ChangesOptions;
  readonly #quietMs: number;
  readonly #plan: RescanPlan;
  readonly #watcher: FolderWatcher;
  #enabled: boolean;
  #timer: NodeJS.Timeout | null = null;
  #looking: Promise<void> | null = null;

  constructor(options: ChangesOptions) {
    this.#options = options;
    this.#enabled = options.enabled;
    this.#quietMs = options.quietMs ?? QUIET_MS;
    this.#plan = new RescanPlan(this.#quietMs, options.foldersMax);
    this.#watcher = new FolderWatcher({
      onHint: folder => this.hint(folder),
      onOverflow: () => this.#lose(),
      ...options.watcher,
    });
  }

  /** Something has changed that is not in the catalog yet. */
  get isBusy(): boolean {
    return this.#looking !== null || !this.#plan.isEmpty;
  }

  get enabled(): boolean {
    return this.#enabled;
  }

  /** Watched folders below the shared ones, these included. */
  get folders(): number {
    return this.#watcher.folders;
  }

  /** Switches watching on or off; a scan must follow when it is switched on. */
  set enabled(enabled: boolean) {
    this.#enabled = enabled;
    if (!enabled) this.stop();
  }

  /** A scan is about to read this folder of the disk. */
  enter(folder: SharedFolder, path: string): void {
    if (!this.#enabled) return;
    folder.unwatched = this.#watcher.add(path, folder.realPath) ?? folder.unwatched;
  }

  /** A scan of the shared folder has ended: what it did not visit is watched no longer. */
  retain(folder: SharedFolder, keep: (path: string) => boolean): void {
    this.#watcher.retain(folder.realPath, keep);
  }

  /** Something in this folder of the disk has changed. */
  hint(path: string): void {
    if (!this.#enabled || this.#options.signal.aborted) return;
    this.#plan.hint(path, performance.now());
    this.#timer ??= setTimeout(() => this.#onDue(), this.#quietMs).unref();
  }

  /** Forgets changes that have not been looked at. */
  forget(): void {
    this.#plan.clear();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** Watches nothing any more. Idempotent. */
  stop(): void {
    this.forget();
    this.#watcher.close();
  }

  /** Resolves when no look is going on. */
  async idle(): Promise<void> {
    await this.#looking;
  }

  #lose(): void {
    if (!this.#enabled || this.#options.signal.aborted) return;
    this.#plan.lose(performance.now());
    this.#timer ??= setTimeout(() => this.#onDue(), this.#quietMs).unref();
  }

  #onDue(): void {
    this.#timer = null;
    this.#looking ??= this.#lookAtDue().finally(() => {
      this.#looking = null;
      if (!this.#plan.isEmpty && !this.#options.signal.aborted) {
        const ms = Math.max(1, Math.ceil(this.#plan.dueAt - performance.now()));
        this.#timer ??= setTimeout(() => this.#onDue(), ms).unref();
      }
      this.#options.onDone();
    });
  }

  async #lookAtDue(): Promise<void> {
    const { folders, all } = this.#plan.take(performance.now());
    if (all) this.#options.scan(null);
    const paths = new Map<SharedFolder, string[]>();
    for (const path of folders) {
      const folder = this.#options.folderOf(path);
      if (folder === null) continue;
      const below = paths.get(folder);
      if (below === undefined) paths.set(folder, [path]);
      else below.push(path);
    }
    for (const [folder, below] of paths) await this.#lookAt(folder, below);
  }

  /** Looks at folders of the disk that lie in a shared one, without those below that are watched themselves. */
  async #lookAt(folder: SharedFolder, paths: readonly string[]): Promise<void> {
    const { catalog, signal, own, drop, scan } = this.#options;
    const { realPath } = folder;
    const replaced = this.#watcher.takeStale(paths);
    const gone = new Set<string>();
    for (const path of paths) if (!(await isFolder(path))) gone.add(path);
    if (gone.has(realPath) || replaced.has(realPath)) return scan(folder);
    const whole = (path: string): boolean => isBelowAny(path, gone, realPath) || isBelowAny(path, replaced, realPath);
    if (gone.size > 0 || replaced.size > 0) this.#watcher.retain(realPath, path => !whole(path)); // looks at all that is watched
    const generation = ++folder.generation;
    const survey = new Survey();
    const visited = new Set<string>();
    const onFolder = (path: string): void => {
      visited.add(path);
      this.enter(folder, path);
    };
    const descend = (path: string): boolean => !this.#watcher.has(path) && !visited.has(path);
    for (const from of paths) {
      if (gone.has(from)) continue;
      const excluded: ScanOptions['excluded'] = (path, kind) => folder.excluded(path, kind);
      const options = { signal, survey, own, excluded, from, onFolder, descend };
      const startedAt = performance.now();
      const before = visited.size;
      for await (const slice of scanFolder(realPath, options)) {
        if (folder.removed) return;
        await this.#take(folder, slice, survey);
      }
      // New folders below do not count: they are not looked at again with this one.
      const isAlone = visited.size === before + 1;
      if (isAlone) this.#plan.onLooked(from, performance.now() - startedAt, performance.now());
    }
    if (folder.removed || signal.aborted) return;
    await drop(
      catalog.indicesIn(place => place.folder === folder && (visited.has(place.path) || whole(place.path)), generation),
    );
  }

  /** Files that are still being written wait until that has ended. */
  async #take(folder: SharedFolder, slice: readonly FoundFile[], survey: Survey): Promise<void> {
    const { catalog, intake, now, withinBound } = this.#options;
    const settled = slice.filter(file => {
      if (intake.isUnsettled(file.path)) return false;
      const ageMs = now() - file.mtimeMs;
      if (ageMs < 0 || ageMs >= this.#quietMs || catalog.see(file, folder) >= 0) return true;
      const entry = catalog.byPath(file.path);
      if (entry !== null) intake.remove(entry);
      this.hint(dirname(file.path));
      return false;
    });
    await intake.take(folder, withinBound(settled, survey));
  }
}

/** False also for a link, and for what lies behind one. */
async function isFolder(path: string): Promise<boolean> {
  try {
    return (await realpath(path)) === path && (await stat(path)).isDirectory();
  } catch (error) {
    return !['ENOENT', 'ENOTDIR', 'ELOOP'].includes(systemCode(error)); // the scan reports other errors
  }
}

/** Whether the path or a folder above it, up to `root`, is one of `folders`. */
function isBelowAny(path: string, folders: ReadonlySet<string>, root: string): boolean {
  if (folders.size === 0) return false;
  for (let at = path; at.length >= root.length; at = dirname(at)) {
    if (folders.has(at)) return true;
    if (at === dirname(at)) return false;
  }
  return false;
}
