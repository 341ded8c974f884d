// Encodes the heads of upload replies.

import { THEX_MEDIA_TYPE } from '../../digest/thex.ts';
import type { SharedFile } from '../../search/shared-file.ts';
import { formatBase32, formatSha1Urn } from '../../wire/urn.ts';
import { chunked } from '../chunked-body.ts';
import { formatContentRange } from '../content-range.ts';
import { formatHttpDate, parseHttpDate } from '../http-date.ts';
import { encodeResponseHead, REPLY_HEADERS_MAX } from '../http-head.ts';
import { formatQueue, formatQueued } from '../queue-status.ts';
import type { ByteRange } from '../range-set.ts';
import type { QueuePlace } from './queue/admission.ts';
import { escapeSegment } from './request-target.ts';

export type Header = readonly [name: string, value: string];

const REASONS: Readonly<Record<number, string>> = {
  200: 'OK',
  202: 'Accepted',
  203: 'Sent by other ways',
  206: 'Partial Content',
  304: 'Not Modified',
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  406: 'Not Acceptable',
  408: 'Request Timeout',
  410: 'Gone',
  416: 'Requested Range Not Satisfiable',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
  505: 'HTTP Version Not Supported',
};

/** The common part of replies. */
export interface ReplyFrame {
  readonly userAgent: string;
  /** Milliseconds since 1970. */
  readonly date: number;
  /** Another request may follow. */
  readonly keepAlive: boolean;
  /** The client spoke HTTP/1.0 or is to keep a place in the queue: say explicitly that we keep the connection. */
  readonly sayKeepAlive: boolean;
  /** Headers about us and the mesh, the most important first: those without room are left out. */
  readonly optional: readonly Header[];
}

/** Most bytes of a head, as in gtk-gnutella: those of 416 carry ranges. */
function headBytesMax(status: number): number {
  if (status < 400 || status === 416) return 3072;
  return status < 500 ? 512 : 1024;
}

export function encodeReply(
  status: number,
  frame: ReplyFrame,
  headers: readonly Header[],
  reason = REASONS[status] ?? 'Error',
): Buffer {
  const all: Header[] = [['Server', frame.userAgent], ['Date', formatHttpDate(frame.date)], ...headers];
  const connection: Header[] = [];
  if (!frame.keepAlive) connection.push(['Connection', 'close']);
  else if (frame.sayKeepAlive) connection.push(['Connection', 'Keep-Alive']);
  // the first line and the end of the head are shorter than 64 bytes
  let room = headBytesMax(status) - 64 - bytesOf([...all, ...connection]);
  for (const header of frame.optional) {
    const bytes = bytesOf([header]);
    if (bytes > room || all.length + connection.length >= REPLY_HEADERS_MAX) continue;
    all.push(header);
    room -= bytes;
  }
  all.push(...connection);
  return encodeResponseHead(status, reason, all);
}

/** With colon, blank and line end. */
function bytesOf(headers: readonly Header[]): number {
  return headers.reduce((sum, [name, value]) => sum + name.length + value.length + 4, 0);
}

/** A refusal: no body, and the reason in the status line is all there is to say. */
export const EMPTY: readonly Header[] = [['Content-Length', '0']];

/** Null: all of the file, with status 200. The name goes out once a connection. */
export function fileHeaders(file: SharedFile, range: ByteRange | null, named: boolean): Header[] {
  const bytes = range === null ? file.size : range.end - range.start;
  const headers: Header[] = [
    // never a type by file name: browsers must not execute shared files
    ['Content-Type', 'application/octet-stream'],
    ['Content-Length', String(bytes)],
  ];
  if (range !== null) headers.push(['Content-Range', formatContentRange(range, file.size)]);
  headers.push(['Last-Modified', formatHttpDate(file.modifiedAt)], ...contentHeaders(file));
  if (named) headers.push(['Content-Disposition', `attachment; filename*=UTF-8''${escapeSegment(file.name)}`]);
  return headers;
}

