// Ultrapeer neighbours of the servent under test: some send queries at a set pace, all count what comes out.
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { constants, createDeflate, createInflate, type Deflate } from 'node:zlib';
import { GUID_BYTES, HEADER_BYTES, Type } from '../../protocol/constants.ts';
import { Frame, FrameReader, ReadResult } from '../../protocol/wire/frame-reader.ts';
import { writeHeader } from '../../protocol/wire/header.ts';
import { type Greeting, shakeHands, tableFrames, WORDS } from '../process/shake-hands.ts';

/** Latencies are counted in steps of this. */
const BUCKET_MS = 0.05;
const BUCKETS = 100_000;
/** Queries of one run, over all steps. */
const QUERIES_MAX = 4_000_000;
/** Sent at a time when the pace is behind. */
const BURST_MAX = 500;
/** What may wait in a sender's socket: the servent reads no faster. */
const SENDER_BUFFER_BYTES = 65_536;
/** For the servent to take in the tables. */
const TABLES_SETTLE_MS = 1000;

export interface Step {
  /** Sent a second; `qpsWanted` when all went well. */
  qps: number;
  sent: number;
  /** Copies that arrived, each counted once. */
  out: number;
  outPerSecond: number;
  /** Copies that had not come when none had come for a while. */
  lost: number;
  p50Ms: number;
  p99Ms: number;
}

/** Everybody who is connected to the servent. */
export class Peers {
  readonly #deflate: boolean;
  readonly #neighbours: Neighbour[] = [];
  readonly #run = randomBytes(4);
  readonly #sentAt = new Float64Array(QUERIES_MAX);
  readonly #latencies = new Uint32Array(BUCKETS);
  #next = 0;
  #firstOfStep = 0;
  #out = 0;
  duplicates = 0;

  constructor(deflate: boolean) {
    this.#deflate = deflate;
  }

