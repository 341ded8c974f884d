// One visit to one source: connects, asks for range after range while it answers, and tells the plan how it went.
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../../protocol/ports.ts';
import { parseAltLocations } from '../../protocol/transfer/alt-locations.ts';
import { encodeFileRequest, targetOf } from '../../protocol/transfer/file-request.ts';
import type { ResponseHead } from '../../protocol/transfer/http-head.ts';
import type { QueueStatus } from '../../protocol/transfer/queue-status.ts';
import type { ByteRange } from '../../protocol/transfer/range-set.ts';
import { type BodyReply, judgeReply, type Reply } from '../../protocol/transfer/reply.ts';
import type { Planned, SourcePlan } from '../../protocol/transfer/source-plan.ts';
import type { TransferIdentity } from '../../protocol/transfer/transfer-identity.ts';
import { type Endpoint, formatEndpoint } from '../../protocol/wire/endpoint.ts';
import type { PartFile } from './part-file.ts';
import type { Source } from './source.ts';
import { SourceConnection, SourceError } from './source-connection.ts';

export interface FetchTimes {
  /** A connection that is awaited to say something. */
  stallMs: number;
  /** How much later than its earliest time we poll a remote queue: LimeWire bans who is early. */
  pollMarginMs: number;
  /** Until the next connection to a source that keeps none open. */
  spacingMs: number;
}

/** Stall: both vendors'. Spacing: gtk-gnutella bans who connects more than five times a minute. */
export const FETCH_TIMES: FetchTimes = { stallMs: 60_000, pollMarginMs: 1000, spacingMs: 12_000 };

/** What fetching needs from the world. */
export interface FetchContext {
  readonly identity: TransferIdentity;
  readonly clock: Clock;
  readonly times: FetchTimes;
  /** Bytes free where the parts lie; null when the system does not say. */
  room(): Promise<number | null>;
  /** Connected; rejects with what there is to say. Aborted by `signal`. */
  connect(source: Source, signal: AbortSignal): Promise<Socket>;
}

/** The download that it is for. */
export interface FetchJob {
  readonly sha1: Buffer | null;
  /** Null until a source tells. */
  size: number | null;
  readonly plan: SourcePlan<Source>;
  readonly part: PartFile;
  /** Bytes of ours came. */
  onBytes(bytes: number): void;
  /** Waits in the source's queue; null: not any more. */
  onQueued(status: QueueStatus | null): void;
  onAlternates(endpoints: readonly Endpoint[]): void;
}

/** A partial source may be asked again for what it says it has; not without end. */
const REPICKS_MAX = 3;
const POLL_SECONDS = 60;
/** A file whose size nobody told ends here, or at half of the room there is: its source may go on until the disk is full. */
const UNTOLD_BYTES_MAX = 16 * 1024 ** 3;

/** Resolves when this source is done with for now: the plan knows why. Rejects with DiskError only. */
export async function fetchFrom(
  planned: Planned<Source>,
  job: FetchJob,
  context: FetchContext,
  signal: AbortSignal,
): Promise<void> {
  planned.state = 'active';
  planned.error = null;
  const visit = new Visit(planned, job, context, signal);
  try {
    await visit.run();
  } catch (error) {
    if (error instanceof SourceError && !signal.aborted) visit.onLost(error);
    else {
      job.plan.onReleased(planned);
      if (!signal.aborted) throw error;
    }
  } finally {
    visit.close();
    job.onQueued(null);
  }
}

class Visit {
  readonly #planned: Planned<Source>;
  readonly #job: FetchJob;
  readonly #context: FetchContext;
  readonly #signal: AbortSignal;
  #connection: SourceConnection | null = null;
  /** Of the body under way. */
  #bytes = 0;
  /** Place in a queue, which PARQ wants repeated. */
  #place: { position: number; id: string } | null = null;
  /** The last answer was "wait": a connection that ends now costs the place, but is no failure. */
  #waiting = false;

