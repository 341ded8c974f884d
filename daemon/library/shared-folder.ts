// One folder that is shared, with everything below it.
import { createHash } from 'node:crypto';
import { access, constants, realpath, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { folderRefusal } from '../../settings/folder-refusal.ts';
import type { Secret } from '../../settings/never-shared.ts';
import { LibraryError, systemCode } from './library-error.ts';
import { isWithin, type OwnFolder } from './own-folder.ts';
import { type LeftOut, Survey } from './survey.ts';

export type FolderState = 'waiting' | 'scanning' | 'ready' | 'failed';

export interface FolderStatus {
  readonly id: string;
  readonly path: string;
  readonly state: FolderState;
  /** Shared, that is hashed. */
  readonly files: number;
  readonly bytes: number;
  /** Why nothing, or not everything, is shared; null as soon as that is over. */
  readonly error: string | null;
  /** It, or something in it, cannot be read; an error may also be of what was left out. */
  readonly unread: boolean;
  /** What the last scan left out, by rule. */
  readonly leftOut: readonly LeftOut[];
  /** Milliseconds since 1970. */
  readonly scannedAt: number | null;
}

export class SharedFolder {
  /** The same at every start. */
  readonly id: string;
  readonly path: string;
  /** Added at run time and not by the configuration. */
  readonly added: boolean;
  /** Where it is when no link is left in the path; the path itself until the first scan. */
  realPath: string;
  state: FolderState = 'waiting';
  /** Why nothing of it is shared. */
  trouble: string | null = null;
  /** What the last scan met; the one that runs has its own until it ends. */
  survey = new Survey();
  running: Survey | null = null;
  /** Files that could not be hashed: path to the system's code. Bounded by the files of the library. */
  readonly failures = new Map<string, string>();
  files = 0;
  bytes = 0;
  scannedAt: number | null = null;
  /** Counts scans. */
  generation = 0;
  /** To be scanned; set again during a scan it asks for another. */
  due = false;
  removed = false;
  /** Last in the log. */
  saidError: string | null = null;
  saidLeftOut = '';

  constructor(path: string, added: boolean) {
    this.path = resolve(path);
    this.realPath = this.path;
    this.added = added;
    this.id = createHash('sha1').update(this.path).digest('hex').slice(0, 12);
  }

  get status(): FolderStatus {
    const { id, path, state, files, bytes, error, scannedAt } = this;
    const unread = this.trouble !== null || this.survey.unread || this.failures.size > 0;
    return { id, path, state, files, bytes, error, unread, leftOut: this.survey.leftOut, scannedAt };
  }

  /** Made of what is wrong now, so that it ends with its cause. */
  get error(): string | null {
    const faults = this.trouble === null ? [...this.survey.faults, ...this.#unhashed] : [this.trouble];
    return faults.length === 0 ? null : faults.join('; ');
  }

  /** Real paths both. */
  contains(path: string): boolean {
    return isWithin(path, this.realPath);
  }

  get #unhashed(): string[] {
    for (const [path, code] of this.failures) {
      const { size } = this.failures;
      return [
        size === 1 ? `${path} cannot be read (${code})` : `${size} files cannot be read, the first: ${path} (${code})`,
      ];
    }
    return [];
  }

  /** Throws LibraryError with what to do about it. Sets realPath. */
  async check(own: OwnFolder | null): Promise<void> {
    this.realPath = await checkedFolder(this.path);
    own?.refuse(this.path, this.realPath);
    const refusal = await folderRefusal(this.path);
    if (refusal !== null) throw new LibraryError('LIBRARY_FOLDER_REFUSED', refusal);
  }

  /** A file in it that turned out to be private: counted by the last scan and by one that runs. */
  withhold(secret: Secret, path: string): void {
    this.survey.withhold(secret, path);
    this.running?.withhold(secret, path);
  }
}

/** The real path of a folder that can be read. Throws LibraryError. */
async function checkedFolder(path: string): Promise<string> {
  try {
    const real = await realpath(path);
    const stats = await stat(real);
    if (!stats.isDirectory()) throw new LibraryError('LIBRARY_NOT_A_FOLDER', `${path} is not a folder`);
    await access(real, constants.R_OK | constants.X_OK);
    return real;
  } catch (error) {
    if (error instanceof LibraryError) throw error;
    const code = systemCode(error);
    const options = { cause: error };
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new LibraryError('LIBRARY_FOLDER_MISSING', `${path} does not exist: make it, or unshare it`, options);
    }
    throw new LibraryError(
      'LIBRARY_FOLDER_UNREADABLE',
      `${path} cannot be read (${code}): let this user read it, or unshare it`,
      options,
    );
  }
}
