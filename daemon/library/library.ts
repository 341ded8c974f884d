// Manages the shared files: keeps the catalog in step with the disk and the store, and opens files for uploads.
import type { FileHandle } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import type { TigerTree } from '../../protocol/digest/tiger-tree.ts';
import type { ContentFiles, Searchable, SharedFile } from '../../protocol/search/shared-file.ts';
import type { BrowsableFile } from '../../protocol/transfer/uploads/browse-hits.ts';
import { NO_PLAY_FACTS, type PlayFacts } from '../../protocol/wire/lime-xml.ts';
import type { Query } from '../../protocol/wire/query.ts';
import type { Log } from '../log.ts';
import type { FileStore } from '../store/files.ts';
import { Catalog, type CatalogEntry } from './catalog.ts';
import { ChangeTime } from './change-time.ts';
import type { WatchOptions } from './changes.ts';
import { FolderList } from './folder-list.ts';
import type { HashPool } from './hash-pool.ts';
import { openAsHashed } from './hashed-file.ts';
import { type HashingStatus, Intake, type ReadAgain } from './intake.ts';
import { MediaIntake, type MediaIntakeOptions, type MediaStatus } from './media-intake.ts';
import type { OwnFolder } from './own-folder.ts';
import { type Preview, Previewer } from './preview.ts';
import { Scans } from './scans.ts';
import { Scrub, type ScrubRules } from './scrub.ts';
import type { FolderChoices, FolderStatus, SharedFolder } from './shared-folder.ts';
import { Suspects } from './suspects.ts';

export interface LibraryOptions {
  /** Configured folders; those added at run time come from the store. */
  readonly folders: readonly string[];
  /** Patterns for all folders. */
  readonly exclude?: readonly string[];
  readonly store: FileStore;
  /** The data folder, which is not shared. */
  readonly own?: OwnFolder;
  readonly log: Log;
  /** Called when the set of shared files changes, at most once a turn of the event loop. */
  readonly onChange?: () => void;
  /** Where metadata of media files is stored, and how it is read. Absent: it is not read. */
  readonly media?: Pick<MediaIntakeOptions, 'store' | 'reader'>;
  /** Called when the scan of a folder ends. */
  readonly onScanned?: (folder: FolderStatus) => void;
  /** 0: no automatic rescan. */
  readonly rescanIntervalMs?: number;
  readonly unsettledMs?: number;
  readonly filesMax?: number;
  readonly previewMs?: number;
  /** Whether changes are noticed without a scan; absent: they are not. */
  readonly watch?: WatchOptions;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** A pool owned by the caller. Absent: the library creates one. */
  readonly hashPool?: HashPool;
  readonly scrubRules?: ScrubRules;
  /** Called when a known file has been read again in idle time. */
  readonly onReadAgain?: (path: string, outcome: ReadAgain) => void;
}

export class Library implements Searchable, ContentFiles {
  readonly #store: FileStore;
  readonly #log: Log;
  readonly #onChange: () => void;
  readonly #onScanned: (folder: FolderStatus) => void;
  readonly #configured: readonly string[];
  readonly #own: OwnFolder | null;
  readonly #now: () => number;
  readonly #changeTime: ChangeTime;
  readonly #catalog = new Catalog();
  readonly #intake: Intake;
  readonly #media: MediaIntake | null;
  readonly #scrub: Scrub;
  readonly #suspects: Suspects;
  readonly #scans: Scans;
  readonly #folders: FolderList;
  readonly #stopping = new AbortController();
  readonly #previewer: Previewer;
  #changed = false;
  /** Hits and uploads of all files, including removed ones. */
  #counted = 0;
  #settledWaiters: (() => void)[] = [];

