// Asks the system to report changes in folders. What it reports is a hint: the folder is then looked at. On Linux every folder is watched by
// itself; elsewhere a shared folder is watched with all below it. See docs/adr/0009-folders-are-watched.md.
import { type FSWatcher, readFileSync, watch } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { systemCode } from './library-error.ts';
import { isWithin } from './own-folder.ts';

/** Reports that Linux keeps for a program before it drops further ones, by default. */
const QUEUED_REPORTS = 16_384;

export interface FolderWatcherOptions {
  /** Something has changed in a watched folder, perhaps the folder itself. */
  readonly onHint: (folder: string) => void;
  /** Changes may have been lost, anywhere. */
  readonly onOverflow: () => void;
  /** Replaced in tests. */
  readonly watch?: typeof watch;
  /** Watches each folder by itself. */
  readonly eachFolder?: boolean;
  /** Reports in one turn of the event loop above which some may have been lost. */
  readonly reportsMax?: number;
}

export class FolderWatcher {
  readonly #options: FolderWatcherOptions;
  readonly #watch: typeof watch;
  readonly #eachFolder: boolean;
  readonly #reportsMax: number;
  /** By path; null for a folder that the watcher above it covers. Bounded by the folders that scans visit. */
  readonly #watchers = new Map<string, FSWatcher | null>();
  /** Folders that may have been replaced by another of the same name. */
  readonly #stale = new Set<string>();
  /** Reports in this turn. */
  #reports = 0;

  constructor(options: FolderWatcherOptions) {
    this.#options = options;
    this.#watch = options.watch ?? watch;
    this.#eachFolder = options.eachFolder ?? !['darwin', 'win32'].includes(process.platform);
    this.#reportsMax = options.reportsMax ?? queuedReports() / 2;
  }

  /** Number of known folders. */
  get folders(): number {
    return this.#watchers.size;
  }

  has(folder: string): boolean {
    return this.#watchers.has(folder);
  }

  /** Watches a folder; call it before its entries are read. Returns the system's error code, such as ENOSPC; null: it is watched. */
  add(folder: string, root: string): string | null {
    if (this.#stale.delete(folder)) this.retain(folder, () => false);
    if (this.#watchers.has(folder)) return null;
    if (!this.#eachFolder && folder !== root) {
      if (this.#watchers.has(root)) this.#watchers.set(folder, null);
      return null;
    }
    try {
      const watcher = this.#watch(folder, { persistent: false, recursive: !this.#eachFolder });
      watcher.on('change', (_, name) => this.#onReport(folder, name));
      watcher.on('error', () => this.#onReport(folder, null));
      this.#watchers.set(folder, watcher);
      return null;
    } catch (error) {
      const code = systemCode(error);
      return code === 'ENOENT' || code === 'ENOTDIR' ? null : code; // it has gone: its parent reports that
    }
  }

  /** Those of `folders` that may have been replaced by others since they are watched. */
  takeStale(folders: readonly string[]): Set<string> {
    return new Set(folders.filter(folder => this.#stale.delete(folder)));
  }

  /** Stops watching folders that lie in `root` and are not to be kept. */
  retain(root: string, keep: (folder: string) => boolean): void {
    for (const folder of this.#watchers.keys()) if (isWithin(folder, root) && !keep(folder)) this.#end(folder);
  }

  close(): void {
    for (const folder of this.#watchers.keys()) this.#end(folder);
    this.#stale.clear();
  }

  #end(folder: string): void {
    this.#watchers.get(folder)?.close();
    this.#watchers.delete(folder);
  }

  /** `name` lies in the folder; it may also be that of the folder itself, when that was moved or removed. */
  #onReport(folder: string, name: string | Buffer | null): void {
    if (this.#reports === 0) setImmediate(() => this.#onTurnEnd());
    this.#reports++;
    const path = name === null ? folder : join(folder, String(name));
    if (this.#eachFolder) {
      if (name === null || name === basename(folder)) this.#stale.add(folder);
      this.#options.onHint(folder);
      return;
    }
    if (path !== folder) this.#options.onHint(dirname(path));
    this.#options.onHint(path); // it may be a folder
  }

  #onTurnEnd(): void {
    const lost = this.#reports > this.#reportsMax;
    this.#reports = 0;
    if (lost) this.#options.onOverflow();
  }
}

/** Reports that the system keeps for this process. Further ones are dropped, and Node does not say so. */
function queuedReports(): number {
  try {
    return Number.parseInt(readFileSync('/proc/sys/fs/inotify/max_queued_events', 'latin1'), 10) || QUEUED_REPORTS;
  } catch {
    return QUEUED_REPORTS; // not Linux
  }
}
