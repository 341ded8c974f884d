// Keeps the data folder, with its token, keys and database, from being shared, except for the folders below it that are configured as
// shared. Compares real paths, so links do not circumvent it, and inodes, so that a second mount does not.
import { realpath, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { LibraryError } from './library-error.ts';

/** Names in the data folder that cannot be shared at all: hidden files, the store and its copies, the backup of a restore. */
const NEVER = /^(\.|store|before-restore)/;

/** Two numbers that only one folder of a machine has. */
interface Inode {
  readonly dev: number;
  readonly ino: number;
}

export class OwnFolder {
  readonly #path: string;
  readonly #named: () => readonly string[];
  #real: string;
  #open: readonly string[] = [];
  /** Device and inode of the data folder and of its store. */
  #identities: ReadonlySet<string> = new Set();

  /** `named` returns the configured folders, which may lie below `path`. */
  constructor(path: string, named: () => readonly string[]) {
    this.#path = resolve(path);
    this.#real = this.#path;
    this.#named = named;
  }

  /** Resolves the real paths; call it before a scan or refuse(). `more`: further shared folders. */
  async look(more: readonly string[] = []): Promise<void> {
    this.#real = await realOrSame(this.#path);
    const found = await Promise.all([this.#real, join(this.#real, 'store')].map(inodeOf));
    this.#identities = new Set(found.flatMap(inode => (inode === null ? [] : [identityOf(inode)])));
    const named = await Promise.all([...this.#named(), ...more].map(realOrSame));
    this.#open = named.filter(folder => isWithin(folder, this.#real) && !this.#isOurs(folder));
  }

  /** Rejects with LibraryError if the folder must not be shared. */
  async refuse(path: string, realPath: string): Promise<void> {
    const isClosed = isWithin(realPath, this.#real) ? this.#isOurs(realPath) : await this.#isBelowMount(realPath);
    if (!isClosed) return;
    throw new LibraryError(
      'LIBRARY_FOLDER_PRIVATE',
      `${path} holds the token, keys and state of this servent, which must stay private: share another folder, such as ${resolve(this.#path, 'shared')}`,
    );
  }

  isPrivate(realPath: string): boolean {
    return isWithin(realPath, this.#real) && !this.#open.some(folder => isWithin(realPath, folder));
  }

  /** Whether nothing below can be shared, so that a scan skips it. */
  isClosed(realFolder: string): boolean {
    return this.isPrivate(realFolder) && !this.#open.some(folder => isWithin(folder, realFolder));
  }

  /** Whether a folder is the data folder or its store, mounted a second time: nothing below is shared under that name. */
  isMount(realFolder: string, inode: Inode): boolean {
    return this.#identities.has(identityOf(inode)) && !isWithin(realFolder, this.#real);
  }

  async #isBelowMount(realPath: string): Promise<boolean> {
    for (let at = realPath; ; at = dirname(at)) {
      const inode = await inodeOf(at);
      if (inode !== null && this.isMount(at, inode)) return true;
      if (at === dirname(at)) return false;
    }
  }

  #isOurs(realPath: string): boolean {
    const below = relative(this.#real, realPath);
    return below === '' || NEVER.test(below);
  }
}

export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/** The path itself when it does not exist. */
async function realOrSame(path: string): Promise<string> {
  return await realpath(path).catch(() => resolve(path));
}

const identityOf = ({ dev, ino }: Inode): string => `${dev} ${ino}`;

/** Null for a path that cannot be examined. */
async function inodeOf(path: string): Promise<Inode | null> {
  return await stat(path).catch(() => null);
}
