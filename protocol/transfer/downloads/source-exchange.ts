// The HTTP client of one connection. Requests and bodies are generators: each yields commands for the connection and is resumed with
// their outcomes.
import { CodedError, ProtocolError } from '../../errors.ts';
import { HeaderReader } from '../../handshake/header-block.ts';
import { ChunkedBody } from '../chunked-body.ts';
import { HTTP_LIMITS, parseResponseHead, type ResponseHead } from '../http-head.ts';
import type { Framing } from './source-reply.ts';

/** `silenceMs`: time without a byte sent or received after which the event is `silence`. */
export type ExchangeCommand =
  | { readonly kind: 'send'; readonly bytes: Buffer; readonly silenceMs: number }
  /** The next bytes, however many; `body`: of a body, which limits of bandwidth hold back. */
  | { readonly kind: 'read'; readonly body: boolean; readonly silenceMs: number };

export type ExchangeEvent =
  /** The command is done. */
  | { readonly kind: 'done' }
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  /** The source closed its side. */
  | { readonly kind: 'ended' }
  /** The connection failed. */
  | { readonly kind: 'broken' }
  | { readonly kind: 'silence' };

export type SourceErrorCode = 'SOURCE_CLOSED' | 'SOURCE_STALLED' | 'SOURCE_MALFORMED';

/** The source broke the protocol or closed. */
export class SourceError extends CodedError<SourceErrorCode> {}

/** Interim responses (1xx) before an answer. */
const INTERIM_MAX = 4;
const BODY_BYTES_MAX = Number.MAX_SAFE_INTEGER;

export class SourceExchange {
  readonly #now: () => number;
  readonly #readBody: ExchangeCommand;
  readonly #silenceMs: number;
  /** Bytes received after the end of a head or body: at most one chunk. */
  #held: Buffer | null = null;

  /** `silenceMs` holds for the head of an answer as a whole too, by the clock that is given. */
  constructor(silenceMs: number, now: () => number) {
    this.#silenceMs = silenceMs;
    this.#now = now;
    this.#readBody = { kind: 'read', body: true, silenceMs };
  }

  /** Sends the head and reads the answer's. Throws SourceError. */
  *request(head: Buffer): Generator<ExchangeCommand, ResponseHead, ExchangeEvent> {
    const sent = yield { kind: 'send', bytes: head, silenceMs: this.#silenceMs };
    if (sent.kind !== 'done') throw lost(sent, 'before it took our request');
    try {
      for (let i = 0; i <= INTERIM_MAX; i++) {
        const response = yield* this.#head();
        if (response.status >= 200 || response.status === 101) return response;
      }
    } catch (cause) {
      throw cause instanceof ProtocolError ? malformed(cause) : cause;
    }
    throw new SourceError('SOURCE_MALFORMED', 'interim answers without end');
  }

  /**
   * Reads the body to its end into `sink`, which gets views and may return something to yield before the next.
   * `bytes`: how many there are, where that is known. Throws SourceError, or what the sink throws.
   */
  *body<Wait>(
    framing: Framing,
    bytes: number | null,
    sink: (bytes: Buffer) => Wait | null,
  ): Generator<ExchangeCommand | Wait, void, ExchangeEvent> {
    if (framing === 'chunked') return yield* this.#chunked(bytes ?? BODY_BYTES_MAX, sink);
    for (let left = bytes ?? BODY_BYTES_MAX; left > 0; ) {
      const event = yield* this.#next(this.#readBody);
      if (event.kind === 'ended' && framing === 'close') return;
      if (event.kind !== 'bytes') throw lost(event, 'in the middle of the file');
      const part = event.bytes.length > left ? event.bytes.subarray(0, left) : event.bytes;
      this.#hold(event.bytes.subarray(part.length));
      left -= part.length;
      const wait = sink(part);
      if (wait !== null) yield wait;
    }
  }

  *#chunked<Wait>(
    bytesMax: number,
    sink: (bytes: Buffer) => Wait | null,
  ): Generator<ExchangeCommand | Wait, void, ExchangeEvent> {
    const body = new ChunkedBody();
    let left = bytesMax;
    try {
      while (!body.done) {
        const event = yield* this.#next(this.#readBody);
        if (event.kind !== 'bytes') throw lost(event, 'in the middle of the file');
        for (const part of body.data(event.bytes)) {
          left -= part.length;
          if (left < 0) throw new SourceError('SOURCE_MALFORMED', 'sent more than it announced');
          const wait = sink(part);
          if (wait !== null) yield wait;
        }
      }
    } catch (cause) {
      throw cause instanceof ProtocolError ? malformed(cause) : cause;
    }
    this.#hold(body.rest);
    if (left > 0 && bytesMax !== BODY_BYTES_MAX) throw new SourceError('SOURCE_CLOSED', 'sent less than it announced');
  }

  /** Throws SourceError, HTTP_MALFORMED, HTTP_TOO_LONG. */
  *#head(): Generator<ExchangeCommand, ResponseHead, ExchangeEvent> {
    const reader = new HeaderReader(HTTP_LIMITS);
    const until = this.#now() + this.#silenceMs;
    for (;;) {
      const silenceMs = until - this.#now();
      if (silenceMs <= 0) throw lost({ kind: 'silence' }, '');
      const event = yield* this.#next({ kind: 'read', body: false, silenceMs });
      if (event.kind !== 'bytes') throw lost(event, 'without an answer');
      if (reader.push(event.bytes) === 'more') continue;
      this.#hold(reader.rest);
      return parseResponseHead(reader.block);
    }
  }

  *#next(read: ExchangeCommand): Generator<ExchangeCommand, ExchangeEvent, ExchangeEvent> {
    const held = this.#held;
    this.#held = null;
    return held === null ? yield read : { kind: 'bytes', bytes: held };
  }

  #hold(bytes: Buffer): void {
    if (bytes.length > 0) this.#held = bytes;
  }
}

function lost(event: ExchangeEvent, when: string): SourceError {
  if (event.kind === 'silence') return new SourceError('SOURCE_STALLED', 'sent nothing for too long');
  return new SourceError('SOURCE_CLOSED', `closed the connection ${when}`);
}

function malformed(cause: ProtocolError): SourceError {
  return new SourceError('SOURCE_MALFORMED', `answered what is no HTTP: ${cause.message}`, { cause });
}
