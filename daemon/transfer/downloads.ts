// Manages all downloads: adds, pauses, resumes and schedules them by priority, and restores them at the start.
import { statfs } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { v4 as uuid } from 'uuid'; // its beginning tells it from others
import { CodedError, ProtocolError } from '../../protocol/errors.ts';
import type { Random } from '../../protocol/ports.ts';
import { ReasonCounts } from '../../protocol/reason-counts.ts';
import { parseQueueCallback } from '../../protocol/transfer/downloads/queue-callback.ts';
import type { Source } from '../../protocol/transfer/downloads/source.ts';
import { RETRY_TIMES, type RetryTimes } from '../../protocol/transfer/downloads/source-plan.ts';
import { SOURCE_SESSION_TIMES, type SourceSessionTimes } from '../../protocol/transfer/downloads/source-session.ts';
import type { Mesh } from '../../protocol/transfer/mesh/mesh.ts';
import { RangeSet } from '../../protocol/transfer/range-set.ts';
import type { TransferIdentity } from '../../protocol/transfer/transfer-identity.ts';
import type { Endpoint } from '../../protocol/wire/endpoint.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { Bandwidth } from '../net/bandwidth.ts';
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
import { QueueCallbacks } from './queue-callbacks.ts';

/** The list is full and has no finished download to drop. */
export class TooManyDownloadsError extends CodedError<'DOWNLOADS_FULL'> {}

/** The file to fetch. Without a hash the file is not verified, and sources must name it by index or URL. */
export interface DownloadRequest {
  /** 20 bytes. */
  sha1: Buffer | null;
  size: number | null;
  name: string;
  sources: readonly Source[];
}

export interface DownloadTimes extends RetryTimes, SourceSessionTimes {
  /** Wait after a disk error, ms. */
  diskMs: number;
}

export interface DownloadsOptions {
  folder: string;
  store: DownloadStore;
  /** Resolves with a connected socket; rejects with an error for the user. */
  dial: (endpoint: Endpoint, signal: AbortSignal) => Promise<Socket>;
  /** Has a firewalled servent connect to us. Absent: firewalled servents are dialled. */
  push?: (source: Source, signal: AbortSignal) => Promise<Socket>;
  identity: TransferIdentity;
  mesh: Mesh;
  clock: Clock;
  random: Random;
  log: Log;
  /** Free bytes for part files; null: unknown. Absent: those of the folder's disk. */
  room?: () => Promise<number | null>;
  /** Most downloads that run at a time. */
  activeMax?: number;
  times?: Partial<DownloadTimes>;
  checkpoint?: CheckpointLimits;
  /** By default without limits. */
  bandwidth?: Bandwidth;
  onAdded?: (download: DownloadSnapshot) => void;
  /** Another state, or some progress: about once a second for each that runs. */
  onChange?: (download: DownloadSnapshot) => void;
  onCompleted?: (download: DownloadSnapshot, path: string) => void;
  onFailed?: (download: DownloadSnapshot) => void;
  onRemoved?: (id: string) => void;
  onFetched?: (download: DownloadSnapshot, host: string, bytes: number) => void;
  onWrong?: (bytes: number) => void;
}

const DOWNLOADS_MAX = 10_000;
const DISK_RETRY_MS = 30_000;
/** Longest time of setTimeout. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export const CALLBACK_OUTCOMES = ['taken', 'unasked', 'malformed'] as const;
export type CallbackOutcome = (typeof CALLBACK_OUTCOMES)[number];

interface Entry {
  readonly download: Download;
  run: { readonly abort: AbortController; readonly over: Promise<void> } | null;
  /** Holds one of the activeMax turns: it runs and is not waiting in a remote queue. */
  holdsTurn: boolean;
  /** Earliest time of the next run; null: not before a new event. */
  waitUntil: number | null;
  /** Paused or removed by the user. */
  held: boolean;
}

export class Downloads {
  readonly #options: DownloadsOptions;
  readonly #context: DownloadContext;
  readonly #diskMs: number;
  /** In order of creation; at most DOWNLOADS_MAX. A new one replaces the oldest finished one. */
  readonly #entries = new Map<string, Entry>();
  /** Result of the latest lookForLost(). */
  lost: LostParts = NO_LOST_PARTS;
  /** Calls of remote upload queues. */
  readonly callbacks = new ReasonCounts<CallbackOutcome>(CALLBACK_OUTCOMES);
  readonly #callbacks = new QueueCallbacks();
  #activeMax: number;
  #timer: NodeJS.Timeout | null = null;
  #stopped = true;
  #suspended = false;

