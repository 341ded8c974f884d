// Chunked transfer coding (RFC 9112 section 7.1): browse replies of gtk-gnutella, files of web servers, our hash trees.
import { ProtocolError } from '../errors.ts';

const State = { Size: 0, Data: 1, DataEnd: 2, Trailer: 3, Done: 4 } as const;
type State = (typeof State)[keyof typeof State];

/** Limits on skipped chunk extensions and trailers. */
const LINE_BYTES_MAX = 1024;
const TRAILER_LINES_MAX = 32;
const LF = 0x0a;

/** After the last chunk of a body. */
export const CHUNKS_END = Buffer.from('0\r\n\r\n');
const CHUNK_END = Buffer.from('\r\n');

/** Encodes a part of a body as one chunk; nothing for an empty part, which would end the body. */
export function chunk(bytes: Buffer): Buffer {
  if (bytes.length === 0) return bytes;
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, CHUNK_END]);
}

/** Encodes a body as one chunk. */
export function chunked(body: Buffer): Buffer {
  return Buffer.concat([chunk(body), CHUNKS_END]);
}

/** Decodes one body. Pass all bytes to data() until `done`; `rest` has the bytes after it. */
export class ChunkedBody {
  #state: State = State.Size;
  #line = '';
  #left = 0;
  #trailerLines = 0;
  #rest: Buffer = Buffer.alloc(0);

  get done(): boolean {
    return this.#state === State.Done;
  }

  /** Bytes of the last input that came after the end: a view. */
  get rest(): Buffer {
    return this.#rest;
  }

  /** Views of the data inside `bytes`. Throws HTTP_MALFORMED, HTTP_TOO_LONG. */
  *data(bytes: Buffer): Generator<Buffer> {
    let at = 0;
    while (at < bytes.length && this.#state !== State.Done) {
      if (this.#state === State.Data) {
        const end = Math.min(bytes.length, at + this.#left);
        this.#left -= end - at;
        if (this.#left === 0) this.#state = State.DataEnd;
        yield bytes.subarray(at, end);
        at = end;
      } else at = this.#readLine(bytes, at);
    }
    this.#rest = bytes.subarray(at);
  }

  #readLine(bytes: Buffer, at: number): number {
    const lineEnd = bytes.indexOf(LF, at);
    const end = lineEnd < 0 ? bytes.length : lineEnd;
    if (this.#line.length + end - at > LINE_BYTES_MAX) throw new ProtocolError('HTTP_TOO_LONG', 'a chunk line');
    this.#line += bytes.toString('latin1', at, end);
    if (lineEnd < 0) return end;
    const line = this.#line.trimEnd();
    this.#line = '';
    this.#onLine(line);
    return lineEnd + 1;
  }

  #onLine(line: string): void {
    if (this.#state === State.DataEnd) {
      if (line !== '') throw new ProtocolError('HTTP_MALFORMED', 'a chunk longer than its size');
      this.#state = State.Size;
    } else if (this.#state === State.Trailer) {
      if (line === '') this.#state = State.Done;
      else if (++this.#trailerLines > TRAILER_LINES_MAX) throw new ProtocolError('HTTP_TOO_LONG', 'chunk trailers');
    } else {
      const [, digits] = /^([0-9a-f]{1,12})\s*(?:;.*)?$/i.exec(line) ?? [];
      if (digits === undefined) throw new ProtocolError('HTTP_MALFORMED', 'not a chunk size');
      this.#left = Number.parseInt(digits, 16);
      this.#state = this.#left === 0 ? State.Trailer : State.Data;
    }
  }
}
