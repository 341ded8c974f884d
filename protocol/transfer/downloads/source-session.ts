// One connection to one source: requests ranges until it refuses or all is fetched, and reports to the plan. A state machine: the
// shell connects, then executes one command at a time and returns its event.
import { formatEndpoint } from '../../wire/endpoint.ts';
import type { ResponseHead } from '../http-head.ts';
import type { MeshLocation } from '../mesh/file-locations.ts';
import type { Mesh } from '../mesh/mesh.ts';
import { MeshTalk } from '../mesh/mesh-talk.ts';
import type { QueueStatus } from '../queue-status.ts';
import type { ByteRange, RangeSet } from '../range-set.ts';
import type { TransferIdentity } from '../transfer-identity.ts';
import { encodeFileRequest, targetOf } from './file-request.ts';
import type { Source } from './source.ts';
import { type ExchangeCommand, type ExchangeEvent, SourceError, SourceExchange } from './source-exchange.ts';
import { locationOf } from './source-locations.ts';
import type { PlannedSource, SourcePlan } from './source-plan.ts';
import { type BodyReply, judgeReply, parqPlaceIn, type SourceReply } from './source-reply.ts';

export interface SourceSessionTimes {
  /** Wait for bytes on a connection. */
  stallMs: number;
  /** Delay of a queue poll after its earliest time: LimeWire bans early clients. */
  pollMarginMs: number;
  /** Until the next connection to a source that keeps none open. */
  spacingMs: number;
}

/** Stall: both vendors'. Spacing: gtk-gnutella bans a host that connects more than five times a minute. */
export const SOURCE_SESSION_TIMES: SourceSessionTimes = { stallMs: 60_000, pollMarginMs: 1000, spacingMs: 12_000 };

/** The download that it is for. */
export interface SourceSessionJob {
  readonly sha1: Buffer | null;
  /** Null until a source tells. */
  size: number | null;
  readonly plan: SourcePlan<Source>;
  /** Learns which sources have the file, and which have not. */
  readonly mesh: Mesh;
  /** Bytes of the file that we serve others: above 1 MiB we name ourselves as a location. */
  readonly servedBytes: number;
  /** `done`: bytes of the file that are written. */
  readonly part: { readonly done: RangeSet };
  /** Bytes of ours came. */
  onBytes(bytes: number): void;
  /** Waits in the source's queue; null: not any more. */
  onQueued(status: QueueStatus | null): void;
  onAlternates(locations: readonly MeshLocation[]): void;
}

export type SourceSessionCommand =
  | ExchangeCommand
  /** Keep these bytes: done when there is room for more. The bytes are a view. */
  | { readonly kind: 'put'; readonly offset: number; readonly bytes: Buffer }
  /** Done when all that was put is written, and so in `part.done`. */
  | { readonly kind: 'flush' }
  /** Keep the connection and read nothing. */
  | { readonly kind: 'wait'; readonly ms: number }
  /** The session has ended. */
  | { readonly kind: 'close' };

type Steps<Result> = Generator<SourceSessionCommand, Result, ExchangeEvent>;

/** LimeWire's MIN_PARTIAL_FILE_BYTES. */
const OWN_PART_BYTES_MIN = 1 << 20;
/** Further requests after a partial source named other ranges. */
const REPICKS_MAX = 3;
const POLL_SECONDS = 60;
const POLL_SECONDS_MAX = 3600;
/** Limit of a file of unknown size, with half of the free space: its source could fill the disk. */
const UNTOLD_BYTES_MAX = 16 * 1024 ** 3;
const CLOSE: SourceSessionCommand = { kind: 'close' };
const DONE: ExchangeEvent = { kind: 'done' };

export class SourceSession {
  readonly #planned: PlannedSource<Source>;
  readonly #job: SourceSessionJob;
  readonly #identity: TransferIdentity;
  readonly #times: SourceSessionTimes;
  readonly #exchange: SourceExchange;
  readonly #steps: Steps<void>;
  readonly #talk: MeshTalk;
  #now = 0;
  #over = false;
  /** Largest end of the file by the free space when we connected; null: unknown. */
  #roomEnd: number | null = null;
  /** Of the body under way. */
  #bytes = 0;
  /** The last answer was "queued": closing now is no failure, though it loses a place without an id. */
  #waiting = false;

  /** Marks the source as active until the session ends. */
  constructor(
    planned: PlannedSource<Source>,
    job: SourceSessionJob,
    identity: TransferIdentity,
    times: SourceSessionTimes = SOURCE_SESSION_TIMES,
  ) {
    this.#planned = planned;
    this.#job = job;
    this.#identity = identity;
    this.#times = times;
    this.#exchange = new SourceExchange(times.stallMs);
    const { endpoint, push } = planned.source;
    this.#talk = new MeshTalk(job.mesh, endpoint.host, push ? null : endpoint.port);
    this.#steps = this.#run();
    planned.state = 'active';
    planned.called = false;
    planned.error = null;
  }