/**
 * Validator of the list of files. None while the second of the last change lasts: another change in it could not be told apart
 * (RFC 9110 section 8.8.2.2). Times are milliseconds since 1970.
 */
export function browseHeaders(changedAt: number | null, date: number): Header[] {
  const headers: Header[] = [['Vary', 'Accept, Accept-Encoding']];
  if (changedAt !== null && Math.floor(changedAt / 1000) < Math.floor(date / 1000))
    headers.push(['Last-Modified', formatHttpDate(changedAt)]);
  return headers;
}

/** Whether a list that is unchanged since `changedAt` is the one that the client has. */
export function isUnchanged(ifModifiedSince: string | null, changedAt: number | null, date: number): boolean {
  const since = ifModifiedSince === null ? null : parseHttpDate(ifModifiedSince);
  return since !== null && changedAt !== null && since >= Math.floor(changedAt / 1000) * 1000 && since <= date;
}

export function unsatisfiableHeaders(file: SharedFile): Header[] {
  return [['Content-Length', '0'], ['Content-Range', `bytes */${file.size}`], ...contentHeaders(file)];
}

/** In PARQ's form, or for a client without an id in LimeWire's. */
export function queuedHeaders(file: SharedFile, place: QueuePlace): Header[] {
  const { id, position, retryMs, lifetimeMs } = place;
  const status: Header =
    id === null
      ? ['X-Queue', formatQueue(position, retryMs, lifetimeMs)]
      : ['X-Queued', formatQueued({ ...place, id }, lifetimeMs)];
  return [['Content-Length', '0'], status, ['Retry-After', String(Math.ceil(retryMs / 1000))], ...contentHeaders(file)];
}

/** gtk-gnutella shows the reason of the status line to its user. */
export function queuedReason({ id, position, etaSeconds }: QueuePlace): string | undefined {
  if (id === null) return undefined;
  return `Queued (slot ${position}, ETA: ${etaSeconds === null ? 'unknown' : `${etaSeconds}s`})`;
}

/** With a slot: a client whose connection breaks finds its way back with the id. */
export function grantedHeaders(id: string | null): Header[] {
  return id === null ? [] : [['X-Queued', `ID=${id}`]];
}

export function busyHeaders(file: SharedFile | null, retrySeconds: number): Header[] {
  const headers: Header[] = [
    ['Content-Length', '0'],
    ['Retry-After', String(retrySeconds)],
  ];
  if (file !== null) headers.push(...contentHeaders(file));
  return headers;
}

/** What the file's content is called, and where its hash tree is had. As real servents, SHA-1 alone in the first. */
function contentHeaders({ sha1, tigerRoot }: SharedFile): Header[] {
  const urn = formatSha1Urn(sha1);
  const headers: Header[] = [['X-Gnutella-Content-URN', urn]];
  if (tigerRoot !== null) headers.push(['X-Thex-URI', `/uri-res/N2X?${urn};${formatBase32(tigerRoot)}`]);
  return headers;
}

/** gtk-gnutella 1.2.3 keeps only so much of a tree that comes at once and with a Content-Length. It reads all of a chunked one. */
const PLAIN_TREE_BYTES_MAX = 4096;

/**
 * Headers and body of a hash tree. LimeWire reads no chunks, so only a client that `knowsCodings` gets them, and only where it matters.
 * No URN of the file: LimeWire would take the tree for it.
 */
export function treeReply(thex: Buffer, knowsCodings: boolean): { headers: Header[]; body: Buffer } {
  const headers: Header[] = [['Content-Type', THEX_MEDIA_TYPE]];
  if (!knowsCodings || thex.length <= PLAIN_TREE_BYTES_MAX) {
    headers.push(['Content-Length', String(thex.length)]);
    return { headers, body: thex };
  }
  headers.push(['Transfer-Encoding', 'chunked']);
  return { headers, body: chunked(thex) };
}
