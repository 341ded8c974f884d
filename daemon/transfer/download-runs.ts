// Runs the downloads that the queue names, and tells the queue how the runs end.
import type { Socket } from 'node:net';
import { formatBytes } from '../../api/format.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { ReasonCounts } from '../../protocol/reason-counts.ts';
import type { DownloadQueue, Shortage, VolumeRoom } from '../../protocol/transfer/downloads/download-queue.ts';
import { parseQueueCallback } from '../../protocol/transfer/downloads/queue-callback.ts';
import type { Source } from '../../protocol/transfer/downloads/source.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { Download } from './download.ts';
import type { DownloadSnapshot, RunEnd } from './download-snapshot.ts';
import { QueueCallbacks } from './queue-callbacks.ts';

/** Longest time of setTimeout. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export const CALLBACK_OUTCOMES = ['taken', 'unasked', 'malformed'] as const;
export type CallbackOutcome = (typeof CALLBACK_OUTCOMES)[number];

export interface DownloadRunsOptions {
  readonly queue: DownloadQueue;
  /** Every download, oldest first; those that are finished too. */
  readonly downloads: ReadonlyMap<string, Download>;
  readonly clock: Clock;
  readonly log: Log;
  /** Wait after a disk error, ms. */
  readonly diskMs: number;
  readonly roomOf: (folder: string) => Promise<VolumeRoom>;
  readonly onCompleted?: ((download: DownloadSnapshot, path: string) => void) | undefined;
  readonly onFailed?: ((download: DownloadSnapshot) => void) | undefined;
}

interface Run {
  readonly abort: AbortController;
  over: Promise<void>;
  /** A remote queue called meanwhile. */
  called: boolean;
}

export class DownloadRuns {
  readonly #options: DownloadRunsOptions;
  readonly #runs = new Map<string, Run>();
  /** Calls of remote upload queues. */
  readonly callbacks = new ReasonCounts<CallbackOutcome>(CALLBACK_OUTCOMES);
  readonly #callbacks = new QueueCallbacks();
  #timer: NodeJS.Timeout | null = null;
  #isStopped = true;

  constructor(options: DownloadRunsOptions) {
    this.#options = options;
  }

  start(): void {
    this.#isStopped = false;
    this.schedule();
  }

  /** Ends all runs and stores their progress. Idempotent. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.haltAll();
    this.#callbacks.close();
  }

  has(id: string): boolean {
    return this.#runs.has(id);
  }

  /** Ends the run of a download, if it has one. */
  async halt(id: string): Promise<void> {
    const run = this.#runs.get(id);
    run?.abort.abort();
    await run?.over;
  }

  /** Resolves when the download does not run. */
  async over(id: string): Promise<void> {
    await this.#runs.get(id)?.over;
  }