  constructor(options: LibraryOptions) {
    this.#configured = options.folders;
    this.#store = options.store;
    this.#own = options.own ?? null;
    this.#log = options.log;
    this.#onChange = options.onChange ?? (() => undefined);
    this.#onScanned = options.onScanned ?? (() => undefined);
    this.#now = options.now ?? Date.now;
    this.#changeTime = new ChangeTime(this.#now);
    this.#folders = new FolderList({
      ...{ store: this.#store, own: this.#own, log: this.#log, now: this.#now },
      exclude: options.exclude ?? [],
    });
    this.#previewer = new Previewer(this.#own, this.#stopping.signal, options.previewMs);
    this.#intake = new Intake({
      catalog: this.#catalog,
      store: this.#store,
      log: this.#log,
      hashPool: options.hashPool,
      unsettledMs: options.unsettledMs,
      folderOf: path => this.#folders.of(path),
      onChange: () => this.#noteChange(),
      onShared: (index, name) => this.#media?.take(index, name),
      onUnshared: index => this.#media?.drop(index),
      onDone: () => this.#settle(),
    });
    this.#media =
      options.media === undefined
        ? null
        : new MediaIntake({
            ...options.media,
            catalog: this.#catalog,
            files: this.#store,
            log: this.#log,
            isIdle: () => !this.#isBusy,
            onChange: () => this.#noteChange(),
          });
    this.#scrub = new Scrub({
      catalog: this.#catalog,
      store: this.#store,
      hashPool: options.hashPool,
      log: this.#log,
      isIdle: () => !this.#isBusy,
      onRead: (entry, result, record) => this.#intake.onReadAgain(entry, result, record),
      onDone: options.onReadAgain,
      now: this.#now,
      rules: options.scrubRules,
    });
    this.#suspects = new Suspects({
      catalog: this.#catalog,
      store: this.#store,
      hashPool: options.hashPool,
      onRead: (entry, result) => this.#intake.onSuspectRead(entry, result),
      onDone: () => this.#settle(),
    });
    this.#scans = new Scans({
      ...options,
      watch: options.watch ?? { enabled: false },
      catalog: this.#catalog,
      intake: this.#intake,
      own: this.#own,
      onScanned: this.#onScanned,
      signal: this.#stopping.signal,
      folders: () => this.#folders,
      folderOf: path => this.#folders.of(path),
      check: folder => this.#folders.check(folder),
      onDone: () => this.#settle(),
      now: this.#now,
    });
  }

  /** Loads the folders and starts their scans; files are added afterwards. Rejects with StoreError. */
  async start(): Promise<void> {
    await this.#folders.load(this.#configured);
    void this.rescan();
    this.#scrub.start();
  }

  /** Stops scans and hashing at once; finished hashes are stored. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#scans.stop();
    await this.#scrub.stop();
    await this.#suspects.stop();
    await this.#media?.stop();
    await this.#intake.stop();
    await this.#scans.idle();
    await this.#store.flush();
    this.#settle();
  }

  /** Number of shared files. */
  get files(): number {
    return this.#catalog.index.files;
  }

  get bytes(): number {
    return this.#catalog.index.bytes;
  }

  match(query: Query, hitsMax: number): SharedFile[] {
    const files = this.#catalog.index.match(query, hitsMax);
    this.#media?.match(query, hitsMax, files);
    for (const { index } of files) this.#catalog.countHit(index);
    this.#counted += files.length;
    return files;
  }

  xmlOf(files: readonly SharedFile[]): string | null {
    return this.#media?.shelf.xmlOf(files) ?? null;
  }

  /** Resolves when the metadata of the files shared so far is read. */
  async mediaSettled(): Promise<void> {
    await this.#media?.settled();
  }

  /** Counts of media files by what is known of their metadata. */
  get media(): MediaStatus {
    return this.#media?.status ?? { known: 0, pending: 0, failed: 0 };
  }

  playFactsOf(index: number): PlayFacts {
    return this.#media?.shelf.playFactsOf(index) ?? NO_PLAY_FACTS;
  }

  newest(count: number, since: number): readonly SharedFile[] {
    return this.#catalog.index.newest(count, since);
  }

  /** All distinct words of shared names and of metadata, for QRP tables. */
  *words(): IterableIterator<string> {
    yield* this.#catalog.index.words();
    if (this.#media !== null) yield* this.#media.shelf.words();
  }

  byIndex(index: number): SharedFile | null {
    return this.#catalog.index.byIndex(index);
  }

  bySha1(sha1: Buffer): SharedFile | null {
    return this.#catalog.index.bySha1(sha1);
  }

  byTigerRoot(root: Buffer): SharedFile | null {
    return this.#catalog.index.byTigerRoot(root);
  }

  /**
   * Opens a file for reading; the caller closes it. Null when it has changed or left the shared folder: it is then not shared until
   * it has been hashed again.
   */
  async open(file: SharedFile): Promise<FileHandle | null> {
    const entry = this.#catalog.byIndex(file.index);
    if (entry === null || entry.file === null) return null;
    const opened = await openAsHashed(entry);
    if (opened === null) await this.#intake.recheck(entry.path);
    else if (opened.ctimeMs !== entry.ctimeMs) this.#catalog.suspect(file.index);
    this.#suspects.wake();
    return opened?.handle ?? null;
  }

  /** The hash tree of a file, as deep as servents keep it. Null: it is still to be made; then it is made next. */
  async treeOf(file: SharedFile): Promise<TigerTree | null> {
    const entry = this.#catalog.byIndex(file.index);
    return entry === null ? null : await this.#scrub.treeOf(entry);
  }

  /** Null for a file that is not shared. */
  pathOf(file: SharedFile): string | null {
    const entry = this.#catalog.byIndex(file.index);
    return entry === null || entry.file === null ? null : entry.path;
  }

  countUpload(file: SharedFile): void {
    this.#catalog.countUpload(file.index);
    this.#counted++;
  }

  /** Revision numbers of the file list, of its counters and of its metadata. */
  get revisions(): { files: number; counts: number; media: number } {
    return { files: this.#catalog.revision, counts: this.#counted, media: this.#media?.shelf.revision ?? 0 };
  }

  /** When the list of files last changed, milliseconds since 1970; at the latest when this was first asked after the change. */
  get changedAt(): number {
    return this.#changeTime.of(this.#catalog.revision);
  }

  /** At most `limit` known files, hashed or not, with indices above `after`. */
  list(after: number, limit: number): readonly CatalogEntry[] {
    return this.#catalog.list(after, limit);
  }

  /** Gives access to fields of many files without an entry of each. */
  get catalog(): Catalog {
    return this.#catalog;
  }

  /** All shared files in order of index. */
  shared(): IterableIterator<SharedFile> {
    return this.#catalog.index.shared();
  }

  /** The same, with the folders that those who browse see. */
  *browsable(): IterableIterator<BrowsableFile> {
    for (const file of this.shared()) {
      const entry = this.#catalog.byIndex(file.index);
      const seenFolder = entry?.folder.seenFolder(entry.path) ?? null;
      yield seenFolder === null ? file : { ...file, seenFolder };
    }
  }

  get hashing(): HashingStatus {
    return this.#intake.hashing;
  }

  folders(): FolderStatus[] {
    return Array.from(this.#folders, folder => folder.status);
  }

  /** Shares a folder now and at later starts; changes the choices of one that is shared. Rejects with LibraryError, StoreError. */
  async addFolder(path: string, choices: Partial<FolderChoices> = {}): Promise<FolderStatus> {
    const shared = Object.keys(choices).length === 0 ? this.#folders.at(path) : null;
    return shared?.status ?? (await this.#onChosen(await this.#folders.add(path, choices)));
  }

  /** What is excluded now is gone when this resolves; what no longer is comes with the scan. Throws LibraryError, StoreError. */
  async changeFolder(id: string, choices: Partial<FolderChoices>): Promise<FolderStatus> {
    if (Object.keys(choices).length === 0) return this.#folders.get(id).status;
    return await this.#onChosen(await this.#folders.change(id, choices));
  }

  async #onChosen(folder: SharedFolder): Promise<FolderStatus> {
    this.#catalog.revision++;
    await this.#dropExcluded(folder);
    void this.#scans.scan([folder]);
    return folder.status;
  }

  /** What strangers would see of a folder: see FolderList.sample(). At most `limit` items in a list. Rejects with LibraryError. */
  preview(path: string, choices: Partial<FolderChoices>, limit: number): Promise<Preview> {
    const folder = this.#folders.sample(path, choices);
    return this.#previewer.preview(folder, limit, () => this.#folders.check(folder));
  }

  /** Patterns for all folders. What they exclude is gone when this resolves; what they no longer exclude comes with the scan. */
  async useExclude(patterns: readonly string[]): Promise<void> {
    this.#folders.exclude = patterns;
    const folders = [...this.#folders];
    for (const folder of folders) await this.#dropExcluded(folder);
    void this.#scans.scan(folders);
  }

  /** Checks all shared files in idle time, at a low pace: whether their content is that which was hashed. */
  scrub(): void {
    this.#scrub.begin();
  }

  /**
   * Unshares a folder; files and stored hashes are kept. A folder of the configuration is shared again at the next start.
   * Rejects with LibraryError, StoreError.
   */
  async removeFolder(id: string): Promise<void> {
    await this.#scans.forget(await this.#folders.remove(id));
    this.#settle();
  }

  /**
   * Scans all folders, or one, and those being scanned once more. Resolves when the scans end; hashing may go on. Rejects with
   * LibraryError for an unknown id.
   */
  async rescan(id?: string): Promise<void> {
    const folders = id === undefined ? [...this.#folders] : [this.#folders.get(id)];
    this.#scans.allow();
    await this.#scans.scan(folders);
  }

  /** Ends scans and hashing until a scan is asked for or the servent starts again. Hashed files stay shared. */
  cancel(): void {
    this.#scans.cancel();
    this.#intake.cancel();
  }

  get isScanning(): boolean {
    return this.#scans.isScanning;
  }

  get isCancelled(): boolean {
    return this.#scans.isCancelled;
  }

  /** Most bytes read per second for hashing; 0: no limit. */
  set hashSpeed(bytesPerSecond: number) {
    this.#intake.hashSpeed = bytesPerSecond;
  }

  /** Switches watching on or off. */
  set watching(enabled: boolean) {
    this.#scans.watching = enabled;
  }

  /**
   * Adds a finished download with the SHA-1 that the caller has verified; it is not hashed again. Resolves with null when it is not
   * in a shared folder, or cannot be read.
   */
  async addFile(path: string, sha1: Buffer): Promise<SharedFile | null> {
    try {
      return await this.#intake.takeVerified(path, sha1);
    } catch (err) {
      this.#log.warn({ err, path }, `${path} is not shared: it cannot be read`); // its owner may have moved it already
      return null;
    }
  }

  /** Resolves when no scan, hash or write is pending. */
  async settled(): Promise<void> {
    if (this.#isBusy) await new Promise<void>(resolve => this.#settledWaiters.push(resolve));
    await this.#store.flush();
  }

  get #isBusy(): boolean {
    return this.#scans.isBusy || this.#intake.isBusy || this.#suspects.isBusy;
  }

  async #dropExcluded(folder: SharedFolder): Promise<void> {
    await this.#scans.drop(
      this.#catalog.indicesIn(place => place.folder === folder),
      path => folder.excluded(path, 'file') !== null,
    );
    this.#settle();
  }

  #noteChange(): void {
    this.#changeTime.of(this.#catalog.revision);
    if (this.#changed) return;
    this.#changed = true;
    void setImmediate().then(() => {
      this.#changed = false;
      if (!this.#stopping.signal.aborted) this.#onChange();
    });
  }

  #settle(): void {
    this.#suspects.wake();
    if (this.#isBusy) return;
    for (const folder of this.#folders)
      if (folder.scannedAt !== null && folder.say(this.#log)) this.#onScanned(folder.status);
    this.#media?.wake();
    for (const resolve of this.#settledWaiters.splice(0)) resolve();
  }
}
