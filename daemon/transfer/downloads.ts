// Manages all downloads: adds, pauses, resumes and orders them, and restores them at the start.
import type { Socket } from 'node:net';
import { CodedError } from '../../protocol/errors.ts';
import type { ReasonCounts } from '../../protocol/reason-counts.ts';
import type { Category } from '../../protocol/transfer/downloads/category.ts';
import {
  DownloadQueue,
  type Move,
  type QueueWait,
  type RoomNeed,
} from '../../protocol/transfer/downloads/download-queue.ts';
import type { SourceOffer } from '../../protocol/transfer/downloads/hit-sources.ts';
import { HostLimits } from '../../protocol/transfer/downloads/host-limits.ts';
import type { Source } from '../../protocol/transfer/downloads/source.ts';
import { RETRY_TIMES } from '../../protocol/transfer/downloads/source-retry.ts';
import { VISIT_TIMES } from '../../protocol/transfer/downloads/visit.ts';
import { Bandwidth } from '../net/bandwidth.ts';
import type { DownloadRecord } from '../store/downloads.ts';
import { CHECKPOINT_LIMITS } from './checkpoints.ts';
import { Download } from './download.ts';
import { DownloadCategories } from './download-categories.ts';
import type { DownloadContext } from './download-context.ts';
import { DownloadList } from './download-list.ts';
import { type AddedDownload, type DownloadRequest, newRecord } from './download-request.ts';
import { type CallbackOutcome, DownloadRuns } from './download-runs.ts';
import { type DownloadSnapshot, type DownloadsLoad, loadOf } from './download-snapshot.ts';
import type { DownloadsOptions } from './downloads-options.ts';
import { LostDownloads } from './lost-downloads.ts';
import { partsFolder } from './part-file.ts';
import { PartVerifier } from './part-verifier.ts';
import { isFileOf } from './place-file.ts';
import { reachSource } from './reach-source.ts';
import type { ReadableDownload } from './readable-download.ts';
import { SecondLooks } from './second-looks.ts';
import { isWithoutSource } from './source-hunt.ts';
import { roomOf } from './volumes.ts';

/** The list is full and has no finished download to drop. */
export class TooManyDownloadsError extends CodedError<'DOWNLOADS_FULL'> {}

const DOWNLOADS_MAX = 10_000;
const DISK_RETRY_MS = 30_000;
export class Downloads {
  readonly #options: DownloadsOptions;
  readonly #context: DownloadContext<Download>;
  /** In order of creation; at most DOWNLOADS_MAX. A new one replaces the oldest finished one. */
  readonly #downloads = new DownloadList();
  /** Those that are not finished. */
  readonly #queue: DownloadQueue;
  readonly #runs: DownloadRuns;
  readonly #verifier: PartVerifier;
  readonly #categories: DownloadCategories;
  readonly #looks: SecondLooks;
  readonly lost: LostDownloads;