  /** The source cannot be connected to: ends the session. */
  unreachable(reason: string, now: number): void {
    this.#finish();
    this.#now = now;
    // by push: that way fails for more reasons than theirs
    if (!this.#planned.source.push) this.#tellMesh('failed');
    this.#job.plan.onFailed(this.#planned, reason, 0, now);
  }

  /** `room`: bytes free where the file is written; null when that is not known. */
  connected(room: number | null, now: number): SourceSessionCommand {
    if (room !== null) this.#roomEnd = this.#job.part.done.bytes + room;
    return this.next(DONE, now);
  }

  /** `event`: how the last command went. After `close` there is nothing more to be told. */
  next(event: ExchangeEvent, now: number): SourceSessionCommand {
    this.#now = now;
    const { done, value } = this.#steps.next(event);
    return done ? CLOSE : value;
  }

  /** Ends the session without a failure of the source. Idempotent. */
  stop(): void {
    if (this.#over) return;
    this.#job.plan.onReleased(this.#planned);
    this.#finish();
  }

  #finish(): void {
    this.#over = true;
    this.#job.onQueued(null);
  }

  *#run(): Steps<void> {
    try {
      yield* this.#ask();
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      this.#onLost(error);
    }
    this.#finish();
  }

  *#ask(): Steps<void> {
    const { plan } = this.#job;
    let repicks = 0;
    for (let first = true; ; first = false) {
      const range = plan.pickRange(this.#planned, this.#job.part.done, this.#job.size);
      if (range === null) return this.#onNothingToAsk();
      const head = yield* this.#exchange.request(this.#request(range, first));
      const reply = judgeReply(head, { range, size: this.#job.size, sha1: this.#job.sha1 });
      this.#judgeSource(reply);
      const misfit = this.#misfitOf(reply);
      if (misfit !== null) return plan.onDropped(this.#planned, misfit);
      this.#learn(head, reply);
      if (reply.kind === 'body') {
        repicks = 0;
        if (!(yield* this.#receive(reply))) return;
      } else if (reply.kind === 'busy' && reply.queue !== null && reply.keepAlive && reply.sinkBytes !== null) {
        yield* this.#waitInQueue(reply.queue, reply.sinkBytes);
      } else if (reply.kind === 'unavailable' && this.#mayRepick(reply) && repicks++ < REPICKS_MAX) {
        yield* this.#exchange.body<never>('length', reply.sinkBytes, () => null);
      } else return this.#onRefused(reply);
    }
  }

  /** The connection failed. */
  #onLost(error: SourceError): void {
    const { plan } = this.#job;
    if (this.#waiting) plan.onBusy(this.#planned, error.message, this.#comebackSeconds, this.#now);
    // malformed HTTP or a body beyond the file will not improve: drop the source
    else if (error.code === 'SOURCE_MALFORMED') plan.onDropped(this.#planned, error.message, this.#bytes);
    else plan.onFailed(this.#planned, error.message, this.#bytes, this.#now);
  }

  /** Who refuses us for now, or has trouble of its own, is neither good nor bad. */
  #judgeSource({ kind }: SourceReply): void {
    if (kind === 'body' || kind === 'busy' || kind === 'unavailable') this.#tellMesh('served');
    else if (kind === 'drop') this.#tellMesh('failed');
  }

  #tellMesh(how: 'served' | 'failed'): void {
    const { sha1, mesh } = this.#job;
    const location = locationOf(this.#planned.source);
    if (sha1 !== null && location !== null) mesh[how](sha1, location, this.#now);
  }

  #request(range: ByteRange, first: boolean): Buffer {
    const { source } = this.#planned;
    const { sha1, part, servedBytes } = this.#job;
    const identity = this.#identity;
    const firewalled = identity.firewalled(this.#now);
    const own = !firewalled && servedBytes > OWN_PART_BYTES_MIN ? identity.listen() : null;
    return encodeFileRequest({
      host: formatEndpoint(source.endpoint),
      target: source.target ?? targetOf(sha1, source.index, source.name),
      range,
      sha1,
      identity,
      now: this.#now,
      locations: sha1 === null ? [] : this.#talk.tell(sha1, own, this.#now),
      doneBytes: part.done.bytes,
      queued: this.#planned.place,
      first,
    });
  }

  /** Why the source's size is refused, when we know none; or null. */
  #misfitOf(reply: SourceReply): string | null {
    if (this.#job.size !== null || !('size' in reply) || reply.size === null) return null;
    if (this.#roomEnd === null || reply.size <= this.#roomEnd) return null;
    const room = this.#roomEnd - this.#job.part.done.bytes;
    return `says the file has ${reply.size} bytes, and the disk has room for ${room}`;
  }

  /** Where the file must end at the latest. */
  get #endMax(): number {
    const { size, part } = this.#job;
    if (size !== null) return size;
    const { bytes } = part.done;
    const room = this.#roomEnd === null ? UNTOLD_BYTES_MAX : this.#roomEnd - bytes;
    return Math.min(UNTOLD_BYTES_MAX, bytes + room / 2);
  }

  /** After a connection that broke while we waited: a place with an id is kept for a time. Null: it is lost, and there is no haste. */
  get #comebackSeconds(): number | null {
    return this.#planned.place === null ? null : this.#times.spacingMs / 1000;
  }

  /** Takes place in a queue, available ranges, size and alternates from a reply. */
  #learn(head: ResponseHead, reply: SourceReply): void {
    const job = this.#job;
    this.#waiting = false;
    this.#planned.place = parqPlaceIn(head, this.#planned.place) ?? this.#planned.place;
    if (reply.available !== null) this.#planned.available = reply.available;
    else if (reply.kind === 'body') this.#planned.available = null; // a whole file by now
    if (job.size === null && 'size' in reply && reply.size !== null) job.size = reply.size;
    if (reply.kind !== 'drop' && job.sha1 !== null)
      job.onAlternates(this.#talk.hear(job.sha1, head.headers, false, this.#now));
  }

  /** True when another request may follow on this connection. */
  *#receive(reply: BodyReply): Steps<boolean> {
    const { part, plan } = this.#job;
    const before = part.done.bytes;
    const endMax = this.#endMax;
    this.#job.onQueued(null);
    this.#bytes = 0;
    yield* this.#exchange.body(reply.framing, reply.bytes, (bytes): SourceSessionCommand => {
      const offset = reply.start + this.#bytes;
      if (offset + bytes.length > endMax) {
        const untold = this.#job.size === null ? ' can have, and does not say how much that is' : '';
        throw new SourceError('SOURCE_MALFORMED', `sends more than the file has${untold}`);
      }
      this.#bytes += bytes.length;
      this.#job.onBytes(bytes.length);
      return { kind: 'put', offset, bytes };
    });
    yield { kind: 'flush' };
    // only now is it known how long the file is
    if (this.#job.size === null && reply.bytes === null) this.#job.size = reply.start + this.#bytes;
    const complete = this.#job.size !== null && part.done.covers(0, this.#job.size);
    if (part.done.bytes === before && !complete) {
      plan.onFailed(this.#planned, 'sends nothing of what we asked for', 0, this.#now);
      return false;
    }
    this.#bytes = 0;
    plan.onAnswered(this.#planned, part.done.bytes - before);
    if (reply.keepAlive || complete) return true;
    plan.onClosing(this.#planned, this.#times.spacingMs, this.#now);
    return false;
  }

  /** Holds the connection, and with it the place, until it is time to ask again. */
  *#waitInQueue(queue: QueueStatus, sinkBytes: number): Steps<void> {
    yield* this.#exchange.body<never>('length', sinkBytes, () => null);
    this.#waiting = true;
    this.#planned.error = `queued at place ${queue.position}`;
    this.#job.onQueued(queue);
    yield { kind: 'wait', ms: pollSeconds(queue) * 1000 + this.#times.pollMarginMs };
  }

  /** It named ranges, or told a size that we did not know. */
  #mayRepick(reply: Extract<SourceReply, { kind: 'unavailable' }>): boolean {
    return reply.keepAlive && reply.sinkBytes !== null && (reply.available !== null || reply.size !== null);
  }

  #onNothingToAsk(): void {
    const { plan, part, size } = this.#job;
    if (size !== null && part.done.covers(0, size)) plan.onReleased(this.#planned);
    else plan.onUnavailable(this.#planned, 'has none of the bytes that are missing', null, this.#now);
  }

  #onRefused(reply: Exclude<SourceReply, BodyReply>): void {
    const { plan } = this.#job;
    switch (reply.kind) {
      case 'busy':
        plan.onBusy(
          this.#planned,
          reply.reason,
          reply.retrySeconds ?? (reply.queue === null ? null : pollSeconds(reply.queue)),
          this.#now,
        );
        break;
      case 'forbidden':
        plan.onForbidden(this.#planned, reply.reason, reply.retrySeconds, this.#now);
        break;
      case 'failed':
        plan.onFailed(this.#planned, reply.reason, 0, this.#now);
        break;
      case 'unavailable':
        plan.onUnavailable(this.#planned, reply.reason, reply.retrySeconds, this.#now);
        break;
      default:
        plan.onDropped(this.#planned, reply.reason);
    }
  }
}

/** No sooner than the source says; without a word of it, well before it forgets us. */
function pollSeconds({ pollMinSeconds, pollMaxSeconds }: QueueStatus): number {
  const seconds = pollMinSeconds ?? Math.min(POLL_SECONDS, Math.ceil((pollMaxSeconds ?? 2 * POLL_SECONDS) / 2));
  return Math.min(seconds, POLL_SECONDS_MAX);
}
