// Classifies a source's reply to a range request: body, busy, forbidden, failed, range unavailable, or drop the source. Pure.
import { urnOrNull } from '../../wire/urn.ts';
import { parseAvailableRanges, parseContentRange } from '../content-range.ts';
import { keepsAlive, listOf, numberOf, type ResponseHead } from '../http-head.ts';
import {
  type ParqPlace,
  parseQueue,
  parseQueued,
  parseRetryAfter,
  type QueueStatus,
  queueIdIn,
} from '../queue-status.ts';
import type { ByteRange, RangeSet } from '../range-set.ts';

/** Bodies of refusals read to keep the connection; longer ones cost more than a new connection (gtk-gnutella DOWNLOAD_MAX_SINK). */
const SINK_BYTES_MAX = 16_384;

export interface RequestedRange {
  readonly range: ByteRange;
  /** Of the whole file, where known. */
  readonly size: number | null;
  readonly sha1: Buffer | null;
}

/** How a body ends. */
export type Framing = 'length' | 'chunked' | 'close';

interface Common {
  /** Another request may follow on this connection, once the body is read. */
  readonly keepAlive: boolean;
  /** Ranges that a partial source has; null when it did not say. */
  readonly available: RangeSet | null;
  /** Of the whole file, as the source says; null when it does not. */
  readonly size: number | null;
}

export interface BodyReply extends Common {
  readonly kind: 'body';
  readonly framing: Framing;
  /** Offset in the file of the body's first byte. */
  readonly start: number;
  /** Bytes of the body; null until its end shows. */
  readonly bytes: number | null;
}

export type SourceReply =
  | BodyReply
  | (Refusal & {
      /** `busy`: has the file but no slot. `forbidden`: refuses us for now. `failed`: server error. */
      readonly kind: 'busy' | 'forbidden' | 'failed';
      readonly retrySeconds: number | null;
      readonly queue: QueueStatus | null;
    })
  /** The source lacks the range. */
  | (Refusal & { readonly kind: 'unavailable'; readonly retrySeconds: number | null })
  /** The file is at another target; `host`: the host and port that the address names, null: none. */
  | (Refusal & { readonly kind: 'moved'; readonly host: string | null; readonly target: string })
  /** The source is unusable. */
  | (Refusal & { readonly kind: 'drop' });

interface Refusal extends Common {
  /** For display: status and reason, or the mismatch. */
  readonly reason: string;
  /** Bytes of body to discard before the next request; null: close. */
  readonly sinkBytes: number | null;
}

export function judgeReply(head: ResponseHead, requested: RequestedRange): SourceReply {
  const common: Common = { keepAlive: keepsAlive(head), available: availableIn(head, requested.size), size: null };
  if (head.status === 200 || head.status === 206) return judgeBody(head, requested, common);
  const refusal = { ...common, reason: describe(head), sinkBytes: sinkable(head) };
  const retrySeconds = parseRetryAfter(head.headers.get('Retry-After'));
  switch (head.status) {
    case 503:
      return { ...refusal, kind: 'busy', retrySeconds, queue: queueIn(head, retrySeconds) };
    case 408:
    case 409:
      return { ...refusal, kind: 'busy', retrySeconds, queue: null };
    case 429:
    case 550: // what gtk-gnutella said before 429
      return { ...refusal, kind: 'busy', retrySeconds: retrySeconds ?? 180, queue: null };
    case 401:
    case 403:
      return { ...refusal, kind: 'forbidden', retrySeconds, queue: null };
    case 416: {
      const size = parseContentRange(head.headers.get('Content-Range') ?? '')?.size ?? null;
      if (size !== null && requested.size !== null && size !== requested.size)
        return otherFile(refusal, size, requested.size);
      return { ...refusal, kind: 'unavailable', retrySeconds, size };
    }
    case 301:
    case 302: {
      const moved = locationIn(head);
      return moved === null ? { ...refusal, kind: 'drop' } : { ...refusal, kind: 'moved', ...moved };
    }
    case 500:
    case 502:
    case 504:
      return { ...refusal, kind: 'failed', retrySeconds, queue: null };
    default:
      return { ...refusal, kind: 'drop' };
  }
}

