// The state of one upload, a file sent to one connection range by range, as admins see it.
import { v4 as uuid } from 'uuid'; // its beginning tells it from others
import type { SharedFile } from '../../protocol/search/shared-file.ts';
import type { ByteRange } from '../../protocol/transfer/range-set.ts';
import { RateMeter } from '../../protocol/transfer/rate-meter.ts';
import type { AbsentView, QueueView } from '../../protocol/transfer/uploads/queue/admission.ts';
import type { SendEnd } from '../../protocol/transfer/uploads/upload-connection.ts';
import type { Endpoint } from '../../protocol/wire/endpoint.ts';
import type { Clock } from '../clock.ts';

/** How an upload ended. `whole`: all of the file. `partial`: the ranges that were asked for. `cut`: the peer went. */
export const UPLOAD_RESULTS = ['whole', 'partial', 'cut', 'unreadable'] as const;
export type UploadResult = (typeof UPLOAD_RESULTS)[number];

export interface UploadSnapshot {
  readonly id: string;
  readonly remote: Endpoint;
  readonly userAgent: string | null;
  readonly state: 'queued' | 'active';
  /** In the queue; null: it is active. */
  readonly position: number | null;
  /** Null: it does not wait. */
  readonly queue: QueueView | null;
  /** Of the setting `uploads.groups`; null: none. */
  readonly group: string | null;
  readonly file: Pick<SharedFile, 'name' | 'size' | 'sha1'>;
  readonly range: ByteRange;
  /** Of the range. */
  readonly sent: number;
  readonly bytesPerSecond: number;
  /** Milliseconds since 1970. */
  readonly since: number;
}

export class Upload {
  readonly id = uuid();
  readonly file: SharedFile;
  /** Bytes sent in all finished ranges. */
  bytes = 0;
  state: 'queued' | 'active' | 'idle' = 'idle';
  /** Of the latest range. */
  end: SendEnd = 'whole';
  readonly #clock: Clock;
  readonly #since: number;
  readonly #rate: RateMeter;
  #range: ByteRange = { start: 0, end: 0 };
  /** Bytes sent of the present range. */
  #sent = 0;

  constructor(file: SharedFile, clock: Clock) {
    this.file = file;
    this.#clock = clock;
    this.#since = clock.wallTime();
    this.#rate = new RateMeter(clock.now());
  }

  begin(range: ByteRange, state: 'queued' | 'active'): void {
    this.#range = range;
    this.#sent = 0;
    this.state = state;
  }

  onSent(bytes: number): void {
    this.#sent += bytes;
    this.bytes += bytes;
    this.#rate.add(bytes, this.#clock.now());
  }

  get bytesPerSecond(): number {
    return this.state === 'active' ? this.#rate.bytesPerSecond(this.#clock.now()) : 0;
  }

  get result(): UploadResult {
    if (this.end === 'cut') return 'cut';
    if (this.end !== 'whole') return 'unreadable';
    return this.bytes >= this.file.size ? 'whole' : 'partial';
  }

  /** `queue`: its place, if it waits. */
  snapshot(remote: Endpoint, userAgent: string | null, queue: QueueView | null): Omit<UploadSnapshot, 'group'> {
    const queued = this.state === 'queued';
    return {
      id: this.id,
      remote,
      userAgent,
      state: queued ? 'queued' : 'active',
      position: queued ? (queue?.position ?? 1) : null,
      queue: queued ? queue : null,
      file: this.file,
      range: this.#range,
      sent: this.#sent,
      bytesPerSecond: this.bytesPerSecond,
      since: this.#since,
    };
  }
}

/** Of one that waits without a connection: the queue id is its id. */
export function absentSnapshot(
  { queue, address, agent, node, file, since, group }: AbsentView,
  clock: Clock,
): UploadSnapshot {
  return {
    id: queue.id,
    remote: node ?? { host: address, port: 0 },
    userAgent: agent,
    state: 'queued',
    position: queue.position,
    queue,
    group,
    file: { name: file.name, size: file.size, sha1: Buffer.from(file.key, 'hex') },
    range: { start: 0, end: file.size },
    sent: 0,
    bytesPerSecond: 0,
    since: clock.wallTime() - (clock.now() - since),
  };
}
