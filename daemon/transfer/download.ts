// A download: its record, sources and part file, and the run that fetches, verifies and places the file.
import { mkdir, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Random } from '../../protocol/ports.ts';
import { keyOf, type Source } from '../../protocol/transfer/downloads/source.ts';
import { sourceAt } from '../../protocol/transfer/downloads/source-locations.ts';
import { type PlannedSource, type RetryTimes, SourcePlan } from '../../protocol/transfer/downloads/source-plan.ts';
import type { MeshLocation } from '../../protocol/transfer/mesh/file-locations.ts';
import type { Mesh } from '../../protocol/transfer/mesh/mesh.ts';
import { RangeSet } from '../../protocol/transfer/range-set.ts';
import { RateMeter } from '../../protocol/transfer/rate-meter.ts';
import type { Clock } from '../clock.ts';
import type { DownloadRecord, DownloadStore } from '../store/downloads.ts';
import { StoreError } from '../store/store-error.ts';
import { DiskError, diskError } from './disk-error.ts';
import { type FetchContext, type FetchJob, fetchFrom } from './fetch.ts';
import { sha1OfPart } from './part-digest.ts';
import { PART_SUFFIX, PartFile, partsFolder } from './part-file.ts';
import { placeFile } from './place-file.ts';

/** Number of hash mismatches after which the download fails. */
const MISMATCHES_MAX = 3;
/** Shortest time between two reports of progress. */
const CHANGED_MS = 1000;

/** How a run ended. `waiting`: for a source, until the time given (null: until a new source). `disk`: a disk error, see `error`. */
export type RunEnd =
  | { readonly kind: 'completed' | 'failed' | 'stopped' }
  | { readonly kind: 'waiting'; readonly until: number | null }
  | { readonly kind: 'disk'; readonly error: DiskError };

export type DownloadState = DownloadRecord['state'] | 'active' | 'verifying';

export interface DownloadSnapshot {
  readonly id: string;
  readonly name: string;
  readonly sha1: Buffer | null;
  readonly size: number | null;
  readonly done: number;
  readonly state: DownloadState;
  readonly bytesPerSecond: number;
  readonly priority: number;
  readonly sources: readonly Pick<PlannedSource<Source>, 'source' | 'state' | 'error'>[];
  /** The finished file. */
  readonly path: string | null;
  readonly error: string | null;
  /** Milliseconds since 1970, like the next. */
  readonly addedAt: number;
  readonly finishedAt: number | null;
}

/** How much a crash may cost: what came in since. */
export interface CheckpointLimits {
  bytes: number;
  ms: number;
}

export const CHECKPOINT_LIMITS: CheckpointLimits = { bytes: 4 << 20, ms: 1000 };

/** Services and limits shared by all downloads. */
export interface DownloadContext {
  /** Folder of finished files; `.incomplete` in it holds the part files. */
  readonly folder: string;
  readonly store: DownloadStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly fetch: FetchContext;
  readonly retryTimes: RetryTimes;
  readonly mesh: Mesh;
  readonly checkpoint: CheckpointLimits;
  onChange(download: Download): void;
  /** A visit to a source at `host` is over and brought so many bytes. */
  onFetched(download: Download, host: string, bytes: number): void;
  /** All bytes were fetched and have the wrong hash. */
  onWrong(bytes: number): void;
  /** The download starts or ends waiting in a queue of its source; it needs no slot meanwhile. */
  onRemoteQueue(download: Download, waiting: boolean): void;
  /** Progress could not be stored (the run goes on), or an internal error ended the run. */
  onTrouble(download: Download, error: unknown): void;
}

/** Error text of a download without sources. */
export const NO_SOURCE = 'no source is known yet';
const MISMATCH = 'the bytes received have the wrong hash';

