// Answers the requests of one upload connection: heads in, replies out. The shell opens files and sends bytes.
import { encodeThex } from '../../digest/thex.ts';
import type { TigerTree } from '../../digest/tiger-tree.ts';
import { ProtocolError } from '../../errors.ts';
import type { SharedFile } from '../../search/shared-file.ts';
import { urnOrNull } from '../../wire/urn.ts';
import { keepsAlive, numberOf, type RequestHead } from '../http-head.ts';
import { isPushProxyTarget } from '../push-proxy.ts';
import { queueIdIn } from '../queue-status.ts';
import { parseRange, RangeVerdict } from '../range.ts';
import type { ByteRange } from '../range-set.ts';
import { type BrowseCoding, browseCodingOf, browseFormOf, PACKETS_MEDIA_TYPE } from './browse-form.ts';
import { browseHits } from './browse-hits.ts';
import { browsePage, PAGE_HEADERS } from './browse-page.ts';
import { type Ban, LONGEST_BAN_MS } from './conduct/bans.ts';
import type { Visit } from './conduct/conduct.ts';
import { isPartial, partOf } from './partial-file.ts';
import type { Admission, QueueView } from './queue/admission.ts';
import { keepMsOf } from './queue/poll-times.ts';
import { nodeOf, queueLevelOf } from './queue/queue-request.ts';
import { type Moment, type ReplyHead, ReplyHeads } from './reply-heads.ts';
import { parseTarget, sha1Asked } from './request-target.ts';
import { requestedFile } from './requested-file.ts';
import type { UploadContext, UploadOutcome } from './upload-context.ts';
import {
  browseHeaders,
  busyHeaders,
  EMPTY,
  fileHeaders,
  grantedHeaders,
  type Header,
  isUnchanged,
  queuedHeaders,
  queuedReason,
  treeReply,
  unsatisfiableHeaders,
} from './upload-reply.ts';

/** Refusals on one connection; then it is closed (gtk-gnutella MAX_ERRORS). */
const ERRORS_MAX = 10;
/** Bytes that a connection may get without a slot, for tiny files (gtk-gnutella's quick slot). */
const QUICK_BYTES = 8192;
/** LimeWire waits no longer. */
const SUSPENDED_RETRY_SECONDS = 3600;
const RETRY_SECONDS = 60;
/** A tree that is asked for is made next; a file of gigabytes takes some seconds. */
const TREE_RETRY_SECONDS = 30;

/** Write `bytes`; another request may follow if `keepAlive`. */
export interface UploadReply {
  readonly kind: 'reply';
  readonly status: number;
  readonly bytes: Buffer;
  readonly keepAlive: boolean;
}

export type UploadVerdict =
  | UploadReply
  /** Write `bytes`: there is a place in the queue. It is kept with the connection if `keepAlive`, else by its id alone. */
  | {
      readonly kind: 'queued';
      readonly bytes: Buffer;
      readonly keepAlive: boolean;
      readonly file: SharedFile;
      readonly range: ByteRange;
    }
  /** Open the file, then call `opened` or `missing`. */
  | { readonly kind: 'file'; readonly file: SharedFile; readonly range: ByteRange }
  /** Find the hash tree of the file, then call `treeFound`. */
  | { readonly kind: 'tree'; readonly file: SharedFile }
  /** Write `bytes`, then all of `list` in this coding (null: no body), and call `browsed`. Close unless `keepAlive`. */
  | {
      readonly kind: 'browse';
      readonly bytes: Buffer;
      readonly list: Iterable<Buffer>;
      readonly coding: BrowseCoding | null;
      readonly keepAlive: boolean;
    };

/** `body`: the range follows `bytes`. */
export interface OpenedReply {
  readonly bytes: Buffer;
  readonly body: boolean;
}

/** How sending a file went. `cut`: the peer is gone. `shrunk`: the file ends before the range. `unreadable`: it cannot be read. */
export type SendEnd = 'whole' | 'cut' | 'shrunk' | 'unreadable';

/** The request for a file that is being opened or sent. */
interface Pending {
  readonly request: RequestHead;
  readonly file: SharedFile;
  /** As asked; null: all of it, with status 200. */
  readonly range: ByteRange | null;
  readonly at: Moment;
  /** To be sent with the file; null: none. */
  readonly queueId: string | null;
}

export interface Caller {
  /** The connection's in the queue. */
  readonly number: number;
  /** The peer's, without a port. */
  readonly address: string;
  /** We opened it, as asked by push. */
  readonly pushed: boolean;
  readonly visit: Visit;
  /** SHA-1 of the only file that it may ask for; null: any. */
  readonly only: Buffer | null;
}

