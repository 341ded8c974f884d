// The shared folders: those of the configuration and those added at run time, none inside another, with what their owner chose for each.
import type { Log } from '../log.ts';
import type { FileStore } from '../store/files.ts';
import { LibraryError } from './library-error.ts';
import type { OwnFolder } from './own-folder.ts';
import { type FolderChoices, SharedFolder } from './shared-folder.ts';

export interface FolderListOptions {
  readonly store: Pick<FileStore, 'folders' | 'keepFolder' | 'removeFolder'>;
  /** The data folder, which is not shared. */
  readonly own: OwnFolder | null;
  /** Patterns for all folders. */
  readonly exclude: readonly string[];
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export class FolderList {
  readonly #options: FolderListOptions;
  readonly #folders = new Map<string, SharedFolder>();
  #exclude: readonly string[];

  constructor(options: FolderListOptions) {
    this.#options = options;
    this.#exclude = options.exclude;
  }

  /** Adds the folders of the configuration and those of the store, even missing ones. Rejects with StoreError. */
  async load(configured: readonly string[]): Promise<void> {
    const stored = await this.#options.store.folders();
    for (const path of configured) await this.#adopt(new SharedFolder(path, false, stored.get(path)));
    for (const [path, record] of stored)
      if (record.addedAt !== undefined) await this.#adopt(new SharedFolder(path, true, record));
  }

  /** Adds a folder unless it is shared already. */
  async #adopt(folder: SharedFolder): Promise<void> {
    if (this.#folders.has(folder.id)) return;
    folder.choose({}, this.#exclude);
    await Promise.allSettled([this.check(folder)]); // the scan reports the error
    const other = this.#overlapping(folder);
    if (other === null) this.#folders.set(folder.id, folder);
    else
      this.#options.log.warn(
        { folder: folder.path, other: other.path },
        `${folder.path} is not scanned separately: it overlaps ${other.path}`,
      );
  }

  [Symbol.iterator](): IterableIterator<SharedFolder> {
    return this.#folders.values();
  }

  /** Throws LibraryError. */
  get(id: string): SharedFolder {
    const folder = this.#folders.get(id);
    if (folder === undefined) throw new LibraryError('LIBRARY_FOLDER_UNKNOWN', `no shared folder has the id ${id}`);
    return folder;
  }

  /** The folder that is shared by this path; null: none. Throws LibraryError. */
  at(path: string): SharedFolder | null {
    return this.#folders.get(this.#folderAt(path, {}).id) ?? null;
  }

  /** The folder that shares the file at a real path; null: none, or it is excluded. */
  of(realPath: string): SharedFolder | null {
    if (this.#options.own?.isPrivate(realPath) === true) return null;
    for (const folder of this.#folders.values())
      if (folder.contains(realPath)) return folder.excluded(realPath, 'file') === null ? folder : null;
    return null;
  }

  /** Shares a folder now and at later starts; changes the choices of one that is shared. Rejects with LibraryError, StoreError. */
  async add(path: string, choices: Partial<FolderChoices>): Promise<SharedFolder> {
    const folder = this.#folderAt(path, choices);
    if (this.#folders.has(folder.id)) return await this.change(folder.id, choices);
    await this.check(folder);
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
    await this.#keep(folder, folder.choices);
    this.#folders.set(folder.id, folder);
    return folder;
  }

  /** Rejects with LibraryError, StoreError. */
  async change(id: string, choices: Partial<FolderChoices>): Promise<SharedFolder> {
    const folder = this.get(id);
    const changed = { ...folder.choices, ...choices };
    if (choices.force !== undefined) await this.check(this.#folderAt(folder.path, changed));
    await this.#keep(folder, changed);
    folder.choose(choices, this.#exclude);
    return folder;
  }

  /** One of the configuration is shared again at the next start. Rejects with LibraryError, StoreError. */
  async remove(id: string): Promise<SharedFolder> {
    const folder = this.get(id);
    if (folder.added) await this.#options.store.removeFolder(folder.path);
    folder.removed = true;
    this.#folders.delete(id);
    return folder;
  }

  /** The folder at this path with these choices, and with its own if it is shared: to be looked at, and not shared by that. */
  sample(path: string, choices: Partial<FolderChoices>): SharedFolder {
    const known = [...this.#folders.values()].find(folder => folder.path === path);
    return this.#folderAt(path, { ...known?.choices, ...choices });
  }

  /** Patterns for all folders. */
  set exclude(patterns: readonly string[]) {
    this.#exclude = patterns;
    for (const folder of this.#folders.values()) folder.choose({}, patterns);
  }

  /** Checks that the folder may be shared. Rejects with LibraryError. */
  async check(folder: SharedFolder): Promise<void> {
    const { own } = this.#options;
    await own?.look([...this.#folders.values()].map(({ path }) => path));
    await folder.check(own);
  }

  #folderAt(path: string, choices: Partial<FolderChoices>): SharedFolder {
    const folder = new SharedFolder(path, true, choices);
    folder.choose({}, this.#exclude);
    return folder;
  }

  #keep({ path, added }: SharedFolder, choices: FolderChoices): Promise<void> {
    const { store, now } = this.#options;
    return store.keepFolder(path, { ...choices, ...(added ? { addedAt: now() } : {}) });
  }

  #overlapping(folder: SharedFolder): SharedFolder | null {
    for (const other of this.#folders.values()) {
      if (other.contains(folder.realPath) || folder.contains(other.realPath)) return other;
    }
    return null;
  }
}
