// Says what strangers would see of a folder, and what is left out by which rule, without sharing it.
import { neverShared } from '../../settings/never-shared.ts';
import { headOf } from './file-head.ts';
import { FirstBytes } from './first-bytes.ts';
import { LibraryError, systemCode } from './library-error.ts';
import type { OwnFolder } from './own-folder.ts';
import { type FoundFile, type ScanOptions, scanFolder } from './scanner.ts';
import type { SharedFolder } from './shared-folder.ts';
import { type Kind, type LeftOut, type Reason, reasonView, Survey } from './survey.ts';

/** A file as strangers find it. */
export interface SeenFile {
  readonly name: string;
  readonly size: number;
  /** What those who browse see of its folder. */
  readonly folder: string | null;
}

export interface LeftOutPath {
  readonly path: string;
  readonly kind: Kind;
  readonly rule: string;
  readonly why: string;
}

export interface Preview {
  readonly files: number;
  readonly bytes: number;
  /** At most as many as were asked for; `files` counts all. */
  readonly seen: readonly SeenFile[];
  /** At most as many as were asked for; `byRule` counts all. */
  readonly leftOut: readonly LeftOutPath[];
  readonly leftOutMore: number;
  readonly byRule: readonly LeftOut[];
  /** The time was over before all was looked at. */
  readonly isCut: boolean;
}

/** Files read at the same time. */
const READS = 8;
/** Longest preview; one of a larger folder is cut short. */
const PREVIEW_MS = 20_000;
/** Previews at the same time. */
const PREVIEWS_MAX = 2;

export class Previewer {
  readonly #own: OwnFolder | null;
  readonly #stopping: AbortSignal;
  readonly #ms: number;
  readonly #firstBytes = new FirstBytes(neverShared().list.firstBytes);
  #running = 0;

  constructor(own: OwnFolder | null, stopping: AbortSignal, ms = PREVIEW_MS) {
    this.#own = own;
    this.#stopping = stopping;
    this.#ms = ms;
  }

  /** Reads of each file what judges it, after `check`. At most `limit` items in a list. Rejects with LibraryError. */
  async preview(folder: SharedFolder, limit: number, check: () => Promise<void>): Promise<Preview> {
    if (this.#running >= PREVIEWS_MAX)
      throw new LibraryError('LIBRARY_BUSY', `${PREVIEWS_MAX} folders are looked at already: try again later`);
    this.#running++;
    try {
      await check();
      return await this.#look(folder, new Findings(limit));
    } finally {
      this.#running--;
    }
  }

  async #look(folder: SharedFolder, findings: Findings): Promise<Preview> {
    const signal = AbortSignal.any([this.#stopping, AbortSignal.timeout(this.#ms)]);
    const excluded: ScanOptions['excluded'] = (path, kind) => folder.excluded(path, kind);
    for await (const slice of scanFolder(folder.realPath, { signal, survey: findings, own: this.#own, excluded }))
      for (let at = 0; at < slice.length && !signal.aborted; at += READS)
        await Promise.all(slice.slice(at, at + READS).map(file => this.#judge(file, folder, findings)));
    return findings.preview(signal.aborted);
  }

  async #judge(file: FoundFile, folder: SharedFolder, findings: Findings): Promise<void> {
    try {
      const rule = this.#firstBytes.ruleFor(await headOf(file.path, file.size));
      if (rule === null) findings.see(file, folder.seenFolder(file.path));
      else findings.leaveOut(neverShared().secret(rule), file.path, 'file');
    } catch (error) {
      findings.noteUnreadable(file.path, systemCode(error), 'file');
    }
  }
}

class Findings implements Pick<Survey, 'leaveOut' | 'noteUnreadable' | 'enter' | 'noteFile'> {
  readonly #limit: number;
  readonly #survey = new Survey();
  readonly #seen: SeenFile[] = [];
  readonly #leftOut: LeftOutPath[] = [];
  #leftOutMore = 0;
  #files = 0;
  #bytes = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  see({ name, size }: FoundFile, folder: string | null): void {
    this.#files++;
    this.#bytes += size;
    if (this.#seen.length < this.#limit) this.#seen.push({ name, size, folder });
  }

  leaveOut(reason: Reason, path: string, kind: Kind): void {
    this.#survey.leaveOut(reason, path, kind);
    if (this.#leftOut.length < this.#limit) this.#leftOut.push({ path, kind, ...reasonView(reason) });
    else this.#leftOutMore++;
  }

  noteUnreadable(path: string, code: string, kind: Kind): void {
    this.leaveOut({ rule: 'unreadable', reason: `not to be read (${code})` }, path, kind);
  }

  enter(): void {}

  noteFile(): void {}

  preview(isCut: boolean): Preview {
    return {
      files: this.#files,
      bytes: this.#bytes,
      seen: this.#seen,
      leftOut: this.#leftOut,
      leftOutMore: this.#leftOutMore,
      byRule: this.#survey.leftOut,
      isCut,
    };
  }
}
