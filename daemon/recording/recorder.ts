// Records what the overlay tells: packs it here, in bounded memory, and hands it to a thread that writes it.
import { randomBytes } from 'node:crypto';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { Kind, ObservationBuffer } from '../../measure/observation.ts';
import type { Segment } from '../../measure/segment.ts';
import { type RowOf, type TableName, tableNames } from '../../measure/tables.ts';
import type { Link } from '../../protocol/overlay/links/link.ts';
import { formatEndpoint } from '../../protocol/wire/endpoint.ts';
import type { Frame } from '../../protocol/wire/frame-reader.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { Privacy } from '../queries/query-words.ts';
import { QueryCounts } from './query-counts.ts';
import {
  LOSSES,
  type Loss,
  type RecordingCounts,
  type RecordingReply,
  type RecordingRequest,
  type RecordingWorkerData,
} from './recording-messages.ts';

export interface RecorderOptions {
  readonly mode: 'off' | 'files' | 'clickhouse';
  readonly folder: string;
  readonly url: string;
  readonly bytesMax: number;
  /** GUID of the servent. */
  readonly guid: Buffer;
  readonly privacy: Privacy;
  readonly clock: Clock;
  readonly log: Log;
  readonly onNews?: (news: RecordingNews) => void;
  readonly segmentBytes?: number;
  readonly segmentMs?: number;
  /** Default: 32 MiB. */
  readonly waitingBytesMax?: number;
}

/** What an admin wants to be told. */
export type RecordingNews =
  | { readonly state: 'failing' | 'working'; readonly text: string }
  | { readonly state: 'removed'; readonly segment: Segment };

/** Rows go to the thread this often, together with counts: at most this is lost in a crash, and what the disk takes to write. */
export const FLUSH_MS = 500;
const BUFFER_BYTES = 256 * 1024;
/** Bytes handed to the thread that are not written yet; what comes above is dropped and counted. */
const WAITING_BYTES_MAX = 32 * 1024 * 1024;
const SEGMENT_BYTES_MAX = 16 * 1024 * 1024;
const SEGMENT_BYTES_MIN = 64 * 1024;
/** Segments that the bound is made of, at least. */
const SEGMENTS_MIN = 32;
const SEGMENT_MS = 10 * 60_000;
const SENT_SEGMENT_MS = 5_000;
/** Longer than the thread takes to send what is left. */
const STOP_MS = 4_000;
const LIST_MS = 5_000;

// Works in the built form and in the sources.
const workerUrl = new URL(`./recording-worker${extname(import.meta.url)}`, import.meta.url);

const zeros = <K extends string>(names: readonly K[]): Record<K, number> =>
  Object.fromEntries(names.map(name => [name, 0])) as Record<K, number>;

/** Each table and each reason is there from the start, so that a graph shows the first row and the first loss. */
const NO_COUNTS = { rows: zeros(tableNames), lost: zeros(LOSSES), sent: 0, segments: 0, bytes: 0 };

