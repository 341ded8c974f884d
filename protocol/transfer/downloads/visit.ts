// One connection to one source: asks for the ranges that the planner orders until the source refuses or nothing more is wanted of it.
// A state machine: the shell connects, then executes one command at a time and returns its event.
import { THEX_BYTES_MAX } from '../../digest/thex.ts';
import { endpointOrNull, formatEndpoint } from '../../wire/endpoint.ts';
import { nameInDisposition } from '../content-disposition.ts';
import { parseAvailable } from '../content-range.ts';
import type { ResponseHead } from '../http-head.ts';
import type { MeshLocation } from '../mesh/file-locations.ts';
import { reachToldIn } from '../mesh/firewalled-location.ts';
import type { Mesh } from '../mesh/mesh.ts';
import { MeshTalk } from '../mesh/mesh-talk.ts';
import type { QueueStatus } from '../queue-status.ts';
import { type ByteRange, RangeSet } from '../range-set.ts';
import type { TransferIdentity } from '../transfer-identity.ts';
import { encodeFileRequest, encodeTreeRequest, encodeWebRequest, targetOf } from './file-request.ts';
import { isWebServer } from './source.ts';
import { type ExchangeCommand, type ExchangeEvent, SourceError, SourceExchange } from './source-exchange.ts';
import { locationOf } from './source-locations.ts';
import { type BodyReply, judgeReply, parqPlaceIn, type SourceReply, sinkable } from './source-reply.ts';
import type { SwarmPlanner } from './swarm-planner.ts';
import type { SwarmSource } from './swarm-source.ts';
import { connectedAt } from './swarm-sources.ts';

export interface VisitTimes {
  /** Wait for bytes on a connection, and for the end of an answer's head. */
  stallMs: number;
  /** Delay of a queue poll after its earliest time: LimeWire bans early clients. */
  pollMarginMs: number;
  /** Until the next connection to a source that keeps none open. */
  spacingMs: number;
}

/** Stall: both vendors'. Spacing: gtk-gnutella bans a host that connects more than five times a minute. */
export const VISIT_TIMES: VisitTimes = { stallMs: 60_000, pollMarginMs: 1000, spacingMs: 12_000 };

/** The download that it is for. */
export interface VisitJob {
  readonly sha1: Buffer | null;
  /** Null until a source tells. */
  readonly size: number | null;
  /** False: sources told the size, and another may be right. */
  readonly isSizeGiven: boolean;
  readonly planner: SwarmPlanner;
  /** Learns which sources have the file, and which have not. */
  readonly mesh: Mesh;
  /** Bytes of the file that we have, and that we serve others: above 1 MiB we name ourselves as a location. */
  readonly doneBytes: number;
  readonly servedBytes: number;
  /** The visit wants an order: see `order`. */
  onReady(visit: Visit, now: number): void;
  /** The source says that the file has this size. Not called where the user gave it. */
  onSize(visit: Visit, size: number): void;
  /** Bytes of the file, from `offset` on, as a view. False: they are kept, but there is no room for more; see the command `room`. */
  onBytes(visit: Visit, offset: number, bytes: Buffer, now: number): boolean;
  /** Waits in the source's queue; null: not any more. */
  onQueued(visit: Visit, status: QueueStatus | null, now: number): void;
  onAlternates(locations: readonly MeshLocation[], now: number): void;
  /** What the source calls the file: a safe name. */
  onNamed(name: string): void;
  /** The value of X-Thex-URI. */
  onTreeOffer(visit: Visit, thexUri: string): void;
  /** The source sent this for a tree. */
  onTree(visit: Visit, thex: Buffer, now: number): void;
  /** It sent none. `isFinal`: it has none. */
  onNoTree(visit: Visit, isFinal: boolean, now: number): void;
}

export type VisitOrder =
  | { readonly kind: 'range'; readonly range: ByteRange }
  /** The hash tree at a target that the source named. */
  | { readonly kind: 'tree'; readonly target: string };

export type VisitCommand =
  | ExchangeCommand
  /** Done when there is room for more bytes. */
  | { readonly kind: 'room' }
  /** Keep the connection and read nothing: done after that time; `ended` or `broken`: when the source closed first. */
  | { readonly kind: 'wait'; readonly ms: number }
  /** Keep the connection until there is an order: done then; `ended` or `broken`: when the source closed first. */
  | { readonly kind: 'ready' }
  /** The visit has ended. */
  | { readonly kind: 'close' };

