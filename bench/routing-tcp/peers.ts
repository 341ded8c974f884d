// Ultrapeer neighbours of the servent under test: one that sends queries at a set pace, many that count what comes out.
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { GUID_BYTES, HEADER_BYTES, Type } from '../../protocol/constants.ts';
import { Frame, FrameReader, Read } from '../../protocol/wire/frame-reader.ts';
import { writeHeader } from '../../protocol/wire/header.ts';

/** Latencies are counted in steps of this. */
const BUCKET_MS = 0.05;
const BUCKETS = 100_000;
/** Queries of one run, over all steps. */
export const QUERIES_MAX = 4_000_000;
/** Sent at a time when the pace is behind: what load.c does, too. */
const BURST_MAX = 500;
const SENDER_BUFFER_BYTES = 65_536;

export interface Step {
  qps: number;
  sent: number;
  expected: number;
  out: number;
  outPerSecond: number;
  lost: number;
  seconds: number;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
}

const hello = [
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

/** A connection that has shaken hands, uncompressed. */
async function neighbour(port: number): Promise<{ socket: Socket; rest: Buffer }> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.write(hello);
  let head = Buffer.alloc(0);
  const rest = await new Promise<Buffer>((resolve, reject) => {
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

/** Everybody who is connected to the servent. */
export class Peers {
  readonly #sinks: Sink[] = [];
  #sender: Socket | null = null;
  readonly #run = randomBytes(4);
  readonly #sentAt = new Float64Array(QUERIES_MAX);
  readonly #latencies = new Uint32Array(BUCKETS);
  #next = 0;
  #firstOfStep = 0;
  #outOfStep = 0;
  duplicates = 0;

  /** The sender also answers pings, or the servent would end its link. */
  async connect(port: number, sinks: number): Promise<void> {
    const sender = await neighbour(port);
    this.#sender = sender.socket;
    new Sink(sender.socket, sender.rest, this.#run, () => {});
    for (let n = 0; n < sinks; n++) {
      const { socket, rest } = await neighbour(port);
      this.#sinks.push(new Sink(socket, rest, this.#run, this.#onCopy.bind(this)));
    }
  }

  close(): void {
    this.#sender?.destroy();
    for (const sink of this.#sinks) sink.socket.destroy();
  }

  /** Sends at a pace, then waits for the stragglers until none has come for `drainMs`. */
  async step(qps: number, seconds: number, drainMs: number): Promise<Step> {
    const sender = this.#sender;
    if (sender === null) throw new Error('not connected');
    this.#latencies.fill(0);
    this.#firstOfStep = this.#next;
    this.#outOfStep = 0;
    const startedAt = performance.now();
    let sent = 0;
    for (;;) {
      const elapsedMs = performance.now() - startedAt;
      if (elapsedMs >= seconds * 1000) break;
      const due = Math.min(BURST_MAX, Math.floor((elapsedMs / 1000) * qps) - sent);
      if (due > 0 && sender.writableLength < SENDER_BUFFER_BYTES) {
        sender.write(Buffer.concat(Array.from({ length: due }, () => this.#query())));
        sent += due;
      }
      await new Promise(resolve => (qps > 2000 ? setImmediate(resolve) : setTimeout(resolve, 1)));
    }
    const sentFor = (performance.now() - startedAt) / 1000;
    const expected = sent * this.#sinks.length;
    let seen = -1;
    for (let quietMs = 0; quietMs < drainMs && this.#outOfStep < expected; quietMs += 10) {
      if (this.#outOfStep !== seen) quietMs = 0;
      seen = this.#outOfStep;
      await new Promise(resolve => setTimeout(resolve, 10));
    }
    const out = this.#outOfStep;
    const [p50Ms, p99Ms, maxMs] = [this.#quantile(0.5), this.#quantile(0.99), this.#quantile(1)];
    return {
      qps: Math.round(sent / sentFor),
      sent,
      expected,
      out,
      outPerSecond: Math.round(out / sentFor),
      lost: expected - out,
      seconds: sentFor,
      p50Ms,
      p99Ms,
      maxMs,
    };
  }

  #onCopy(sequence: number, isNew: boolean, now: number): void {
    if (!isNew) this.duplicates++;
    else if (sequence >= this.#firstOfStep) {
      this.#outOfStep++;
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

/** One neighbour's reading side: tells each of our queries that arrives and answers pings. */
class Sink {
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
      if (type === Type.Query && bytes.readUInt32LE(start) === this.#run)
        this.#count(bytes.readUInt32LE(start + 4), now);
      else if (type === Type.Ping && ttl + hops <= 2) this.#pong();
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