  /** Ultrapeers first: they are the ones that send. Leaves get a table that every query matches. */
  async connect(port: number, count: number, role: Greeting['role']): Promise<void> {
    const table = role === 'leaf' ? tableFrames() : null;
    for (let n = 0; n < count; n++) {
      const from = `127.0.1.${1 + (this.#neighbours.length % 250)}`;
      const { socket, rest } = await shakeHands({ port, from, role, deflate: this.#deflate });
      const neighbour = new Neighbour(socket, rest, this.#deflate, this.#run, this.#onCopy.bind(this));
      if (table !== null) neighbour.write(table);
      this.#neighbours.push(neighbour);
    }
    await new Promise(resolve => setTimeout(resolve, TABLES_SETTLE_MS));
  }

  close(): void {
    for (const { socket } of this.#neighbours) socket.destroy();
  }

  /** `senders` neighbours in turn send at a pace; then waits for stragglers until none has come for `drainMs`. */
  async step(qpsWanted: number, seconds: number, senders: number, drainMs: number): Promise<Step> {
    this.#latencies.fill(0);
    this.#firstOfStep = this.#next;
    this.#out = 0;
    const startedAt = performance.now();
    let sent = 0;
    let elapsedMs = 0;
    while (elapsedMs < seconds * 1000) {
      const due = Math.min(BURST_MAX, Math.floor((elapsedMs / 1000) * qpsWanted) - sent);
      if (due > 0) sent += this.#send(due, senders);
      // A millisecond's timer is precise enough for small paces and leaves the processor to the servent.
      await new Promise(resolve => (qpsWanted > 2000 ? setImmediate(resolve) : setTimeout(resolve, 1)));
      elapsedMs = performance.now() - startedAt;
    }
    const expected = sent * (this.#neighbours.length - 1);
    for (let quietMs = 0, seen = -1; quietMs < drainMs && this.#out < expected; quietMs += 10) {
      if (this.#out !== seen) quietMs = 0;
      seen = this.#out;
      await new Promise(resolve => setTimeout(resolve, 10));
    }
    return {
      qps: Math.round((sent / elapsedMs) * 1000),
      sent,
      out: this.#out,
      outPerSecond: Math.round((this.#out / elapsedMs) * 1000),
      lost: expected - this.#out,
      p50Ms: this.#quantile(0.5),
      p99Ms: this.#quantile(0.99),
    };
  }

  /** As many of `due` queries as the sockets take, one write a sender. */
  #send(due: number, senders: number): number {
    let sent = 0;
    for (let n = 0; n < senders; n++) {
      const share = Math.floor(((n + 1) * due) / senders) - Math.floor((n * due) / senders);
      const sender = this.#neighbours[(this.#next + n) % senders];
      if (share === 0 || sender === undefined || sender.socket.writableLength >= SENDER_BUFFER_BYTES) continue;
      sender.write(Buffer.concat(Array.from({ length: share }, () => this.#query())));
      sent += share;
    }
    return sent;
  }

  #onCopy(sequence: number, isNew: boolean, now: number): void {
    if (!isNew) this.duplicates++;
    else if (sequence >= this.#firstOfStep) {
      this.#out++;
      const latencyMs = now - (this.#sentAt[sequence] ?? 0);
      const bucket = Math.min(BUCKETS - 1, Math.floor(latencyMs / BUCKET_MS));
      this.#latencies[bucket] = (this.#latencies[bucket] ?? 0) + 1;
    }
  }

  /** A query nobody sent before, three of the words, TTL 3, hops 1; its number is in the GUID. */
  #query(): Buffer {
    const sequence = this.#next++;
    const words = [sequence % 1000, Math.floor(sequence / 1000) % 1000, Math.floor(sequence / 1e6)];
    const text = `${words.map(n => WORDS[n]).join(' ')}\0\0`;
    const frame = Buffer.alloc(HEADER_BYTES + 2 + text.length);
    this.#run.copy(frame, 0);
    frame.writeUInt32LE(sequence, 4);
    frame[8] = 0xff;
    frame.writeUInt32LE((sequence * 2_654_435_761) >>> 0, 9);
    writeHeader(frame, frame.subarray(0, GUID_BYTES), Type.Query, 3, 1, frame.length - HEADER_BYTES);
    frame[HEADER_BYTES] = 0x80;
    frame.write(text, HEADER_BYTES + 2, 'latin1');
    this.#sentAt[sequence] = performance.now();
    return frame;
  }

  #quantile(part: number): number {
    const wanted = part * this.#latencies.reduce((sum, count) => sum + count, 0);
    let bucket = 0;
    for (let seen = this.#latencies[0] ?? 0; seen < wanted && bucket < BUCKETS - 1; ) {
      bucket++;
      seen += this.#latencies[bucket] ?? 0;
    }
    return Number(((bucket + 1) * BUCKET_MS).toFixed(2));
  }
}

/** `now`: when the chunk with it was read. */
type OnCopy = (sequence: number, isNew: boolean, now: number) => void;

/** Tells each of our queries that arrives, and answers pings, or the servent would end the link. */
class Neighbour {
  readonly socket: Socket;
  readonly #run: number;
  readonly #reader = new FrameReader(65_536);
  readonly #frame = new Frame();
  readonly #seen = new Uint8Array(QUERIES_MAX / 8);
  readonly #onCopy: OnCopy;
  readonly #deflate: Deflate | null;

  constructor(socket: Socket, rest: Buffer, deflate: boolean, run: Buffer, onCopy: OnCopy) {
    this.socket = socket;
    this.#run = run.readUInt32LE(0);
    this.#onCopy = onCopy;
    this.#deflate = deflate ? createDeflate({ level: 1, flush: constants.Z_SYNC_FLUSH }) : null;
    this.#deflate?.on('data', (chunk: Buffer) => socket.write(chunk));
    if (deflate) {
      const inflate = createInflate();
      inflate.on('data', chunk => this.#onData(chunk));
      inflate.write(rest);
      socket.on('data', chunk => inflate.write(chunk));
    } else {
      socket.on('data', chunk => this.#onData(chunk));
      if (rest.length > 0) this.#onData(rest);
    }
  }

  write(bytes: Buffer): void {
    if (this.#deflate === null) this.socket.write(bytes);
    else this.#deflate.write(bytes);
  }

  #onData(chunk: Buffer): void {
    const now = performance.now();
    this.#reader.push(chunk);
    while (this.#reader.next(this.#frame) === ReadResult.Frame) {
      const { bytes, start, type, ttl, hops } = this.#frame;
      if (type === Type.Ping && ttl + hops <= 2) this.#pong();
      else if (type === Type.Query && bytes.readUInt32LE(start) === this.#run) {
        this.#count(bytes.readUInt32LE(start + 4), now);
      }
    }
  }

  #count(sequence: number, now: number): void {
    const at = sequence >> 3;
    const bit = 1 << (sequence & 7);
    const byte = this.#seen[at] ?? 0;
    this.#seen[at] = byte | bit;
    this.#onCopy(sequence, (byte & bit) === 0, now);
  }

  #pong(): void {
    const pong = Buffer.alloc(HEADER_BYTES + 14);
    writeHeader(pong, this.#frame.guid(), Type.Pong, this.#frame.hops + 1, 0, 14);
    pong.set([0xca, 0x18, 127, 0, 0, 1], HEADER_BYTES);
    this.write(pong);
  }
}