type Steps<Result> = Generator<VisitCommand, Result, ExchangeEvent>;

/** LimeWire's MIN_PARTIAL_FILE_BYTES. */
const OWN_PART_BYTES_MIN = 1 << 20;
/** Further requests after a partial source named other ranges. */
const REPICKS_MAX = 3;
const HTTP_PORT = 80;
const TREE_STALLS_MAX = 4;
const POLL_SECONDS = 60;
const POLL_SECONDS_MAX = 3600;
/** Limit of a file of unknown size, with half of the free space: its source could fill the disk. */
const UNTOLD_BYTES_MAX = 16 * 1024 ** 3;
const CLOSE: VisitCommand = { kind: 'close' };
const READY: VisitCommand = { kind: 'ready' };
const ROOM: VisitCommand = { kind: 'room' };
const DONE: ExchangeEvent = { kind: 'done' };

export class Visit {
  readonly source: SwarmSource;
  /** Of the file, that nobody had brought before. */
  bytes = 0;
  readonly #job: VisitJob;
  readonly #identity: TransferIdentity;
  readonly #times: VisitTimes;
  readonly #exchange: SourceExchange;
  readonly #steps: Steps<void>;
  readonly #talk: MeshTalk;
  #order: VisitOrder | null = null;
  #now = 0;
  #over = false;
  #first = true;
  /** The target to which the source sent us from its usual one. */
  #movedTo: string | null = null;
  #repicks = 0;
  /** Largest end of the file by the free space when we connected; null: unknown. */
  #roomEnd: number | null = null;
  /** Of the body under way. */
  #bytes = 0;
  /** It has sent a body on this connection. */
  #served = false;
  /** It was asked for a hash tree, and has not answered. */
  #wantsTree = false;
  /** The last answer was "queued": closing now is no failure, though it loses a place without an id. */
  #waiting = false;

  constructor(source: SwarmSource, job: VisitJob, identity: TransferIdentity, times: VisitTimes = VISIT_TIMES) {
    this.source = source;
    this.#job = job;
    this.#identity = identity;
    this.#times = times;
    this.#exchange = new SourceExchange(times.stallMs, () => this.#now);
    const { endpoint, push } = source.source;
    this.#talk = new MeshTalk(job.mesh, endpoint.host, push ? null : endpoint.port);
    this.#steps = this.#run();
  }

  /** Of the content that is wanted. */
  get sha1(): Buffer | null {
    return this.#job.sha1;
  }

  get over(): boolean {
    return this.#over;
  }

