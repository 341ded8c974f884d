// Ultrapeer neighbours of the servent under test: some send queries at a set pace, all count what comes out.
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { GUID_BYTES, HEADER_BYTES, Type } from '../../protocol/constants.ts';
import { Frame, FrameReader, Read } from '../../protocol/wire/frame-reader.ts';
import { writeHeader } from '../../protocol/wire/header.ts';

/** Latencies are counted in steps of this. */
const BUCKET_MS = 0.05;
const BUCKETS = 100_000;
/** Queries of one run, over all steps. */
const QUERIES_MAX = 4_000_000;
/** Sent at a time when the pace is behind. */
const BURST_MAX = 500;
/** What may wait in a sender's socket: the servent reads no faster. */
const SENDER_BUFFER_BYTES = 65_536;

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
  readonly #neighbours: Neighbour[] = [];
  readonly #run = randomBytes(4);
  readonly #sentAt = new Float64Array(QUERIES_MAX);
  readonly #latencies = new Uint32Array(BUCKETS);
  #next = 0;
  #firstOfStep = 0;
  #out = 0;
  duplicates = 0;

  async connect(port: number, count: number): Promise<void> {
    for (let n = 0; n < count; n++) {
      const { socket, rest } = await shakeHands(port);
      this.#neighbours.push(new Neighbour(socket, rest, this.#run, this.#onCopy.bind(this)));
    }
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
      const socket = this.#neighbours[(this.#next + n) % senders]?.socket;
      if (share === 0 || socket === undefined || socket.writableLength >= SENDER_BUFFER_BYTES) continue;
      socket.write(Buffer.concat(Array.from({ length: share }, () => this.#query())));
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

  /** A query nobody sent before, three words, TTL 3, hops 1; its number is in the GUID. */
  #query(): Buffer {
    const sequence = this.#next++;
    const text = `bench ${sequence.toString(36)} ${(sequence * 7919).toString(36)}\0\0`;
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

  constructor(socket: Socket, rest: Buffer, run: Buffer, onCopy: OnCopy) {
    this.socket = socket;
    this.#run = run.readUInt32LE(0);
    this.#onCopy = onCopy;
    socket.on('data', chunk => this.#onData(chunk));
    if (rest.length > 0) this.#onData(rest);
  }

  #onData(chunk: Buffer): void {
    const now = performance.now();
    this.#reader.push(chunk);
    while (this.#reader.next(this.#frame) === Read.Frame) {
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
    this.socket.write(pong);
  }
}

const HELLO = [
  'GNUTELLA CONNECT/0.6',
  'User-Agent: BenchPeer/1',
  'X-Ultrapeer: True',
  'X-Query-Routing: 0.2',
  'X-Ultrapeer-Query-Routing: 0.1',
  'X-Dynamic-Querying: 0.1',
  'X-Degree: 32',
  'X-Max-TTL: 4',
  'Pong-Caching: 0.1',
  'GGEP: 0.5',
  'Bye-Packet: 0.1',
  '',
  '',
].join('\r\n');

/** A neighbour's connection, uncompressed, and the bytes that followed the handshake. */
async function shakeHands(port: number): Promise<{ socket: Socket; rest: Buffer }> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.write(HELLO);
  const rest = await new Promise<Buffer>((resolve, reject) => {
    let head = Buffer.alloc(0);
    const onData = (chunk: Buffer) => {
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      socket.removeListener('data', onData);
      const [line = ''] = head.toString('latin1').split('\r\n', 1);
      if (/ 200 /.test(line)) resolve(head.subarray(end + 4));
      else reject(new Error(`refused: ${line}`));
    };
    socket.on('data', onData);
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed in the handshake')));
  });
  socket.write('GNUTELLA/0.6 200 OK\r\n\r\n');
  return { socket, rest };
}