export class UploadConnection {
  readonly #context: UploadContext;
  readonly #visit: Visit;
  readonly #number: number;
  readonly #address: string;
  readonly #only: Buffer | null;
  #userAgent: string | null = null;
  #pending: Pending | null = null;
  #treeAsked: { readonly request: RequestHead; readonly at: Moment } | null = null;
  readonly #heads: ReplyHeads;
  /** File whose name was sent last. */
  #named: SharedFile | null = null;
  #errors = 0;
  #quickBytes = QUICK_BYTES;
  /** How long it may be silent while it waits; null: it does not. */
  #waitMaxMs: number | null = null;
  #closed = false;

  constructor(context: UploadContext, { number, address, pushed, visit, only }: Caller) {
    this.#context = context;
    this.#visit = visit;
    this.#number = number;
    this.#address = address;
    this.#only = only;
    const { identity, mesh, browse } = context;
    this.#heads = new ReplyHeads({ identity, mesh, address, pushed, browsable: browse !== null && only === null });
  }

  /** Of its first request; printable. */
  get userAgent(): string | null {
    return this.#userAgent;
  }

  /** Group of the setting `uploads.groups`; null: none, or no slot was asked for. */
  get group(): string | null {
    return this.#context.queue.groupOf(this.#number);
  }

  /** Null when it does not wait in the queue. */
  get queueView(): QueueView | null {
    return this.#context.queue.view(this.#number);
  }

  /** The next request has to begin within so many milliseconds. */
  get silenceMaxMs(): number {
    return this.#waitMaxMs ?? this.#context.times.idleMs;
  }

  /** One request at a time: the one before is answered. `date`: milliseconds since 1970, for the reply's head. */
  request(request: RequestHead, now: number, date: number): UploadVerdict {
    const at = { now, date };
    this.#heads.begin();
    this.#userAgent ??= printable(request.headers.get('User-Agent'));
    const ban = this.#visit.ask(now);
    if (ban !== null) return this.#refuse(429, 'banned', at, busyHeaders(null, banSeconds(ban, now)));
    try {
      return this.#judge(request, at);
    } catch (error) {
      if (error instanceof ProtocolError) return this.malformed(error, now, date);
      throw error;
    }
  }