  /** The source cannot be connected to: ends the visit. */
  unreachable(reason: string, now: number): void {
    if (this.#over) return;
    this.#finish();
    this.#now = now;
    // by push: that way fails for more reasons than theirs
    if (!this.source.source.push) this.#tellMesh('failed');
    this.#job.planner.onFailed(this.source, reason, now);
  }

  /** `room`: bytes free where the file is written; null when that is not known. `remote`: the address of the other side. */
  connected(room: number | null, remote: string | null, now: number): VisitCommand {
    this.source.remote = remote;
    const { planner } = this.#job;
    if (!this.#over && planner.corrupt.has(connectedAt(this.source) ?? '')) {
      planner.onDropped(this.source, 'sent wrong bytes before, as another servent', now);
      this.#finish();
    }
    if (room !== null) this.#roomEnd = this.#job.doneBytes + room;
    return this.next(DONE, now);
  }

  /** `event`: how the last command went. After `close` there is nothing more to be told. */
  next(event: ExchangeEvent, now: number): VisitCommand {
    if (this.#over) return CLOSE;
    this.#now = now;
    const { done, value } = this.#steps.next(event);
    return done ? CLOSE : value;
  }

  /** What to do next, while its command is `ready`, or from within `onReady`. */
  order(order: VisitOrder): void {
    this.#order = order;
  }

  /** Ends the visit without a failure of the source. Idempotent. */
  stop(): void {
    this.#finish();
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#waiting) this.#job.onQueued(this, null, this.#now);
    this.#waiting = false;
    if (this.#wantsTree) this.#job.onNoTree(this, false, this.#now);
  }

  *#run(): Steps<void> {
    try {
      let goesOn = true;
      while (goesOn) {
        const order = yield* this.#nextOrder();
        goesOn = yield* order.kind === 'range' ? this.#fetch(order.range) : this.#fetchTree(order.target);
      }
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      this.#onLost(error);
    }
    this.#finish();
  }

  *#nextOrder(): Steps<VisitOrder> {
    this.#job.onReady(this, this.#now);
    for (;;) {
      const order = this.#order;
      this.#order = null;
      if (order !== null) return order;
      if ((yield READY).kind !== 'done')
        throw new SourceError('SOURCE_CLOSED', 'closed the connection before a request');
    }
  }

  /** True when another request may follow on this connection. */
  *#fetch(range: ByteRange): Steps<boolean> {
    const { planner, size, sha1 } = this.#job;
    const head = yield* this.#exchange.request(this.#request(range));
    this.#first = false;
    const reply = judgeReply(head, { range, size, sha1 });
    this.#judgeSource(reply);
    const misfit = this.#misfitOf(reply);
    if (misfit !== null) {
      planner.onDropped(this.source, misfit, this.#now);
      return false;
    }
    if (!this.#job.isSizeGiven && reply.size !== null) this.#job.onSize(this, reply.size);
    this.#learn(head, reply);
    if (reply.kind !== 'unavailable') this.#repicks = 0;
    if (reply.kind === 'body') return yield* this.#receive(reply, range);
    if (reply.keepAlive && reply.sinkBytes !== null) {
      if (reply.kind === 'busy' && reply.queue !== null) return yield* this.#waitInQueue(reply.queue, reply.sinkBytes);
      if (reply.kind === 'unavailable' && this.#mayRepick(reply)) return yield* this.#sink(reply.sinkBytes);
      if (reply.kind === 'moved' && this.#movedTo === null && this.#mayFollow(reply.host)) {
        this.#movedTo = reply.target;
        yield* this.#sink(reply.sinkBytes);
        return yield* this.#fetch(range);
      }
    }
    this.#onRefused(reply);
    return false;
  }

  *#sink(bytes: number): Steps<true> {
    yield* this.#exchange.body<never>('length', bytes, () => null);
    return true;
  }

  /** The connection failed. */
  #onLost(error: SourceError): void {
    const { planner } = this.#job;
    if (this.#waiting) planner.onBusy(this.source, error.message, this.#comebackSeconds, this.#now);
    // malformed HTTP or a body beyond the file will not improve: drop the source
    else if (error.code === 'SOURCE_MALFORMED') planner.onDropped(this.source, error.message, this.#now);
    // who served before and closes between two answers keeps no connection for long
    else if (error.code === 'SOURCE_CLOSED' && this.#served && this.#bytes === 0)
      planner.onClosing(this.source, this.#times.spacingMs, this.#now);
    else planner.onFailed(this.source, error.message, this.#now);
  }

  /** Who refuses us for now, or has trouble of its own, is neither good nor bad. */
  #judgeSource({ kind }: SourceReply): void {
    if (kind === 'body' || kind === 'busy' || kind === 'unavailable') this.#tellMesh('served');
    else if (kind === 'drop') this.#tellMesh('failed');
  }

  #tellMesh(how: 'served' | 'failed'): void {
    const { sha1, mesh } = this.#job;
    const location = locationOf(this.source.source);
    if (sha1 !== null && location !== null) mesh[how](sha1, location, this.#now);
  }

  #request(range: ByteRange): Buffer {
    const { source, place } = this.source;
    const { doneBytes, sha1, servedBytes } = this.#job;
    const identity = this.#identity;
    const firewalled = identity.firewalled(this.#now);
    const own = !firewalled && servedBytes > OWN_PART_BYTES_MIN ? identity.listen() : null;
    const host = formatEndpoint(source.endpoint);
    const target = this.#movedTo ?? source.target ?? targetOf(sha1, source.index, source.name);
    if (isWebServer(source)) return encodeWebRequest({ host, target, range, identity });
    return encodeFileRequest({
      host,
      target,
      range,
      sha1,
      identity,
      now: this.#now,
      locations: sha1 === null ? [] : this.#talk.tell(sha1, own, this.#now),
      doneBytes,
      queued: place,
      first: this.#first,
    });
  }

  /** Why the source's size is refused, when the user gave none; or null. */
  #misfitOf({ size }: SourceReply): string | null {
    if (this.#job.isSizeGiven || size === null || this.#roomEnd === null || size <= this.#roomEnd) return null;
    const room = this.#roomEnd - this.#job.doneBytes;
    return `says the file has ${size} bytes, and the disk has room for ${room}`;
  }

  /** Where the file must end at the latest. */
  get #endMax(): number {
    const { doneBytes, size } = this.#job;
    if (size !== null) return size;
    const room = this.#roomEnd === null ? UNTOLD_BYTES_MAX : this.#roomEnd - doneBytes;
    return Math.min(UNTOLD_BYTES_MAX, doneBytes + room / 2);
  }

  /** After a connection that broke while we waited: a place with an id is kept for a time. Null: it is lost, and there is no haste. */
  get #comebackSeconds(): number | null {
    return this.source.place === null ? null : this.#times.spacingMs / 1000;
  }

  /** Takes place in a queue, available ranges, name, tree and alternates from a reply. */
  #learn(head: ResponseHead, reply: SourceReply): void {
    const job = this.#job;
    const { source } = this;
    source.place = parqPlaceIn(head, source.place) ?? source.place;
    this.#learnAvailable(head, reply);
    const told = reachToldIn(head.headers, location => job.mesh.believed(location) !== null);
    if (told !== null) source.learnReach(told);
    const disposition = reply.kind === 'body' ? head.headers.get('Content-Disposition') : null;
    const name = disposition === null ? null : nameInDisposition(disposition);
    if (name !== null) job.onNamed(name);
    if (reply.kind === 'drop' || reply.kind === 'moved' || job.sha1 === null) return;
    const thexUri = head.headers.get('X-Thex-URI');
    if (thexUri !== null) job.onTreeOffer(this, thexUri);
    job.onAlternates(this.#talk.hear(job.sha1, head.headers, false, this.#now), this.#now);
  }

  /** Long lists come in parts, with the sum of what there is: parts are added up as long as they can be true together. */
  #learnAvailable(head: ResponseHead, reply: SourceReply): void {
    const { source } = this;
    const { available } = reply;
    if (available === null) {
      if (reply.kind === 'body') source.available = null; // a whole file by now
      return;
    }
    const sum = reply.kind === 'body' ? parseAvailable(head.headers.get('X-Available') ?? '') : null;
    const both = RangeSet.of([...(source.available ?? []), ...available]);
    source.available = sum !== null && both.bytes <= sum ? both : available;
  }

  /** True when another request may follow on this connection. */
  *#receive(reply: BodyReply, asked: ByteRange): Steps<boolean> {
    const job = this.#job;
    const { planner } = job;
    const endMax = this.#endMax;
    if (this.#waiting) job.onQueued(this, null, this.#now);
    this.#waiting = false;
    this.#bytes = 0;
    yield* this.#exchange.body(reply.framing, reply.bytes, (bytes): VisitCommand | null => {
      const offset = reply.start + this.#bytes;
      if (offset + bytes.length > endMax) {
        const untold = job.size === null ? ' can have, and does not say how much that is' : '';
        throw new SourceError('SOURCE_MALFORMED', `sends more than the file has${untold}`);
      }
      this.#bytes += bytes.length;
      return job.onBytes(this, offset, bytes, this.#now) ? null : ROOM;
    });
    // only now is it known how long the file is
    if (job.size === null && reply.bytes === null) job.onSize(this, reply.start + this.#bytes);
    const bytes = this.#bytes;
    this.#bytes = 0;
    if (bytes === 0 && asked.end > asked.start && job.size !== 0) {
      planner.onFailed(this.source, 'sends nothing of what we asked for', this.#now);
      return false;
    }
    this.#served = true;
    planner.onAnswered(this.source, this.#now);
    if (reply.keepAlive) return true;
    planner.onClosing(this.source, this.#times.spacingMs, this.#now);
    return false;
  }

  /** Holds the connection, and with it the place, until it is time to ask again. */
  *#waitInQueue(queue: QueueStatus, sinkBytes: number): Steps<boolean> {
    yield* this.#sink(sinkBytes);
    this.#waiting = true;
    this.#job.onQueued(this, queue, this.#now);
    const { kind } = yield { kind: 'wait', ms: pollSeconds(queue) * 1000 + this.#times.pollMarginMs };
    if (kind !== 'done')
      throw new SourceError('SOURCE_CLOSED', 'closed the connection on which we waited in its queue');
    return true;
  }

  *#fetchTree(target: string): Steps<boolean> {
    const job = this.#job;
    const host = formatEndpoint(this.source.source.endpoint);
    const request = encodeTreeRequest({ host, target, identity: this.#identity, now: this.#now, first: this.#first });
    this.#wantsTree = true;
    const head = yield* this.#exchange.request(request);
    this.#first = false;
    const reply = judgeReply(head, { range: { start: 0, end: THEX_BYTES_MAX }, size: null, sha1: null });
    if (reply.kind === 'body' && head.status === 200) {
      const thex = yield* this.#bodyUpTo(THEX_BYTES_MAX, reply);
      this.#wantsTree = false;
      job.onTree(this, thex, this.#now);
      if (reply.keepAlive) return true;
    } else {
      this.#wantsTree = false;
      job.onNoTree(this, reply.kind === 'drop', this.#now);
      const sinkBytes = sinkable(head);
      if (reply.keepAlive && sinkBytes !== null) return yield* this.#sink(sinkBytes);
    }
    job.planner.onClosing(this.source, this.#times.spacingMs, this.#now);
    return false;
  }

  /** All of it comes within TREE_STALLS_MAX times `stallMs`: meanwhile no other source is asked for a tree. */
  *#bodyUpTo(bytesMax: number, { framing, bytes }: BodyReply): Steps<Buffer> {
    const parts: Buffer[] = [];
    const until = this.#now + TREE_STALLS_MAX * this.#times.stallMs;
    let left = bytesMax;
    yield* this.#exchange.body<VisitCommand>(framing, bytes, part => {
      left -= part.length;
      if (this.#now > until) throw new SourceError('SOURCE_STALLED', 'sends its hash tree too slowly');
      if (left < 0) throw new SourceError('SOURCE_MALFORMED', `sends a hash tree of more than ${bytesMax} bytes`);
      parts.push(part);
      return null;
    });
    return Buffer.concat(parts);
  }

  /** It named ranges, or told a size that we did not know. */
  #mayRepick(reply: Extract<SourceReply, { kind: 'unavailable' }>): boolean {
    return (reply.available !== null || reply.size !== null) && this.#repicks++ < REPICKS_MAX;
  }

  /** Only to the address that we are connected to: a redirect must not send us elsewhere. Null: it named no host. */
  #mayFollow(host: string | null): boolean {
    if (host === null) return true;
    const { endpoint } = this.source.source;
    const named = endpointOrNull(host, HTTP_PORT);
    return named !== null && named.host === endpoint.host && named.port === endpoint.port;
  }

  #onRefused(reply: Exclude<SourceReply, BodyReply>): void {
    const { planner } = this.#job;
    const { source } = this;
    const now = this.#now;
    switch (reply.kind) {
      case 'busy':
        planner.onBusy(
          source,
          reply.reason,
          reply.retrySeconds ?? (reply.queue === null ? null : pollSeconds(reply.queue)),
          now,
        );
        break;
      case 'forbidden':
        planner.onForbidden(source, reply.reason, reply.retrySeconds, now);
        break;
      case 'failed':
        planner.onFailed(source, reply.reason, now);
        break;
      case 'unavailable':
        planner.onUnavailable(source, reply.reason, reply.retrySeconds, now);
        break;
      default:
        planner.onDropped(source, reply.reason, now);
    }
  }
}

/** No sooner than the source says; without a word of it, well before it forgets us. */
function pollSeconds({ pollMinSeconds, pollMaxSeconds }: QueueStatus): number {
  const seconds = pollMinSeconds ?? Math.min(POLL_SECONDS, Math.ceil((pollMaxSeconds ?? 2 * POLL_SECONDS) / 2));
  return Math.min(seconds, POLL_SECONDS_MAX);
}
