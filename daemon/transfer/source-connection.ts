// The client's side of HTTP on one socket: a request out, a head and a body in. Knows nothing of files and plans.
import type { Socket } from 'node:net';
import { ProtocolError } from '../../protocol/errors.ts';
import { ChunkedBody } from '../../protocol/transfer/chunked-body.ts';
import { parseResponseHead, type ResponseHead } from '../../protocol/transfer/http-head.ts';
import type { Framing } from '../../protocol/transfer/reply.ts';
import { SocketReader } from './socket-reader.ts';
import { writeAll } from './socket-write.ts';

export type SourceErrorCode = 'SOURCE_CLOSED' | 'SOURCE_STALLED' | 'SOURCE_MALFORMED';

/** The other side did not keep to the protocol, or is gone. */
export class SourceError extends Error {
  readonly code: SourceErrorCode;

  constructor(code: SourceErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SourceError';
    this.code = code;
  }
}

/** `100 Continue` and its like come before the answer; not without end. */
const INTERIM_MAX = 4;
/** A range that fits no counter is of no use: refuse before reading on. */
const BODY_BYTES_MAX = Number.MAX_SAFE_INTEGER;

/** Gets the next bytes of a body; a promise asks to wait. */
export type Sink = (bytes: Buffer) => Promise<void> | null;

export class SourceConnection {
  readonly #socket: Socket;
  readonly #input: SocketReader;
  readonly #stallMs: number;
  #stalled = false;
  #cause: Error | null = null;

  /** Silence of `stallMs` while something is awaited ends it. */
  constructor(socket: Socket, stallMs: number) {
    this.#socket = socket;
    this.#stallMs = stallMs;
    socket.setNoDelay(true);
    socket.on('error', error => {
      this.#cause = error;
    });
    socket.setTimeout(stallMs, () => {
      this.#stalled = true;
      socket.destroy();
    });
    this.#input = new SocketReader(socket);
  }

  /** Throws SourceError. */
  async request(head: Buffer): Promise<ResponseHead> {
    try {
      if (!(await writeAll(this.#socket, head))) throw this.#gone('before it took our request');
      for (let i = 0; i <= INTERIM_MAX; i++) {
        const block = await this.#input.nextHead();
        if (block === null) throw this.#gone('without an answer');
        const response = parseResponseHead(block);
        if (response.status >= 200 || response.status === 101) return response;
      }
      throw new SourceError('SOURCE_MALFORMED', 'interim answers without end');
    } catch (cause) {
      throw cause instanceof ProtocolError ? malformed(cause) : cause;
    }
  }

  /** Reads the body to its end into `sink`. `bytes`: how many there are, where that is known. Throws SourceError, or what the sink throws. */
  async body(framing: Framing, bytes: number | null, sink: Sink): Promise<void> {
    if (framing === 'chunked') return this.#chunked(bytes ?? BODY_BYTES_MAX, sink);
    for (let left = bytes ?? BODY_BYTES_MAX; left > 0; ) {
      const chunk = await this.#input.next();
      if (chunk === null) {
        if (framing === 'close' && !this.#broken) return;
        throw this.#gone('in the middle of the file');
      }
      const part = chunk.length > left ? chunk.subarray(0, left) : chunk;
      if (part.length < chunk.length) this.#input.unread(chunk.subarray(part.length));
      left -= part.length;
      const full = sink(part);
      if (full !== null) await full;
    }
  }

  async #chunked(bytesMax: number, sink: Sink): Promise<void> {
    const body = new ChunkedBody();
    let left = bytesMax;
    try {
      while (!body.done) {
        const chunk = await this.#input.next();
        if (chunk === null) throw this.#gone('in the middle of the file');
        for (const part of body.data(chunk)) {
          left -= part.length;
          if (left < 0) throw new SourceError('SOURCE_MALFORMED', 'sent more than it announced');
          const full = sink(part);
          if (full !== null) await full;
        }
      }
    } catch (cause) {
      throw cause instanceof ProtocolError ? malformed(cause) : cause;
    }
    this.#input.unread(body.rest);
    if (left > 0 && bytesMax !== BODY_BYTES_MAX) throw new SourceError('SOURCE_CLOSED', 'sent less than it announced');
  }

  /** While we wait by agreement, silence is no stall. */
  set patient(patient: boolean) {
    this.#socket.setTimeout(patient ? 0 : this.#stallMs);
  }

  get open(): boolean {
    return !this.#socket.destroyed && !this.#socket.readableEnded;
  }

  close(): void {
    this.#socket.destroy();
  }

  get #broken(): boolean {
    return this.#stalled || this.#cause !== null;
  }

  #gone(when: string): SourceError {
    if (this.#stalled) return new SourceError('SOURCE_STALLED', 'sent nothing for too long');
    const options = this.#cause === null ? {} : { cause: this.#cause };
    return new SourceError('SOURCE_CLOSED', `closed the connection ${when}`, options);
  }
}

function malformed(cause: ProtocolError): SourceError {
  return new SourceError('SOURCE_MALFORMED', `answered what is no HTTP: ${cause.message}`, { cause });
}
