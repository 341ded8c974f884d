// Records what one scan of a folder left out, by rule, what it could not read, and the folders it visited.
import { dirname } from 'node:path';
import { formatFilesAndFolders } from '../../api/format.ts';
import type { Secret } from '../../settings/never-shared.ts';

/** Rules by name or type of a file or folder. */
export type LeftOutRule = keyof typeof RULES;

/** Also the rules for private files. */
export type Reason = LeftOutRule | Secret;

interface Rule {
  readonly one: string;
  readonly many: string;
  /** Reported as an error of the folder, because users do not expect it. */
  readonly fault: boolean;
}

const RULES = {
  'not-utf8': { one: 'its name is not UTF-8', many: 'their names are not UTF-8', fault: true },
  'too-long': { one: 'its path is too long', many: 'their paths are too long', fault: true },
  'too-deep': { one: 'it lies too deep', many: 'they lie too deep', fault: true },
  'too-many': { one: 'there are too many', many: 'there are too many', fault: true },
  'file-system': {
    one: 'a special file system is mounted there',
    many: 'a special file system is mounted there',
    fault: false,
  },
  'data-folder': { one: 'it is data of the servent', many: 'they are data of the servent', fault: false },
  hidden: { one: 'its name begins with a dot', many: 'their names begin with a dot', fault: false },
  partial: {
    one: 'its name is that of an incomplete file',
    many: 'their names are those of incomplete files',
    fault: false,
  },
  empty: { one: 'it is empty', many: 'they are empty', fault: false },
  link: { one: 'it is a link', many: 'they are links', fault: false },
  special: {
    one: 'it is a pipe, socket or device',
    many: 'they are pipes, sockets or devices',
    fault: false,
  },
} satisfies Record<string, Rule>;

/** Things left out by one rule. */
export interface LeftOut {
  readonly rule: string;
  /** Such as `its name is not UTF-8`; plural when there are several. */
  readonly why: string;
  readonly files: number;
  readonly folders: number;
  readonly first: string;
}

export type Kind = 'file' | 'folder';

interface LeftOutCount {
  readonly rule: Rule;
  files: number;
  folders: number;
  readonly first: string;
}

/** A folder visited by the scan. */
interface VisitedFolder {
  readonly dev: number;
  /** Part of it could not be read. */
  unread: boolean;
  /** It or a folder below contains a file to share. */
  hasFiles: boolean;
}

export class Survey {
  /** Visited folders by path; bounded by the scanner, emptied by close(). */
  readonly #places = new Map<string, VisitedFolder>();
  readonly #leftOut = new Map<string, LeftOutCount>();
  /** Paths excluded by their first bytes. Bounded by the files that a scan finds. */
  readonly #withheld = new Set<string>();
  #unreadable = 0;
  #firstUnreadable = '';

  leaveOut(reason: Reason, path: string, kind: Kind): void {
    const name = typeof reason === 'string' ? reason : reason.rule;
    const tally = this.#leftOut.get(name) ?? { rule: ruleOf(reason), files: 0, folders: 0, first: path };
    this.#leftOut.set(name, tally);
    if (kind === 'file') tally.files++;
    else tally.folders++;
  }

  /** Counts a file excluded by its first bytes; repeated calls count once. */
  withhold(secret: Secret, path: string): void {
    if (this.#withheld.has(path)) return;
    this.#withheld.add(path);
    this.leaveOut(secret, path, 'file');
  }

  withholds(path: string): boolean {
    return this.#withheld.has(path);
  }

  /** Counts a file or folder that could not be read; `code` is the system's. */
  noteUnreadable(path: string, code: string, kind: Kind): void {
    const place = this.#places.get(kind === 'folder' ? path : dirname(path));
    if (place !== undefined) place.unread = true;
    if (code === 'ENAMETOOLONG') this.leaveOut('too-long', path, kind);
    else if (++this.#unreadable === 1) this.#firstUnreadable = `${path} (${code})`;
  }

  enter(folder: string, dev: number): void {
    this.#places.set(folder, { dev, unread: false, hasFiles: false });
  }

  visited(folder: string): boolean {
    return this.#places.has(folder);
  }

  noteFile(path: string): void {
    for (let at = dirname(path); ; at = dirname(at)) {
      const place = this.#places.get(at);
      if (place === undefined || place.hasFiles) return;
      place.hasFiles = true;
    }
  }

  /**
   * Whether a missing file may return, as when its disk is mounted again: the nearest visited folder above it could not be read, has
   * no file left, or is on another device than `dev`, the earlier device of the file.
   */
  mayReturn(path: string, dev: number | undefined): boolean {
    if (this.#leftOut.has('too-many') || this.#leftOut.has('too-long')) return true;
    for (let at = dirname(path); ; at = dirname(at)) {
      const place = this.#places.get(at);
      if (place !== undefined) return place.unread || !place.hasFiles || (dev !== undefined && dev !== place.dev);
      if (at === dirname(at)) return true; // the shared folder itself is missing
    }
  }

  /** Something could not be read. */
  get unread(): boolean {
    return this.#unreadable > 0;
  }

  /** Frees the visited folders; mayReturn() must not be called afterwards. */
  close(): void {
    this.#places.clear();
  }

  /** One entry for each rule that applied. */
  get leftOut(): LeftOut[] {
    return [...this.#leftOut].map(([name, tally]) => view(name, tally));
  }

  /** Errors to report, one sentence each. */
  get faults(): string[] {
    const faults = [...this.#leftOut]
      .filter(([, { rule }]) => rule.fault)
      .map(([name, tally]) => said(view(name, tally)));
    if (this.#unreadable > 0)
      faults.unshift(`${this.#unreadable} could not be read, the first: ${this.#firstUnreadable}`);
    return faults;
  }
}

/** One thing left out by it. */
export function reasonView(reason: Reason): { rule: string; why: string } {
  return { rule: typeof reason === 'string' ? reason : reason.rule, why: ruleOf(reason).one };
}

const ruleOf = (reason: Reason): Rule =>
  typeof reason === 'string' ? RULES[reason] : { one: reason.reason, many: reason.reason, fault: false };

function view(rule: string, { rule: { one, many }, files, folders, first }: LeftOutCount): LeftOut {
  return { rule, why: files + folders === 1 ? one : many, files, folders, first };
}

/** `1 folder is left out: its name is not UTF-8 (/music/M\ufffdsik)`. */
function said({ files, folders, why, first }: LeftOut): string {
  const single = files + folders === 1;
  return `${formatFilesAndFolders({ files, folders })} ${single ? 'is' : 'are'} left out: ${why} (${single ? '' : 'the first: '}${first})`;
}