export class Recorder {
  /** Called before each flush: adds the rows that are counts. `last`: nothing comes after. */
  onFlush: ((last: boolean) => void) | null = null;
  readonly #options: RecorderOptions;
  readonly #log: Log;
  readonly #queryCounts = new QueryCounts();
  readonly #lost = new Map<Loss, number>();
  readonly #lists = new Map<number, (segments: readonly Segment[]) => void>();
  #worker: Worker | null = null;
  #buffer = new ObservationBuffer(BUFFER_BYTES);
  #timer: NodeJS.Timeout | null = null;
  #privacy: Privacy;
  #seq = 0;
  #waiting = 0;
  #counts: RecordingCounts = NO_COUNTS;
  readonly #troubles = new Map<string, string>();
  #lastList = 0;
  #onStopped: (() => void) | null = null;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#privacy = options.privacy;
    this.#log = options.log.child({ mod: 'recording' });
  }

  get mode(): RecorderOptions['mode'] {
    return this.#options.mode;
  }

  get active(): boolean {
    return this.#worker !== null;
  }

  /** Why rows are dropped or not sent now; null: all is well. */
  get trouble(): string | null {
    const [first = null] = this.#troubles.values();
    return first;
  }

  get counts(): RecordingCounts {
    const { rows, lost } = NO_COUNTS;
    const allLost = { ...lost, ...this.#counts.lost };
    for (const [why, count] of this.#lost) allLost[why] += count;
    return { ...this.#counts, rows: { ...rows, ...this.#counts.rows }, lost: allLost };
  }

  start(): void {
    const { mode, folder, url, bytesMax, guid, segmentBytes, segmentMs } = this.#options;
    if (mode === 'off') return;
    const data: RecordingWorkerData = {
      ...{ folder, bytesMax },
      segmentBytes:
        segmentBytes ?? Math.max(SEGMENT_BYTES_MIN, Math.min(SEGMENT_BYTES_MAX, Math.floor(bytesMax / SEGMENTS_MIN))),
      segmentMs: segmentMs ?? (mode === 'files' ? SEGMENT_MS : SENT_SEGMENT_MS),
      servent: guid.toString('hex'),
      run: randomBytes(4).toString('hex'),
      salt: this.#salt(),
      url: mode === 'clickhouse' ? url : null,
    };
    const worker = new Worker(workerUrl, { workerData: data });
    worker.on('message', (reply: RecordingReply) => this.#onReply(reply));
    worker.on('error', error => this.#onEnd(error.message));
    worker.on('exit', () => this.#onEnd('its thread ended'));
    worker.unref();
    this.#worker = worker;
    this.#timer = setInterval(() => this.flush(), FLUSH_MS).unref();
    this.#log.info({ folder, ...(mode === 'clickhouse' ? { url: withoutPassword(url) } : {}) }, 'recording');
  }

  /** Rows so far are on the disk when it resolves, or after 4 s are given up. */
  async stop(): Promise<void> {
    const worker = this.#worker;
    if (worker === null) return;
    this.flush(true);
    if (this.#timer !== null) clearInterval(this.#timer);
    const stopped = new Promise<void>(resolve => {
      this.#onStopped = resolve;
    });
    this.#post({ kind: 'stop' });
    const timeout = setTimeout(() => this.#onStopped?.(), STOP_MS);
    await stopped;
    clearTimeout(timeout);
    this.#worker = null;
    await worker.terminate();
  }

  set privacy(privacy: Privacy) {
    if (privacy === this.#privacy) return;
    this.flush(); // what came before is written by the rule that held then
    this.#privacy = privacy;
    this.#post({ kind: 'hash', salt: this.#salt() });
  }

  set bytesMax(bytesMax: number) {
    this.#post({ kind: 'bound', bytesMax });
  }

  /** Oldest first. Empty when nothing is recorded, or the thread does not answer in 5 s. */
  segments(): Promise<readonly Segment[]> {
    if (this.#worker === null) return Promise.resolve([]);
    this.flush();
    const id = ++this.#lastList;
    return new Promise(resolve => {
      const done = (segments: readonly Segment[]): void => {
        this.#lists.delete(id);
        clearTimeout(timeout);
        resolve(segments);
      };
      const timeout = setTimeout(() => done([]), LIST_MS);
      this.#lists.set(id, done);
      this.#post({ kind: 'list', id });
    });
  }

  /** Hot. */
  query(link: Link, { bytes, start, end }: Frame, ownHits: number, at: number): void {
    if (this.#privacy === 'off') return;
    this.#queryCounts.add(bytes[start + 17] ?? 0, bytes[start + 18] ?? 0);
    if (this.#privacy !== 'counts') this.#add(Kind.Query, at, link.id, ownHits, bytes, start, end);
  }

  /** Hot. */
  hit({ bytes, start, end }: Frame, at: number): void {
    if (this.#privacy === 'full' || this.#privacy === 'hashed') this.#add(Kind.Hit, at, 0, 0, bytes, start, end);
  }

  pong(link: Link, { bytes, start, end }: Frame, at: number): void {
    this.#add(Kind.Pong, at, link.id, 0, bytes, start, end);
  }

  opened(link: Link, at: number): void {
    this.row('links', { ...linkFacts(link), event: 'opened', seconds: 0, code: 0, reason: '' }, at);
  }

  closed(link: Link, seconds: number, at: number): void {
    const { code = 0, text: reason = '' } = link.ended ?? {};
    this.row('links', { ...linkFacts(link), event: 'closed', seconds: Math.floor(seconds), code, reason }, at);
  }

  /** A row of a table that is seldom written. */
  row<T extends TableName>(table: T, row: RowOf<T>, at: number): void {
    const json = Buffer.from(JSON.stringify(row));
    this.#add(Kind.Row, at, 0, tableNames.indexOf(table), json, 0, json.length);
  }

  /** Hands what there is to the thread. */
  flush(last = false): void {
    if (this.#worker === null) return;
    const at = this.#options.clock.wallTime();
    for (const counted of this.#queryCounts.take()) this.row('query_counts', counted, at);
    this.onFlush?.(last);
    this.#handOver();
  }

  #add(kind: Kind, at: number, link: number, extra: number, bytes: Buffer, start: number, end: number): void {
    if (this.#worker === null) return;
    const seq = ++this.#seq;
    if (this.#buffer.add(kind, seq, at, link, extra, bytes, start, end)) return;
    this.#handOver();
    if (!this.#buffer.add(kind, seq, at, link, extra, bytes, start, end)) this.#lose('queue_full', 1);
  }

  #handOver(): void {
    if (this.#buffer.count === 0) return;
    const { bytes, count } = this.#buffer.take();
    if (this.#waiting + bytes.length > (this.#options.waitingBytesMax ?? WAITING_BYTES_MAX)) {
      this.#lose('queue_full', count);
      return;
    }
    this.#waiting += bytes.length;
    this.#post({ kind: 'rows', bytes, count }, [bytes.buffer as ArrayBuffer]);
  }

  #post(request: RecordingRequest, transfer: ArrayBuffer[] = []): void {
    this.#worker?.postMessage(request, transfer);
  }

  #lose(why: Loss, rows: number): void {
    const before = this.#lost.get(why) ?? 0;
    this.#lost.set(why, before + rows);
    if (before === 0)
      this.#log.warn(
        { why, rows },
        'rows of the recording are dropped: the disk or the machine is too slow; they are counted in the metric gnutella_recording_lost_total',
      );
  }

  #salt(): Uint8Array | null {
    return this.#privacy === 'hashed' ? randomBytes(16) : null;
  }

  #onReply(reply: RecordingReply): void {
    switch (reply.kind) {
      case 'written':
        this.#waiting -= reply.bytes;
        this.#counts = reply.counts;
        return;
      case 'segments':
        this.#lists.get(reply.id)?.(reply.segments);
        return;
      case 'said':
        if (reply.trouble) this.#troubles.set(reply.about, reply.text);
        else this.#troubles.delete(reply.about);
        this.#log[reply.level](reply.text);
        this.#options.onNews?.({ state: reply.trouble ? 'failing' : 'working', text: reply.text });
        return;
      case 'removed': {
        const { name, rows, bytes } = reply.segment;
        this.#log.info(
          { segment: name, rows, bytes },
          'the recording has reached recording.maxBytes: removed its oldest segment',
        );
        this.#options.onNews?.({ state: 'removed', segment: reply.segment });
        return;
      }
      case 'stopped':
        this.#counts = reply.counts;
        this.#onStopped?.();
        return;
    }
  }

  /** The thread is gone: nothing is recorded until the next start. */
  #onEnd(why: string): void {
    this.#onStopped?.();
    if (this.#worker === null || this.#onStopped !== null) return;
    this.#worker = null;
    const text = `recording has stopped: ${why}; start the servent again to go on`;
    this.#troubles.set('thread', text);
    this.#log.error(text);
    this.#options.onNews?.({ state: 'failing', text });
  }
}

function linkFacts(link: Link): Omit<RowOf<'links'>, 'event' | 'seconds' | 'code' | 'reason'> {
  const { id, endpoint, direction, role, ourRole, capabilities, framesIn, bytesIn, queue } = link;
  return {
    link: id,
    peer: formatEndpoint(endpoint),
    direction,
    role,
    our_role: ourRole,
    user_agent: capabilities.userAgent ?? '',
    frames_in: framesIn,
    frames_out: queue.framesSent,
    bytes_in: bytesIn,
    bytes_out: queue.bytesSent,
  };
}

function withoutPassword(text: string): string {
  const url = new URL(text);
  url.username = '';
  url.password = '';
  return url.href;
}