  constructor(planned: Planned<Source>, job: FetchJob, context: FetchContext, signal: AbortSignal) {
    this.#planned = planned;
    this.#job = job;
    this.#context = context;
    this.#signal = signal;
  }

  async run(): Promise<void> {
    const { plan } = this.#job;
    const connection = await this.#connect();
    if (connection === null) return;
    let repicks = 0;
    for (let first = true; ; first = false) {
      const range = plan.pickRange(this.#planned, this.#job.part.done, this.#job.size);
      if (range === null) {
        this.#onNothingToAsk();
        return;
      }
      const head = await connection.request(this.#request(range, first));
      const reply = judgeReply(head, { range, size: this.#job.size, sha1: this.#job.sha1 });
      const misfit = await this.#misfitOf(reply);
      if (misfit !== null) {
        plan.onDropped(this.#planned, misfit);
        return;
      }
      this.#learn(head, reply);
      if (reply.kind === 'body') {
        repicks = 0;
        if (!(await this.#receive(connection, reply))) return;
      } else if (reply.kind === 'busy' && reply.queue !== null && reply.keepAlive && reply.sinkBytes !== null) {
        await this.#waitInQueue(connection, reply.queue, reply.sinkBytes);
      } else if (reply.kind === 'unavailable' && this.#mayRepick(reply) && repicks++ < REPICKS_MAX) {
        await connection.body('length', reply.sinkBytes, () => null);
      } else {
        this.#onRefused(reply);
        return;
      }
    }
  }

  close(): void {
    this.#connection?.close();
  }

  /** The connection failed. */
  onLost(error: SourceError): void {
    const { plan } = this.#job;
    const now = this.#context.clock.now();
    if (this.#waiting) plan.onBusy(this.#planned, error.message, null, now);
    // who speaks no HTTP, or more than there is, will not do better next time
    else if (error.code === 'SOURCE_MALFORMED') plan.onDropped(this.#planned, error.message, this.#bytes);
    else plan.onFailed(this.#planned, error.message, this.#bytes, now);
  }

  async #connect(): Promise<SourceConnection | null> {
    const { connect, clock, times } = this.#context;
    let socket: Socket;
    try {
      socket = await connect(this.#planned.source, this.#signal);
    } catch (error) {
      if (this.#signal.aborted) this.#job.plan.onReleased(this.#planned);
      else
        this.#job.plan.onFailed(this.#planned, error instanceof Error ? error.message : String(error), 0, clock.now());
      return null;
    }
    const connection = new SourceConnection(socket, times.stallMs);
    this.#connection = connection;
    const onAbort = () => connection.close();
    if (this.#signal.aborted) onAbort();
    this.#signal.addEventListener('abort', onAbort, { once: true });
    socket.once('close', () => this.#signal.removeEventListener('abort', onAbort));
    return connection;
  }

  #request(range: ByteRange, first: boolean): Buffer {
    const { source } = this.#planned;
    const { sha1, part } = this.#job;
    const { identity } = this.#context;
    return encodeFileRequest({
      host: formatEndpoint(source.endpoint),
      target: source.target ?? targetOf(sha1, source.index, source.name),
      range,
      sha1,
      userAgent: identity.userAgent,
      node: identity.firewalled ? null : identity.listen(),
      doneBytes: part.done.bytes,
      queued: this.#place,
      first,
    });
  }

  /** Why a size that only this source tells is not taken over, or null. */
  async #misfitOf(reply: Reply): Promise<string | null> {
    if (this.#job.size !== null || !('size' in reply) || reply.size === null) return null;
    const room = await this.#context.room();
    if (room === null || reply.size <= room + this.#job.part.done.bytes) return null;
    return `says the file has ${reply.size} bytes, and the disk has room for ${room}`;
  }

  /** Where the file must end at the latest. */
  async #endMax(): Promise<number> {
    const { size, part } = this.#job;
    if (size !== null) return size;
    const room = (await this.#context.room()) ?? UNTOLD_BYTES_MAX;
    return Math.min(UNTOLD_BYTES_MAX, part.done.bytes + room / 2);
  }

  /** What any answer tells besides its body. */
  #learn(head: ResponseHead, reply: Reply): void {
    const job = this.#job;
    this.#waiting = false;
    if (reply.available !== null) this.#planned.available = reply.available;
    else if (reply.kind === 'body') this.#planned.available = null; // a whole file by now
    if (job.size === null && 'size' in reply && reply.size !== null) job.size = reply.size;
    if (reply.kind !== 'drop' && job.sha1 !== null)
      job.onAlternates(parseAltLocations(head.headers.get('X-Alt') ?? ''));
  }

  /** True when another request may follow on this connection. */
  async #receive(connection: SourceConnection, reply: BodyReply): Promise<boolean> {
    const { part, plan } = this.#job;
    const { clock, times } = this.#context;
    const before = part.done.bytes;
    const endMax = await this.#endMax();
    this.#job.onQueued(null);
    this.#bytes = 0;
    await connection.body(reply.framing, reply.bytes, bytes => {
      const offset = reply.start + this.#bytes;
      if (offset + bytes.length > endMax) {
        const untold = this.#job.size === null ? ' can have, and does not say how much that is' : '';
        throw new SourceError('SOURCE_MALFORMED', `sends more than the file has${untold}`);
      }
      this.#bytes += bytes.length;
      this.#job.onBytes(bytes.length);
      return part.put(offset, bytes);
    });
    await part.flush();
    // only now is it known how long the file is
    if (this.#job.size === null && reply.bytes === null) this.#job.size = reply.start + this.#bytes;
    const complete = this.#job.size !== null && part.done.covers(0, this.#job.size);
    if (part.done.bytes === before && !complete) {
      plan.onFailed(this.#planned, 'sends nothing of what we asked for', 0, clock.now());
      return false;
    }
    this.#bytes = 0;
    plan.onAnswered(this.#planned, part.done.bytes - before);
    if (reply.keepAlive || complete) return true;
    plan.onClosing(this.#planned, times.spacingMs, clock.now());
    return false;
  }

  /** Holds the connection, and with it the place, until it is time to ask again. */
  async #waitInQueue(connection: SourceConnection, queue: QueueStatus, sinkBytes: number): Promise<void> {
    await connection.body('length', sinkBytes, () => null);
    this.#waiting = true;
    this.#place = queue.id === null ? null : { position: queue.position, id: queue.id };
    this.#planned.error = `queued at place ${queue.position}`;
    this.#job.onQueued(queue);
    connection.patient = true;
    const seconds = Math.min(queue.pollMinSeconds ?? POLL_SECONDS, 3600);
    await sleep(seconds * 1000 + this.#context.times.pollMarginMs, undefined, { signal: this.#signal });
    connection.patient = false;
  }

  /** It named ranges, or told a size that we did not know. */
  #mayRepick(reply: Extract<Reply, { kind: 'unavailable' }>): boolean {
    return reply.keepAlive && reply.sinkBytes !== null && (reply.available !== null || reply.size !== null);
  }

  #onNothingToAsk(): void {
    const { plan, part, size } = this.#job;
    if (size !== null && part.done.covers(0, size)) plan.onReleased(this.#planned);
    else plan.onUnavailable(this.#planned, 'has none of the bytes that are missing', null, this.#context.clock.now());
  }

  #onRefused(reply: Exclude<Reply, BodyReply>): void {
    const { plan } = this.#job;
    const now = this.#context.clock.now();
    switch (reply.kind) {
      case 'busy':
        plan.onBusy(this.#planned, reply.reason, reply.retrySeconds ?? reply.queue?.pollMinSeconds ?? null, now);
        break;
      case 'forbidden':
        plan.onForbidden(this.#planned, reply.reason, reply.retrySeconds, now);
        break;
      case 'failed':
        plan.onFailed(this.#planned, reply.reason, 0, now);
        break;
      case 'unavailable':
        plan.onUnavailable(this.#planned, reply.reason, reply.retrySeconds, now);
        break;
      default:
        plan.onDropped(this.#planned, reply.reason);
    }
  }
}
