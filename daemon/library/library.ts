// What this servent shares: keeps the catalog in step with the disk and the store, and opens files for those who send them.
import { type FileHandle, realpath } from 'node:fs/promises';
import { basename, relative, sep } from 'node:path';
import type { Searchable, SharedFile } from '../../protocol/search/shared-file.ts';
import type { Query } from '../../protocol/wire/query.ts';
import { base32OrNull, formatBase32, SHA1_BYTES } from '../../protocol/wire/urn.ts';
import type { Log } from '../log.ts';
import type { FileStore } from '../store/files.ts';
import { Catalog, type CatalogEntry } from './catalog.ts';
import { type HashJob, HashPool } from './hash-pool.ts';
import type { HashResult } from './hash-worker.ts';
import { openAsHashed } from './hashed-file.ts';
import { LibraryError, systemCode } from './library-error.ts';
import type { OwnFolder } from './own-folder.ts';
import { type FoundFile, findFile, isPassedOver, scanFolder } from './scanner.ts';
import { type FolderStatus, SharedFolder } from './shared-folder.ts';

/** Files of all folders together, about half a GB of memory; what is beyond is not shared, and the folder says so. */
const FILES_MAX = 1_000_000;
const RESCAN_INTERVAL_MS = 15 * 60_000;
/** A file that changed while it was hashed is being written: look again after this long. */
const UNSETTLED_MS = 30_000;
/** Entries dropped in one go before others have their turn. */
const DROP_SLICE = 1000;
const LIST_SLICE = 1000;

export interface LibraryOptions {
  /** Configured folders; those added at run time come from the store. */
  readonly folders: readonly string[];
  readonly store: FileStore;
  /** The data folder, which is not to be shared. */
  readonly own?: OwnFolder;
  readonly log: Log;
  /** Other files are shared than before. At most once a turn of the event loop: enough to note that a QRP table is stale. */
  readonly onChange?: () => void;
  /** A folder has been looked through. */
  readonly onScanned?: (folder: FolderStatus) => void;
  /** 0: never by itself. */
  readonly rescanIntervalMs?: number;
  readonly unsettledMs?: number;
  /** Shared with whoever else hashes, and closed by its owner. Without one the library makes its own. */
  readonly hashPool?: HashPool;
}

export interface HashingStatus {
  /** Files still to hash. */
  readonly pending: number;
  /** Files hashed since the start: none at all when every file was known. */
  readonly done: number;
  readonly bytesLeft: number;
  readonly current: string | null;
}

export class Library implements Searchable {
  readonly #store: FileStore;
  readonly #log: Log;
  readonly #onChange: () => void;
  readonly #onScanned: (folder: FolderStatus) => void;
  readonly #configured: readonly string[];
  readonly #own: OwnFolder | null;
  readonly #rescanIntervalMs: number;
  readonly #unsettledMs: number;
  readonly #catalog = new Catalog();
  readonly #pool: HashPool;
  readonly #ownsPool: boolean;
  /** Ours in the pool. */
  readonly #jobs = new Set<HashJob>();
  #hashed = 0;
  readonly #folders = new Map<string, SharedFolder>();
  readonly #stopping = new AbortController();
  /** Paths that changed under the hash; bounded by the files. */
  readonly #unsettled = new Set<string>();
  #scanning: Promise<void> | null = null;
  #rechecks = 0;
  #changed = false;
  #rescanTimer: NodeJS.Timeout | null = null;
  #unsettledTimer: NodeJS.Timeout | null = null;
  #settledWaiters: (() => void)[] = [];

  constructor(options: LibraryOptions) {
    this.#configured = options.folders;
    this.#store = options.store;
    this.#own = options.own ?? null;
    this.#log = options.log;
    this.#onChange = options.onChange ?? (() => undefined);
    this.#onScanned = options.onScanned ?? (() => undefined);
    this.#rescanIntervalMs = options.rescanIntervalMs ?? RESCAN_INTERVAL_MS;
    this.#unsettledMs = options.unsettledMs ?? UNSETTLED_MS;
    this.#pool = options.hashPool ?? new HashPool();
    this.#ownsPool = options.hashPool === undefined;
  }

