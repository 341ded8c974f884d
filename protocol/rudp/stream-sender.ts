// Sends the bytes of a connection as segments of the stream extension, as fast as the path carries them, and again what was lost.
import type { Random } from '../ports.ts';
import { Bottleneck } from './bottleneck.ts';
import type { ByteQueue } from './byte-queue.ts';
import { RUDP_HEADER_BYTES } from './packet-header.ts';
import { RoundTrip } from './round-trip.ts';
import type { RudpEnd } from './rudp-end.ts';
import { low, nearest, SPAN_32 } from './sequence.ts';
import { type ReportPacket, segmentHeader } from './stream-packet.ts';

/** Segments after which one that has not arrived is lost; more where the path changes their order. */
const OVERTAKEN_MIN = 3;
const OVERTAKEN_MAX = 128;
/** Of a round trip: after it a segment sent before one that arrived is lost. */
const LATE = 9 / 8;
const LATE_MS_MIN = 1;
const REPORT_DELAY_MS_MAX = 25;
const BACKOFF_MAX = 6;
/** From so many silent waits on, a path may be one that drops long datagrams. */
const STALLS_TO_SHRINK = 2;
const SMALL_SEGMENT_BYTES = 489;
/** What the peer is taken to have room for before its first report. */
const FIRST_LIMIT = 65_536;
const WINDOW_BYTES_MAX = 16 << 20;
const WRITE_BYTES_MIN = 65_536;
/** Numbers that are left out, so that nobody can acknowledge what did not arrive: one in so many on average. */
const GAP_EVERY = 256;
const GAPS_KEPT = 16;
/** How many, and how far behind the newest that arrived. */
const LOST_KEPT = 256;

interface Sent {
  readonly offset: number;
  /** The end of the stream counts as a byte. */
  readonly end: number;
  readonly sentAt: number;
  /** Bytes that had arrived when it was sent, and when the last of them did. */
  readonly arrived: number;
  readonly arrivedAt: number;
  /** When the first of those on the way was sent. */
  readonly firstAt: number;
  readonly idle: boolean;
}

interface ByteSpan {
  offset: number;
  readonly end: number;
}

export interface StreamSenderParts {
  readonly outgoing: ByteQueue;
  readonly peerId: number;
  /** The tag and the longest datagram of the peer's offer. */
  readonly tag: number;
  readonly datagramBytes: number;
  readonly random: Random;
  /** Measured by the SYN. */
  readonly roundTripMs: number;
}

export class StreamSender {
  readonly #parts: StreamSenderParts;
  readonly bottleneck: Bottleneck;
  readonly #roundTrip = new RoundTrip({ firstMs: 400, minMs: 20, maxMs: 4_000 });
  #segmentBytes: number;
  /** In the order of their numbers; at most what the window allows. */
  readonly #sent = new Map<number, Sent>();
  readonly #lost: ByteSpan[] = [];
  /** Lost ones that may still arrive: then the path changes the order. */
  readonly #lostLately = new Set<number>();
  readonly #gaps: number[] = [];
  #gapAt: number;
  #number = 0;
  /** Of the next byte that was never sent. */
  #offset = 0;
  #onTheWay = 0;
  /** The peer has all bytes below it. */
  #received = 0;
  #limit = FIRST_LIMIT;
  #newestArrived = -1;
  #overtakenMax = OVERTAKEN_MIN;
  #arrived = 0;
  #arrivedAt: number;
  #firstAt: number;
  /** Until so many bytes have arrived, there was too little to send. */
  #idleUntil = 0;
  #roundEnds = 0;
  #paceAt = 0;
  #lateAt = Number.POSITIVE_INFINITY;
  #lastSentAt = 0;
  #probes = 0;
  #stalls = 0;
  #longArrived = false;
  #ending = false;
  /** It acknowledged a number that was never sent. */
  cheated = false;
  resentBytes = 0;

  constructor(parts: StreamSenderParts, now: number) {
    this.#parts = parts;
    this.#segmentBytes = parts.datagramBytes - RUDP_HEADER_BYTES;
    this.bottleneck = new Bottleneck(this.#segmentBytes);
    this.#gapAt = this.#nextGap();
    this.#arrivedAt = now;
    this.#firstAt = now;
    this.#roundTrip.add(parts.roundTripMs);
  }

  #nextGap(): number {
    return this.#number + 16 + this.#parts.random.below(2 * GAP_EVERY);
  }

  end(): void {
    this.#ending = true;
  }

  get room(): number {
    const most = Math.max(WRITE_BYTES_MIN, Math.floor(2 * this.bottleneck.window));
    return this.#ending ? 0 : Math.max(0, most - this.#parts.outgoing.length);
  }

