// Carries out the commands of a SourceExchange on a socket to a source.

import {
  type ExchangeCommand,
  type ExchangeEvent,
  SourceExchange,
} from '../../protocol/transfer/downloads/source-exchange.ts';
import type { Framing } from '../../protocol/transfer/downloads/source-reply.ts';
import type { ResponseHead } from '../../protocol/transfer/http-head.ts';
import type { Usage } from '../net/bandwidth.ts';
import { SlabSocket } from '../net/slab-socket.ts';
import { type SocketInput, SocketReader } from '../net/socket-reader.ts';
import type { StreamSocket } from '../net/stream-socket.ts';
import { writeAll } from './socket-write.ts';

/** Receives the next bytes of a body; a returned promise is awaited. */
export type Sink = (bytes: Buffer) => Promise<void> | null;

const DONE: ExchangeEvent = { kind: 'done' };

export class SourceConnection {
  readonly #socket: StreamSocket;
  readonly #input: SocketInput;
  readonly #exchange: SourceExchange;
  readonly #usage: Usage | null;
  #silenceMs: number;
  #silent = false;
  #failed = false;

  /** `stallMs` without data, while data is expected, ends the connection. `usage` holds back the bytes of bodies. */
  constructor(socket: StreamSocket, stallMs: number, usage: Usage | null = null) {
    this.#socket = socket;
    this.#usage = usage;
    if (usage !== null) socket.once('close', () => usage.close());
    this.#silenceMs = stallMs;
    this.#exchange = new SourceExchange(stallMs, () => performance.now());
    socket.setNoDelay(true);
    socket.on('error', () => {
      this.#failed = true;
    });
    socket.setTimeout(stallMs, () => {
      this.#silent = true;
      socket.destroy();
    });
    this.#input = socket instanceof SlabSocket ? socket.input : new SocketReader(socket);
  }

  /** Throws SourceError. */
  request(head: Buffer): Promise<ResponseHead> {
    return this.#follow(this.#exchange.request(head));
  }

  /** Reads the whole body into `sink`. `bytes`: its length, null: unknown. Throws SourceError, or an error of the sink. */
  body(framing: Framing, bytes: number | null, sink: Sink): Promise<void> {
    return this.#follow(this.#exchange.body(framing, bytes, sink));
  }

  /** Carries out one command; at once, when bytes to be read are there. Never rejects. */
  execute(command: ExchangeCommand): ExchangeEvent | Promise<ExchangeEvent> {
    this.#limitSilence(command.silenceMs);
    if (command.kind === 'send') return this.#send(command.bytes);
    if (command.body && this.#usage?.limited === true) return this.#paced(this.#usage, command.silenceMs);
    const bytes = this.#input.now();
    return bytes === null ? this.#awaited() : this.#came(bytes);
  }

  async #send(bytes: Buffer): Promise<ExchangeEvent> {
    return (await writeAll(this.#socket, bytes)) ? DONE : this.#end;
  }

  async #awaited(): Promise<ExchangeEvent> {
    return this.#came(await this.#input.next());
  }

  #came(bytes: Buffer | null): ExchangeEvent {
    if (bytes === null) return this.#end;
    this.#usage?.moved(bytes.length);
    return { kind: 'bytes', bytes };
  }

  /** As many of the bytes that have come as may be read now; the others stay in the kernel. */
  async #paced(usage: Usage, silenceMs: number): Promise<ExchangeEvent> {
    const ready = await this.#input.ready();
    if (ready === 0 || this.#socket.destroyed) return this.#end;
    this.#limitSilence(0); // the source waits for us
    const granted = await usage.ask(ready);
    this.#limitSilence(silenceMs);
    return granted === 0 ? this.#end : this.#came(this.#input.take(granted));
  }

  get isClosed(): boolean {
    return this.#socket.closed;
  }

  /** Called when the connection is closed, by either side. */
  onClose(told: () => void): void {
    this.#socket.once('close', told);
  }

  /** Suspends the stall limit until the next command, for an agreed wait. */
  rest(): void {
    this.#limitSilence(0);
  }

  close(): void {
    this.#socket.destroy();
  }

  async #follow<Result>(steps: Generator<ExchangeCommand | Promise<void>, Result, ExchangeEvent>): Promise<Result> {
    let event = DONE;
    for (;;) {
      const { done, value } = steps.next(event);
      if (done) return value;
      if (value instanceof Promise) await value;
      event = value instanceof Promise ? DONE : await this.execute(value);
    }
  }

  /** 0: no limit. */
  #limitSilence(ms: number): void {
    if (ms === this.#silenceMs) return;
    this.#silenceMs = ms;
    this.#socket.setTimeout(ms);
  }

  get #end(): ExchangeEvent {
    if (this.#silent) return { kind: 'silence' };
    return { kind: this.#failed || !this.#socket.readableEnded ? 'broken' : 'ended' };
  }
}