  async haltAll(): Promise<void> {
    await Promise.all([...this.#runs.keys()].map(id => this.halt(id)));
  }

  /** The connection over which the remote queue of this source has called. */
  takeCallback(source: Source): Socket | null {
    return this.#callbacks.take(source);
  }

  /** Takes a socket that began with QUEUE from the listener; `head` holds at least the first line. */
  onQueueCallback(socket: Socket, head: Buffer): void {
    socket.pause();
    try {
      const isTaken = this.#goesOn(parseQueueCallback(head.toString('latin1')), socket);
      this.callbacks.count(isTaken ? 'taken' : 'unasked');
      if (!isTaken) socket.destroy();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.callbacks.count('malformed');
      socket.destroy();
    }
  }

  /** A download that waits for the place goes on at once, even above the limit. False: none does. */
  #goesOn(place: string, socket: Socket): boolean {
    const { queue, downloads } = this.#options;
    if (this.#isStopped || queue.suspended) return false;
    for (const [id, download] of downloads) {
      if (queue.isHeld(id) || !['queued', 'active'].includes(download.state)) continue;
      const source = download.onCalled(place);
      if (source === null) continue;
      this.#callbacks.keep(source, socket);
      const run = this.#runs.get(id);
      if (run === undefined) this.#run(download);
      else run.called = true;
      return true;
    }
    return false;
  }

  /** The download starts or ends waiting in a queue of its source; it needs no turn meanwhile. */
  onRemoteQueue(download: Download, waits: boolean): void {
    if (!this.#options.queue.onRemoteQueue(download.id, waits)) return;
    download.state = waits ? 'queued' : 'active';
    if (waits) this.schedule();
  }

  /** Does what the queue says, and sets a timer for what comes next. */
  schedule(): void {
    if (this.#isStopped) return;
    const { queue, clock } = this.#options;
    for (const command of queue.next(clock.now())) {
      const download = 'id' in command ? this.#options.downloads.get(command.id) : undefined;
      if (command.kind === 'measure') void this.#measure(command.folder);
      else if (download === undefined) continue;
      else if (command.kind === 'start') this.#run(download);
      else if (command.kind === 'pause') this.#pause(download, command.shortage);
      else if (!this.#runs.has(download.id)) download.wait();
    }
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const at = queue.nextAt;
    if (at === null) return;
    const ms = Math.min(Math.max(1, Math.ceil(at - clock.now())), TIMER_MS_MAX);
    this.#timer = setTimeout(() => this.schedule(), ms);
  }

  async #measure(folder: string): Promise<void> {
    const { queue, clock, roomOf } = this.#options;
    const room = await roomOf(folder);
    queue.onRoom(folder, room, clock.now());
    this.schedule();
  }

  /** There is no room on its volume. One that runs is paused when its run has ended. */
  #pause(download: Download, shortage: Shortage): void {
    const run = this.#runs.get(download.id);
    if (run === undefined) download.pause(shortageText(shortage));
    else run.abort.abort();
  }

  #run(download: Download): void {
    const { id } = download;
    const abort = new AbortController();
    this.#options.queue.onStarted(id);
    const run: Run = { abort, over: Promise.resolve(), called: false };
    this.#runs.set(id, run);
    run.over = download.run(abort.signal).then(end => {
      this.#runs.delete(id);
      this.#onEnd(download, end, run.called);
      this.schedule();
    });
  }

  #onEnd(download: Download, end: RunEnd, called: boolean): void {
    const { queue, clock, diskMs, log, onCompleted, onFailed } = this.#options;
    const { id } = download;
    switch (end.kind) {
      case 'waiting':
        queue.onEnded(id, download.swarm.restsUntil(clock.now())); // a source may have come since it ended
        download.state = 'queued';
        if (called && !queue.isHeld(id) && !this.#isStopped && !queue.suspended) this.#run(download);
        break;
      case 'stopped': {
        // aborted by the user, who sets the next state, for want of room, or by the stop of the servent
        const shortage = queue.shortageOf(id);
        queue.onEnded(id, clock.now());
        if (download.state === 'completed') break;
        if (shortage === null) download.state = 'queued';
        else download.pause(shortageText(shortage));
        break;
      }
      case 'disk':
        log.error({ id, code: end.error.code, err: end.error }, end.error.message);
        queue.onEnded(id, clock.now() + diskMs);
        download.pause(end.error.message);
        break;
      case 'completed': {
        queue.remove(id);
        const completed = download.snapshot(null);
        log.info({ id, path: completed.path }, 'a download is complete');
        onCompleted?.(completed, completed.path ?? '');
        break;
      }
      case 'failed':
        queue.remove(id);
        log.info({ id, reason: download.error }, 'a download failed');
        onFailed?.(download.snapshot(null));
        break;
    }
  }
}

function shortageText({ folder, free, reserve, needed }: Shortage): string {
  const rest = needed === null ? 'its size is not known' : `it still needs ${formatBytes(needed)}`;
  return `no room on the volume of ${folder}: ${formatBytes(free)} are free, ${formatBytes(reserve)} stay free (downloads.reserve), and ${rest}; it goes on by itself when there is room`;
}