  /** Knows its folders when this resolves; their files come in afterwards. Rejects with StoreError. */
  async start(): Promise<void> {
    for (const path of this.#configured) await this.#adopt(new SharedFolder(path, false));
    for (const path of await this.#store.folders()) await this.#adopt(new SharedFolder(path, true));
    void this.rescan();
  }

  /** Ends scans and hashing where they are; what was hashed is in the store. Safe to call again. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const timer of [this.#rescanTimer, this.#unsettledTimer]) if (timer !== null) clearTimeout(timer);
    for (const job of this.#jobs) job.cancelled = true;
    this.#jobs.clear();
    if (this.#ownsPool) await this.#pool.close();
    await this.#scanning;
    await this.#store.flush();
    this.#settle();
  }

  /** Files that can be found and fetched. */
  get files(): number {
    return this.#catalog.index.files;
  }

  get bytes(): number {
    return this.#catalog.index.bytes;
  }

  match(query: Query, hitsMax: number): SharedFile[] {
    const files = this.#catalog.index.match(query, hitsMax);
    for (const { index } of files) {
      const entry = this.#catalog.byIndex(index);
      if (entry !== null) entry.hits++;
    }
    return files;
  }

  newest(count: number, since: number): readonly SharedFile[] {
    return this.#catalog.index.newest(count, since);
  }

  /** Every distinct word of every shared name, for QRP tables. */
  words(): IterableIterator<string> {
    return this.#catalog.index.words();
  }

  byIndex(index: number): SharedFile | null {
    return this.#catalog.index.byIndex(index);
  }

  bySha1(sha1: Buffer): SharedFile | null {
    return this.#catalog.index.bySha1(sha1);
  }

  /**
   * For reading, positioned at the start; the caller closes it. Null when what is there now is not what was hashed, or not inside
   * the shared folder any more: the file is then no longer shared until it has been hashed again.
   */
  async open(file: SharedFile): Promise<FileHandle | null> {
    const entry = this.#catalog.byIndex(file.index);
    if (entry === null || entry.file !== file) return null;
    const handle = await openAsHashed(entry);
    if (handle === null) await this.#recheck(entry.path);
    return handle;
  }

  /** Null for a file that is not shared, or no longer. */
  pathOf(file: SharedFile): string | null {
    const entry = this.#catalog.byIndex(file.index);
    return entry?.file === file ? entry.path : null;
  }

  countUpload(file: SharedFile): void {
    const entry = this.#catalog.byIndex(file.index);
    if (entry !== null) entry.uploads++;
  }

  /** Known files by index, hashed or not: those after `after`, at most `limit`. */
  list(after: number, limit: number): readonly Readonly<CatalogEntry>[] {
    return this.#catalog.list(after, limit);
  }

  /** Everything that can be fetched, by index. */
  *shared(): IterableIterator<SharedFile> {
    for (let entries = this.#catalog.list(-1, LIST_SLICE); entries.length > 0; ) {
      for (const { file } of entries) if (file !== null) yield file;
      entries = this.#catalog.list(entries.at(-1)?.index ?? 0, LIST_SLICE);
    }
  }

  get hashing(): HashingStatus {
    const { bytesLeft, current } = this.#pool;
    return { pending: this.#jobs.size, done: this.#hashed, bytesLeft, current };
  }

  folders(): FolderStatus[] {
    return [...this.#folders.values()].map(folder => folder.status);
  }

  /** Shares it now and at later starts. Throws LibraryError, StoreError. */
  async addFolder(path: string): Promise<FolderStatus> {
    const folder = new SharedFolder(path, true);
    const known = this.#folders.get(folder.id);
    if (known !== undefined) return known.status;
    await this.#check(folder);
    const other = this.#overlapping(folder);
    if (other !== null) {
      const inside = other.contains(folder.realPath);
      throw new LibraryError(
        'LIBRARY_FOLDER_OVERLAPS',
        inside
          ? `${path} is shared already, inside ${other.path}`
          : `${other.path} lies inside ${path}: unshare it first`,
      );
    }
    await this.#store.addFolder(folder.path, Date.now());
    this.#folders.set(folder.id, folder);
    void this.#scan([folder]);
    return folder.status;
  }

  /**
   * Its files stay on the disk and their hashes in the store. A folder of the configuration is shared again at the next start.
   * Throws LibraryError, StoreError.
   */
  async removeFolder(id: string): Promise<void> {
    const folder = this.#folders.get(id);
    if (folder === undefined) throw new LibraryError('LIBRARY_FOLDER_UNKNOWN', `no shared folder has the id ${id}`);
    if (folder.added) await this.#store.removeFolder(folder.path);
    folder.removed = true;
    this.#folders.delete(id);
    await this.#drop(this.#catalog.entriesOf(folder));
    this.#settle();
  }

  /** Looks through all folders, once more if it is about it already. Resolves when that is done; new files may still be hashed. */
  async rescan(): Promise<void> {
    await this.#scan([...this.#folders.values()]);
  }

  /**
   * A finished download with its SHA-1, verified by the caller: known from now on without being read again, and shared at once if
   * it lies in a shared folder. Null if it does not.
   */
  async addFile(path: string, sha1: Buffer): Promise<SharedFile | null> {
    const real = await realpath(path);
    const found = await findFile(real, basename(real));
    if (found === null) return null;
    this.#store.remember(real, { size: found.size, mtimeMs: found.mtimeMs, sha1: formatBase32(sha1) });
    await this.#store.flush();
    const folder = this.#folderOf(real);
    if (folder === null || relative(folder.realPath, real).split(sep).some(isPassedOver)) return null;
    const old = this.#catalog.byPath(real);
    if (old !== null) this.#remove(old);
    const file = this.#catalog.share(this.#catalog.add(found, folder), Buffer.from(sha1));
    this.#noteChange();
    return file;
  }

  /** Until nothing is left to scan, hash or write. */
  async settled(): Promise<void> {
    if (this.#isBusy) await new Promise<void>(resolve => this.#settledWaiters.push(resolve));
    await this.#store.flush();
  }

  get #isBusy(): boolean {
    return this.#scanning !== null || this.#rechecks > 0 || this.#jobs.size > 0;
  }

  /** Takes a folder whether or not it is there, unless it is shared already. */
  async #adopt(folder: SharedFolder): Promise<void> {
    if (this.#folders.has(folder.id)) return;
    await Promise.allSettled([this.#check(folder)]); // the scan says what is wrong with it
    const other = this.#overlapping(folder);
    if (other === null) this.#folders.set(folder.id, folder);
    else
      this.#log.warn(
        { folder: folder.path, other: other.path },
        `${folder.path} is not scanned by itself: ${other.path} overlaps it`,
      );
  }

  async #check(folder: SharedFolder): Promise<void> {
    await this.#own?.look([...this.#folders.values()].map(({ path }) => path));
    await folder.check(this.#own);
  }

  #overlapping(folder: SharedFolder): SharedFolder | null {
    for (const other of this.#folders.values()) {
      if (other.contains(folder.realPath) || folder.contains(other.realPath)) return other;
    }
    return null;
  }

  #folderOf(realPath: string): SharedFolder | null {
    if (this.#own?.isPrivate(realPath) === true) return null;
    for (const folder of this.#folders.values()) if (folder.contains(realPath)) return folder;
    return null;
  }

  async #scan(folders: readonly SharedFolder[]): Promise<void> {
    if (folders.length === 0 || this.#stopping.signal.aborted) return;
    for (const folder of folders) {
      folder.due = true;
      if (folder.state !== 'scanning') folder.state = 'waiting';
    }
    this.#scanning ??= this.#scanDue();
    await this.#scanning;
  }

  async #scanDue(): Promise<void> {
    if (this.#rescanTimer !== null) clearTimeout(this.#rescanTimer);
    for (;;) {
      const folder = [...this.#folders.values()].find(({ due }) => due);
      if (folder === undefined || this.#stopping.signal.aborted) break;
      folder.due = false;
      await this.#scanOne(folder);
    }
    this.#scanning = null;
    if (this.#rescanIntervalMs > 0 && !this.#stopping.signal.aborted) {
      this.#rescanTimer = setTimeout(() => void this.rescan(), this.#rescanIntervalMs).unref();
    }
    this.#settle();
  }

  async #scanOne(folder: SharedFolder): Promise<void> {
    const startedAt = performance.now();
    folder.state = 'scanning';
    folder.generation++;
    let found = 0;
    let unreadable = 0;
    let firstUnreadable = '';
    let full = false;
    const onUnreadable = (path: string, code: string): void => {
      if (++unreadable === 1) firstUnreadable = `${path} (${code})`;
    };
    try {
      await this.#check(folder);
      const options = { signal: this.#stopping.signal, onUnreadable, own: this.#own };
      for await (const slice of scanFolder(folder.realPath, options)) {
        if (folder.removed) return;
        found += slice.length;
        full ||= this.#catalog.size + slice.length > FILES_MAX;
        await this.#take(folder, full ? slice.filter(({ path }) => this.#catalog.byPath(path) !== null) : slice);
      }
      if (folder.removed || this.#stopping.signal.aborted) return;
      const entries = this.#catalog.entriesOf(folder);
      await this.#drop(entries.filter(({ seen }) => seen !== folder.generation));
      // An empty folder may be a disk that is not mounted: its hashes are worth keeping.
      if (unreadable === 0 && found > 0) {
        await this.#store.forgetGone(folder.realPath, path => this.#catalog.byPath(path) !== null);
      }
      if (full) this.#setError(folder, `more than ${FILES_MAX} files: the rest is not shared`);
      else if (unreadable > 0) this.#setError(folder, `${unreadable} could not be read, the first: ${firstUnreadable}`);
      else if (!entries.some(({ failed }) => failed)) this.#setError(folder, null);
      folder.state = 'ready';
    } catch (error) {
      // What cannot be looked at cannot be served either.
      await this.#drop(this.#catalog.entriesOf(folder));
      this.#setError(folder, error instanceof Error ? error.message : String(error));
      folder.state = 'failed';
    }
    folder.scannedAt = Date.now();
    const ms = Math.round(performance.now() - startedAt);
    this.#log.debug({ folder: folder.path, found, unreadable, ms }, 'folder scanned');
    this.#onScanned(folder.status);
  }

  /** Said once, not with every scan. */
  #setError(folder: SharedFolder, error: string | null): void {
    if (error !== null && error !== folder.error) {
      this.#log.warn({ folder: folder.path }, `sharing ${folder.path}: ${error}`);
    }
    folder.error = error;
  }

  /** Files as they are on the disk now: those that are new or different are shared, after hashing unless the store knows them. */
  async #take(folder: SharedFolder, found: readonly FoundFile[]): Promise<void> {
    const unknown: FoundFile[] = [];
    for (const file of found) {
      const entry = this.#catalog.byPath(file.path);
      if (entry !== null && entry.size === file.size && entry.mtimeMs === file.mtimeMs) {
        entry.seen = folder.generation;
        if (entry.failed && entry.job === null) this.#hash(entry); // it may be readable by now
        continue;
      }
      if (entry !== null) this.#remove(entry);
      unknown.push(file);
    }
    if (unknown.length === 0) return;
    const records = await this.#store.lookUp(unknown.map(({ path }) => path));
    if (folder.removed || this.#stopping.signal.aborted) return;
    for (const [i, file] of unknown.entries()) {
      if (this.#catalog.byPath(file.path) !== null) continue; // came in by itself meanwhile
      const entry = this.#catalog.add(file, folder);
      const record = records[i];
      const sha1 = record?.size === file.size && record.mtimeMs === file.mtimeMs ? base32OrNull(record.sha1) : null;
      if (sha1?.length === SHA1_BYTES) {
        this.#catalog.share(entry, sha1);
        this.#noteChange();
      } else this.#hash(entry);
    }
  }

  #hash(entry: CatalogEntry): void {
    const { path, size, mtimeMs } = entry;
    const job: HashJob = { path, size, mtimeMs, cancelled: false, done: result => this.#onHashed(entry, result) };
    entry.job = job;
    this.#jobs.add(job);
    this.#pool.submit(job);
  }

  #onHashed(entry: CatalogEntry, result: HashResult): void {
    const { path, size, mtimeMs } = entry;
    if (entry.job !== null) this.#jobs.delete(entry.job);
    entry.job = null;
    if (result.kind === 'hashed') {
      this.#hashed++;
      const sha1 = Buffer.from(result.sha1);
      this.#catalog.share(entry, sha1);
      this.#store.remember(path, { size, mtimeMs, sha1: formatBase32(sha1) });
      this.#noteChange();
    } else if (result.kind === 'changed') {
      this.#catalog.remove(entry);
      this.#lookAgain(path);
    } else if (result.code === 'ENOENT') this.#catalog.remove(entry);
    else {
      entry.failed = true;
      // The first of a folder stands for all.
      if (entry.folder.error === null) this.#setError(entry.folder, `${path} cannot be read (${result.code})`);
    }
    if (!this.#isBusy) this.#settle();
  }

  #lookAgain(path: string): void {
    this.#unsettled.add(path);
    this.#unsettledTimer ??= setTimeout(() => {
      this.#unsettledTimer = null;
      const paths = [...this.#unsettled];
      this.#unsettled.clear();
      for (const path of paths) void this.#recheck(path);
    }, this.#unsettledMs).unref();
  }

  /** One file that is not what it was: drops it, and takes it anew if it is still a file of ours. */
  async #recheck(path: string): Promise<void> {
    this.#rechecks++;
    try {
      const entry = this.#catalog.byPath(path);
      if (entry !== null) this.#remove(entry);
      const folder = this.#folderOf(path);
      if (folder === null || this.#stopping.signal.aborted || (await realpath(path)) !== path) return;
      const found = await findFile(path, basename(path));
      if (found !== null) await this.#take(folder, [found]);
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') this.#log.warn({ err: error, path }, `${path} is not shared any more`);
    } finally {
      this.#rechecks--;
      if (!this.#isBusy) this.#settle();
    }
  }

  #remove(entry: CatalogEntry): void {
    if (entry.job !== null) this.#jobs.delete(entry.job);
    this.#catalog.remove(entry);
    if (entry.file !== null) this.#noteChange();
  }

  async #drop(entries: readonly CatalogEntry[]): Promise<void> {
    for (let at = 0; at < entries.length; at++) {
      const entry = entries[at];
      if (entry !== undefined) this.#remove(entry);
      if (at % DROP_SLICE === DROP_SLICE - 1) await new Promise(resolve => setImmediate(resolve));
    }
  }

  #noteChange(): void {
    if (this.#changed) return;
    this.#changed = true;
    setImmediate(() => {
      this.#changed = false;
      if (!this.#stopping.signal.aborted) this.#onChange();
    });
  }

  #settle(): void {
    if (this.#isBusy) return;
    for (const resolve of this.#settledWaiters.splice(0)) resolve();
  }
}