  /** Offset after everything, the end of the stream included. */
  get #total(): number {
    return this.#parts.outgoing.end + (this.#ending ? 1 : 0);
  }

  get sentAll(): boolean {
    return this.#ending && this.#received === this.#total;
  }

  /** Up to which offset something may be sent for the first time. */
  get #sendable(): number {
    const { end } = this.#parts.outgoing;
    return this.#limit >= end ? this.#total : this.#limit;
  }

  get #hasMore(): boolean {
    return this.#lost.length > 0 || this.#offset < this.#sendable;
  }

  /** The next segment that may be sent now; null: none. */
  poll(now: number): Buffer | null {
    if (this.#probes > 0) return this.#probe(now);
    if (this.#onTheWay >= this.bottleneck.window || now < this.#paceAt) return null;
    const span = this.#nextSpan();
    if (span !== null) return this.#send(span.offset, span.end, now);
    this.#idleUntil = Math.max(1, this.#arrived + this.#onTheWay);
    return null;
  }

  #nextSpan(): ByteSpan | null {
    for (let lost = this.#lost[0]; lost !== undefined; lost = this.#lost[0]) {
      const offset = Math.max(lost.offset, this.#received);
      const end = Math.min(lost.end, offset + this.#segmentBytes);
      if (end >= lost.end) this.#lost.shift();
      else lost.offset = end;
      if (offset >= end) continue;
      this.resentBytes += end - offset;
      return { offset, end };
    }
    const offset = this.#offset;
    const end = Math.min(this.#sendable, offset + this.#segmentBytes);
    if (offset >= end) return null;
    this.#offset = end;
    return { offset, end };
  }

  /** Sends something though nothing may be on the way any more: what has not arrived, or nothing but a question. */
  #probe(now: number): Buffer {
    this.#probes--;
    const span = this.#nextSpan();
    if (span !== null) return this.#send(span.offset, span.end, now);
    for (const sent of this.#sent.values()) {
      const { end } = sent;
      const offset = Math.max(sent.offset, this.#received);
      if (offset >= end) continue;
      this.resentBytes += end - offset;
      return this.#send(offset, Math.min(end, offset + this.#segmentBytes), now);
    }
    return this.#send(this.#offset, this.#offset, now);
  }

  #send(offset: number, end: number, now: number): Buffer {
    if (this.#number === this.#gapAt) {
      this.#gaps.push(this.#number++);
      if (this.#gaps.length > GAPS_KEPT) this.#gaps.shift();
      this.#gapAt = this.#nextGap();
    }
    if (this.#onTheWay === 0) {
      this.#firstAt = now;
      this.#arrivedAt = now;
    }
    const { outgoing, peerId, tag } = this.#parts;
    const fin = this.#ending && end === this.#total && end > offset;
    const bytes = end - offset - (fin ? 1 : 0);
    const datagram = segmentHeader(
      { peerId, tag, number: low(this.#number, SPAN_32), offset: low(offset, SPAN_32), fin },
      bytes,
    );
    outgoing.copy(offset, bytes, datagram, RUDP_HEADER_BYTES);
    this.#sent.set(this.#number++, {
      offset,
      end,
      sentAt: now,
      arrived: this.#arrived,
      arrivedAt: this.#arrivedAt,
      firstAt: this.#firstAt,
      idle: this.#idleUntil > 0,
    });
    this.#onTheWay += end - offset;
    this.#lastSentAt = now;
    const { pace, burst } = this.bottleneck;
    this.#paceAt = Math.max(this.#paceAt, now - burst / pace) + datagram.length / pace;
    return datagram;
  }

  onReport(report: ReportPacket, now: number): RudpEnd {
    const received = nearest(report.received, this.#received, SPAN_32);
    const ranges = report.ranges.map(({ first, last }) => ({
      first: nearest(first, this.#number, SPAN_32),
      last: nearest(last, this.#number, SPAN_32),
    }));
    if (received > this.#offset || ranges.some(({ last }) => last >= this.#number)) return 'never_sent';
    if (ranges.some(({ first, last }) => first > last || this.#gaps.some(gap => gap >= first && gap <= last))) {
      this.cheated = true;
      return 'never_sent';
    }
    if (received >= this.#received) {
      this.#received = received;
      this.#limit = Math.max(this.#limit, received + Math.min(report.window, WINDOW_BYTES_MAX));
      this.#parts.outgoing.dropTo(received);
    }
    this.#onArrived(ranges, report.delayMs, now);
    return 'taken';
  }

  #onArrived(ranges: readonly { first: number; last: number }[], delayMs: number, now: number): void {
    let newest: Sent | null = null;
    let newestNumber = -1;
    let bytes = 0;
    const [oldest = this.#number] = this.#sent.keys();
    for (const { first, last } of ranges) {
      this.#noteLate(first, last);
      for (let number = last; number >= Math.max(first, oldest); number--) {
        const sent = this.#sent.get(number);
        if (sent === undefined) continue;
        this.#sent.delete(number);
        this.#onTheWay -= sent.end - sent.offset;
        bytes += sent.end - sent.offset;
        if (sent.end - sent.offset > SMALL_SEGMENT_BYTES) this.#longArrived = true;
        if (number <= newestNumber) continue;
        newest = sent;
        newestNumber = number;
      }
    }
    if (newest === null) return;
    this.#stalls = 0;
    this.#probes = 0;
    this.#arrived += bytes;
    this.#arrivedAt = now;
    if (this.#idleUntil > 0 && this.#arrived >= this.#idleUntil) this.#idleUntil = 0;
    let roundTripMs: number | null = null;
    if (newestNumber > this.#newestArrived) {
      this.#newestArrived = newestNumber;
      roundTripMs = Math.max(0.05, now - newest.sentAt - Math.min(delayMs, REPORT_DELAY_MS_MAX));
      this.#roundTrip.add(roundTripMs);
    }
    this.#findLost(now);
    this.#measure(newest, bytes, roundTripMs, now);
  }

  #measure(newest: Sent, bytes: number, roundTripMs: number | null, now: number): void {
    const { sentAt, firstAt, arrived, arrivedAt, idle } = newest;
    const took = Math.max(sentAt - firstAt, now - arrivedAt);
    const least = Math.min(this.bottleneck.minDelayMs, this.#roundTrip.smoothedMs ?? 0);
    this.#firstAt = sentAt;
    const roundBegins = arrived >= this.#roundEnds;
    if (roundBegins) this.#roundEnds = this.#arrived;
    this.bottleneck.onArrival({
      now,
      bytes,
      roundTripMs,
      rate: took > 0 && took >= least * 0.9 ? (this.#arrived - arrived) / took : null,
      idle,
      roundBegins,
      onTheWay: this.#onTheWay,
    });
  }

  /** Segments that were taken for lost, and were only slow: more patience is needed. */
  #noteLate(first: number, last: number): void {
    if (this.#lostLately.size === 0) return;
    for (const number of this.#lostLately) {
      if (number < first) this.#forgetOld(number);
      if (number < first || number > last) continue;
      this.#lostLately.delete(number);
      this.#overtakenMax = Math.min(OVERTAKEN_MAX, Math.max(this.#overtakenMax, this.#newestArrived - number + 1));
    }
  }

  #forgetOld(number: number): void {
    if (number < this.#newestArrived - LOST_KEPT) this.#lostLately.delete(number);
  }

  #findLost(now: number): void {
    const wait = Math.max(LATE_MS_MIN, LATE * Math.max(this.#roundTrip.smoothedMs ?? 0, this.#roundTrip.latestMs));
    this.#lateAt = Number.POSITIVE_INFINITY;
    for (const [number, sent] of this.#sent) {
      if (number > this.#newestArrived) break;
      if (number <= this.#newestArrived - this.#overtakenMax || sent.sentAt + wait <= now) this.#lose(number, sent);
      else {
        this.#lateAt = sent.sentAt + wait;
        break;
      }
    }
  }

  #lose(number: number, sent: Sent): void {
    this.#sent.delete(number);
    const bytes = sent.end - sent.offset;
    this.#onTheWay -= bytes;
    if (bytes > 0) this.bottleneck.onLost(bytes);
    if (this.#lostLately.size < LOST_KEPT) this.#lostLately.add(number);
    if (sent.end <= this.#received) return;
    const last = this.#lost.at(-1);
    if (last !== undefined && last.end === sent.offset)
      this.#lost[this.#lost.length - 1] = { offset: last.offset, end: sent.end };
    else if (bytes > 0) this.#lost.push({ offset: sent.offset, end: sent.end });
  }

  /** When a question is asked about what is on the way, or about room. */
  get #stallAt(): number {
    const isBlocked = this.#sent.size === 0 && this.#offset < this.#total && this.#offset >= this.#sendable;
    if (this.#sent.size === 0 && !isBlocked) return Number.POSITIVE_INFINITY;
    const wait = this.#roundTrip.timeoutMs + REPORT_DELAY_MS_MAX;
    return this.#lastSentAt + wait * 2 ** Math.min(this.#stalls, BACKOFF_MAX);
  }

  /** When to be called again. */
  tick(now: number): number {
    if (now >= this.#lateAt) this.#findLost(now);
    if (now >= this.#stallAt && this.#probes === 0) this.#onStall();
    if (this.#probes > 0) return now;
    const due = Math.min(this.#lateAt, this.#stallAt);
    return this.#hasMore && this.#onTheWay < this.bottleneck.window ? Math.min(due, this.#paceAt) : due;
  }

  #onStall(): void {
    this.#stalls++;
    this.#probes = this.#sent.size === 0 ? 1 : 2;
    if (this.#stalls < STALLS_TO_SHRINK) return;
    this.bottleneck.onStall();
    if (!this.#longArrived) this.#segmentBytes = Math.min(this.#segmentBytes, SMALL_SEGMENT_BYTES);
  }
}
