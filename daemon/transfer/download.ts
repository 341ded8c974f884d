// A download: its record, sources and part file, and the run that fetches, verifies and places the file.
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { TigerTree } from '../../protocol/digest/tiger-tree.ts';
import type { SourceOffer } from '../../protocol/transfer/downloads/hit-sources.ts';
import type { Source } from '../../protocol/transfer/downloads/source.ts';
import type { Swarm } from '../../protocol/transfer/downloads/swarm.ts';
import type { WrongFile } from '../../protocol/transfer/downloads/verification.ts';
import { safeFileName } from '../../protocol/transfer/file-name.ts';
import { RangeSet } from '../../protocol/transfer/range-set.ts';
import { RateMeter } from '../../protocol/transfer/rate-meter.ts';
import type { DownloadRecord } from '../store/downloads.ts';
import { Checkpoints } from './checkpoints.ts';
import { diskError, isTroubleOutside } from './disk-error.ts';
import type { DownloadContext } from './download-context.ts';
import { placeholderName } from './download-request.ts';
import { type DownloadSnapshot, type DownloadState, type RunEnd, snapshotOf } from './download-snapshot.ts';
import { judgeFile } from './file-verdict.ts';
import { FinishedFile } from './finished-file.ts';
import { deletePart, writeDescription } from './part-description.ts';
import { PART_SUFFIX, PartFile, partsFolder, quarantineFolder } from './part-file.ts';
import { HashingEnded, type PartHashing } from './part-verifier.ts';
import { placeFile } from './place-file.ts';
import { ReadAlong } from './read-along.ts';
import { lookThrough } from './second-look.ts';
import { NO_SOURCE } from './source-hunt.ts';
import { storedSwarm } from './stored-swarm.ts';
import { SwarmRun, type SwarmRunReports } from './swarm-run.ts';
import { takeUnrecorded } from './unrecorded-slices.ts';

/** Number of hash mismatches after which the download fails. */
const MISMATCHES_MAX = 3;
/** Shortest time between two reports of progress. */
const CHANGED_MS = 1000;
const MISMATCH = 'the bytes received have the wrong hash';
/** A description is at most so old while its download runs. */
const DESCRIBED_MS = 60_000;

export class Download {
  readonly id: string;
  name: string;
  readonly sha1: Buffer | null;
  readonly addedAt: number;
  readonly swarm: Swarm;
  readonly reading: ReadAlong;
  priority: number;
  /** In the order of downloads of one priority. */
  place: number;
  category: string | null;
  readonly batch: DownloadRecord['batch'];
  /** By which sources are searched for; null: by the name. */
  words: string | null;
  error: string | null;
  finishedAt: number | null;
  readonly #context: DownloadContext<Download>;
  /** By hits or before a restart, which may be wrong: shown until a source says more. */
  #sizeTold: number | null;
  #state: DownloadState;
  readonly file: FinishedFile;
  #mismatches: number;
  /** Ranges safely on the disk, as in the record. */
  #ranges: RangeSet;
  /** Those of them that fitted the hash tree. */
  #verified: RangeSet;
  /** Root of the hash tree that the user gave. */
  readonly #root: Buffer | null;
  #describedAt = 0;
  /** Only while running. */
  #part: PartFile | null = null;
  #hashing: PartHashing | null = null;
  #rate: RateMeter;
  readonly #checkpoints: Checkpoints;
  /** In the record. */
  #savedTree: TigerTree | null;
  /** Until then the part file may hold bytes that a crash left, and of which the record does not know. */
  #isOpenedOnce = false;
  #changedAt = 0;
  /** Resolves when the latest save has ended or failed. */
  #saved: Promise<unknown> = Promise.resolve();
  #removed = false;

