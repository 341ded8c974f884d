// A shared folder: path, state of its scans, errors, files left out.
import { createHash } from 'node:crypto';
import { access, constants, realpath, stat } from 'node:fs/promises';
import { relative, resolve, sep } from 'node:path';
import { formatLeftOut } from '../../api/format.ts';
import { Exclusion } from '../../settings/exclusion.ts';
import { folderRefusal } from '../../settings/folder-refusal.ts';
import type { Secret } from '../../settings/never-shared.ts';
import type { Log } from '../log.ts';
import { LibraryError, systemCode } from './library-error.ts';
import { isWithin, type OwnFolder } from './own-folder.ts';
import { type Kind, type LeftOut, Survey } from './survey.ts';

export type FolderState = 'waiting' | 'scanning' | 'ready' | 'failed' | 'cancelled';

/** What its owner wants of one folder; kept over restarts. */
export interface FolderChoices {
  /** gitignore patterns, after those for all folders. */
  readonly exclude: readonly string[];
  /** A person means it, though it is a folder that is refused otherwise. */
  readonly force: boolean;
  /** What strangers who browse see in place of its path, before the folders below it; null: they see file names alone. */
  readonly label: string | null;
}

export interface FolderStatus extends FolderChoices {
  readonly id: string;
  readonly path: string;
  readonly state: FolderState;
  /** Number of shared files. */
  readonly files: number;
  readonly bytes: number;
  /** Why files are not shared; null: no problem. */
  readonly error: string | null;
  /** The folder or part of it cannot be read. */
  readonly unread: boolean;
  /** Files and folders that the last scan left out, by rule. */
  readonly leftOut: readonly LeftOut[];
  /** Milliseconds since 1970. */
  readonly scannedAt: number | null;
}

const NO_CHOICES: FolderChoices = { exclude: [], force: false, label: null };
/** Failure of a file whose content has changed while its size and time have not. */
export const DIFFERS = 'DIFFERS';
const DIFFERS_TEXT =
  'changed on the disk without a new date and not shared any more: restore it from a copy if it is damaged, then touch it';

export class SharedFolder {
  /** The same at every start. */
  readonly id: string;
  readonly path: string;
  /** Added at run time and not by the configuration. */
  readonly added: boolean;
  #choices: FolderChoices;
  #exclusion = new Exclusion([]);
  /** The path without links; equal to `path` until the first scan. */
  realPath: string;
  state: FolderState = 'waiting';
  /** Why the whole folder is not shared; null: it is. */
  trouble: string | null = null;
  /** Result of the last finished scan. */
  survey = new Survey();
  running: Survey | null = null;
  /** System error code of files that could not be hashed, or DIFFERS, by path. Bounded by the files of the library. */
  readonly failures = new Map<string, string>();
  files = 0;
  bytes = 0;
  scannedAt: number | null = null;
  /** Counts scans. */
  generation = 0;
  /** A scan is due. Setting it during a scan requests another. */
  due = false;
  removed = false;
  /** System error code with which a folder below could not be watched; null: all are watched, or none. */
  unwatched: string | null = null;
  /** Latest error written to the log. */
  #saidError: string | null = null;
  #saidLeftOut = '';

  constructor(path: string, added: boolean, choices: Partial<FolderChoices> = {}) {
    this.path = resolve(path);
    this.realPath = this.path;
    this.added = added;
    const { exclude, force, label } = { ...NO_CHOICES, ...choices };
    this.#choices = { exclude, force, label };
    this.id = createHash('sha1').update(this.path).digest('hex').slice(0, 12);
  }

