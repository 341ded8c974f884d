// Header blocks of Gnutella handshakes and HTTP: a first line, headers, a blank line. Text is latin1, so that no byte is lost;
// a caller that expects UTF-8 in a value decodes it.
import { ProtocolError } from '../errors.ts';

/** Keeps case and order of names for output; looks them up without regard to case. */
export class Headers implements Iterable<[name: string, value: string]> {
  readonly #fields = new Map<string, [name: string, value: string]>();

  constructor(entries: Iterable<readonly [name: string, value: string]> = []) {
    for (const [name, value] of entries) this.append(name, value);
  }

  get size(): number {
    return this.#fields.size;
  }

  get(name: string): string | null {
    return this.#fields.get(name.toLowerCase())?.[1] ?? null;
  }

  has(name: string): boolean {
    return this.#fields.has(name.toLowerCase());
  }

  /** Adds a header; joins values of the same name with ', ' (RFC 9110 section 5.3; gtk-gnutella). */
  append(name: string, value: string): void {
    const field = this.#fields.get(name.toLowerCase());
    if (field === undefined) this.#fields.set(name.toLowerCase(), [name, value]);
    else field[1] += `, ${value}`;
  }

  /** Sets the value; a new name goes to the end. */
  set(name: string, value: string): void {
    const field = this.#fields.get(name.toLowerCase());
    if (field === undefined) this.#fields.set(name.toLowerCase(), [name, value]);
    else field[1] = value;
  }

  delete(name: string): void {
    this.#fields.delete(name.toLowerCase());
  }

  [Symbol.iterator](): Iterator<[name: string, value: string]> {
    return this.#fields.values();
  }

  /** Appends a continuation line to a header. */
  extend(name: string, text: string): void {
    const field = this.#fields.get(name.toLowerCase());
    if (field !== undefined) field[1] += field[1] === '' ? text : ` ${text}`;
  }
}

export interface HeaderBlock {
  firstLine: string;
  headers: Headers;
}

export interface HeaderLimits {
  /** Prefix of the error codes. */
  area: 'HANDSHAKE' | 'HTTP';
  totalBytesMax: number;
  firstLineBytesMax: number;
  /** Header lines, continuation lines included, the first line not. */
  linesMax: number;
  /** Empty lines skipped before the first line (a keep-alive HTTP client may send one). */
  blankLinesMax: number;
}

/** gtk-gnutella's HEAD_MAX_SIZE, MAX_LINE_SIZE and HEAD_MAX_LINES. */
const HANDSHAKE_LIMITS: HeaderLimits = {
  area: 'HANDSHAKE',
  totalBytesMax: 16384,
  firstLineBytesMax: 1024,
  linesMax: 128,
  blankLinesMax: 0,
};

const UNWRITABLE = /[^\t\x20-\x7e\x80-\xff]/; // a line end in a value would start another header

