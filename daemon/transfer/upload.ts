// One file on its way to one connection, range after range: what an admin sees of it.
import { v4 as uuid } from 'uuid'; // its beginning tells it from others
import type { UploadView } from '../../api/control.ts';
import type { SharedFile } from '../../protocol/search/shared-file.ts';
import type { ByteRange } from '../../protocol/transfer/range-set.ts';
import { RateMeter } from '../../protocol/transfer/rate-meter.ts';
import { formatSha1Urn } from '../../protocol/wire/urn.ts';
import type { Clock } from '../clock.ts';

export class Upload {
  readonly id = uuid();
  readonly file: SharedFile;
  /** Of all ranges. */
  bytes = 0;
  state: 'queued' | 'active' | 'idle' = 'idle';
  readonly #clock: Clock;
  readonly #since: Date;
  readonly #rate: RateMeter;
  #range: ByteRange = { start: 0, end: 0 };
  /** Of the range. */
  #sent = 0;

  constructor(file: SharedFile, clock: Clock) {
    this.file = file;
    this.#clock = clock;
    this.#since = new Date(clock.wallTime());
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

  /** `position`: in the queue, for one that waits. */
  view(address: string, userAgent: string | null, position: number | null): UploadView {
    const { start, end } = this.#range;
    return {
      id: this.id,
      address,
      userAgent,
      state: this.state === 'queued' ? 'queued' : 'active',
      position: this.state === 'queued' ? position : null,
      name: this.file.name,
      urn: formatSha1Urn(this.file.sha1),
      size: this.file.size,
      start,
      end: Math.max(start, end - 1),
      sent: this.#sent,
      rate: this.bytesPerSecond,
      since: this.#since.toISOString(),
    };
  }
}