  constructor(options: DownloadsOptions) {
    const { folder, store, identity, mesh, clock, random, times = {} } = options;
    this.#options = options;
    this.#activeMax = options.activeMax ?? 4;
    this.#diskMs = times.diskMs ?? DISK_RETRY_MS;
    this.#context = {
      folder,
      store,
      clock,
      random,
      mesh,
      fetch: {
        identity,
        clock,
        bandwidth: options.bandwidth ?? new Bandwidth(),
        times: { ...SOURCE_SESSION_TIMES, ...times },
        connect: (source, signal) => this.#connect(source, signal),
        room: options.room ?? (() => freeBytes(folder)),
      },
      retryTimes: { ...RETRY_TIMES, ...times },
      checkpoint: options.checkpoint ?? CHECKPOINT_LIMITS,
      onChange: download => options.onChange?.(download.snapshot()),
      onFetched: (download, host, bytes) => options.onFetched?.(download.snapshot(), host, bytes),
      onWrong: bytes => options.onWrong?.(bytes),
      onRemoteQueue: (download, waiting) => this.#onRemoteQueue(download, waiting),
      onTrouble: ({ id }, err) => options.log.warn({ id, err }, 'progress of a download could not be stored'),
    };
  }

  /** Restores the stored downloads and continues them. Rejects with StoreError. */
  async start(): Promise<void> {
    this.#stopped = false;
    for (const record of await this.#options.store.all(this.#options.log)) {
      this.#entries.set(record.id, entryOf(new Download(record, this.#context)));
    }
    const { count, bytes, paths } = await this.lookForLost();
    if (count > 0)
      this.#options.log.warn({ count, bytes, paths }, 'found part files without a download: nothing continues them');
    this.#schedule();
  }

  /** Finds part files without a download; none in an unreadable folder, which doctor reports separately. */
  async lookForLost(): Promise<LostParts> {
    const { folder, log } = this.#options;
    try {
      this.lost = await findLostParts(folder, id => this.#entries.has(id));
    } catch (err) {
      log.warn({ err, folder }, 'the folder of unfinished downloads cannot be read');
    }
    return this.lost;
  }

  /** Ends all runs and stores their progress. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await Promise.all([...this.#entries.values()].map(entry => halt(entry)));
    this.#callbacks.close();
  }

  /** Takes a socket that began with QUEUE from the listener; `head` holds at least the first line. */
  onQueueCallback(socket: Socket, head: Buffer): void {
    socket.pause();
    try {
      const isTaken = this.#takeCallback(parseQueueCallback(head.toString('latin1')), socket);
      this.callbacks.count(isTaken ? 'taken' : 'unasked');
      if (!isTaken) socket.destroy();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.callbacks.count('malformed');
      socket.destroy();
    }
  }

  /** A download that waits for the place goes on at once, even above activeMax. False: none does. */
  #takeCallback(id: string, socket: Socket): boolean {
    if (this.#stopped || this.#suspended) return false;
    for (const entry of this.#entries.values()) {
      if (entry.run !== null || entry.held || entry.download.state !== 'queued') continue;
      const called = entry.download.plan.onCalled(id);
      if (called === null) continue;
      this.#callbacks.keep(called.source, socket);
      this.#run(entry);
      return true;
    }
    return false;
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
    this.#entries.set(download.id, entry); // before the await, so that a second request finds it
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

  /** While it is set nothing is fetched: all that run go back to the queue. */
  set suspended(suspended: boolean) {
    if (suspended === this.#suspended) return;
    this.#suspended = suspended;
    for (const entry of this.#entries.values()) {
      if (suspended) entry.run?.abort.abort();
      else if (entry.run === null && entry.waitUntil === null) entry.waitUntil = this.#options.clock.now();
    }
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

  /** Removes a download and its part file, not a finished file. False: unknown id. */
  async cancel(id: string): Promise<boolean> {
    const entry = this.#entries.get(id);
    if (entry === undefined) return false;
    this.#entries.delete(id); // first, so that it is not started again
    entry.held = true;
    await halt(entry);
    await entry.download.remove();
    this.#options.onRemoved?.(id);
    this.#schedule();
    return true;
  }

  /** False: unknown id or known source. */
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
      void this.cancel(id).catch(err => this.#options.log.warn({ id, err }, 'an old download could not be removed'));
      return;
    }
    throw new TooManyDownloadsError(
      'DOWNLOADS_FULL',
      `the list has its limit of ${DOWNLOADS_MAX} downloads: cancel some`,
    );
  }

  #connect(source: Source, signal: AbortSignal): Promise<Socket> {
    const { dial, push } = this.#options;
    const called = this.#callbacks.take(source);
    if (called !== null) return Promise.resolve(called);
    return source.push && push !== undefined ? push(source, signal) : dial(source.endpoint, signal);
  }

  /** Starts the downloads that may run, and sets a timer for those that wait. */
  #schedule(): void {
    if (this.#stopped || this.#suspended) return;
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
        // aborted by the user, who sets the next state, or by the stop of the servent
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
    entry.holdsTurn = !waiting; // a download whose turn in the remote queue comes takes a turn here, even above activeMax
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

/** Ends a running download. */
async function halt(entry: Entry): Promise<void> {
  entry.run?.abort.abort();
  await entry.run?.over;
}

/** Null when the folder is missing or the system does not tell. */
async function freeBytes(folder: string): Promise<number | null> {
  const space = await statfs(folder).catch(() => null);
  return space === null ? null : space.bavail * space.bsize;
}
