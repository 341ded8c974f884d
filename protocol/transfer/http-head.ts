// Request and response heads of transfers: HTTP/1.x as servents speak it. Text is latin1, as in header-block.ts.
import { ProtocolError } from '../errors.ts';
import { encodeHeaderBlock, type HeaderBlock, type HeaderLimits, type Headers } from '../handshake/header-block.ts';

/** gtk-gnutella cuts first lines at 1024 bytes and heads at 16 KiB; browsers send up to about 30 lines. */
export const HTTP_LIMITS: HeaderLimits = {
  area: 'HTTP',
  totalBytesMax: 16_384,
  firstLineBytesMax: 1024,
  linesMax: 100,
  blankLinesMax: 2, // some clients end a request with one line end too many
};

/** LimeWire reads no more from a reply (DownloadSettings.MAX_HEADERS). */
export const REPLY_HEADERS_MAX = 20;

export interface RequestHead {
  /** As sent; methods are case-sensitive. */
  readonly method: string;
  readonly target: string;
  /** Of HTTP/x.y. */
  readonly major: number;
  readonly minor: number;
  readonly headers: Headers;
}

export interface ResponseHead {
  readonly status: number;
  readonly reason: string;
  readonly major: number;
  readonly minor: number;
  readonly headers: Headers;
}

const REQUEST_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}) +(\S(?:.*\S)?) +HTTP\/(\d)\.(\d)$/;
const STATUS_LINE = /^HTTP\/(\d)\.(\d) +(\d{3})(?: (.*))?$/;

/** Blanks inside the target are let through: old servents do not escape file names. Throws HTTP_MALFORMED. */
export function parseRequestHead(block: HeaderBlock): RequestHead {
  const [, method, target, major, minor] = REQUEST_LINE.exec(block.firstLine) ?? [];
  if (method === undefined || target === undefined) throw new ProtocolError('HTTP_MALFORMED', 'not a request line');
  return { method, target, major: Number(major), minor: Number(minor), headers: block.headers };
}

/** Throws HTTP_MALFORMED. */
export function parseResponseHead(block: HeaderBlock): ResponseHead {
  const [, major, minor, status, reason] = STATUS_LINE.exec(block.firstLine) ?? [];
  if (status === undefined) throw new ProtocolError('HTTP_MALFORMED', 'not a status line');
  return {
    status: Number(status),
    reason: (reason ?? '').trim(),
    major: Number(major),
    minor: Number(minor),
    headers: block.headers,
  };
}

export function encodeRequestHead(
  method: string,
  target: string,
  headers: Iterable<readonly [name: string, value: string]>,
): Buffer {
  return encodeHeaderBlock(`${method} ${target} HTTP/1.1`, headers);
}

export function encodeResponseHead(
  status: number,
  reason: string,
  headers: readonly (readonly [name: string, value: string])[],
): Buffer {
  if (headers.length > REPLY_HEADERS_MAX) throw new RangeError(`${headers.length} headers in one reply`);
  return encodeHeaderBlock(`HTTP/1.1 ${status} ${reason}`, headers);
}

/** Whether the sender of this head means to keep the connection: by default from 1.1 on, before that on request. */
export function keepsAlive(head: {
  readonly major: number;
  readonly minor: number;
  readonly headers: Headers;
}): boolean {
  const options = listOf(head.headers.get('Connection'));
  if (options.includes('close')) return false;
  return (head.major === 1 && head.minor >= 1) || options.includes('keep-alive');
}

/** The elements of a comma list, trimmed and in lower case. */
export function listOf(value: string | null): string[] {
  if (value === null) return [];
  return value
    .split(',')
    .map(element => element.trim().toLowerCase())
    .filter(element => element !== '');
}

/** A header that must be one plain non-negative number (Content-Length): null when absent, -1 when it is anything else. */
export function numberOf(value: string | null): number | null {
  if (value === null) return null;
  // the same length said twice comes joined; two different ones are an attack
  const [first = '', ...others] = value.split(',').map(part => part.trim());
  if (!/^\d{1,16}$/.test(first) || others.some(other => other !== first)) return -1;
  const number = Number(first);
  return Number.isSafeInteger(number) ? number : -1;
}
