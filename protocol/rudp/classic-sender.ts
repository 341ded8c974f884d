// Sends bytes in LimeWire's manner: DATA packets of 512 bytes, at most 20 on the way, the oldest sent again.
import type { ByteQueue } from './byte-queue.ts';
import { RoundTrip } from './round-trip.ts';
import { nearest, SPAN_16 } from './sequence.ts';

/** 12 bytes of it are in the header. */
const CHUNK_BYTES = 512;
export const CLASSIC_WINDOW = 20;
const SENDS_MAX = 9;
const FIRST_TIMEOUT_MS = 400;
/** When later packets have arrived, the oldest is sent again sooner. */
const OVERTAKEN = 0.75;
/** Waits double with each time that a packet is sent. */
const WAIT_MS_MAX = 8_000;

interface Flight {
  readonly sequence: number;
  readonly payload: Buffer;
  sentAt: number;
  sends: number;
}

export class ClassicSender {
  readonly #outgoing: ByteQueue;
  /** The oldest first; at most CLASSIC_WINDOW. */
  readonly #flights = new Map<number, Flight>();
  readonly #roundTrip = new RoundTrip({ firstMs: FIRST_TIMEOUT_MS, minMs: 100, maxMs: 3_000 });
  /** Of the next packet. */
  next = 1;
  /** All packets below it have arrived. */
  #windowStart = 1;
  #space = CLASSIC_WINDOW;
  #highestAcked = 0;
  /** One packet was sent more often than is of any use. */
  failed = false;
  resent = 0;

  constructor(outgoing: ByteQueue) {
    this.#outgoing = outgoing;
  }

  get empty(): boolean {
    return this.#outgoing.length === 0 && this.#flights.size === 0;
  }

  poll(now: number): { sequence: number; payload: Buffer } | null {
    const oldest = this.#oldest;
    if (oldest !== null && now >= this.#dueAt(oldest)) {
      if (oldest.sends > SENDS_MAX) {
        this.failed = true;
        return null;
      }
      oldest.sends++;
      oldest.sentAt = now;
      this.resent++;
      return oldest;
    }
    if (!this.#maySend) return null;
    // a copy: what waits to be sent again would keep a whole block
    const payload = Buffer.from(this.#outgoing.take(CHUNK_BYTES) ?? []);
    const flight: Flight = { sequence: this.next++, payload, sentAt: now, sends: 1 };
    this.#flights.set(flight.sequence, flight);
    return flight;
  }

  get #maySend(): boolean {
    const onTheWay = this.#flights.size;
    return (
      this.#outgoing.length > 0 &&
      onTheWay < Math.min(CLASSIC_WINDOW, this.#space) &&
      this.next < this.#windowStart + CLASSIC_WINDOW
    );
  }

  get #oldest(): Flight | null {
    for (const flight of this.#flights.values()) return flight;
    return null;
  }

  #dueAt({ sequence, sentAt, sends }: Flight): number {
    const wait = Math.min(this.#roundTrip.timeoutMs * 2 ** (sends - 1), WAIT_MS_MAX);
    return sentAt + wait * (sequence < this.#highestAcked ? OVERTAKEN : 1);
  }

  /** When poll() has something to send; Infinity: not before something comes in. */
  dueAt(now: number): number {
    if (this.#maySend) return now;
    const oldest = this.#oldest;
    return oldest === null ? Number.POSITIVE_INFINITY : this.#dueAt(oldest);
  }

  /** Numbers as they came. False: it names what was never sent. */
  onAck(sequence: number, windowStart: number, windowSpace: number, now: number): boolean {
    const acked = nearest(sequence, this.next, SPAN_16);
    if (acked >= this.next || !this.onWindow(windowStart, windowSpace, now)) return false;
    const flight = this.#flights.get(acked);
    if (flight !== undefined) this.#arrived(flight, now);
    return true;
  }

  /** False: the window begins after what was sent. */
  onWindow(windowStart: number, windowSpace: number, now: number): boolean {
    const start = nearest(windowStart, this.next, SPAN_16);
    if (start > this.next) return false;
    if (start >= this.#windowStart) {
      this.#windowStart = start;
      this.#space = windowSpace;
    }
    for (const flight of this.#flights.values()) {
      if (flight.sequence >= start) break;
      this.#arrived(flight, now);
    }
    return true;
  }

  #arrived(flight: Flight, now: number): void {
    this.#flights.delete(flight.sequence);
    this.#highestAcked = Math.max(this.#highestAcked, flight.sequence);
    // the answer to a packet that was sent twice may be to either
    if (flight.sends === 1) this.#roundTrip.add(now - flight.sentAt);
  }

  clear(): void {
    this.#outgoing.clear();
    this.#flights.clear();
  }
}
