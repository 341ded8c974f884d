// One file being fetched: its record, its sources, its part file, and the run that makes a whole file of them.
import { mkdir, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Random } from '../../protocol/ports.ts';
import { RangeSet } from '../../protocol/transfer/range-set.ts';
import { RateMeter } from '../../protocol/transfer/rate-meter.ts';
import { keyOf, PLAIN_SOURCE, type Source } from '../../protocol/transfer/source.ts';
import { type Planned, type RetryTimes, SourcePlan } from '../../protocol/transfer/source-plan.ts';
import type { Endpoint } from '../../protocol/wire/endpoint.ts';
import type { Clock } from '../clock.ts';
import type { DownloadRecord, DownloadStore } from '../store/downloads.ts';
import { StoreError } from '../store/store-error.ts';
import { DiskError, diskError } from './disk-error.ts';
import { type FetchContext, type FetchJob, fetchFrom } from './fetch.ts';
import { sha1OfPart } from './part-digest.ts';
import { PART_SUFFIX, PartFile, partsFolder } from './part-file.ts';
import { placeFile } from './place-file.ts';

/** After wrong bytes so often the download fails: the sources of this hash have something else. */
const MISMATCHES_MAX = 3;
/** Progress is told no more often than this. */
const CHANGED_MS = 1000;

/** How a run ended. `waiting`: for a source, until then (null: for a new one). `disk`: see the error. */
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
  readonly sources: readonly Pick<Planned<Source>, 'source' | 'state' | 'error'>[];
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

/** What all downloads share. */
export interface DownloadContext {
  /** Of finished files; `.incomplete` in it holds the others. */
  readonly folder: string;
  readonly store: DownloadStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly fetch: FetchContext;
  readonly retryTimes: RetryTimes;
  readonly checkpoint: CheckpointLimits;
  onChange(download: Download): void;
  /** It waits in a queue at its source and needs none of our slots, or does not any more. */
  onRemoteQueue(download: Download, waiting: boolean): void;
  /** Progress could not be stored, and the run goes on; or we made a mistake, and it does not. */
  onTrouble(download: Download, error: unknown): void;
}

