// Encodes the heads of upload replies.
import type { SharedFile } from '../search/shared-file.ts';
import { type Endpoint, formatEndpoint } from '../wire/endpoint.ts';
import { formatSha1Urn } from '../wire/urn.ts';
import { formatContentRange } from './content-range.ts';
import { formatHttpDate } from './http-date.ts';
import { encodeResponseHead } from './http-head.ts';
import { formatQueue } from './queue-status.ts';
import type { ByteRange } from './range-set.ts';
import { escapeSegment } from './request-target.ts';
import type { UploadTimes } from './upload-queue.ts';

export type Header = readonly [name: string, value: string];

const REASONS: Readonly<Record<number, string>> = {
  200: 'OK',
  202: 'Accepted',
  206: 'Partial Content',
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  406: 'Not Acceptable',
  408: 'Request Timeout',
  410: 'Gone',
  416: 'Requested Range Not Satisfiable',
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
  /** On the first reply of a connection. */
  readonly introduce: { readonly node: Endpoint | null; readonly browsable: boolean } | null;
}

export function encodeReply(status: number, frame: ReplyFrame, headers: readonly Header[]): Buffer {
  const all: Header[] = [['Server', frame.userAgent], ['Date', formatHttpDate(frame.date)], ...headers];
  if (frame.introduce !== null) {
    all.push(['X-Features', frame.introduce.browsable ? 'browse/1.0, queue/0.1' : 'queue/0.1']);
    if (frame.introduce.node !== null) all.push(['X-Node', formatEndpoint(frame.introduce.node)]);
  }
  if (!frame.keepAlive) all.push(['Connection', 'close']);
  else if (frame.sayKeepAlive) all.push(['Connection', 'Keep-Alive']);
  return encodeResponseHead(status, REASONS[status] ?? 'Error', all);
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
  headers.push(
    ['Last-Modified', formatHttpDate(file.modifiedAt)],
    ['X-Gnutella-Content-URN', formatSha1Urn(file.sha1)],
  );
  if (named) headers.push(['Content-Disposition', `attachment; filename*=UTF-8''${escapeSegment(file.name)}`]);
  return headers;
}

export function unsatisfiableHeaders(file: SharedFile): Header[] {
  return [
    ['Content-Length', '0'],
    ['Content-Range', `bytes */${file.size}`],
    ['X-Gnutella-Content-URN', formatSha1Urn(file.sha1)],
  ];
}

export function queuedHeaders(file: SharedFile, position: number, times: UploadTimes): Header[] {
  return [
    ['Content-Length', '0'],
    ['X-Queue', formatQueue(position, times.pollMinMs, times.pollMaxMs)],
    ['Retry-After', String(Math.ceil(times.pollMinMs / 1000))],
    ['X-Gnutella-Content-URN', formatSha1Urn(file.sha1)],
  ];
}

export function busyHeaders(file: SharedFile | null, retrySeconds: number): Header[] {
  const headers: Header[] = [
    ['Content-Length', '0'],
    ['Retry-After', String(retrySeconds)],
  ];
  if (file !== null) headers.push(['X-Gnutella-Content-URN', formatSha1Urn(file.sha1)]);
  return headers;
}
