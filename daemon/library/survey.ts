// What one scan of a folder met besides files to share: what it left out and by which rule, and the folders it went through.
import { dirname } from 'node:path';
import { formatFilesAndFolders } from '../../api/format.ts';
import type { Secret } from '../../settings/never-shared.ts';

/** Rules that leave something out because of what it is. */
export type LeftOutRule = keyof typeof RULES;

/** Those, and the rules of what is never shared. */
export type Reason = LeftOutRule | Secret;

interface Rule {
  readonly one: string;
  readonly many: string;
  /** A person would not expect it: said in the folder's error. */
  readonly fault: boolean;
}

const RULES = {
  'not-utf8': { one: 'its name is not UTF-8', many: 'their names are not UTF-8', fault: true },
  'too-long': { one: 'its path is too long', many: 'their paths are too long', fault: true },
  'too-deep': { one: 'it lies too deep', many: 'they lie too deep', fault: true },
  'too-many': { one: 'there are too many', many: 'there are too many', fault: true },
  'file-system': {
    one: 'what is mounted there is no disk',
    many: 'what is mounted there is no disk',
    fault: false,
  },
  'data-folder': { one: 'it is state of the servent', many: 'they are state of the servent', fault: false },
  hidden: { one: 'its name begins with a dot', many: 'their names begin with a dot', fault: false },
  partial: { one: 'its name is that of a part', many: 'their names are those of parts', fault: false },
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
  /** `its name is not UTF-8`, in the plural when there are several. */
  readonly why: string;
  readonly files: number;
  readonly folders: number;
  readonly first: string;
}

export type Kind = 'file' | 'folder';

interface Tally {
  readonly rule: Rule;
  files: number;
  folders: number;
  readonly first: string;
}

/** A folder that the scan went into. */
interface Place {
  readonly dev: number;
  /** Not everything in it could be looked at. */
  unread: boolean;
  /** A file to share lies in it, or deeper. */
  hasFiles: boolean;
}

export class Survey {
  /** By path; bounded by the scanner, and emptied when the sweep of the store is over. */
  readonly #places = new Map<string, Place>();
  readonly #leftOut = new Map<string, Tally>();
  /** Never shared because of their first bytes. Bounded by the files that a scan finds. */
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

  /** A file whose first bytes say that it is never shared; once or again. */
  withhold(secret: Secret, path: string): void {
    if (this.#withheld.has(path)) return;
    this.#withheld.add(path);
    this.leaveOut(secret, path, 'file');
  }

  withholds(path: string): boolean {
    return this.#withheld.has(path);
  }

  /** A file or folder that could not be looked at; `code` is the system's. */
  noteUnreadable(path: string, code: string, kind: Kind): void {
    const place = this.#places.get(kind === 'folder' ? path : dirname(path));
    if (place !== undefined) place.unread = true;
    if (code === 'ENAMETOOLONG') this.leaveOut('too-long', path, kind);
    else if (++this.#unreadable === 1) this.#firstUnreadable = `${path} (${code})`;
  }

  enter(folder: string, dev: number): void {
    this.#places.set(folder, { dev, unread: false, hasFiles: false });
  }

  noteFile(path: string): void {
    for (let at = dirname(path); ; at = dirname(at)) {
      const place = this.#places.get(at);
      if (place === undefined || place.hasFiles) return;
      place.hasFiles = true;
    }
  }

  /**
   * Whether a file that the scan has not found may be there again later, as when its disk is mounted: the nearest folder above it could not
   * be read, has no file in it any more, or lies on another device than `dev`, where the file lay.
   */
  mayReturn(path: string, dev: number | undefined): boolean {
    if (this.#leftOut.has('too-many') || this.#leftOut.has('too-long')) return true;
    for (let at = dirname(path); ; at = dirname(at)) {
      const place = this.#places.get(at);
      if (place !== undefined) return place.unread || !place.hasFiles || (dev !== undefined && dev !== place.dev);
      if (at === dirname(at)) return true; // not even the shared folder was there
    }
  }

  /** Something could not be looked at. */
  get unread(): boolean {
    return this.#unreadable > 0;
  }

  /** Nobody asks where a file may be any more. */
  close(): void {
    this.#places.clear();
  }

  /** By rule, at most one of each. */
  get leftOut(): LeftOut[] {
    return [...this.#leftOut].map(([name, tally]) => view(name, tally));
  }

  /** What a person should hear of, a sentence each. */
  get faults(): string[] {
    const faults = [...this.#leftOut]
      .filter(([, { rule }]) => rule.fault)
      .map(([name, tally]) => said(view(name, tally)));
    if (this.#unreadable > 0)
      faults.unshift(`${this.#unreadable} could not be read, the first: ${this.#firstUnreadable}`);
    return faults;
  }
}

const ruleOf = (reason: Reason): Rule =>
  typeof reason === 'string' ? RULES[reason] : { one: reason.reason, many: reason.reason, fault: false };

function view(rule: string, { rule: { one, many }, files, folders, first }: Tally): LeftOut {
  return { rule, why: files + folders === 1 ? one : many, files, folders, first };
}

/** `1 folder is passed over: its name is not UTF-8 (/music/M\ufffdsik)`. */
function said({ files, folders, why, first }: LeftOut): string {
  const single = files + folders === 1;
  return `${formatFilesAndFolders({ files, folders })} ${single ? 'is' : 'are'} passed over: ${why} (${single ? '' : 'the first: '}${first})`;
}