export class Download implements FetchJob {
  readonly id: string;
  readonly name: string;
  readonly sha1: Buffer | null;
  readonly addedAt: number;
  readonly plan: SourcePlan<Source>;
  size: number | null;
  priority: number;
  error: string | null;
  finishedAt: number | null;
  readonly #context: DownloadContext;
  /** Size given in the request; null: unknown. */
  readonly #sizeAsked: number | null;
  #state: DownloadState;
  #path: string | null;
  #mismatches: number;
  /** Ranges safely on the disk, as in the record. */
  #ranges: RangeSet;
  /** Only while running. */
  #part: PartFile | null = null;
  #rate: RateMeter;
  #unsafeBytes = 0;
  /** Bytes of all visits since the start. */
  #received = 0;
  #checkpointAt = 0;
  #checkpoint: Promise<void> | null = null;
  #changedAt = 0;
  /** Resolves when the latest save has ended or failed. */
  #saved: Promise<unknown> = Promise.resolve();
  #removed = false;

  constructor(record: DownloadRecord, context: DownloadContext) {
    this.#context = context;
    this.id = record.id;
    this.name = record.name;
    this.sha1 = record.sha1;
    this.size = record.size;
    this.#sizeAsked = record.size;
    this.priority = record.priority;
    this.addedAt = record.addedAt;
    this.finishedAt = record.finishedAt;
    this.error = record.error;
    this.#state = record.state;
    this.#path = record.path;
    this.#mismatches = record.mismatches;
    this.#ranges = record.ranges;
    this.#rate = new RateMeter(context.clock.now());
    this.plan = new SourcePlan(context.random, context.retryTimes);
    this.plan.inherited = record.ranges.bytes > 0;
    for (const source of record.sources) this.addSource(source);
  }

  get state(): DownloadState {
    return this.#state;
  }

