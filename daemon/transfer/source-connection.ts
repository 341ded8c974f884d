// Carries out the commands of a SourceExchange on a socket to a source.
import type { Socket } from 'node:net';
import {
  type ExchangeCommand,
  type ExchangeEvent,
  SourceExchange,
} from '../../protocol/transfer/downloads/source-exchange.ts';
import type { Framing } from '../../protocol/transfer/downloads/source-reply.ts';
import type { ResponseHead } from '../../protocol/transfer/http-head.ts';
import { SocketReader } from '../net/socket-reader.ts';
import { writeAll } from './socket-write.ts';

/** Receives the next bytes of a body; a returned promise is awaited. */
export type Sink = (bytes: Buffer) => Promise<void> | null;

const DONE: ExchangeEvent = { kind: 'done' };

export class SourceConnection {
  readonly #socket: Socket;
  readonly #input: SocketReader;
  readonly #exchange: SourceExchange;
  #silenceMs: number;
  #silent = false;
  #failed = false;

  /** `stallMs` without data, while data is expected, ends the connection. */
  constructor(socket: Socket, stallMs: number) {
    this.#socket = socket;
    this.#silenceMs = stallMs;
    this.#exchange = new SourceExchange(stallMs);
    socket.setNoDelay(true);
    socket.on('error', () => {
      this.#failed = true;
    });
    socket.setTimeout(stallMs, () => {
      this.#silent = true;
      socket.destroy();
    });
    this.#input = new SocketReader(socket);
  }

  /** Throws SourceError. */
  request(head: Buffer): Promise<ResponseHead> {
    return this.#follow(this.#exchange.request(head));
  }

  /** Reads the whole body into `sink`. `bytes`: its length, null: unknown. Throws SourceError, or an error of the sink. */
  body(framing: Framing, bytes: number | null, sink: Sink): Promise<void> {
    return this.#follow(this.#exchange.body(framing, bytes, sink));
  }

  /** Carries out one command. Never rejects. */
  async execute(command: ExchangeCommand): Promise<ExchangeEvent> {
    this.#limitSilence(command.silenceMs);
    if (command.kind === 'send') return (await writeAll(this.#socket, command.bytes)) ? DONE : this.#end;
    const bytes = await this.#input.next();
    return bytes === null ? this.#end : { kind: 'bytes', bytes };
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
