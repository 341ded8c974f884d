// Receives DATA packets in LimeWire's manner: puts them in order and acknowledges each.
import type { ByteQueue } from './byte-queue.ts';
import { CLASSIC_WINDOW } from './classic-sender.ts';
import type { RudpEnd } from './rudp-end.ts';
import { nearest, SPAN_16 } from './sequence.ts';

/** Packets so far ahead of the first missing one are dropped. */
const AHEAD_MAX = 25;
/** What a packet is taken for when the room that is left is told. */
const CHUNK_BYTES = 512;
/** Bytes that nobody has read: further packets are dropped. */
const UNREAD_BYTES_MAX = 65_536;
/** Acknowledgements that wait to be sent. */
const ACKS_MAX = 64;

export class ClassicReceiver {
  readonly #incoming: ByteQueue;
  readonly #ahead = new Map<number, Buffer>();
  readonly #acks: number[] = [];
  /** The lowest number that has not arrived. */
  next = 1;
  /** Of the peer's FIN; all packets below it come before the end. */
  #fin: number | null = null;

  constructor(incoming: ByteQueue) {
    this.#incoming = incoming;
  }

  get ended(): boolean {
    return this.#fin !== null && this.next >= this.#fin;
  }

  get finArrived(): boolean {
    return this.#fin !== null;
  }

  onData(low: number, payload: Buffer): RudpEnd {
    const sequence = nearest(low, this.next, SPAN_16);
    if (sequence > this.next + AHEAD_MAX || this.#incoming.length > UNREAD_BYTES_MAX) return 'beyond_window';
    if (sequence < 1 || (this.#fin !== null && sequence >= this.#fin)) return 'malformed';
    this.#ack(sequence);
    if (sequence < this.next || this.#ahead.has(sequence)) return 'duplicate';
    this.#ahead.set(sequence, payload);
    for (let ready = this.#ahead.get(this.next); ready !== undefined; ready = this.#ahead.get(this.next)) {
      this.#incoming.push(ready);
      this.#ahead.delete(this.next++);
    }
    return 'taken';
  }

  /** The number of a FIN follows that of the last packet; one that does not is as good as the next. */
  onFin(low: number): RudpEnd {
    const sequence = nearest(low, this.next, SPAN_16);
    this.#ack(Math.max(sequence, 0));
    if (this.#fin !== null) return 'duplicate';
    const isNear = sequence >= this.next && sequence <= this.next + AHEAD_MAX;
    this.#fin = isNear ? sequence : this.next;
    return 'taken';
  }

  #ack(sequence: number): void {
    this.#acks.push(sequence);
    if (this.#acks.length > ACKS_MAX) this.#acks.shift();
  }

  /** A packet to be acknowledged; null: none. */
  nextAck(): number | null {
    return this.#acks.shift() ?? null;
  }

  get acksWait(): boolean {
    return this.#acks.length > 0;
  }

  /** Packets that there is room for. */
  get space(): number {
    return Math.max(0, CLASSIC_WINDOW - this.#ahead.size - Math.floor(this.#incoming.length / CHUNK_BYTES));
  }
}