  set state(state: DownloadState) {
    if (this.#state === state) return;
    this.#state = state;
    this.#context.onChange(this);
  }

  get part(): PartFile {
    if (this.#part === null) throw new Error('the download is not running');
    return this.#part;
  }

  get mesh(): Mesh {
    return this.#context.mesh;
  }

  /** Nothing of it is verified before its end, and so nothing is served. */
  get servedBytes(): number {
    return 0;
  }

  get partPath(): string {
    return join(partsFolder(this.#context.folder), `${this.id}${PART_SUFFIX}`);
  }

  get done(): number {
    if (this.#state === 'completed') return this.size ?? 0;
    return (this.#part?.done ?? this.#ranges).bytes;
  }

  get bytesPerSecond(): number {
    return this.#state === 'active' ? this.#rate.bytesPerSecond(this.#context.clock.now()) : 0;
  }

  /** `hearsay`: named by another source. Returns false when the source is known or the list is full. */
  addSource(source: Source, hearsay = false): boolean {
    const added = this.plan.add(keyOf(source), source, hearsay);
    if (this.error === NO_SOURCE && this.plan.size > 0) this.error = null;
    return added;
  }

  record(): DownloadRecord {
    const state = this.#state;
    return {
      id: this.id,
      name: this.name,
      sha1: this.sha1,
      size: this.size,
      // a running download, or one waiting for the disk, continues after a restart
      state:
        state === 'active' || state === 'verifying' || (state === 'paused' && this.error !== null) ? 'queued' : state,
      priority: this.priority,
      sources: [...this.plan].map(({ source }) => source),
      ranges: this.#ranges,
      mismatches: this.#mismatches,
      addedAt: this.addedAt,
      finishedAt: this.finishedAt,
      path: this.#path,
      error: this.error,
    };
  }

  snapshot(): DownloadSnapshot {
    return {
      id: this.id,
      name: this.name,
      sha1: this.sha1,
      size: this.size,
      done: this.done,
      state: this.#state,
      bytesPerSecond: this.bytesPerSecond,
      priority: this.priority,
      sources: [...this.plan].map(({ source, state, error }) => ({ source, state, error })),
      path: this.#path,
      error: this.error,
      addedAt: this.addedAt,
      finishedAt: this.finishedAt,
    };
  }

  /** Continues a paused or failed download. */
  revive(): void {
    this.plan.reset();
    this.error = null;
    this.#mismatches = 0;
    this.state = 'queued';
  }

  pause(): void {
    if (this.#state === 'completed') return;
    this.error = null;
    this.state = 'paused';
  }

  /** Fetches, verifies and places the file, as far as possible now. When it resolves, progress is on the disk and in the record. */
  async run(signal: AbortSignal): Promise<RunEnd> {
    try {
      await mkdir(dirname(this.partPath), { recursive: true });
      this.#part = await PartFile.open(this.partPath, this.#ranges);
      this.#ranges = this.#part.done.clone();
      this.#rate = new RateMeter(this.#context.clock.now());
      // Clears the error of the last run.
      const said = this.error;
      this.error = this.#standing;
      if (this.#state === 'paused') this.state = 'queued';
      else if (this.error !== said) this.#context.onChange(this);
      this.#askMesh();
      const end = await this.#fetchAll(this.#part, signal);
      await this.#checkpoint;
      if (end.kind !== 'completed') await this.#secure(true);
      return end;
    } catch (cause) {
      if (isTroubleOutside(cause)) return { kind: 'disk', error: diskError(cause, this.#context.folder) };
      this.#context.onTrouble(this, cause);
      this.error = `internal error: ${cause instanceof Error ? cause.message : String(cause)}`;
      this.state = 'failed';
      return { kind: 'failed' };
    } finally {
      await this.#checkpoint;
      const part = this.#part;
      this.#part = null;
      // the data was synced before, so a failed close loses nothing
      await part?.close().catch((error: unknown) => this.#context.onTrouble(this, error));
    }
  }

  /** Saves the present state, one save at a time. Rejects with StoreError. */
  save(durable: boolean): Promise<void> {
    const saved = this.#saved.then(async () => {
      if (!this.#removed) await this.#context.store.save(this.record(), durable);
    });
    const over = () => undefined;
    this.#saved = saved.then(over, over); // a failure goes to the caller
    return saved;
  }

  /** Deletes the record and the part file, not a finished file. The download must not be running. */
  async remove(): Promise<void> {
    this.#removed = true;
    await this.#saved;
    await this.#context.store.remove(this.id);
    await this.#deletePart();
  }

  onBytes(bytes: number): void {
    const now = this.#context.clock.now();
    this.#rate.add(bytes, now);
    this.#received += bytes;
    this.#unsafeBytes += bytes;
    const { bytes: bytesMax, ms } = this.#context.checkpoint;
    if (this.#checkpoint === null && (this.#unsafeBytes >= bytesMax || now - this.#checkpointAt >= ms)) {
      // not awaited: a disk failure shows at the next write too
      this.#checkpoint = this.#secure(false)
        .catch((error: unknown) => this.#context.onTrouble(this, error))
        .finally(() => {
          this.#checkpoint = null;
        });
    }
  }

  onQueued(status: object | null): void {
    if (this.#state === 'active' && status !== null) this.#context.onRemoteQueue(this, true);
    if (this.#state === 'queued' && status === null) this.#context.onRemoteQueue(this, false);
  }

  onAlternates(locations: readonly MeshLocation[]): void {
    for (const location of locations) {
      const source = sourceAt(location);
      if (source !== null) this.addSource(source, true);
    }
  }

  /** Adds the locations that others named to us. */
  #askMesh(): void {
    if (this.sha1 === null) return;
    this.onAlternates(this.mesh.ranked(this.sha1, this.#context.clock.now()).map(({ location }) => location));
  }

  async #fetchAll(part: PartFile, signal: AbortSignal): Promise<RunEnd> {
    for (;;) {
      if (signal.aborted) return { kind: 'stopped' };
      if (this.size !== null && part.done.covers(0, this.size)) {
        const end = await this.#finish(part, this.size, signal);
        if (end !== null) return end;
        continue;
      }
      const now = this.#context.clock.now();
      const planned = this.plan.next(now);
      if (planned === null) {
        const until = this.plan.nextAt(now);
        return until !== null || this.plan.size === 0 ? { kind: 'waiting', until } : this.#fail();
      }
      if (this.plan.startsOver(planned)) await this.#startOver(part);
      this.#state = 'active';
      this.error = this.#standing;
      this.#context.onChange(this);
      const before = this.#received;
      await fetchFrom(planned, this, this.#context.fetch, signal);
      this.#context.onFetched(this, planned.source.endpoint.host, this.#received - before);
      await part.flush(); // writes the bytes of an interrupted body
    }
  }

  /** Verifies and places a complete part. Null: wrong hash, the download goes on with other sources. */
  async #finish(part: PartFile, size: number, signal: AbortSignal): Promise<RunEnd | null> {
    this.state = 'verifying';
    await this.#checkpoint;
    await part.finish(size);
    await this.#secure(false);
    if (this.sha1 !== null) {
      const digest = await sha1OfPart(part, size, signal);
      if (digest === null) return { kind: 'stopped' };
      if (!digest.equals(this.sha1)) return this.#onMismatch(part);
    }
    const path = await placeFile(this.partPath, this.#context.folder, this.name);
    await this.#complete(path);
    await this.#deletePart();
    this.#context.onChange(this);
    return { kind: 'completed' };
  }

  /** Saves the completion. If that fails, the next run verifies again and recognises its own file. */
  async #complete(path: string): Promise<void> {
    const ranges = this.#ranges;
    this.#path = path;
    this.finishedAt = this.#context.clock.wallTime();
    this.error = null;
    this.#ranges = RangeSet.of();
    this.#state = 'completed';
    try {
      await this.save(true);
    } catch (error) {
      this.#state = 'verifying';
      this.#ranges = ranges;
      this.#path = null;
      this.finishedAt = null;
      throw error;
    }
  }

  async #onMismatch(part: PartFile): Promise<RunEnd | null> {
    this.#mismatches++;
    this.#context.onWrong(part.done.bytes);
    this.plan.onMismatch(MISMATCH);
    this.error = this.#standing;
    this.size = this.#sizeAsked; // a size learned from a source may be wrong too
    await this.#startOver(part);
    if (this.#mismatches < MISMATCHES_MAX) return null;
    this.error = `${MISMATCH}, ${this.#mismatches} times: no source seems to have the file`;
    this.state = 'failed';
    return { kind: 'failed' };
  }

  /** Lasting problem of a download that goes on; null: none. */
  get #standing(): string | null {
    if (this.#mismatches > 0) return `${MISMATCH}: the file is fetched again from other sources`;
    return this.plan.size === 0 ? NO_SOURCE : null;
  }

  async #startOver(part: PartFile): Promise<void> {
    await this.#checkpoint;
    this.#ranges = RangeSet.of();
    await this.save(true); // first the record, then the part file
    await part.discard();
  }

  #fail(): RunEnd {
    const reasons = new Set([...this.plan].flatMap(({ error }) => error ?? []));
    this.error = `no source is left (${[...reasons].slice(0, 3).join('; ')}): resume the download to try them again, or add sources`;
    this.state = 'failed';
    return { kind: 'failed' };
  }

  /** Syncs the part file, then saves the ranges: the record never claims more than the disk holds. */
  async #secure(durable: boolean): Promise<void> {
    const now = this.#context.clock.now();
    this.#unsafeBytes = 0;
    this.#checkpointAt = now;
    if (this.#part !== null) this.#ranges = await this.#part.checkpoint();
    await this.save(durable);
    if (now - this.#changedAt < CHANGED_MS) return;
    this.#changedAt = now;
    this.#context.onChange(this);
  }

  async #deletePart(): Promise<void> {
    await unlink(this.partPath).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
  }
}

/** Whether an error comes from the disk or the store, not from a bug. */
function isTroubleOutside(cause: unknown): boolean {
  return cause instanceof DiskError || cause instanceof StoreError || (cause instanceof Error && 'syscall' in cause);
}
