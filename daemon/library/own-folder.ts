// The data folder as the library sees it: token, keys and database lie there, so nothing in it is shared but what a folder below it,
// named by its owner, holds. All by real path: a link changes nothing.
import { realpath } from 'node:fs/promises';
import { relative, resolve, sep } from 'node:path';
import { LibraryError } from './library-error.ts';

/** What of the data folder is never shared, by whatever path it is named: the store, copies of it, what a restore put aside. */
const NEVER = /^(\.|store|before-restore)/;

export class OwnFolder {
  readonly #path: string;
  readonly #named: () => readonly string[];
  #real: string;
  #open: readonly string[] = [];

  /** `named`: folders that may be shared, and may lie below `path`. */
  constructor(path: string, named: () => readonly string[]) {
    this.#path = resolve(path);
    this.#real = this.#path;
    this.#named = named;
  }

  /** Where everything is now; before a scan, and before a folder is judged. `more`: shared besides those that were named. */
  async look(more: readonly string[] = []): Promise<void> {
    this.#real = await realOrSame(this.#path);
    const named = await Promise.all([...this.#named(), ...more].map(realOrSame));
    this.#open = named.filter(folder => isWithin(folder, this.#real) && !this.#isOurs(folder));
  }

  /** Throws LibraryError for a folder, by its real path, that nobody may share. */
  refuse(path: string, realPath: string): void {
    if (!isWithin(realPath, this.#real) || !this.#isOurs(realPath)) return;
    throw new LibraryError(
      'LIBRARY_FOLDER_PRIVATE',
      `${path} holds the token, keys and state of this servent, for nobody else: share a folder of its own, such as ${resolve(this.#path, 'shared')}`,
    );
  }

  isPrivate(realPath: string): boolean {
    return isWithin(realPath, this.#real) && !this.#open.some(folder => isWithin(realPath, folder));
  }

  /** Whether a walk need not go there: nothing below can be shared. */
  isClosed(realFolder: string): boolean {
    return this.isPrivate(realFolder) && !this.#open.some(folder => isWithin(folder, realFolder));
  }

  #isOurs(realPath: string): boolean {
    const below = relative(this.#real, realPath);
    return below === '' || NEVER.test(below);
  }
}

export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/** What is not there yet leads nowhere else. */
async function realOrSame(path: string): Promise<string> {
  return await realpath(path).catch(() => resolve(path));
}