  get status(): FolderStatus {
    const { id, path, state, files, bytes, error, scannedAt } = this;
    const unread = this.trouble !== null || this.survey.unread || this.failures.size > 0;
    const { leftOut } = this.survey;
    return { id, path, state, files, bytes, error, unread, leftOut, scannedAt, ...this.#choices };
  }

  /** Computed from the present state, so that it ends with its cause. */
  get error(): string | null {
    const faults = this.trouble === null ? [...this.survey.faults, ...this.#unhashed, ...this.#unseen] : [this.trouble];
    return faults.length === 0 ? null : faults.join('; ');
  }

  /** `path` is a real path. */
  contains(path: string): boolean {
    return isWithin(path, this.realPath);
  }

  get choices(): FolderChoices {
    return this.#choices;
  }

  /** Replaces the choices given. `everywhere`: patterns for all folders. */
  choose(choices: Partial<FolderChoices>, everywhere: readonly string[]): void {
    this.#choices = { ...this.#choices, ...choices };
    this.#exclusion = new Exclusion([...everywhere, ...this.#choices.exclude]);
  }

  /** Why its owner leaves out what lies at this real path, or null. */
  excluded(path: string, kind: Kind): Secret | null {
    return this.#exclusion.ruleFor(this.#below(path), kind);
  }

  /** What strangers who browse see of the folder that a file lies in, by its real path: never a path of this machine. */
  seenFolder(path: string): string | null {
    const { label } = this.#choices;
    if (label === null) return null;
    return [label, ...this.#below(path).split('/').slice(0, -1)].filter(name => name !== '').join('/');
  }

  #below(path: string): string {
    return relative(this.realPath, path).split(sep).join('/');
  }

  get #unseen(): string[] {
    const { unwatched } = this;
    if (unwatched === null) return [];
    const bound = { ENOSPC: 'fs.inotify.max_user_watches', EMFILE: 'fs.inotify.max_user_instances' }[unwatched];
    const mend = bound === undefined ? unwatched : `${unwatched}: raise ${bound} with sysctl`;
    return [`changes in some folders below are found only by scans, as the system does not watch them (${mend})`];
  }

  get #unhashed(): string[] {
    const differing = [...this.failures].filter(([, code]) => code === DIFFERS);
    const unread = [...this.failures].filter(([, code]) => code !== DIFFERS);
    const faults: string[] = [];
    for (const [path, code] of unread.slice(0, 1)) {
      const others = `${unread.length} files cannot be read, the first: ${path} (${code})`;
      faults.push(unread.length === 1 ? `${path} cannot be read (${code})` : others);
    }
    for (const [path] of differing.slice(0, 1)) {
      const others = `${differing.length} files, the first ${path}, are ${DIFFERS_TEXT}`;
      faults.push(differing.length === 1 ? `${path} is ${DIFFERS_TEXT}` : others);
    }
    return faults;
  }

  /** Checks that the folder may be shared and sets realPath. Rejects with LibraryError, which says what to do. */
  async check(own: OwnFolder | null): Promise<void> {
    this.realPath = await checkedFolder(this.path);
    await own?.refuse(this.path, this.realPath);
    const refusal = await folderRefusal(this.path, { force: this.#choices.force });
    if (refusal !== null) throw new LibraryError('LIBRARY_FOLDER_REFUSED', refusal);
  }

  /** Logs changes of error and left-out files since the last call. Returns true if the error changed. */
  say(log: Log): boolean {
    const { path, error, leftOut } = this.status;
    const rules = formatLeftOut(leftOut);
    if (rules !== this.#saidLeftOut && rules !== '')
      log.info({ folder: path, leftOut }, `left out of ${path}: ${rules}`);
    this.#saidLeftOut = rules;
    if (error === this.#saidError) return false;
    if (error === null) log.info({ folder: path }, `sharing ${path}: the error is resolved`);
    else log.warn({ folder: path }, `sharing ${path}: ${error}`);
    this.#saidError = error;
    return true;
  }

  /** Counts a file found to be private, in the last scan and in a running one. */
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
      const todo = /[\\/]~/.test(path)
        ? 'only a shell takes ~ for your home folder, so give the whole path'
        : 'create it, or unshare it';
      throw new LibraryError('LIBRARY_FOLDER_MISSING', `${path} does not exist: ${todo}`, options);
    }
    throw new LibraryError(
      'LIBRARY_FOLDER_UNREADABLE',
      `${path} cannot be read (${code}): give this user the right to read it, or unshare it`,
      options,
    );
  }
}
