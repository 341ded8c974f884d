// Receives segments of the stream extension: puts their bytes in order and says when a report of them is due.
import { ArrivedNumbers } from './arrived-numbers.ts';
import type { ByteQueue } from './byte-queue.ts';
import { Reassembly } from './reassembly.ts';
import type { RudpEnd } from './rudp-end.ts';
import { low, nearest, SPAN_32 } from './sequence.ts';
import type { ReportPacket, SegmentPacket } from './stream-packet.ts';

/** A report waits for a second segment so long. */
const REPORT_MS = 5;
const REPORT_SEGMENTS = 2;
const CAPACITY_BYTES = 262_144;
const CAPACITY_BYTES_MAX = 4 << 20;
/** Segments so far ahead of the newest make no sense. */
const NUMBERS_AHEAD_MAX = 65_536;
/** Least change of the window that is worth a report: a part of it. */
const WINDOW_PART = 4;

export interface StreamReceiverParts {
  readonly incoming: ByteQueue;
  /** Whether so many bytes more may be promised to the peer. */
  readonly mayGrow: (bytes: number) => boolean;
  readonly roundTripMs: number;
}

export class StreamReceiver {
  readonly #parts: StreamReceiverParts;
  readonly #reassembly = new Reassembly();
  readonly #numbers = new ArrivedNumbers();
  /** Bytes that are kept for a reader at most. */
  capacity = CAPACITY_BYTES;
  #newestAt = 0;
  #unreported = 0;
  #reportAt = Number.POSITIVE_INFINITY;
  #limitTold = CAPACITY_BYTES;
  /** Offset after the last byte, when the peer has told. */
  #finAt: number | null = null;
  /** When the reader had read so much: how fast it reads decides about the capacity. */
  #mark: { at: number; offset: number };

  constructor(parts: StreamReceiverParts, now: number) {
    this.#parts = parts;
    this.#mark = { at: now, offset: 0 };
  }

  get ended(): boolean {
    return this.#finAt !== null && this.#reassembly.next >= this.#finAt;
  }

  onSegment({ number: lowNumber, offset: lowOffset, fin, payload }: SegmentPacket, now: number): RudpEnd {
    const { newest } = this.#numbers;
    const number = nearest(lowNumber, Math.max(newest, 0), SPAN_32);
    const offset = nearest(lowOffset, this.#reassembly.next, SPAN_32);
    const end = offset + payload.length;
    if (number < 0 || offset < 0 || this.#contradicts(end, fin)) return 'malformed';
    if (number > newest + NUMBERS_AHEAD_MAX || end > this.#limit) return 'beyond_window';
    const inOrder = number === newest + 1 && offset === this.#reassembly.next;
    const waitedBefore = this.#reassembly.waiting > 0;
    if (!this.#numbers.add(number)) {
      this.#reportAt = now;
      return 'duplicate';
    }
    const { incoming } = this.#parts;
    if (!this.#reassembly.add(offset, payload, bytes => incoming.push(bytes))) return 'beyond_window';
    if (fin) this.#finAt = end;
    if (number > newest) this.#newestAt = now;
    this.#unreported++;
    const isDue = this.#unreported >= REPORT_SEGMENTS || !inOrder || waitedBefore || fin || payload.length === 0;
    this.#reportAt = isDue ? now : Math.min(this.#reportAt, now + REPORT_MS);
    return 'taken';
  }

  /** The end of the stream is where the peer said it is. */
  #contradicts(end: number, fin: boolean): boolean {
    if (this.#finAt !== null) return fin ? end !== this.#finAt : end > this.#finAt;
    return fin && end < this.#reassembly.next;
  }

  /** Offset up to which bytes are taken. */
  get #limit(): number {
    return this.#parts.incoming.start + this.capacity;
  }

  get reportAt(): number {
    return this.#reportAt;
  }

  /** What there is to report. */
  report(peerId: number, tag: number, now: number): ReportPacket {
    this.#unreported = 0;
    this.#reportAt = Number.POSITIVE_INFINITY;
    this.#limitTold = this.#limit;
    const { next } = this.#reassembly;
    return {
      kind: 'report',
      peerId,
      tag,
      received: low(next + (this.ended ? 1 : 0), SPAN_32),
      window: Math.max(0, this.#limit - next),
      delayMs: now - this.#newestAt,
      ranges: this.#numbers.ranges.map(({ first, last }) => ({ first: low(first, SPAN_32), last: low(last, SPAN_32) })),
    };
  }

  /** A reader that takes all that comes within two round trips could take more at once. */
  onRead(now: number): void {
    const { incoming, mayGrow, roundTripMs } = this.#parts;
    const { start } = incoming;
    if (start - this.#mark.offset >= this.capacity) {
      const isFast = now - this.#mark.at <= 2 * roundTripMs + 2 * REPORT_MS;
      if (isFast && this.capacity < CAPACITY_BYTES_MAX && mayGrow(this.capacity)) this.capacity *= 2;
      this.#mark = { at: now, offset: start };
    } else if (now - this.#mark.at > 2 * roundTripMs + 2 * REPORT_MS) this.#mark = { at: now, offset: start };
    if (this.#limit - this.#limitTold >= this.capacity / WINDOW_PART) this.#reportAt = now;
  }
}