  constructor(record: DownloadRecord, context: DownloadContext<Download>) {
    this.#context = context;
    this.id = record.id;
    this.name = record.name;
    this.sha1 = record.sha1;
    this.#sizeTold = record.sizeTold;
    this.priority = record.priority;
    this.place = record.place;
    ({ category: this.category, batch: this.batch, words: this.words } = record);
    this.addedAt = record.addedAt;
    this.finishedAt = record.finishedAt;
    this.error = record.error;
    this.#state = record.state;
    this.file = new FinishedFile(record.path, record.placed);
    this.#mismatches = record.mismatches;
    this.#ranges = record.ranges;
    this.#verified = record.verified;
    this.#root = record.root;
    this.#savedTree = record.tree;
    this.#rate = new RateMeter(context.clock.now());
    const onTrouble = (error: unknown): void => context.onTrouble(this, error);
    this.#checkpoints = new Checkpoints(context, () => this.#secure(false), onTrouble);
    this.swarm = storedSwarm(record, context);
    this.reading = new ReadAlong(this.swarm);
    this.reading.sequential = record.sequential;
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

  get size(): number | null {
    return this.swarm.size;
  }

  /** As far as anybody told it. */
  get sizeShown(): number | null {
    return this.size ?? this.#sizeTold;
  }

  get partPath(): string {
    return join(partsFolder(this.#context.folder), `${this.id}${PART_SUFFIX}`);
  }

  /** The finished file. */
  get path(): string | null {
    return this.file.path;
  }

  /** A copy. */
  get verified(): RangeSet {
    return this.#state === 'completed' ? RangeSet.of([{ start: 0, end: this.size ?? 0 }]) : this.swarm.verified;
  }

  /** Where the verified bytes from `offset` on end; `offset` when that byte is not verified. */
  verifiedFrom(offset: number): number {
    return this.#state === 'completed' ? Math.max(offset, this.size ?? 0) : this.swarm.verifiedFrom(offset);
  }

  get done(): number {
    if (this.#state === 'completed') return this.size ?? 0;
    return (this.#part?.done ?? this.#ranges).bytes;
  }

  get bytesPerSecond(): number {
    return this.#state === 'active' ? this.#rate.bytesPerSecond(this.#context.clock.now()) : 0;
  }

  /** False: it is known, or the list is full. `hearsay`: others named it. */
  addSource(source: Source, hearsay = false): boolean {
    const added = this.swarm.addSource(source, hearsay);
    if (this.error === NO_SOURCE && this.swarm.planner.size > 0) this.error = null;
    return added;
  }

  /** The network says who has this content, and what it is called. Returns whether a source is new. */
  take(offer: SourceOffer): boolean {
    const isNew = this.swarm.offer(offer);
    if (isNew && this.error === NO_SOURCE) this.error = null;
    if (offer.name !== null) this.#onNamed(offer.name);
    this.#sizeTold ??= offer.size;
    return isNew;
  }

  /** Others name the file: taken when nothing better is known. */
  #onNamed(name: string): void {
    if (this.name !== placeholderName(this.sha1)) return;
    this.name = name;
    this.#context.onChange(this);
  }

  /** A finished file at once, others when they are finished; the caller saves. Rejects with RenameError, DiskError. */
  async rename(name: string): Promise<void> {
    const then = (): void => {
      if (this.name !== placeholderName(this.sha1)) this.words ??= this.name; // others call it so
      this.name = safeFileName(name);
    };
    await this.file.rename(name, () => this.#state !== 'completed', then);
  }

  /** The remote queue with our place of this id calls: gives the source, which is visited next. Null: no source waits for it. */
  onCalled(id: string): Source | null {
    return this.swarm.onCalled(id, this.#context.clock.now());
  }

  record(): DownloadRecord {
    const { id, name, words, sha1, size, priority, place, category, batch, addedAt, finishedAt, error } = this;
    const { planner, verification } = this.swarm;
    const state = this.#state;
    const sizeTold = this.swarm.isSizeGiven ? null : (size ?? this.#sizeTold);
    const isUnderWay = state === 'active' || state === 'verifying' || (state === 'paused' && error !== null);
    return {
      ...{ id, name, words, sha1, size, sizeTold, priority, place, category, batch, addedAt, finishedAt, error },
      // a running download, or one waiting for the disk, continues after a restart
      state: isUnderWay ? 'queued' : state,
      sources: [...planner].map(({ source }) => source),
      ranges: this.#ranges,
      verified: this.#verified,
      root: this.#root,
      tree: verification.quest.tree,
      corrupt: [...planner.corrupt],
      mismatches: this.#mismatches,
      sequential: this.reading.sequential,
      ...{ path: this.file.path, placed: this.file.placed },
    };
  }

  /** `position`: in the queue. */
  snapshot(position: number | null): DownloadSnapshot {
    const shown = snapshotOf(this, position, this.#context.clock.now());
    const hunt = shown.state === 'completed' ? null : this.#context.huntOf(this.id);
    return { ...shown, size: this.sizeShown, hunt };
  }

  /** Continues a paused or failed download. */
  revive(): void {
    this.swarm.planner.reset();
    this.error = null;
    this.#mismatches = 0;
    this.state = 'queued';
  }

  /** `reason`: why it pauses by itself, until the disk takes it. */
  pause(reason: string | null = null): void {
    if (this.#state === 'completed') return;
    this.error = reason;
    this.state = 'paused';
  }

  /** Its turn can come again. */
  wait(): void {
    this.error = this.#standing;
    this.state = 'queued';
  }

  /** Fetches, verifies and places the file, as far as possible now. When it resolves, progress is on the disk and in the record. */
  async run(signal: AbortSignal): Promise<RunEnd> {
    const onAbort = (): void => void this.#hashing?.close();
    signal.addEventListener('abort', onAbort);
    try {
      await mkdir(dirname(this.partPath), { recursive: true });
      const opened = await this.#open();
      this.#rate = new RateMeter(this.#context.clock.now());
      const said = this.error;
      this.error = this.#standing; // not that of the last run any more
      if (this.#state === 'paused') this.state = 'queued';
      else if (this.error !== said) this.#context.onChange(this);
      this.swarm.askMesh(this.#context.clock.now());
      const end = await this.#fetchAll(...opened, signal);
      await this.#checkpoints.running;
      if (end.kind !== 'completed') await this.#secure(true);
      return end;
    } catch (cause) {
      if (cause instanceof HashingEnded) return { kind: 'stopped' };
      if (isTroubleOutside(cause)) return { kind: 'disk', error: diskError(cause, this.#context.folder) };
      this.#context.onTrouble(this, cause);
      return this.#fail(`internal error: ${cause instanceof Error ? cause.message : String(cause)}`);
    } finally {
      signal.removeEventListener('abort', onAbort);
      await this.#close();
    }
  }

  /** Looks through its bytes again; what is wrong is missing afterwards, of a finished file too, which is fetched again then. Never rejects. */
  async verify(signal: AbortSignal): Promise<void> {
    let after = this.#state;
    this.state = 'verifying';
    const onAbort = (): void => void this.#hashing?.close();
    signal.addEventListener('abort', onAbort);
    try {
      if (after === 'completed') after = (await this.file.alone(() => this.#isRight())) ? 'completed' : 'queued';
      else await lookThrough(this.swarm, ...(await this.#open()), () => this.#context.clock.now());
      if (this.#part !== null) await this.#secure(true);
    } catch (cause) {
      if (!(cause instanceof HashingEnded)) this.#context.onTrouble(this, cause);
    }
    signal.removeEventListener('abort', onAbort);
    await this.#close();
    this.#state = after;
    await this.save(true).catch(error => this.#context.onTrouble(this, error));
    this.#context.onChange(this);
  }

  /** False: the finished file is not what it was; what is there of it is a part file now. */
  async #isRight(): Promise<boolean> {
    const content = { sha1: this.sha1, root: this.#root, size: this.size ?? 0 };
    const there = await this.file.reclaim(this.partPath, content, this.#context.verifier);
    if (there === null) return true;
    this.#ranges = there;
    this.#verified = RangeSet.of();
    this.swarm.takeBack(there);
    this.finishedAt = null;
    return false;
  }

  /** Looks through its bytes again while it runs. */
  lookAgain(): void {
    this.#hashing?.rewind(0);
    this.swarm.verification.lookAgain();
  }

  /** What is not in the part file as the record says is fetched again. */
  async #open(): Promise<[PartFile, PartHashing]> {
    const part = await PartFile.open(this.partPath, this.#ranges);
    this.#part = part;
    this.#ranges = part.done.clone();
    this.swarm.keepOnly(part.done);
    const hashing = this.#context.verifier.open(part.path, part.fd);
    this.#hashing = hashing;
    if (!this.#isOpenedOnce) await takeUnrecorded(this.swarm, part, hashing);
    this.#isOpenedOnce = true;
    await this.#describe();
    part.onWritten = (start, end) => {
      this.swarm.onWritten(start, end);
      if (this.sha1 !== null) hashing.follow('sha1', part.done.at(0)?.end ?? 0);
    };
    return [part, hashing];
  }

  async #close(): Promise<void> {
    await this.#checkpoints.running;
    const part = this.#part;
    this.#part = null;
    await this.#hashing?.close();
    this.#hashing = null;
    // the data was synced before, so a failed close loses nothing
    await part?.close().catch((error: unknown) => this.#context.onTrouble(this, error));
  }

  /** Saves the present state, one save at a time. Rejects with StoreError. */
  save(durable: boolean): Promise<void> {
    const saved = this.#saved.then(async () => {
      if (!this.#removed) await this.#context.store.save(this.record(), durable);
    });
    this.#saved = Promise.allSettled([saved]); // a failure goes to the caller
    return saved;
  }

  /** Deletes the record and the part file, not a finished file. The download must not be running. */
  async remove(): Promise<void> {
    this.#removed = true;
    await this.#saved;
    await this.#context.store.remove(this.id);
    await deletePart(this.partPath);
  }

  readonly #reports: SwarmRunReports = {
    onVisit: () => {
      this.error = this.#standing;
      if (this.#state === 'verifying' || this.#state === 'queued') this.state = 'active';
    },
    onBytes: bytes => this.#onBytes(bytes),
    onFetched: (host, bytes) => this.#context.onFetched(this, host, bytes),
    onRemoteQueue: isWaiting => this.#context.onRemoteQueue(this, isWaiting),
    onSearch: () => this.#context.onSearch(this),
    onWrong: bytes => this.#context.onWrong(bytes),
    onNamed: name => this.#onNamed(name),
  };

  #onBytes(bytes: number): void {
    this.#rate.add(bytes, this.#context.clock.now());
    this.#checkpoints.onBytes(bytes, this.swarm.verification.quest.tree !== this.#savedTree);
  }

  async #fetchAll(part: PartFile, hashing: PartHashing, signal: AbortSignal): Promise<RunEnd> {
    for (;;) {
      const context = { ...this.#context.fetch, category: this.category };
      const rest = await new SwarmRun(this.swarm, part, hashing, context, this.#reports).run(signal);
      await part.flush();
      if (rest.kind === 'stopped' || rest.kind === 'waiting') return rest;
      if (rest.kind === 'resize') {
        const gone = this.swarm.resize(this.#context.clock.now());
        for (const { start, end } of gone) part.drop(start, end);
        this.#context.onWrong(gone.bytes);
        hashing.rewind(0);
        continue;
      }
      if (rest.kind === 'failed') return this.#fail(rest.reason);
      const end = await this.#finish(part, hashing, this.size ?? 0);
      if (end !== null) return end;
    }
  }

  /** Verifies and places a complete part. Null: wrong hash, the download goes on with other sources. */
  async #finish(part: PartFile, hashing: PartHashing, size: number): Promise<RunEnd | null> {
    this.state = 'verifying';
    await Promise.all([this.#checkpoints.running, part.finish(size)]);
    await this.#secure(false);
    const verdict = await judgeFile(this.swarm, hashing, { size, root: this.#root }, () => this.#context.clock.now());
    if (verdict === 'contradicted') return this.#quarantine(part);
    if (verdict !== 'right') return this.#onMismatch(part, verdict);
    await this.file.alone(() => this.#place());
    await this.settle();
    this.#context.onChange(this);
    return { kind: 'completed' };
  }

  /** Both hashes are the user's, and the file has one of them: it is kept, and not placed. */
  async #quarantine(part: PartFile): Promise<RunEnd> {
    const path = await placeFile(this.partPath, quarantineFolder(this.#context.folder), this.name);
    await this.#startOver(part);
    await this.#close();
    await deletePart(this.partPath);
    return this.#fail(
      `the SHA-1 and the tree root asked for are not those of one file: what came has one of them, and is kept as ${path}`,
    );
  }

  /** Places the file and saves that. If saving fails, the next run verifies again and recognises its own file. */
  async #place(): Promise<void> {
    const { clock, isOthers, targetOf } = this.#context;
    const ranges = this.#ranges;
    const path = await this.file.take(this.partPath, targetOf(this), this.name, at => isOthers(this, at));
    this.file.path = path; // and at once the state: the file of a download that is not completed cannot be renamed
    this.finishedAt = clock.wallTime();
    this.error = null;
    this.#ranges = RangeSet.of();
    this.#state = 'completed';
    try {
      await this.save(true);
    } catch (error) {
      this.#state = 'verifying';
      this.#ranges = ranges;
      this.file.path = null;
      this.finishedAt = null;
      throw error;
    }
  }

  /** Once the record says that the file is placed; a process that was killed may not have come to it. */
  async settle(): Promise<void> {
    await this.file.alone(() => this.file.settle(this.partPath));
    await this.save(false).catch(error => this.#context.onTrouble(this, error));
  }

  async #onMismatch(part: PartFile, outcome: WrongFile): Promise<RunEnd | null> {
    if (outcome === 'repairing') return null;
    this.#context.onWrong(part.done.bytes);
    // with another size it is another file
    if (!this.swarm.onWrongFile(this.#context.clock.now())) this.#mismatches++;
    this.error = this.#standing;
    await this.#startOver(part);
    if (this.#mismatches < MISMATCHES_MAX) return null;
    return this.#fail(`${MISMATCH}, ${this.#mismatches} times: no source seems to have the file`);
  }

  /** Lasting problem of a download that goes on; null: none. */
  get #standing(): string | null {
    if (this.#mismatches > 0) return `${MISMATCH}: the file is fetched again from other sources`;
    return this.swarm.planner.size === 0 ? NO_SOURCE : null;
  }

  async #startOver(part: PartFile): Promise<void> {
    await this.#checkpoints.running;
    part.drop(0, Number.MAX_SAFE_INTEGER);
    this.swarm.keepOnly(part.done);
    this.#hashing?.rewind(0);
    this.#ranges = RangeSet.of();
    this.#verified = RangeSet.of();
    await this.save(true);
  }

  #fail(reason: string): RunEnd {
    this.error = reason;
    this.state = 'failed';
    return { kind: 'failed' };
  }

  /** Syncs the part file, then saves the ranges: the record never claims more than the disk holds. */
  async #secure(durable: boolean): Promise<void> {
    const now = this.#context.clock.now();
    this.#savedTree = this.swarm.verification.quest.tree;
    if (this.#part !== null) {
      const verified = this.swarm.map.rangesOf('verified');
      this.#ranges = await this.#part.checkpoint();
      this.#verified = verified;
      if (durable || now - this.#describedAt >= DESCRIBED_MS) await this.#describe();
    }
    await this.save(durable);
    if (now - this.#changedAt < CHANGED_MS) return;
    this.#changedAt = now;
    this.#context.onChange(this);
  }

  /** A download is also found again without the store: what cannot be written is told, and stops nothing. */
  async #describe(): Promise<void> {
    this.#describedAt = this.#context.clock.now();
    await writeDescription(this.partPath, this.record()).catch(error => this.#context.onTrouble(this, error));
  }
}
