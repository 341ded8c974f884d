// One visit to a source on a connection: dials it, carries out the commands of the visit and returns the results to it.

import type { ExchangeEvent } from '../../protocol/transfer/downloads/source-exchange.ts';
import type { SwarmSource } from '../../protocol/transfer/downloads/swarm-source.ts';
import type { Visit, VisitCommand, VisitTimes } from '../../protocol/transfer/downloads/visit.ts';
import type { ReachWay } from '../../protocol/transfer/reaching/reach-way.ts';
import type { TransferIdentity } from '../../protocol/transfer/transfer-identity.ts';
import { canonicalHost } from '../../protocol/wire/endpoint.ts';
import type { Clock } from '../clock.ts';
import type { Bandwidth } from '../net/bandwidth.ts';
import type { StreamSocket } from '../net/stream-socket.ts';
import type { PartFile } from './part-file.ts';
import { SourceConnection } from './source-connection.ts';

/** Services that fetching needs. */
export interface FetchContext {
  readonly identity: TransferIdentity;
  readonly clock: Clock;
  readonly times: VisitTimes;
  readonly bandwidth: Bandwidth;
  /** Whose limit the bytes count to; null or absent: none. */
  readonly category?: string | null;
  /** Free bytes for part files; null: unknown. */
  room(): Promise<number | null>;
  /** Resolves with a connected socket, and the way that led to the source (null: it came by itself); rejects with an error for the user. */
  connect(
    source: SwarmSource,
    sha1: Buffer | null,
    signal: AbortSignal,
  ): Promise<{ readonly socket: StreamSocket; readonly way: ReachWay | null }>;
}

const DONE: ExchangeEvent = { kind: 'done' };
const ENDED: ExchangeEvent = { kind: 'ended' };

export class Fetch {
  readonly visit: Visit;
  readonly #part: PartFile;
  readonly #context: FetchContext;
  readonly #onOver: (error: unknown) => void;
  readonly #abort = new AbortController();
  #connection: SourceConnection | null = null;
  #timer: NodeJS.Timeout | null = null;
  /** The visit keeps the connection without reading: until it has an order, or for a time. */
  #rest: 'ready' | 'wait' | null = null;
  #isOver = false;

  /** `onOver` is called once, when the visit is over and its connection closed: with an error of the disk, or null. */
  constructor(visit: Visit, part: PartFile, context: FetchContext, onOver: (error: unknown) => void) {
    this.visit = visit;
    this.#part = part;
    this.#context = context;
    this.#onOver = onOver;
  }

  /** `room`: the file may take no more than is free. */
  async start(needsRoom: boolean): Promise<void> {
    const { bandwidth, category, clock, connect, room, times } = this.#context;
    let socket: StreamSocket;
    try {
      const reached = await connect(this.visit.source, this.visit.sha1, this.#abort.signal);
      socket = reached.socket;
      if (reached.way !== null) this.visit.source.way = reached.way;
    } catch (error) {
      this.visit.unreachable(error instanceof Error ? error.message : String(error), clock.now());
      return this.#end(null);
    }
    if (this.#isOver) return void socket.destroy();
    const connection = new SourceConnection(socket, times.stallMs, bandwidth.usage('download', category ?? null));
    this.#connection = connection;
    connection.onClose(() => this.#onClosed());
    const free = needsRoom ? await room() : null;
    const remote = canonicalHost(socket.remoteAddress ?? '');
    if (!this.#isOver) this.#follow(() => this.visit.connected(free, remote, clock.now()));
  }

  /** The visit has an order. */
  resume(): void {
    if (this.#rest === 'ready') this.#goOn(DONE);
  }

  /** Ends the visit at once, without a failure of the source. Idempotent. */
  close(): void {
    this.#end(null);
  }

  /** Else the reader notices. */
  #onClosed(): void {
    if (this.#rest !== null) this.#goOn(ENDED);
  }

  /** Ends the rest. */
  #goOn(event: ExchangeEvent): void {
    this.#rest = null;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#next(event);
  }

  readonly #next = (event: ExchangeEvent): void => {
    this.#follow(() => this.visit.next(event, this.#context.clock.now()));
  };

  /** Carries out commands until one takes time. */
  #follow(first: () => VisitCommand): void {
    const connection = this.#connection;
    if (this.#isOver || connection === null) return;
    try {
      for (let command = first(); !this.#isOver; ) {
        const event = this.#execute(command, connection);
        if (event === null) return;
        if (event instanceof Promise) return void event.then(this.#next, this.#end);
        command = this.visit.next(event, this.#context.clock.now());
      }
    } catch (error) {
      this.#end(error);
    }
  }

  /** Null: resumed by other means, or over. A promise rejects with DiskError. */
  #execute(command: VisitCommand, connection: SourceConnection): ExchangeEvent | Promise<ExchangeEvent> | null {
    switch (command.kind) {
      case 'close':
        this.#end(null);
        return null;
      case 'ready':
      case 'wait':
        connection.rest();
        this.#rest = command.kind;
        if (command.kind === 'wait') this.#timer = setTimeout(() => this.#goOn(DONE), command.ms);
        if (connection.isClosed) setImmediate(() => this.#onClosed());
        return null;
      case 'room':
        return this.#part.room().then(() => DONE);
      default:
        return connection.execute(command);
    }
  }

  readonly #end = (error: unknown): void => {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#rest = null;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.visit.stop();
    this.#abort.abort();
    this.#connection?.close();
    this.#onOver(error);
  };
}
