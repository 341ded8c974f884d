// Carries out the commands of a SourceExchange on a socket to a source.
import type { Socket } from 'node:net';
import {
  type ExchangeCommand,
  type ExchangeEvent,
  SourceExchange,
} from '../../protocol/transfer/downloads/source-exchange.ts';
import type { Framing } from '../../protocol/transfer/downloads/source-reply.ts';
import type { ResponseHead } from '../../protocol/transfer/http-head.ts';
import type { Usage } from '../net/bandwidth.ts';
import { SocketReader } from '../net/socket-reader.ts';
import { writeAll } from './socket-write.ts';

/** Receives the next bytes of a body; a returned promise is awaited. */
export type Sink = (bytes: Buffer) => Promise<void> | null;

const DONE: ExchangeEvent = { kind: 'done' };

export class SourceConnection {
  readonly #socket: Socket;
  readonly #input: SocketReader;
  readonly #exchange: SourceExchange;
  readonly #usage: Usage | null;
  #silenceMs: number;
  #silent = false;
  #failed = false;

  /** `stallMs` without data, while data is expected, ends the connection. `usage` holds back the bytes of bodies. */
  constructor(socket: Socket, stallMs: number, usage: Usage | null = null) {
    this.#socket = socket;
    this.#usage = usage;
    if (usage !== null) socket.once('close', () => usage.close());
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
    const limited = command.body && this.#usage?.limited === true;
    const bytes = limited ? await this.#paced(this.#usage, command.silenceMs) : await this.#input.next();
    this.#usage?.moved(bytes?.length ?? 0);
    return bytes === null ? this.#end : { kind: 'bytes', bytes };
  }

  /** As many of the bytes that have come as may be read now; the others stay in the kernel. Null at the end. */
  async #paced(usage: Usage, silenceMs: number): Promise<Buffer | null> {
    const ready = await this.#input.ready();
    if (ready === 0 || this.#socket.destroyed) return null;
    this.#limitSilence(0); // the source waits for us
    const granted = await usage.ask(ready);
    this.#limitSilence(silenceMs);
    return granted === 0 ? null : this.#input.take(granted);
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