  /** The file of the last verdict is open. */
  opened(): OpenedReply {
    const { request, file, range, at, queueId } = this.#asked();
    const head = this.#heads.encode(
      {
        status: range === null ? 200 : 206,
        keepAlive: keepsAlive(request),
        request,
        headers: [...fileHeaders(file, range, this.#named !== file), ...grantedHeaders(queueId)],
      },
      at,
    );
    this.#named = file;
    const body = request.method === 'GET';
    if (body) this.#waitMaxMs = null;
    return { bytes: head, body };
  }

  /** The file of the last verdict is gone, or is not what was hashed. */
  missing(now: number): UploadReply {
    const { request, at } = this.#asked();
    this.#pending = null;
    this.#context.queue.finish(this.#number, now);
    return this.#refuseFile(request, 404, 'not_found', EMPTY, at);
  }

  /** The tree of the last verdict; null while it is still to be made. Takes no slot. */
  treeFound(tree: TigerTree | null): UploadReply {
    if (this.#treeAsked === null) throw new RangeError('no tree is being looked for');
    const { request, at } = this.#treeAsked;
    this.#treeAsked = null;
    if (tree === null) return this.#refuseFile(request, 503, 'no_tree', busyHeaders(null, TREE_RETRY_SECONDS), at);
    const { headers, body } = treeReply(encodeThex(tree), knowsCodings(request));
    const keepAlive = keepsAlive(request);
    const head = this.#heads.encode({ status: 200, keepAlive, request, headers }, at);
    this.#count('tree', at.now);
    const bytes = request.method === 'HEAD' ? head : Buffer.concat([head, body]);
    return { kind: 'reply', status: 200, bytes, keepAlive };
  }

  /** The reply to the last verdict went out, or did not. True when another request may follow. */
  sent(end: SendEnd, now: number): boolean {
    const { request, file, range } = this.#asked();
    this.#pending = null;
    this.#context.queue.finish(this.#number, now, end !== 'whole');
    this.#count(outcomeOf(request, file, range, end), now);
    if (request.method === 'GET' && end === 'whole') this.#countCopy(file, range, now);
    return end === 'whole' && keepsAlive(request);
  }

  /** What came is no request: HTTP_MALFORMED or HTTP_TOO_LONG says why. */
  malformed(error: ProtocolError, now: number, date: number): UploadReply {
    const tooLong = error.code === 'HTTP_TOO_LONG';
    return this.#refuse(tooLong ? 431 : 400, tooLong ? 'too_long' : 'malformed', { now, date });
  }

  /** A head began and did not end in time. */
  tooSlow(now: number, date: number): UploadReply {
    return this.#refuse(408, 'slow_head', { now, date });
  }

  /** A browse is answered, or the peer is gone. */
  browsed(): void {
    this.#context.leaveBrowse(this.#address);
  }

  /** Gives the slot back, and the place unless it has an id. Idempotent. */
  close(now: number): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#visit.close(now);
    this.#context.onClosed(this.#number, now);
  }

  #asked(): Pending {
    if (this.#pending === null) throw new RangeError('no file is being sent');
    return this.#pending;
  }

  #judge(request: RequestHead, at: Moment): UploadVerdict {
    const { headers } = request;
    if (request.major !== 1) return this.#refuse(505, 'unsupported', at);
    if (request.method !== 'GET' && request.method !== 'HEAD') return this.#refuse(501, 'unsupported', at);
    if (request.minor >= 1 && !headers.has('Host')) return this.#refuse(400, 'malformed', at);
    // refuses bodies, which would be parsed as the next request
    if ((numberOf(headers.get('Content-Length')) ?? 0) !== 0 || headers.has('Transfer-Encoding')) {
      return this.#refuse(403, 'forbidden', at);
    }
    if (this.#only === null && isPushProxyTarget(request.target)) return this.#passPush(request, at);
    const target = parseTarget(request.target);
    if (this.#only === null && target.kind === 'root') return this.#browse(request, at);
    const wanted = urnOrNull(headers.get('X-Gnutella-Content-URN')?.split(',')[0]?.trim() ?? '');
    const file = requestedFile(this.#context, target, wanted);
    const sha1 = file?.sha1 ?? sha1Asked(target, wanted);
    if (this.#only !== null && sha1?.equals(this.#only) !== true) return this.#refuse(404, 'other_file', at);
    if (file === null) return this.#refuseFile(request, 404, 'not_found', EMPTY, at);
    const { queue } = this.#context;
    if (queue.limits.suspended === true)
      return this.#refuse(503, 'busy', at, busyHeaders(null, SUSPENDED_RETRY_SECONDS));
    if (!queue.serves(this.#address, this.#userAgent)) return this.#refuse(403, 'forbidden', at);
    if (target.kind === 'tree') {
      this.#treeAsked = { request, at };
      return { kind: 'tree', file };
    }

    this.#heads.hear(file, request, at.now);
    const asked = parseRange(headers.get('Range'), file.size);
    if (asked === RangeVerdict.Malformed) return this.#refuse(400, 'malformed', at);
    const range = asked !== RangeVerdict.Unsatisfiable && isPartial(file) ? partOf(file, asked) : asked;
    if (range === RangeVerdict.Unsatisfiable || (range === null && isPartial(file))) {
      return this.#refuseFile(request, 416, 'unsatisfiable', unsatisfiableHeaders(file), at);
    }
    return this.#admit({ request, file, range, at, queueId: null });
  }

  #admit(pending: Pending): UploadVerdict {
    const { request, file } = pending;
    const range = pending.range ?? { start: 0, end: file.size };
    let { queueId } = pending;
    if (request.method === 'GET' && range.end > range.start && !this.#isQuick(range)) {
      const admission = this.#ask(pending, range);
      if (admission.kind !== 'granted') return this.#turnAway(pending, range, admission);
      queueId = admission.id;
    }
    this.#pending = { ...pending, queueId };
    return { kind: 'file', file, range };
  }

  #ask({ request, file, at }: Pending, { start, end }: ByteRange): Admission {
    const { queue, crowded } = this.#context;
    const { sha1, name, size } = file;
    return queue.ask(
      {
        connection: this.#number,
        address: this.#address,
        agent: this.#userAgent,
        level: queueLevelOf(request),
        id: queueIdIn(request.headers.get('X-Queued')),
        node: nodeOf(request, this.#address),
        file: { key: sha1.toString('hex'), name, size },
        bytes: end - start,
        toEnd: end === size,
        crowded,
      },
      at.now,
    );
  }

  #isQuick({ start, end }: ByteRange): boolean {
    if (end - start > this.#quickBytes) return false;
    this.#quickBytes -= end - start;
    return true;
  }

  /** No slot: a place in the queue, or the advice to come back. */
  #turnAway(
    { request, file, at }: Pending,
    range: ByteRange,
    admission: Exclude<Admission, { kind: 'granted' }>,
  ): UploadVerdict {
    if (admission.kind === 'busy') return this.#refuse(503, 'busy', at, busyHeaders(file, admission.retryMs / 1000));
    if (admission.kind === 'early') {
      return this.#refuse(429, 'early', at, busyHeaders(null, Math.ceil(admission.retryMs / 1000)));
    }
    const { place } = admission;
    const keepAlive = place.active && (place.id === null || keepsAlive(request));
    this.#visit.queued(admission.early, at.now);
    this.#count('queued', at.now);
    this.#waitMaxMs = place.id === null ? place.lifetimeMs : keepMsOf(place.retryMs);
    const headers = queuedHeaders(file, place);
    const bytes = this.#heads.encode(
      { status: 503, keepAlive, request, headers, sayKeepAlive: true, reason: queuedReason(place) },
      at,
    );
    return { kind: 'queued', bytes, keepAlive, file, range };
  }

  #browse(request: RequestHead, at: Moment): UploadVerdict {
    const { browse, identity } = this.#context;
    if (browse === null) return this.#refuse(403, 'forbidden', at);
    const form = browseFormOf(request.headers.get('Accept'));
    if (form === null) return this.#refuseFile(request, 406, 'unsupported', EMPTY, at);
    const changedAt = this.#context.browseChangedAt();
    const headers = browseHeaders(changedAt, at.date);
    if (isUnchanged(request.headers.get('If-Modified-Since'), changedAt, at.date)) {
      this.#count('unchanged', at.now);
      return this.#reply({ status: 304, keepAlive: keepsAlive(request), request, headers }, at);
    }
    if (!this.#context.enterBrowse(this.#address))
      return this.#refuse(503, 'busy', at, busyHeaders(null, RETRY_SECONDS));
    this.#count('browse', at.now);
    headers.push(...(form === 'page' ? PAGE_HEADERS : [['Content-Type', PACKETS_MEDIA_TYPE] as const]));
    const coding = browseCodingOf(request);
    if (coding.deflated) headers.push(['Content-Encoding', 'deflate']);
    // its length is not known
    if (coding.chunked) headers.push(['Transfer-Encoding', 'chunked']);
    const keepAlive = coding.chunked;
    const bytes = this.#heads.encode({ status: 200, keepAlive, request, headers }, at);
    if (request.method === 'HEAD') return { kind: 'browse', bytes, list: [], coding: null, keepAlive };
    const list = form === 'page' ? browsePage(browse(), identity.userAgent) : browseHits(browse(), identity, at.now);
    return { kind: 'browse', bytes, list, coding, keepAlive };
  }

  #passPush({ target, headers }: RequestHead, at: Moment): UploadReply {
    const nodes = [headers.get('X-Node'), headers.get('X-Node-IPv6')];
    const status = this.#context.passPush(target, nodes, this.#address, at.now);
    return this.#refuse(status, status < 300 ? 'push_passed' : 'push_refused', at);
  }

  /** Refuses and closes the connection. */
  #refuse(status: number, outcome: UploadOutcome, at: Moment, headers: readonly Header[] = EMPTY): UploadReply {
    this.#count(outcome, at.now);
    return this.#reply({ status, keepAlive: false, request: null, headers }, at);
  }

  /** Refuses one file; another request may follow. */
  #refuseFile(
    request: RequestHead,
    status: number,
    outcome: UploadOutcome,
    headers: readonly Header[],
    at: Moment,
  ): UploadReply {
    const keepAlive = keepsAlive(request) && ++this.#errors < ERRORS_MAX;
    this.#count(outcome, at.now);
    return this.#reply({ status, keepAlive, request, headers }, at);
  }

