// All downloads: begun, paused, resumed, a few at a time in the order of their priority, and again after a restart.
import { statfs } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { v4 as uuid } from 'uuid'; // its beginning tells it from others
import { CodedError } from '../../protocol/errors.ts';
import type { Random } from '../../protocol/ports.ts';
import { RangeSet } from '../../protocol/transfer/range-set.ts';
import type { Source } from '../../protocol/transfer/source.ts';
import { RETRY_TIMES, type RetryTimes } from '../../protocol/transfer/source-plan.ts';
import type { TransferIdentity } from '../../protocol/transfer/transfer-identity.ts';
import { VISIT_TIMES, type VisitTimes } from '../../protocol/transfer/visit.ts';
import type { Endpoint } from '../../protocol/wire/endpoint.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { DownloadStore } from '../store/downloads.ts';
import {
  CHECKPOINT_LIMITS,
  type CheckpointLimits,
  Download,
  type DownloadContext,
  type DownloadSnapshot,
  NO_SOURCE,
  type RunEnd,
} from './download.ts';
import { findLostParts, type LostParts, NO_LOST_PARTS } from './lost-parts.ts';

/** As many as are kept, and none of them finished. */
export class TooManyDownloadsError extends CodedError<'DOWNLOADS_FULL'> {}

/** What to fetch. Without a hash nothing is verified, and only sources that name the file by index or URL can be asked. */
export interface DownloadRequest {
  /** 20 bytes. */
  sha1: Buffer | null;
  size: number | null;
  name: string;
  sources: readonly Source[];
}

export interface DownloadTimes extends RetryTimes, VisitTimes {
  /** After the disk failed. */
  diskMs: number;
}

export interface DownloadsOptions {
  folder: string;
  store: DownloadStore;
  /** Connected sockets; rejects with what there is to say. */
  dial: (endpoint: Endpoint, signal: AbortSignal) => Promise<Socket>;
  /** Has a servent behind a firewall connect to us; absent: such are dialled like the others. */
  push?: (source: Source, signal: AbortSignal) => Promise<Socket>;
  identity: TransferIdentity;
  clock: Clock;
  random: Random;
  log: Log;
  /** Bytes free for parts; null: not known. Those of the folder's disk when absent. */
  room?: () => Promise<number | null>;
  /** Downloads that run at the same time. */
  activeMax?: number;
  times?: Partial<DownloadTimes>;
  checkpoint?: CheckpointLimits;
  onAdded?: (download: DownloadSnapshot) => void;
  /** Another state, or some progress: about once a second for each that runs. */
  onChange?: (download: DownloadSnapshot) => void;
  onCompleted?: (download: DownloadSnapshot, path: string) => void;
  onFailed?: (download: DownloadSnapshot) => void;
  onRemoved?: (id: string) => void;
}

const DOWNLOADS_MAX = 10_000;
const DISK_RETRY_MS = 30_000;
/** Of setTimeout. */
const TIMER_MS_MAX = 2 ** 31 - 1;

interface Entry {
  readonly download: Download;
  run: { readonly abort: AbortController; readonly over: Promise<void> } | null;
  /** Holds one of the activeMax turns: runs and does not wait in a remote queue. */
  holdsTurn: boolean;
  /** Not to run before; null: not until something new happens. */
  waitUntil: number | null;
  /** A user does not want it to run, now or ever. */
  held: boolean;
}

export class Downloads {
  readonly #options: DownloadsOptions;
  readonly #context: DownloadContext;
  readonly #diskMs: number;
  /** In the order of their beginning; at most DOWNLOADS_MAX, of which the oldest finished one makes room. */
  readonly #entries = new Map<string, Entry>();
  /** As they were when they were looked for last. */
  lost: LostParts = NO_LOST_PARTS;
  #activeMax: number;
  #timer: NodeJS.Timeout | null = null;
  #stopped = true;

