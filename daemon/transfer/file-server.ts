// Serves shared files over HTTP on sockets that the listener (or an answered push) hands over. Owns the connections and their slots.
import type { Socket } from 'node:net';
import type { UploadView } from '../../api/control.ts';
import type { Clock } from '../../protocol/ports.ts';
import { ReasonCounts } from '../../protocol/reason-counts.ts';
import type { SharedFile } from '../../protocol/search/shared-file.ts';
import { UPLOAD_TIMES, type UploadQueue } from '../../protocol/transfer/upload-queue.ts';
import type { Log } from '../log.ts';
import { LanePool } from './lane-pool.ts';
import {
  type ServableFiles,
  type ServerTimes,
  type TransferIdentity,
  UPLOAD_OUTCOMES,
  type UploadContext,
  type UploadOutcome,
} from './upload-context.ts';
import { UploadSession } from './upload-session.ts';

export interface FileServerOptions {
  files: ServableFiles;
  /** Slots and places: the servent's. */
  queue: UploadQueue;
  identity: TransferIdentity;
  clock: Clock;
  log: Log;
  /** What a browse lists; absent: browsing is refused. */
  browse?: () => Iterable<SharedFile>;
  /** See UploadContext; absent: 410. */
  pushProxy?: (target: string, node: string | null, remoteHost: string) => number;
  times?: Partial<ServerTimes>;
  /** Connections, whatever they ask for; each costs a few KiB. */
  connectionsMax?: number;
  onStarted?: (upload: UploadView) => void;
  /** `bytes`: sent of that file on that connection, over all its ranges. */
  onFinished?: (upload: UploadView, bytes: number) => void;
}

/** Idle: twice LimeWire's, as peers verify and write between two ranges. Stall: LimeWire's for a transfer. */
export const SERVER_TIMES: ServerTimes = { ...UPLOAD_TIMES, headMs: 15_000, idleMs: 30_000, stallMs: 120_000 };

const BROWSES_MAX = 4;

export class FileServer {
  /** How requests ended, for metrics. */
  readonly outcomes = new ReasonCounts<UploadOutcome>(UPLOAD_OUTCOMES);
  readonly #context: UploadContext;
  readonly #queue: UploadQueue;
  readonly #connectionsMax: number;
  /** At most connectionsMax. */
  readonly #sessions = new Map<UploadSession, Promise<void>>();
  #connections = 0;
  #browses = 0;
  #stopping = false;

  constructor(options: FileServerOptions) {
    const times = { ...SERVER_TIMES, ...options.times };
    this.#connectionsMax = options.connectionsMax ?? 512;
    this.#queue = options.queue;
    const browse = options.browse;
    this.#context = {
      files: options.files,
      queue: this.#queue,
      identity: options.identity,
      browse: browse === undefined ? null : { files: browse, enter: () => this.#enterBrowse() },
      pushProxy: options.pushProxy ?? null,
      clock: options.clock,
      log: options.log,
      times,
      outcomes: this.outcomes,
      lanes: new LanePool(),
      onStarted: options.onStarted ?? (() => undefined),
      onFinished: options.onFinished ?? (() => undefined),
    };
  }

  /** `head`: bytes read from the socket already; none on a socket of our own making. */
  handle(socket: Socket, head: Buffer): void {
    if (this.#stopping || this.#sessions.size >= this.#connectionsMax) {
      this.outcomes.count('busy');
      socket.destroy();
      return;
    }
    const session = new UploadSession(this.#context, ++this.#connections, socket, head);
    const over = session.run().then(() => {
      this.#sessions.delete(session);
    });
    this.#sessions.set(session, over);
  }

  /** Who gets something, and who waits for it. */
  list(): UploadView[] {
    return [...this.#sessions.keys()].flatMap(session => session.view() ?? []);
  }

  /** Ends an upload or gives up its place in the queue; false: there is no such one. */
  cancel(id: string): boolean {
    for (const session of this.#sessions.keys()) {
      if (session.uploadId !== id) continue;
      session.close();
      return true;
    }
    return false;
  }

  get load(): { active: number; queued: number; rate: number } {
    let rate = 0;
    for (const session of this.#sessions.keys()) rate += session.bytesPerSecond;
    return { active: this.#queue.sending, queued: this.#queue.waiting, rate };
  }

  /** Cuts all connections; resolves when every file is closed. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const session of this.#sessions.keys()) session.close();
    await Promise.all(this.#sessions.values());
  }

  #enterBrowse(): (() => void) | null {
    if (this.#browses >= BROWSES_MAX) return null;
    this.#browses++;
    return () => {
      this.#browses--;
    };
  }
}
