// Two servents' tables of reliable UDP with a path between them in virtual time: rate, queue, delay, loss, order, copies.

import type { RudpConnection, RudpEvents } from '../../protocol/rudp/rudp-connection.ts';
import type { RudpError } from '../../protocol/rudp/rudp-error.ts';
import { RudpTable } from '../../protocol/rudp/rudp-table.ts';
import type { Endpoint } from '../../protocol/wire/endpoint.ts';
import { EventQueue } from '../../sim/event-queue.ts';
import { SeededRandom } from '../../sim/seeded-random.ts';

export interface PathConditions {
  /** One way. */
  readonly delayMs: number;
  /** Bytes a millisecond of each direction; Infinity: no limit. */
  readonly rate: number;
  /** Bytes that wait for the rate at most; others are lost. */
  readonly queueBytes: number;
  /** Parts of all datagrams: lost, delivered twice, and delayed by up to `lateMs` more. */
  readonly loss: number;
  readonly copies: number;
  readonly late: number;
  readonly lateMs: number;
}

export const PERFECT_PATH: PathConditions = {
  delayMs: 10,
  rate: Number.POSITIVE_INFINITY,
  queueBytes: Number.POSITIVE_INFINITY,
  loss: 0,
  copies: 0,
  late: 0,
  lateMs: 0,
};

/** Of UDP and IPv4, which a link carries too. */
const HEADERS_BYTES = 28;

/** One side: reads all that comes, writes what it is given, then ends. */
export class RudpSide implements RudpEvents {
  readonly table: RudpTable;
  readonly endpoint: Endpoint;
  connection: RudpConnection | null = null;
  readonly received: Buffer[] = [];
  receivedBytes = 0;
  readsAt: number | null = null;
  #unsent: Buffer = Buffer.alloc(0);
  connectedAt: number | null = null;
  closed = false;
  error: RudpError | null = null;
  readonly #now: () => number;
  reads = true;
  ends = true;
  keeps = true;

  constructor(table: RudpTable, endpoint: Endpoint, now: () => number) {
    this.table = table;
    this.endpoint = endpoint;
    this.#now = now;
  }

  give(bytes: Buffer): void {
    this.#unsent = bytes;
    this.onWritable();
  }

  onConnected(): void {
    this.connectedAt = this.#now();
    this.onWritable();
  }

  onWritable(): void {
    const { connection } = this;
    if (connection === null || connection.state !== 'connected') return;
    this.#unsent = this.#unsent.subarray(connection.write(this.#unsent));
    if (this.#unsent.length === 0 && this.ends) connection.end(this.#now());
  }

  onReadable(): void {
    if (this.reads) this.read();
  }

  read(): void {
    const { connection } = this;
    if (connection === null) return;
    for (
      let bytes = connection.read(65_536, this.#now());
      bytes !== null;
      bytes = connection.read(65_536, this.#now())
    ) {
      if (this.keeps) this.received.push(bytes);
      this.receivedBytes += bytes.length;
    }
  }

  onClosed(error: RudpError | null): void {
    this.closed = true;
    this.error = error;
    this.read();
  }

  get bytes(): Buffer {
    return Buffer.concat(this.received);
  }
}

export class RudpPath {
  now = 0;
  readonly random: SeededRandom;
  readonly a: RudpSide;
  readonly b: RudpSide;
  readonly #conditions: PathConditions;
  readonly #arrivals = new EventQueue();
  readonly #freeAt = new Map<RudpSide, number>();
  readonly #dueAt = new Map<RudpSide, number>();
  /** Every datagram that was sent, when wanted. */
  onDatagram: ((bytes: Buffer, from: RudpSide) => void) | null = null;
  dropped = 0;

  constructor(seed: number, conditions: Partial<PathConditions> = {}, extended: [boolean, boolean] = [true, true]) {
    this.random = new SeededRandom(seed);
    this.#conditions = { ...PERFECT_PATH, ...conditions };
    const side = (host: string, offers: boolean) =>
      new RudpSide(new RudpTable({ random: this.random, extended: offers }), { host, port: 6346 }, () => this.now);
    this.a = side('1.1.1.1', extended[0]);
    this.b = side('2.2.2.2', extended[1]);
  }

  /** Both sides open, the second later by so much. */
  open(laterMs = 0): void {
    this.a.connection = this.a.table.open(this.b.endpoint, 'requestor', this.a, this.now);
    this.#wake(this.a);
    if (laterMs > 0) this.run(this.now + laterMs);
    this.b.connection = this.b.table.open(this.a.endpoint, 'acceptor', this.b, this.now);
    this.#wake(this.b);
  }

  /** Sends a datagram as if `from` had sent it. */
  send(bytes: Buffer, from: RudpSide): void {
    this.onDatagram?.(bytes, from);
    const { rate, queueBytes, loss, copies } = this.#conditions;
    const freeAt = Math.max(this.#freeAt.get(from) ?? 0, this.now);
    if ((freeAt - this.now) * rate > queueBytes || this.#chance(loss)) {
      this.dropped++;
      return;
    }
    const leavesAt = freeAt + (bytes.length + HEADERS_BYTES) / rate;
    this.#freeAt.set(from, leavesAt);
    this.#arrive(bytes, from, leavesAt);
    if (this.#chance(copies)) this.#arrive(Buffer.from(bytes), from, leavesAt);
  }

  #arrive(bytes: Buffer, from: RudpSide, leavesAt: number): void {
    const { delayMs, late, lateMs } = this.#conditions;
    const side = from === this.a ? this.b : this.a;
    const more = this.#chance(late) ? (this.random.below(1_000) / 1_000) * lateMs : 0;
    this.#arrivals.add(leavesAt + delayMs + more, () => {
      side.table.receive(bytes, from.endpoint, this.now);
      this.#wake(side);
    });
  }

  #chance(part: number): boolean {
    return part > 0 && this.random.below(1_000_000) < part * 1_000_000;
  }

  /** Lets a side do what it has to. */
  #wake(side: RudpSide): void {
    side.table.tick(this.now);
    side.table.flush(this.now, bytes => this.send(bytes, side));
    this.#dueAt.set(side, Math.max(side.table.tick(this.now), this.now + 0.05));
  }

  /** Runs until nothing is left to be done, `until`, or until `done`. */
  run(until: number, done: () => boolean = () => false): void {
    for (const side of [...this.#dueAt.keys()]) this.#wake(side);
    while (!done()) {
      const next = Math.min(this.#arrivals.nextAt, ...this.#dueAt.values());
      if (next > until) break;
      this.now = Math.max(this.now, next);
      if (this.#arrivals.nextAt <= this.now) this.#arrivals.take()?.();
      for (const [side, due] of this.#dueAt) if (due <= this.now) this.#wake(side);
    }
    if (this.now < until && !done()) this.now = until;
  }
}