  constructor(options: DownloadsOptions) {
    const { folder, store, identity, clock, random, times = {} } = options;
    this.#options = options;
    this.#activeMax = options.activeMax ?? 4;
    this.#diskMs = times.diskMs ?? DISK_RETRY_MS;
    this.#context = {
      folder,
      store,
      clock,
      random,
      fetch: {
        identity,
        clock,
        times: { ...VISIT_TIMES, ...times },
        connect: (source, signal) => this.#connect(source, signal),
        room: options.room ?? (() => freeBytes(folder)),
      },
      retryTimes: { ...RETRY_TIMES, ...times },
      checkpoint: options.checkpoint ?? CHECKPOINT_LIMITS,
      onChange: download => options.onChange?.(download.snapshot()),
      onRemoteQueue: (download, waiting) => this.#onRemoteQueue(download, waiting),
      onTrouble: ({ id }, err) => options.log.warn({ id, err }, 'progress of a download could not be stored'),
    };
  }

  /** Goes on where the last run of the servent ended. Rejects with StoreError. */
  async start(): Promise<void> {
    this.#stopped = false;
    for (const record of await this.#options.store.all(this.#options.log)) {
      this.#entries.set(record.id, entryOf(new Download(record, this.#context)));
    }
    const { count, bytes, paths } = await this.lookForLost();
    if (count > 0)
      this.#options.log.warn(
        { count, bytes, paths },
        'part files of downloads that are not known: nothing fetches the rest of them',
      );
    this.#schedule();
  }

  /** Part files without a download. A folder that cannot be read has none: doctor says that by itself. */
  async lookForLost(): Promise<LostParts> {
    const { folder, log } = this.#options;
    try {
      this.lost = await findLostParts(folder, id => this.#entries.has(id));
    } catch (err) {
      log.warn({ err, folder }, 'the folder of unfinished downloads cannot be read');
    }
    return this.lost;
  }

  /** Ends all runs; their progress is stored when it resolves. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await Promise.all([...this.#entries.values()].map(entry => halt(entry)));
  }

  /** Its record is stored when it resolves. One that fetches the same hash already gets the new sources instead. */
  async add(request: DownloadRequest): Promise<DownloadSnapshot> {
    const same = this.#sameAs(request);
    if (same !== null) return this.#join(same, request.sources);
    this.#makeRoom();
    const { clock } = this.#options;
    const download = new Download(
      {
        ...request,
        id: uuid(),
        state: 'queued',
        priority: 0,
        ranges: RangeSet.of(),
        mismatches: 0,
        addedAt: clock.wallTime(),
        finishedAt: null,
        path: null,
        error: request.sources.length === 0 ? NO_SOURCE : null,
      },
      this.#context,
    );
    const entry = entryOf(download);
    this.#entries.set(download.id, entry); // before the wait, or the same asked for twice at once would be two
    try {
      await download.save(true);
    } catch (error) {
      this.#entries.delete(download.id);
      throw error;
    }
    this.#options.onAdded?.(download.snapshot());
    this.#schedule();
    return download.snapshot();
  }

  get(id: string): DownloadSnapshot | null {
    return this.#entries.get(id)?.download.snapshot() ?? null;
  }

  /** Oldest first. */
  list(): DownloadSnapshot[] {
    return [...this.#entries.values()].map(({ download }) => download.snapshot());
  }

  get load(): { active: number; queued: number; rate: number } {
    const load = { active: 0, queued: 0, rate: 0 };
    for (const { download } of this.#entries.values()) {
      if (download.state === 'active' || download.state === 'verifying') load.active++;
      else if (download.state === 'queued') load.queued++;
      load.rate += download.bytesPerSecond;
    }
    return load;
  }

  set activeMax(activeMax: number) {
    this.#activeMax = activeMax;
    this.#schedule();
  }

  /** Null: no such download. Does nothing to one that is finished. */
  async pause(id: string): Promise<DownloadSnapshot | null> {
    const entry = this.#entries.get(id);
    if (entry === undefined) return null;
    entry.held = true;
    await halt(entry);
    entry.download.pause();
    await entry.download.save(true);
    return entry.download.snapshot();
  }

  /** Also tries a failed one again, with all its sources. */
  async resume(id: string): Promise<DownloadSnapshot | null> {
    const entry = this.#entries.get(id);
    if (entry === undefined) return null;
    const { download } = entry;
    entry.held = false;
    if (download.state === 'paused' || download.state === 'failed') {
      download.revive();
      entry.waitUntil = this.#options.clock.now();
      await download.save(true);
      this.#schedule();
    }
    return download.snapshot();
  }

  /** Higher goes first; who runs already is not interrupted. */
  async setPriority(id: string, priority: number): Promise<DownloadSnapshot | null> {
    const entry = this.#entries.get(id);
    if (entry === undefined) return null;
    entry.download.priority = priority;
    await entry.download.save(true);
    this.#context.onChange(entry.download);
    return entry.download.snapshot();
  }

  /** Forgets it and deletes what is unfinished; a finished file stays. False: no such download. */
  async cancel(id: string): Promise<boolean> {
    const entry = this.#entries.get(id);
    if (entry === undefined) return false;
    this.#entries.delete(id); // first, so that nobody starts it again
    entry.held = true;
    await halt(entry);
    await entry.download.remove();
    this.#options.onRemoved?.(id);
    this.#schedule();
    return true;
  }

  /** False: no such download, or the source is known already. */
  async addSource(id: string, source: Source): Promise<boolean> {
    const entry = this.#entries.get(id);
    if (entry === undefined || !entry.download.addSource(source)) return false;
    await this.#join(entry, []);
    return true;
  }

  #sameAs({ sha1 }: DownloadRequest): Entry | null {
    if (sha1 === null) return null;
    for (const entry of this.#entries.values()) {
      if (entry.download.state !== 'completed' && entry.download.sha1?.equals(sha1)) return entry;
    }
    return null;
  }

  async #join(entry: Entry, sources: readonly Source[]): Promise<DownloadSnapshot> {
    const { download } = entry;
    for (const source of sources) download.addSource(source);
    if (download.state === 'failed') download.revive();
    if (download.state === 'queued' && entry.run === null) entry.waitUntil = this.#options.clock.now();
    await download.save(true);
    this.#schedule();
    return download.snapshot();
  }

  #makeRoom(): void {
    if (this.#entries.size < DOWNLOADS_MAX) return;
    for (const [id, { download }] of this.#entries) {
      if (download.state !== 'completed') continue;
      void this.cancel(id).catch(err => this.#options.log.warn({ id, err }, 'an old download could not be forgotten'));
      return;
    }
    throw new TooManyDownloadsError('DOWNLOADS_FULL', `there are ${DOWNLOADS_MAX} downloads already: cancel some`);
  }

  #connect(source: Source, signal: AbortSignal): Promise<Socket> {
    const { dial, push } = this.#options;
    return source.push && push !== undefined ? push(source, signal) : dial(source.endpoint, signal);
  }

  /** Starts what may start and sets the clock for what must wait. */
  #schedule(): void {
    if (this.#stopped) return;
    const now = this.#options.clock.now();
    let turns = this.#activeMax;
    let nextAt = Number.POSITIVE_INFINITY;
    const ready: Entry[] = [];
    for (const entry of this.#entries.values()) {
      if (entry.holdsTurn) turns--;
      if (entry.run !== null || entry.held || entry.waitUntil === null) continue;
      if (entry.download.state !== 'queued' && entry.download.state !== 'paused') continue;
      if (entry.waitUntil <= now) ready.push(entry);
      else nextAt = Math.min(nextAt, entry.waitUntil);
    }
    ready.sort((a, b) => b.download.priority - a.download.priority); // stable: the oldest of the same priority
    for (const entry of ready.slice(0, Math.max(0, turns))) this.#run(entry);
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (nextAt < Number.POSITIVE_INFINITY) {
      const ms = Math.min(Math.max(1, Math.ceil(nextAt - now)), TIMER_MS_MAX);
      this.#timer = setTimeout(() => this.#schedule(), ms);
    }
  }

  #run(entry: Entry): void {
    const abort = new AbortController();
    entry.holdsTurn = true;
    entry.waitUntil = null;
    const over = entry.download.run(abort.signal).then(end => {
      entry.run = null;
      entry.holdsTurn = false;
      this.#onRunEnd(entry, end);
      this.#schedule();
    });
    entry.run = { abort, over };
  }

  #onRunEnd(entry: Entry, end: RunEnd): void {
    const { download } = entry;
    const { clock, log, onCompleted, onFailed } = this.#options;
    switch (end.kind) {
      case 'waiting':
        entry.waitUntil = end.until;
        download.state = 'queued';
        break;
      case 'stopped':
        // by a user, who says what is next, or by the end of the servent
        if (download.state !== 'completed') download.state = 'queued';
        break;
      case 'disk':
        log.error({ id: download.id, code: end.error.code, err: end.error }, end.error.message);
        entry.waitUntil = clock.now() + this.#diskMs;
        download.error = end.error.message;
        download.state = 'paused';
        break;
      case 'completed': {
        const completed = download.snapshot();
        log.info({ id: download.id, path: completed.path }, 'a download is complete');
        onCompleted?.(completed, completed.path ?? '');
        break;
      }
      case 'failed':
        log.info({ id: download.id, reason: download.error }, 'a download failed');
        onFailed?.(download.snapshot());
        break;
    }
  }

  #onRemoteQueue(download: Download, waiting: boolean): void {
    const entry = this.#entries.get(download.id);
    if (entry === undefined || entry.run === null || entry.holdsTurn !== waiting) return;
    entry.holdsTurn = !waiting; // who is granted its turn over there takes one here, even beyond activeMax
    download.state = waiting ? 'queued' : 'active';
    if (waiting) this.#schedule();
  }
}

function entryOf(download: Download): Entry {
  return {
    download,
    run: null,
    holdsTurn: false,
    waitUntil: Number.NEGATIVE_INFINITY,
    held: download.state === 'paused',
  };
}

/** Ends its run, if it has one. */
async function halt(entry: Entry): Promise<void> {
  entry.run?.abort.abort();
  await entry.run?.over;
}

/** Null where the folder is not there, or the system does not say. */
async function freeBytes(folder: string): Promise<number | null> {
  const space = await statfs(folder).catch(() => null);
  return space === null ? null : space.bavail * space.bsize;
}