  constructor(options: DownloadsOptions) {
    const { folder, store, identity, mesh, clock, random, times = {} } = options;
    this.#options = options;
    this.#verifier = options.verifier ?? new PartVerifier();
    const { activeMax: active = 4, reserve = 0, categories = [] } = options;
    this.#categories = new DownloadCategories(folder, categories);
    const limits = { active, reserve, categories: this.#categories.turns() };
    this.#queue = new DownloadQueue(limits, id => this.#needsOf(id));
    this.#runs = new DownloadRuns({
      ...{ clock, log: options.log, roomOf: options.roomOf ?? roomOf },
      ...{ queue: this.#queue, downloads: this.#downloads },
      diskMs: times.diskMs ?? DISK_RETRY_MS,
      onCompleted: options.onCompleted,
      onFailed: options.onFailed,
    });
    this.lost = new LostDownloads(
      folder,
      {
        isKnown: id => this.#downloads.has(id),
        sameAs: sha1 => (sha1 === null ? null : (this.#downloads.unfinishedOf(sha1)?.id ?? null)),
        take: async record => void (await this.#insert(record, record.place)),
      },
      options.log,
    );
    this.#looks = new SecondLooks(
      this.#queue,
      id => this.#runs.over(id),
      (download, wantsOn) => {
        const goesOn = wantsOn && this.#downloads.get(download.id) === download; // not one that was removed meanwhile
        if (goesOn && !this.#queue.has(download.id) && download.state === 'queued') this.#enqueue(download);
        else if (goesOn && download.state === 'queued') this.#queue.release(download.id, clock.now());
        else if (goesOn && download.state !== 'completed') void this.#revive(download);
        this.#runs.schedule();
      },
    );
    this.#context = {
      folder,
      targetOf: download => this.#categories.targetOf(download),
      isOthers: (download, path) => this.#downloads.hasOther(download, path),
      store,
      clock,
      random,
      mesh,
      fetch: {
        identity,
        clock,
        bandwidth: options.bandwidth ?? new Bandwidth(),
        times: { ...VISIT_TIMES, ...times },
        connect: async ({ source, reachable }, sha1, signal) => {
          const socket = this.#runs.takeCallback(source);
          return socket === null ? reachSource({ ...reachable, sha1 }, options, signal) : { socket, way: null };
        },
        room: options.room ?? (async () => (await roomOf(folder)).free),
      },
      verifier: this.#verifier,
      hosts: options.hosts === undefined ? new HostLimits() : options.hosts,
      retryTimes: { ...RETRY_TIMES, ...times },
      checkpoint: options.checkpoint ?? CHECKPOINT_LIMITS,
      onChange: download => options.onChange?.(this.#snapshot(download)),
      onFetched: (download, host, bytes) => options.onFetched?.(this.#snapshot(download), host, bytes),
      huntOf: id => options.huntOf?.(id) ?? null,
      onSearch: ({ id }) => options.onSearch?.(id),
      onWrong: bytes => options.onWrong?.(bytes),
      onCharge: (source, isCharged) => options.onCharge?.(source, isCharged),
      onRemoteQueue: (download, waits) => this.#runs.onRemoteQueue(download, waits),
      onTrouble: ({ id }, err) => options.log.warn({ id, err }, 'progress of a download could not be stored'),
    };
  }

  /** Hours of addresses in which dials were put off. */
  get dialsPutOff(): number {
    return this.#context.hosts?.refused ?? 0;
  }

  /** Calls of remote upload queues. */
  get callbacks(): ReasonCounts<CallbackOutcome> {
    return this.#runs.callbacks;
  }

  /** Restores the stored downloads and continues them. Rejects with StoreError. */
  async start(): Promise<void> {
    const records = await this.#options.store.all(this.#options.log);
    for (const record of records) this.#downloads.set(record.id, new Download(record, this.#context));
    for (const download of [...this.#downloads.values()].sort((a, b) => a.place - b.place)) {
      if (download.state !== 'completed' && download.state !== 'failed') this.#enqueue(download);
    }
    await this.#downloads.settleFinished(this.#options.folder, this.#options.log);
    const { count, bytes, paths } = await this.lost.look();
    if (count > 0)
      this.#options.log.warn({ count, bytes, paths }, 'found part files without a download: nothing continues them');
    this.#runs.start();
  }

  /** Begins to look through the bytes of a download again, finished or not. Null: no such download. */
  verify(id: string): DownloadSnapshot | null {
    const download = this.#downloads.get(id);
    if (download === undefined) return null;
    if (this.#runs.has(id) && download.state !== 'completed') download.lookAgain();
    else this.#looks.begin(download);
    return this.#snapshot(download);
  }

  /** Ends all runs and stores their progress. Idempotent. */
  async stop(): Promise<void> {
    await this.#looks.stop();
    await this.#runs.stop();
    if (this.#options.verifier === undefined) await this.#verifier.close();
  }

  /** Takes a socket that began with QUEUE from the listener; `head` holds at least the first line. */
  onQueueCallback(socket: Socket, head: Buffer): void {
    this.#runs.onQueueCallback(socket, head);
  }

  /** Its record is stored when it resolves. The same content asked for again is not fetched again, unless the request says so. */
  async add(request: DownloadRequest): Promise<AddedDownload> {
    const { sha1 } = request;
    if (request.again === true || sha1 === null) return { ...(await this.#create(request, null)), joined: null };
    const complete = await this.#downloads.completeOf(sha1);
    const found = this.#options.sharedAt?.(sha1) ?? null;
    const shared = found !== null && (await isFileOf(found.path, found.size)) ? found : null;
    // from here to the new entry nothing is awaited, so that a second request finds it
    const unfinished = this.#downloads.unfinishedOf(sha1);
    if (unfinished !== null) return { ...(await this.#join(unfinished, request.sources)), joined: 'download' };
    if (complete !== null) return { ...this.#snapshot(complete), joined: 'file' };
    if (shared === null) return { ...(await this.#create(request, null)), joined: null };
    return {
      ...(await this.#create({ ...request, size: shared.size, sizeTold: null }, shared.path)),
      joined: 'library',
    };
  }

  /** `path`: the content is there, and the download is born complete. */
  #create(request: DownloadRequest, path: string | null): Promise<DownloadSnapshot> {
    const size = request.size ?? request.sizeTold ?? null;
    const placed = this.#categories.placeOf(request.category, request.name, size);
    return this.#insert(newRecord({ ...request, ...placed }, this.#options.clock.wallTime(), path), null);
  }

  /** Its record is stored when it resolves. `place`: in the queue; null: at its end. */
  async #insert(record: DownloadRecord, place: number | null): Promise<DownloadSnapshot> {
    this.#makeRoom();
    const download = new Download(record, this.#context);
    this.#downloads.set(download.id, download);
    if (download.state !== 'completed') this.#enqueue(download, place);
    try {
      await download.save(true);
    } catch (error) {
      this.#forget(download.id);
      throw error;
    }
    this.#options.onAdded?.(this.#snapshot(download));
    this.#runs.schedule();
    return this.#snapshot(download);
  }

  get(id: string): DownloadSnapshot | null {
    const download = this.#downloads.get(id);
    return download === undefined ? null : this.#snapshot(download);
  }

  /** Oldest first. */
  ofContent(sha1: Buffer): Iterable<Download> {
    return this.#downloads.of(sha1);
  }

  /** Those that run. */
  *active(): Generator<Download> {
    for (const download of this.#downloads.values()) if (download.state === 'active') yield download;
  }

  readable(id: string): ReadableDownload | null {
    return this.#downloads.get(id) ?? null;
  }

  /** Oldest first. */
  list(): DownloadSnapshot[] {
    return [...this.#downloads.values()].map(download => this.#snapshot(download));
  }

  /** Null: it runs, or is finished. */
  waitOf(id: string): QueueWait | null {
    return this.#queue.waitOf(id);
  }

  get load(): DownloadsLoad {
    return loadOf(this.#downloads.values());
  }

  set activeMax(active: number) {
    this.#queue.limits = { ...this.#queue.limits, active };
    this.#runs.schedule();
  }

  set categories(categories: readonly Category[]) {
    this.#categories.list = categories;
    this.#queue.limits = { ...this.#queue.limits, categories: this.#categories.turns() };
    this.#runs.schedule();
  }

  hasCategory(name: string): boolean {
    return this.#categories.has(name);
  }

  /** Null: none. The finished file goes to its folder. */
  setCategory(id: string, category: string | null): Promise<DownloadSnapshot | null> {
    return this.#change(id, download => {
      download.category = category;
      this.#queue.setCategory(id, category);
    });
  }

  set reserve(reserve: number) {
    this.#queue.limits = { ...this.#queue.limits, reserve };
    this.#runs.schedule();
  }

  /** While it is set nothing is fetched: all that run go back to the queue. */
  set suspended(suspended: boolean) {
    if (suspended === this.#queue.suspended) return;
    this.#queue.suspended = suspended;
    if (suspended) void this.#runs.haltAll();
    this.#runs.schedule();
  }

  /** Null: no such download. Does nothing to one that is finished. */
  async pause(id: string): Promise<DownloadSnapshot | null> {
    const download = this.#downloads.get(id);
    if (download === undefined) return null;
    await this.#looks.end(id);
    this.#queue.hold(id);
    await this.#runs.halt(id);
    download.pause();
    await download.save(true);
    this.#runs.schedule();
    return this.#snapshot(download);
  }

  /** Also tries a failed one again, with all its sources. */
  async resume(id: string): Promise<DownloadSnapshot | null> {
    const download = this.#downloads.get(id);
    if (download === undefined) return null;
    if (this.#looks.resume(id)) return this.#snapshot(download);
    if (this.#queue.shortageOf(id) === null && (download.state === 'paused' || download.state === 'failed'))
      await this.#revive(download);
    return this.#snapshot(download);
  }

  /** Higher goes first; who runs already is not interrupted. */
  setPriority(id: string, priority: number): Promise<DownloadSnapshot | null> {
    return this.#change(id, download => {
      download.priority = priority;
      this.#queue.setPriority(id, priority);
    });
  }

  /** Rejects with RenameError, DiskError. */
  rename(id: string, name: string): Promise<DownloadSnapshot | null> {
    return this.#change(id, download => download.rename(name));
  }

  setSequential(id: string, sequential: boolean): Promise<DownloadSnapshot | null> {
    return this.#change(id, ({ reading }) => {
      reading.sequential = sequential;
    });
  }

  async #change(id: string, change: (download: Download) => void | Promise<void>): Promise<DownloadSnapshot | null> {
    const download = this.#downloads.get(id);
    if (download === undefined) return null;
    await change(download);
    await download.save(true);
    if (this.#downloads.get(id) !== download) return null; // it was cancelled meanwhile
    this.#context.onChange(download);
    this.#runs.schedule();
    return this.#snapshot(download);
  }

  /** Among those of the same priority; one that is finished has no place. */
  async move(id: string, to: Move): Promise<DownloadSnapshot | null> {
    const download = this.#downloads.get(id);
    if (download === undefined) return null;
    for (const { id: other, place } of this.#queue.move(id, to)) {
      const moved = this.#downloads.get(other);
      if (moved === undefined) continue;
      moved.place = place;
      await moved.save(true);
      this.#context.onChange(moved);
    }
    return this.#snapshot(download);
  }

  /** Removes a download and its part file, not a finished file. False: unknown id. */
  async cancel(id: string): Promise<boolean> {
    const download = this.#downloads.get(id);
    if (download === undefined) return false;
    const removed = this.#snapshot(download);
    this.#forget(id); // first, so that it is not started again
    await this.#looks.end(id);
    await this.#runs.halt(id);
    await download.remove();
    this.#options.onRemoved?.(removed);
    this.#runs.schedule();
    return true;
  }

  /** False: unknown id or known source. */
  async addSource(id: string, source: Source): Promise<boolean> {
    const download = this.#downloads.get(id);
    if (download?.addSource(source) !== true) return false;
    await this.#join(download, []);
    return true;
  }

  /** The network named servents that have the file of this download. One that failed for want of a source goes on with a new one. */
  async offer(id: string, offer: SourceOffer): Promise<void> {
    const download = this.#downloads.get(id);
    if (download === undefined || download.state === 'completed' || !download.take(offer)) return;
    if (download.state === 'failed' && isWithoutSource(download.error)) {
      await this.#runs.over(id); // the run in which it failed may be just ending
      if (this.#downloads.get(id) !== download || download.state !== 'failed') return;
      download.wait();
      this.#enqueue(download);
    } else this.#context.onChange(download);
    if (download.state === 'queued') this.#queue.onSource(id, this.#options.clock.now());
    this.#runs.schedule();
    await download.save(false).catch(error => this.#context.onTrouble(download, error));
  }

  async #join(download: Download, sources: readonly Source[]): Promise<DownloadSnapshot> {
    for (const source of sources) download.addSource(source);
    if (download.state === 'failed') await this.#revive(download);
    else {
      if (download.state === 'queued') this.#queue.onSource(download.id, this.#options.clock.now());
      await download.save(true);
      this.#runs.schedule();
    }
    return this.#snapshot(download);
  }

  async #revive(download: Download): Promise<void> {
    const { id } = download;
    await this.#runs.over(id); // the run in which it failed may be just ending
    download.revive();
    if (!this.#queue.has(id)) this.#enqueue(download);
    this.#queue.release(id, this.#options.clock.now());
    await download.save(true);
    this.#runs.schedule();
  }

  #enqueue(download: Download, place: number | null = download.place): void {
    const { id, priority, category, state } = download;
    download.place = this.#queue.add(id, { priority, place, category, held: state === 'paused' });
  }

  #forget(id: string): void {
    this.#downloads.delete(id);
    this.#queue.remove(id);
  }

  #needsOf(id: string): RoomNeed[] {
    const download = this.#downloads.get(id);
    if (download === undefined) return [];
    const { sizeShown: size, done, category } = download;
    return [
      { folder: partsFolder(this.#options.folder), bytes: size === null ? null : Math.max(0, size - done) },
      { folder: this.#categories.folderOf(category), bytes: size },
    ];
  }

  #snapshot(download: Download): DownloadSnapshot {
    return download.snapshot(this.#queue.positionOf(download.id));
  }

  #makeRoom(): void {
    if (this.#downloads.size < DOWNLOADS_MAX) return;
    for (const [id, download] of this.#downloads) {
      if (download.state !== 'completed') continue;
      void this.cancel(id).catch(err => this.#options.log.warn({ id, err }, 'an old download could not be removed'));
      return;
    }
    throw new TooManyDownloadsError(
      'DOWNLOADS_FULL',
      `the list has its limit of ${DOWNLOADS_MAX} downloads: cancel some`,
    );
  }
}
