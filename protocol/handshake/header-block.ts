// First line and headers, as Gnutella handshakes and HTTP heads have them. Owns the bytes until the blank line.

/** Names keep their case and order for output and are looked up without regard to case. */
export declare class Headers implements Iterable<[name: string, value: string]> {
  constructor(entries?: Iterable<readonly [name: string, value: string]>);
  readonly size: number;
  get(name: string): string | null;
  has(name: string): boolean;
  /** Joins the value to an earlier one of that name with ', '. */
  append(name: string, value: string): void;
  /** Replaces. */
  set(name: string, value: string): void;
  delete(name: string): void;
  [Symbol.iterator](): Iterator<[name: string, value: string]>;
}

export interface HeaderBlock {
  firstLine: string;
  headers: Headers;
}

export interface HeaderLimits {
  /** Which codes a breach throws: HANDSHAKE_TOO_LONG or HTTP_TOO_LONG … */
  area: 'HANDSHAKE' | 'HTTP';
  totalBytesMax: number;
  firstLineBytesMax: number;
  linesMax: number;
  /** Empty lines tolerated before the first line (HTTP keep-alive). */
  blankLinesMax: number;
}

/** Bytes, CRLF line ends, blank line included. */
export declare function encodeHeaderBlock(firstLine: string, headers: Iterable<readonly [string, string]>): Buffer;

/** One block from any chunking, at linear cost. Start a new reader for the next block. */
export declare class HeaderReader {
  constructor(limits?: Partial<HeaderLimits>);
  /** Throws ProtocolError when the block is malformed or over a limit. After 'done' take `block` and `rest`. */
  push(chunk: Buffer): 'more' | 'done';
  /** Only after 'done'. */
  readonly block: HeaderBlock;
  /** Bytes after the blank line, a view of the last chunk. */
  readonly rest: Buffer;
  /** Bytes held now. */
  readonly heldBytes: number;
}