/** Of a download that nobody is known to have. */
export const NO_SOURCE = 'no source is known yet';
const MISMATCH = 'what came has another hash than was asked for';

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
  /** As known when the download began. */
  readonly #sizeAsked: number | null;
  #state: DownloadState;
  #path: string | null;
  #mismatches: number;
  /** Safe on the disk: what the record says. */
  #ranges: RangeSet;
  /** Only while running. */
  #part: PartFile | null = null;
  #rate: RateMeter;
  #unsafeBytes = 0;
  #checkpointAt = 0;
  #checkpoint: Promise<void> | null = null;
  #changedAt = 0;
  /** Resolves when the last save asked for is over, well or not. */
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

  /** False: known already, or there are enough. */
  addSource(source: Source): boolean {
    const added = this.plan.add(keyOf(source), source);
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
      // what runs, or waits for the disk, is to run after a restart
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

  /** A user wants it to go on, whatever stopped it. */
  revive(): void {
    this.plan.reset();
    this.error = null;
    this.#mismatches = 0;
    this.state = 'queued';
  }

  /** A user stops it. */
  pause(): void {
    if (this.#state === 'completed') return;
    this.error = null;
    this.state = 'paused';
  }

  /** Fetches, verifies, puts in place; or as far as that goes now. What arrived is on the disk and in the record when it resolves. */
  async run(signal: AbortSignal): Promise<RunEnd> {
    try {
      await mkdir(dirname(this.partPath), { recursive: true });
      this.#part = await PartFile.open(this.partPath, this.#ranges);
      this.#ranges = this.#part.done.clone();
      this.#rate = new RateMeter(this.#context.clock.now());
      // What stopped the last run stops this one no more.
      const said = this.error;
      this.error = this.#standing;
      if (this.#state === 'paused') this.state = 'queued';
      else if (this.error !== said) this.#context.onChange(this);
      const end = await this.#fetchAll(this.#part, signal);
      await this.#checkpoint;
      if (end.kind !== 'completed') await this.#secure(true);
      return end;
    } catch (cause) {
      if (isTroubleOutside(cause)) return { kind: 'disk', error: diskError(cause, this.#context.folder) };
      this.#context.onTrouble(this, cause);
      this.error = `a mistake of the servent: ${cause instanceof Error ? cause.message : String(cause)}`;
      this.state = 'failed';
      return { kind: 'failed' };
    } finally {
      await this.#checkpoint;
      const part = this.#part;
      this.#part = null;
      // what counts was synced before: a close that fails loses nothing
      await part?.close().catch((error: unknown) => this.#context.onTrouble(this, error));
    }
  }

  /** One save at a time, each with what is true when its turn comes: the last word is the latest. Rejects with StoreError. */
  save(durable: boolean): Promise<void> {
    const saved = this.#saved.then(async () => {
      if (!this.#removed) await this.#context.store.save(this.record(), durable);
    });
    const over = () => undefined;
    this.#saved = saved.then(over, over); // the caller is told of a failure
    return saved;
  }

  /** Once it does not run: forgets the record and deletes the part; a finished file stays. */
  async remove(): Promise<void> {
    this.#removed = true;
    await this.#saved;
    await this.#context.store.remove(this.id);
    await this.#deletePart();
  }

  onBytes(bytes: number): void {
    const now = this.#context.clock.now();
    this.#rate.add(bytes, now);
    this.#unsafeBytes += bytes;
    const { bytes: bytesMax, ms } = this.#context.checkpoint;
    if (this.#checkpoint === null && (this.#unsafeBytes >= bytesMax || now - this.#checkpointAt >= ms)) {
      // a failure of the disk shows at the next write too: nothing is lost by not waiting
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

  onAlternates(endpoints: readonly Endpoint[]): void {
    for (const { host, port } of endpoints) this.addSource({ ...PLAIN_SOURCE, endpoint: { host, port } });
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
      await fetchFrom(planned, this, this.#context.fetch, signal);
      await part.flush(); // of a body that was cut
    }
  }

  /** All bytes are there. Null: they are the wrong ones, and others may be had. */
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

  /** A record that cannot be saved leaves all as it was: the next run verifies again and knows its own file. */
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
    this.plan.onMismatch(MISMATCH);
    this.error = this.#standing;
    this.size = this.#sizeAsked; // what a source told may be as wrong
    await this.#startOver(part);
    if (this.#mismatches < MISMATCHES_MAX) return null;
    this.error = `${MISMATCH}, ${this.#mismatches} times: nobody seems to have it`;
    this.state = 'failed';
    return { kind: 'failed' };
  }

  /** What is still to be said of a download that goes on. */
  get #standing(): string | null {
    if (this.#mismatches > 0) return `${MISMATCH}: all of it is fetched again from elsewhere`;
    return this.plan.size === 0 ? NO_SOURCE : null;
  }

  async #startOver(part: PartFile): Promise<void> {
    await this.#checkpoint;
    this.#ranges = RangeSet.of();
    await this.save(true); // first the claim, then the bytes
    await part.discard();
  }

  #fail(): RunEnd {
    const reasons = new Set([...this.plan].flatMap(({ error }) => error ?? []));
    this.error = `no source is left (${[...reasons].slice(0, 3).join('; ')}): resume to try them again, or add others`;
    this.state = 'failed';
    return { kind: 'failed' };
  }

  /** The record claims what is on the disk, never more. */
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

/** The disk or the database, not we. */
function isTroubleOutside(cause: unknown): boolean {
  return cause instanceof DiskError || cause instanceof StoreError || (cause instanceof Error && 'syscall' in cause);
}