/** Encodes with CRLF line ends and the blank line. Throws RangeError for control characters and characters above FF. */
export function encodeHeaderBlock(firstLine: string, headers: Iterable<readonly [string, string]>): Buffer {
  const lines = [firstLine];
  for (const [name, value] of headers) lines.push(`${name}: ${value}`);
  for (const line of lines)
    if (UNWRITABLE.test(line)) throw new RangeError(`not a header line: ${JSON.stringify(line)}`);
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

const LF = 10;
const CR = 13;
const NOTHING = Buffer.alloc(0);

/**
 * Reads one block from chunks of any size; scans each byte once. Lines end in CRLF or LF. Unfolds continuation lines, skips
 * lines without a colon, as other servents do.
 */
export class HeaderReader {
  readonly #limits: HeaderLimits;
  #bytes: Buffer = NOTHING;
  #held = 0;
  #lines = 0; // complete lines, the first one included
  #blankLines = 0;
  #lineBytes = 0; // of the line under way, without its LF
  #lastByte = 0;
  #block: HeaderBlock | null = null;
  #rest: Buffer = NOTHING;

  constructor(limits: Partial<HeaderLimits> = {}) {
    this.#limits = { ...HANDSHAKE_LIMITS, ...limits };
  }

  /**
   * Reads a chunk. After 'done', `block` and `rest` are set and the reader is finished. Throws ProtocolError
   * (AREA_MALFORMED, AREA_TOO_LONG).
   */
  push(chunk: Buffer): 'more' | 'done' {
    if (this.#block !== null) throw new RangeError('the block is complete');
    const end = this.#scan(chunk);
    const bytes = end < 0 ? chunk.length : end;
    if (this.#held + bytes > this.#limits.totalBytesMax) throw this.#tooLong('header block');
    if (end >= 0 && this.#held === 0) {
      this.#finish(chunk.subarray(0, end), chunk.subarray(end));
      return 'done';
    }
    this.#keep(chunk, bytes);
    if (end < 0) return 'more';
    this.#finish(this.#bytes.subarray(0, this.#held), chunk.subarray(end));
    return 'done';
  }

  /** Only after 'done'. */
  get block(): HeaderBlock {
    if (this.#block === null) throw new RangeError('the block is not complete');
    return this.#block;
  }

  /** The bytes after the blank line: a view of the last chunk. */
  get rest(): Buffer {
    return this.#rest;
  }

  /** Memory held while waiting, never more than totalBytesMax. */
  get heldBytes(): number {
    return this.#bytes.length;
  }

  /** Offset after the blank line, or -1. */
  #scan(chunk: Buffer): number {
    for (let at = 0; at < chunk.length; ) {
      const lineEnd = chunk.indexOf(LF, at);
      const stop = lineEnd < 0 ? chunk.length : lineEnd;
      if (stop > at) {
        this.#lineBytes += stop - at;
        this.#lastByte = chunk.readUInt8(stop - 1);
      }
      if (this.#lines === 0 && this.#lineBytes > this.#limits.firstLineBytesMax + 1) throw this.#tooLong('first line');
      if (lineEnd < 0) return -1;
      const empty = this.#lineBytes === 0 || (this.#lineBytes === 1 && this.#lastByte === CR);
      if (empty && this.#lines > 0) return lineEnd + 1;
      this.#lineBytes = 0;
      at = lineEnd + 1;
      if (empty) {
        if (++this.#blankLines > this.#limits.blankLinesMax) throw this.#malformed('no first line');
      } else if (++this.#lines > this.#limits.linesMax + 1) throw this.#tooLong('header lines');
    }
    return -1;
  }

  /** Copies, since a short slice would keep its whole receive buffer alive. */
  #keep(chunk: Buffer, bytes: number): void {
    const need = this.#held + bytes;
    if (need > this.#bytes.length) {
      const room = Math.min(this.#limits.totalBytesMax, Math.max(need, 2 * this.#bytes.length, 512));
      const bigger = Buffer.allocUnsafe(room);
      this.#bytes.copy(bigger, 0, 0, this.#held);
      this.#bytes = bigger;
    }
    chunk.copy(this.#bytes, this.#held, 0, bytes);
    this.#held = need;
  }

  #finish(block: Buffer, rest: Buffer): void {
    const text = block.toString('latin1');
    if (text.includes('\0')) throw this.#malformed('NUL in header block');
    const lines = text.split('\n');
    let i = 0;
    while (lineAt(lines, i) === '') i++;
    const firstLine = lineAt(lines, i++).trimEnd();
    const headers = new Headers();
    if (firstLine.includes('\r')) throw this.#malformed('CR inside the first line');
    let name: string | null = null;
    for (; i < lines.length; i++) {
      const line = lineAt(lines, i);
      if (line.includes('\r')) throw this.#malformed('CR inside a header line');
      if (line.startsWith(' ') || line.startsWith('\t')) {
        if (name !== null) headers.extend(name, line.trim());
        continue;
      }
      const colon = line.indexOf(':');
      name = colon > 0 ? line.slice(0, colon).trim() : null;
      if (name !== null) headers.append(name, line.slice(colon + 1).trim());
    }
    this.#bytes = NOTHING;
    this.#held = 0;
    this.#rest = rest;
    this.#block = { firstLine, headers };
  }

  #tooLong(what: string): ProtocolError {
    return new ProtocolError(`${this.#limits.area}_TOO_LONG`, `${what} over the limit`);
  }

  #malformed(what: string): ProtocolError {
    return new ProtocolError(`${this.#limits.area}_MALFORMED`, what);
  }
}

function lineAt(lines: string[], index: number): string {
  const line = lines[index] ?? '';
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
