// Serves shared files over HTTP on sockets from the listener or from answered pushes. Owns the connections.

import type { ReasonCounts } from '../../protocol/reason-counts.ts';
import { subjectOf } from '../../protocol/transfer/uploads/conduct/subject.ts';
import { UploadAnswerer, type UploadParts } from '../../protocol/transfer/uploads/upload-answerer.ts';
import type { UploadOutcome } from '../../protocol/transfer/uploads/upload-context.ts';
import { canonicalHost } from '../../protocol/wire/endpoint.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { Bandwidth } from '../net/bandwidth.ts';
import type { StreamSocket } from '../net/stream-socket.ts';
import { LanePool } from './lane-pool.ts';
import { Turns } from './turns.ts';
import { absentSnapshot, type UploadResult, type UploadSnapshot } from './upload.ts';
import { type ServableFiles, type ServablePartials, type SessionContext, UploadSession } from './upload-session.ts';

export interface FileServerOptions extends UploadParts {
  files: ServableFiles;
  partials?: ServablePartials;
  clock: Clock;
  log: Log;
  /** By default without limits. */
  bandwidth?: Bandwidth;
  onStarted?: (upload: UploadSnapshot) => void;
  /** `bytes`: sent of that file on that connection, over all its ranges. */
  onFinished?: (upload: UploadSnapshot, bytes: number, result: UploadResult) => void;
}

export class FileServer {
  readonly #answerer: UploadAnswerer;
  readonly #context: SessionContext;
  /** Bounded by the answerer's limit of connections. */
  readonly #sessions = new Map<UploadSession, Promise<void>>();
  #stopping = false;

  constructor(options: FileServerOptions) {
    this.#answerer = new UploadAnswerer(options);
    this.#context = {
      files: options.files,
      partials: options.partials ?? null,
      queue: options.queue,
      times: this.#answerer.times,
      clock: options.clock,
      log: options.log,
      lanes: new LanePool(),
      bandwidth: options.bandwidth ?? new Bandwidth(),
      treeTurns: new Turns(),
      onStarted: options.onStarted ?? (() => undefined),
      onFinished: options.onFinished ?? (() => undefined),
    };
  }

  /** Number of requests by outcome, for metrics. */
  get outcomes(): ReasonCounts<UploadOutcome> {
    return this.#answerer.outcomes;
  }

  /** Takes over a socket; `head` holds bytes already read; `pushed`: we opened the socket because of a push; `only`: serves this SHA-1 alone. */
  handle(socket: StreamSocket, head: Buffer, pushed = false, only: Buffer | null = null): void {
    const address = canonicalHost(socket.remoteAddress ?? '') ?? '';
    const now = this.#context.clock.now();
    const connection = this.#stopping ? null : this.#answerer.connect(address, now, pushed, only);
    if (connection === null) {
      socket.destroy();
      return;
    }
    const session = new UploadSession(this.#context, connection, socket, head);
    const over = session.run().then(() => {
      this.#sessions.delete(session);
    });
    this.#sessions.set(session, over);
  }

  /** Uploads that send, and those that wait in the queue, with a connection or without. */
  list(): UploadSnapshot[] {
    const { queue, clock } = this.#context;
    return [...this.connected(), ...queue.absent().map(entry => absentSnapshot(entry, clock))];
  }

  connected(): UploadSnapshot[] {
    return [...this.#sessions.keys()].flatMap(session => session.snapshot() ?? []);
  }

  /** Ends a running or queued upload. False: unknown id. */
  cancel(id: string): boolean {
    for (const session of this.#sessions.keys()) {
      if (session.uploadId !== id) continue;
      session.close();
      return true;
    }
    return this.#context.queue.cancel(id);
  }

  /** Ends all uploads that run; the connections of those who wait stay. */
  endActive(): void {
    for (const session of this.#sessions.keys()) if (session.snapshot()?.state === 'active') session.close();
  }

  /** Ends the uploads to an address that was banned; see subject.ts. */
  endOf(subject: string): void {
    for (const session of this.#sessions.keys())
      if (session.snapshot()?.state === 'active' && subjectOf(session.remoteHost) === subject) session.close();
  }

  get load(): { active: number; queued: number; rate: number } {
    const { queue } = this.#answerer;
    let rate = 0;
    for (const session of this.#sessions.keys()) rate += session.bytesPerSecond;
    return { active: queue.sending, queued: queue.waiting, rate };
  }

  /** Closes all connections; resolves when every file is closed. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const session of this.#sessions.keys()) session.close();
    await Promise.all(this.#sessions.values());
  }
}