  #reply(head: ReplyHead, at: Moment): UploadReply {
    const { status, keepAlive } = head;
    return { kind: 'reply', status, bytes: this.#heads.encode(head, at), keepAlive };
  }

  #count(outcome: UploadOutcome, now: number): void {
    this.#context.outcomes.count(outcome);
    this.#visit.ended(outcome, now);
  }

  #countCopy({ sha1, size }: SharedFile, range: ByteRange | null, now: number): void {
    const bytes = range === null ? size : range.end - range.start;
    this.#visit.sent(sha1.toString('latin1'), bytes, size, now);
  }
}

function outcomeOf(
  { method }: RequestHead,
  { size }: SharedFile,
  range: ByteRange | null,
  end: SendEnd,
): UploadOutcome {
  if (method === 'HEAD') return 'head';
  if (end !== 'whole') return end === 'cut' ? 'cut' : 'unreadable';
  return range === null || (range.start === 0 && range.end === size) ? 'whole' : 'partial';
}

/** What a ban still takes, as clients are told. */
function banSeconds({ until }: Ban, now: number): number {
  return Math.ceil(Math.min(until - now, LONGEST_BAN_MS) / 1000);
}

/** Who asks for codings of content reads those of HTTP/1.1 itself: gtk-gnutella and Shareaza do, LimeWire does not. */
function knowsCodings({ minor, headers }: RequestHead): boolean {
  return minor >= 1 && headers.has('Accept-Encoding');
}

/** Remote text for logs and views. */
function printable(text: string | null): string | null {
  return text === null ? null : text.replace(/[^\x20-\x7e]/g, '?').slice(0, 255);
}
