// Turns found files into shared ones: takes the hash from the store or computes it, and repeats that for files that change meanwhile.
import { realpath } from 'node:fs/promises';
import { relative, sep } from 'node:path';
import type { ContentDigest } from '../../protocol/digest/content-digest.ts';
import type { SharedFile } from '../../protocol/search/shared-file.ts';
import { neverShared } from '../../settings/never-shared.ts';
import type { Log } from '../log.ts';
import type { FileRecord, FileStore } from '../store/files.ts';
import type { Catalog, CatalogEntry, KnownContent } from './catalog.ts';
import type { Evidence } from './evidence.ts';
import { headOf } from './file-head.ts';
import { FileJob, type OnHashed } from './file-job.ts';
import { FirstBytes } from './first-bytes.ts';
import { type HashJob, HashPool } from './hash-pool.ts';
import type { HashResult } from './hash-worker.ts';
import { contentOf, isSuspect, KnownFiles } from './known-files.ts';
import { systemCode } from './library-error.ts';
import { type FoundFile, findOne, leftOutByName } from './scanner.ts';
import { Settling } from './settling.ts';
import { DIFFERS, type SharedFolder } from './shared-folder.ts';

/** Longest wait before a file that changed while it was hashed is examined again. */
const UNSETTLED_MS = 30_000;

export interface HashingStatus {
  /** Files still to hash. */
  readonly pending: number;
  /** Files hashed since the start, without those known from the store. */
  readonly done: number;
  readonly bytesLeft: number;
  /** Bytes read per second, over the last seconds. */
  readonly rate: number;
  readonly current: string | null;
  /** Number of shared files whose hash tree is still to be made. */
  readonly trees: number;
}

export interface IntakeOptions {
  readonly catalog: Catalog;
  readonly store: FileStore;
  readonly log: Log;
  /** A pool owned by the caller. Absent: the intake creates one. */
  readonly hashPool?: HashPool | undefined;
  readonly unsettledMs?: number | undefined;
  /** The shared folder that contains a real path. */
  readonly folderOf: (realPath: string) => SharedFolder | null;
  /** Called when the set of shared files changes. */
  readonly onChange: () => void;
  /** Called with a file that is shared from now on, and with one that is not any more. */
  readonly onShared?: (index: number, name: string) => void;
  readonly onUnshared?: (index: number) => void;
  /** Called when a job ends. */
  readonly onDone: () => void;
}

/**
 * Result of reading a known file again: its tree is made, it is unchanged, it has another content though nothing has changed it, it was
 * replaced by another content under its old date, or it cannot be told.
 */
export type ReadAgain = 'tree' | 'same' | 'differs' | 'replaced' | 'gone';

export class Intake {
  readonly #catalog: Catalog;
  readonly #known: KnownFiles;
  readonly #log: Log;
  readonly #pool: HashPool;
  readonly #ownsPool: boolean;
  readonly #folderOf: IntakeOptions['folderOf'];
  readonly #never = neverShared();
  readonly #firstBytes = new FirstBytes(this.#never.list.firstBytes);
  readonly #onChange: () => void;
  readonly #onShared: IntakeOptions['onShared'];
  readonly #onUnshared: IntakeOptions['onUnshared'];
  readonly #onDone: () => void;
  /** Jobs of this intake in the pool, by index of the file. */
  readonly #jobs = new Map<number, HashJob>();
  readonly #settling: Settling;
  /** One function for all jobs: a closure for each would be most of their memory. */
  readonly #onDoneJob: OnHashed = (index, result, known) => this.#onHashed(index, result, known);
  #unsettledTimer: NodeJS.Timeout | null = null;
  #hashed = 0;
  #rechecks = 0;
  #cancels = 0;
  #stopped = false;

  constructor(options: IntakeOptions) {
    this.#catalog = options.catalog;
    this.#known = new KnownFiles(options.store, this.#firstBytes.stamp);
    this.#log = options.log;
    this.#pool = options.hashPool ?? new HashPool();
    this.#ownsPool = options.hashPool === undefined;
    this.#settling = new Settling(options.unsettledMs ?? UNSETTLED_MS);
    this.#folderOf = options.folderOf;
    this.#onChange = options.onChange;
    this.#onShared = options.onShared;
    this.#onUnshared = options.onUnshared;
    this.#onDone = options.onDone;
  }