function judgeBody(head: ResponseHead, requested: RequestedRange, common: Common): SourceReply {
  const { headers } = head;
  const refusal = { ...common, reason: '', sinkBytes: null };
  const drop = (reason: string): SourceReply => ({ ...refusal, kind: 'drop', reason });

  if (!namesOurs(head, requested.sha1)) return drop('has another file under this name');
  const encoding = headers.get('Content-Encoding')?.toLowerCase() ?? 'identity';
  if (encoding !== 'identity') return drop(`encodes the file (${encoding.slice(0, 20)})`);
  const codings = listOf(headers.get('Transfer-Encoding')).filter(coding => coding !== 'identity');
  if (codings.length > 1 || (codings[0] ?? 'chunked') !== 'chunked') return drop('an unknown transfer coding');
  const length = numberOf(headers.get('Content-Length'));
  if (length === -1) return drop('a Content-Length that is no number');

  const chunked = codings.length > 0;
  const contentRange = headers.get('Content-Range');
  const parsed = contentRange === null ? null : parseContentRange(contentRange);
  if (contentRange === null && head.status === 206) return drop('206 without Content-Range');
  if (contentRange !== null && (parsed === null || parsed.range === null)) return drop('a bad Content-Range');

  const whole = parsed === null ? (chunked ? null : length) : parsed.size;
  if (whole !== null && requested.size !== null && whole !== requested.size)
    return otherFile(refusal, whole, requested.size);
  const range = parsed?.range ?? null;
  // a partial source may start later, never earlier
  if (range !== null && (range.start < requested.range.start || range.start >= requested.range.end)) {
    return drop('sends other bytes than it was asked for');
  }
  if (range !== null && range.end > (requested.size ?? range.end))
    return drop('sends bytes beyond the end of the file');
  // Content-Range takes precedence: some servents set Content-Length to the size of the file
  const bytes = range === null ? (chunked ? null : length) : range.end - range.start;
  const framing: Framing = chunked ? 'chunked' : bytes === null ? 'close' : 'length';
  return {
    ...common,
    kind: 'body',
    framing,
    keepAlive: common.keepAlive && framing !== 'close',
    start: range?.start ?? 0,
    bytes,
    size: whole,
  };
}

/** True when the reply has no SHA-1, or ours among several. */
function namesOurs(head: ResponseHead, sha1: Buffer | null): boolean {
  if (sha1 === null) return true;
  const named = (head.headers.get('X-Gnutella-Content-URN') ?? head.headers.get('X-Content-URN') ?? '')
    .split(',', 8)
    .flatMap(text => urnOrNull(text.trim())?.sha1 ?? []);
  return named.length === 0 || named.some(each => each.equals(sha1));
}

function availableIn(head: ResponseHead, size: number | null): RangeSet | null {
  const text = head.headers.get('X-Available-Ranges');
  return text === null ? null : parseAvailableRanges(text, size);
}

/** Null: the reply names no place in a PARQ queue. */
export function parqPlaceIn(head: ResponseHead, before: ParqPlace | null): ParqPlace | null {
  const text = head.headers.get('X-Queued');
  const queued = text === null ? null : parseQueued(text, null);
  if (queued?.id != null) return { position: queued.position, id: queued.id };
  // a reply with the file has the id alone (gtk-gnutella)
  const id = queueIdIn(text);
  return id === null ? null : { position: before?.position ?? 0, id };
}

function queueIn(head: ResponseHead, retryAfterSeconds: number | null): QueueStatus | null {
  const queued = head.headers.get('X-Queued');
  const queue = head.headers.get('X-Queue');
  return (
    (queued === null ? null : parseQueued(queued, retryAfterSeconds)) ?? (queue === null ? null : parseQueue(queue))
  );
}

/** Where a redirect points to. Null: nowhere that could be asked. */
function locationIn(head: ResponseHead): { host: string | null; target: string } | null {
  const [, host, target] =
    /^\s*(?:http:\/\/([^/?#\s]+))?(\/[\x21-\x7e]*)\s*$/i.exec(head.headers.get('Location') ?? '') ?? [];
  return target === undefined ? null : { host: host ?? null, target };
}

/** Bytes of body to read before the next request; null: too many, or unknown. */
export function sinkable(head: ResponseHead): number | null {
  if (head.headers.has('Transfer-Encoding')) return null;
  const length = numberOf(head.headers.get('Content-Length'));
  return length === null || length < 0 || length > SINK_BYTES_MAX ? null : length;
}

function otherFile(refusal: Refusal, theirs: number, ours: number): SourceReply {
  return { ...refusal, kind: 'drop', sinkBytes: null, size: theirs, reason: otherFileReason(theirs, ours) };
}

export function otherFileReason(theirs: number, ours: number): string {
  return `has another file: ${theirs} bytes, not ${ours}`;
}

/** Remote text: short, printable. */
function describe(head: ResponseHead): string {
  const reason = head.reason.replace(/[^\x20-\x7e]/g, '?').slice(0, 80);
  return reason === '' ? `answered ${head.status}` : `answered ${head.status} ${reason}`;
}