  get isBusy(): boolean {
    return this.#rechecks > 0 || this.#jobs.size > 0;
  }

  get hashing(): HashingStatus {
    const { bytesLeft, rate, current } = this.#pool;
    return { pending: this.#jobs.size, done: this.#hashed, bytesLeft, rate, current, trees: this.#catalog.treeless };
  }

  /** Most bytes read per second; 0: no limit. */
  set hashSpeed(bytesPerSecond: number) {
    this.#pool.speed = bytesPerSecond;
  }

  /** Whether a file has changed while it was hashed and waits to be tried again. */
  isUnsettled(path: string): boolean {
    return this.#settling.isWaiting(path);
  }

  /** Hashes nothing of what is waiting; those files are unknown afterwards. */
  cancel(): void {
    this.#cancels++;
    for (const index of [...this.#jobs.keys()]) {
      const entry = this.#catalog.byIndex(index);
      if (entry !== null) this.remove(entry);
    }
    this.#pool.dropCancelled();
    this.#onDone();
  }

  /** Stops hashing at once. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#unsettledTimer !== null) clearTimeout(this.#unsettledTimer);
    for (const job of this.#jobs.values()) job.cancelled = true;
    this.#jobs.clear();
    if (this.#ownsPool) await this.#pool.close();
  }

  /** Takes files found on the disk. New and changed ones are shared, after hashing if the store does not know them. */
  async take(folder: SharedFolder, found: readonly FoundFile[]): Promise<void> {
    const unknown: FoundFile[] = [];
    for (const file of found) {
      const index = this.#catalog.see(file, folder);
      if (index < 0) {
        const entry = this.#catalog.byPath(file.path);
        if (entry !== null) this.remove(entry);
        unknown.push(file);
      } else if (
        this.#catalog.isFailed(index) &&
        !this.#jobs.has(index) &&
        folder.failures.get(file.path) !== DIFFERS
      ) {
        const entry = this.#catalog.byIndex(index);
        if (entry !== null) this.#hash(entry); // try again: it may be readable now
      }
    }
    if (unknown.length === 0) return;
    const cancels = this.#cancels;
    const records = await this.#known.lookUp(unknown);
    if (folder.removed || this.#stopped || cancels !== this.#cancels) return;
    for (const [i, file] of unknown.entries()) {
      // It may have been added during the await.
      if (!this.#catalog.has(file.path)) this.#takeOne(folder, file, records[i]);
    }
  }

  #takeOne(folder: SharedFolder, file: FoundFile, record: FileRecord | undefined): void {
    const known = this.#known.believed(file, record);
    const isJudged = known !== null && this.#known.isJudged(known);
    if (isJudged && known.rule !== undefined) {
      folder.withhold(this.#never.secret(known.rule), file.path);
      return;
    }
    const entry = this.#catalog.add(file, folder);
    const content = known === null ? null : contentOf(known);
    if (known === null || content === null) this.#hash(entry);
    else if (known.differs === true) this.#catalog.fail(entry, DIFFERS);
    else if (!isJudged)
      this.#hash(entry, content); // checked under other rules, or none
    else {
      this.#share(entry, content);
      if (isSuspect(known, file)) this.#catalog.suspect(entry.index);
    }
  }

  #share(entry: CatalogEntry, content: KnownContent): void {
    this.#catalog.share(entry, content);
    this.#onShared?.(entry.index, entry.name);
    this.#onChange();
  }

  /**
   * Takes a file whose SHA-1 the caller has verified; its hash tree is made in idle time. Null: it is in no shared folder, or it is
   * excluded.
   */
  async takeVerified(path: string, sha1: Buffer): Promise<SharedFile | null> {
    const real = await realpath(path);
    const found = await findOne(real);
    if (found === null) return null;
    const rule = this.#firstBytes.ruleFor(await headOf(real, found.size));
    const content = { sha1, tigerRoot: null };
    if (rule === null) this.#known.remember(found, content, found);
    else this.#known.withhold(found, rule);
    await this.#known.flush();
    const folder = this.#folderOf(real);
    if (folder === null || this.#isLeftOutByName(relative(folder.realPath, real))) return null;
    const old = this.#catalog.byPath(real);
    if (old !== null) this.remove(old);
    if (rule === null) {
      const entry = this.#catalog.add(found, folder);
      this.#share(entry, content);
      return entry.file;
    }
    folder.withhold(this.#never.secret(rule), real);
    return null;
  }

  #isLeftOutByName(below: string): boolean {
    const names = below.split(sep);
    const last = names.length - 1;
    return names.some((name, i) => leftOutByName(name, i < last ? 'folder' : 'file', this.#never) !== null);
  }

  /** Drops a file that has changed, and takes it again if it still exists in a shared folder. */
  async recheck(path: string): Promise<void> {
    this.#rechecks++;
    try {
      const entry = this.#catalog.byPath(path);
      if (entry !== null) this.remove(entry);
      const folder = this.#folderOf(path);
      if (folder === null || this.#stopped || (await realpath(path)) !== path) return;
      const found = await findOne(path);
      if (found !== null) await this.take(folder, [found]);
    } catch (error) {
      if (systemCode(error) !== 'ENOENT')
        this.#log.warn({ err: error, path }, `${path} is no longer shared: it cannot be read`);
    } finally {
      this.#rechecks--;
      this.#onDone();
    }
  }

  remove(entry: CatalogEntry): void {
    const job = this.#jobs.get(entry.index);
    if (job !== undefined) job.cancelled = true;
    this.#jobs.delete(entry.index);
    this.#onUnshared?.(entry.index);
    if (this.#catalog.remove(entry)) this.#onChange();
  }

  /** Queues a file for hashing; with `known` content, only for the check of its first bytes. */
  #hash(entry: CatalogEntry, known: KnownContent | null = null): void {
    const job = new FileJob(this.#catalog, entry.index, known, this.#onDoneJob);
    this.#jobs.set(entry.index, job);
    this.#pool.submit(job);
  }

  #onHashed(index: number, result: HashResult, known: KnownContent | null): void {
    this.#jobs.delete(index);
    const entry = this.#catalog.byIndex(index);
    if (entry === null) return;
    const { path } = entry;
    if (result.kind === 'hashed') {
      this.#hashed++;
      this.#takeContent(entry, result.content, result.evidence);
    } else if (result.kind === 'harmless' && known !== null) {
      this.#share(entry, known);
      // only its first bytes were read, so another change time says nothing yet of its content
      if (result.evidence.ctimeMs === entry.ctimeMs) this.#known.remember(entry, known, result.evidence);
      else this.#catalog.suspect(index);
    } else if (result.kind === 'private') this.#exclude(entry, result.rule);
    else if (result.kind === 'failed' && result.code !== 'ENOENT') this.#catalog.fail(entry, result.code);
    else {
      this.#catalog.remove(entry);
      if (result.kind === 'changed') this.#lookAgain(path);
    }
    if (result.kind !== 'changed') this.#settling.forget(path);
    this.#onDone();
  }

  /**
   * Takes the result of reading a known file again, for its tree or for a check. A file with another SHA-1 than in `record` is damaged when
   * its change time is the same, and not shared until it has another; else it was replaced, and is shared with its new content.
   */
  onReadAgain(entry: CatalogEntry, result: HashResult, record: FileRecord): ReadAgain {
    if (this.#stopped || this.#catalog.byIndex(entry.index) === null) return 'gone';
    if (result.kind === 'private') this.#exclude(entry, result.rule);
    else if (result.kind !== 'hashed') void this.recheck(entry.path);
    if (result.kind !== 'hashed') return 'gone';
    const { content, evidence } = result;
    const known = contentOf(record);
    if (known?.sha1.equals(content.sha1) !== true) {
      if ((record.ctimeMs ?? evidence.ctimeMs) !== evidence.ctimeMs) {
        this.#onReplaced(entry, result);
        return 'replaced';
      }
      if (record.differs !== true) this.#onDiffers(entry, record);
      return 'differs';
    }
    const tigerRoot = Buffer.from(content.tigerRoot);
    if (entry.file === null || (known.tigerRoot !== null && !known.tigerRoot.equals(tigerRoot))) {
      // It has its old content again, or its stored root was wrong.
      this.remove(entry);
      this.#takeContent(this.#catalog.add(entry, entry.folder), content, evidence);
      return 'same';
    }
    this.#onSame(entry, { sha1: known.sha1, tigerRoot }, evidence, content.leaves);
    return known.tigerRoot === null ? 'tree' : 'same';
  }

  /** Takes the result of reading a shared file whose change time alone is another: as a whole, or a sample of it. */
  onSuspectRead(entry: CatalogEntry, result: HashResult): void {
    const { file, folder, path } = entry;
    if (this.#stopped || file === null) return;
    if (result.kind === 'sampled' && result.isSame) this.#onSame(entry, file, result.evidence);
    else if (result.kind === 'hashed' && file.sha1.equals(result.content.sha1)) {
      const tigerRoot = Buffer.from(result.content.tigerRoot);
      this.#onSame(entry, { sha1: file.sha1, tigerRoot }, result.evidence, result.content.leaves);
    } else if (result.kind === 'sampled' || result.kind === 'hashed') this.#onReplaced(entry, result);
    else if (result.kind === 'private') this.#exclude(entry, result.rule);
    else if (result.kind === 'failed' && result.code !== 'ENOENT') {
      this.remove(entry);
      this.#catalog.fail(this.#catalog.add(entry, folder), result.code);
    } else void this.recheck(path);
  }

  #onSame(entry: CatalogEntry, content: KnownContent, evidence: Evidence, leaves: Uint8Array | null = null): void {
    this.#known.remember(entry, content, evidence, leaves);
    this.#catalog.onRead(entry.index, evidence.ctimeMs);
    if (content.tigerRoot !== null) this.#catalog.addTree(entry, content.tigerRoot);
  }

  #onReplaced(entry: CatalogEntry, result: HashResult): void {
    const { path, folder } = entry;
    this.#log.info({ path }, `${path} has been replaced under its old date: it is shared with its new content`);
    this.remove(entry);
    const anew = this.#catalog.add(entry, folder);
    if (result.kind === 'hashed') this.#takeContent(anew, result.content, result.evidence);
    else this.#hash(anew);
  }

  #takeContent(entry: CatalogEntry, { sha1, tigerRoot, leaves }: ContentDigest, evidence: Evidence): void {
    const content = { sha1: Buffer.from(sha1), tigerRoot: Buffer.from(tigerRoot) };
    this.#known.remember(entry, content, evidence, leaves);
    this.#share(entry, content);
    this.#catalog.onRead(entry.index, evidence.ctimeMs);
  }

  #onDiffers(entry: CatalogEntry, record: FileRecord): void {
    const { path, folder } = entry;
    this.#known.markDiffering(path, record);
    this.remove(entry);
    this.#catalog.fail(this.#catalog.add(entry, folder), DIFFERS);
    this.#log.error(
      { path, sha1: record.sha1 },
      `${path} has another content than when it was hashed: it is not shared any more`,
    );
    this.#onDone();
  }

  #exclude(entry: CatalogEntry, rule: string): void {
    this.remove(entry);
    this.#known.withhold(entry, rule);
    entry.folder.withhold(this.#never.secret(rule), entry.path);
  }

  #lookAgain(path: string): void {
    this.#settling.onChanged(path, performance.now());
    this.#waitForUnsettled();
  }

  #waitForUnsettled(): void {
    if (this.#unsettledTimer !== null) clearTimeout(this.#unsettledTimer);
    this.#unsettledTimer = null;
    const { dueAt } = this.#settling;
    if (this.#stopped || !Number.isFinite(dueAt)) return;
    const again = (): void => {
      for (const path of this.#settling.take(performance.now())) void this.recheck(path);
      this.#waitForUnsettled();
    };
    this.#unsettledTimer = setTimeout(again, Math.max(1, Math.ceil(dueAt - performance.now()))).unref();
  }
}
