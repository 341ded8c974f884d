// Distributes files to hash-worker threads. Threads start when there is work and end after a time without any.
import { availableParallelism } from 'node:os';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { RateMeter } from '../../protocol/transfer/rate-meter.ts';
import { neverShared } from '../../settings/never-shared.ts';
import type { HashReply, HashRequest, HashResult, HashWorkerData } from './hash-worker.ts';

export interface HashJob {
  readonly path: string;
  readonly size: number;
  readonly mtimeMs: number;
  /** Its digest is known: it is only judged by its first bytes. */
  readonly isHashed: boolean;
  /** Leaves of its hash tree: only a sample is compared with them. Absent: it is read as a whole. */
  readonly leaves?: Uint8Array | null;
  /** Most bytes read a second; absent: no limit. */
  readonly pace?: number;
  /** Set by the owner: the job is not started, and its result is not reported. */
  cancelled: boolean;
  readonly done: (result: HashResult) => void;
}

/** Requests queued at a worker, so that it does not wait between small files. */
const REQUESTS_PER_WORKER = 32;
const IDLE_MS = 3000;

// Works in the built form and in the sources.
const workerUrl = new URL(`./hash-worker${extname(import.meta.url)}`, import.meta.url);

/** Bytes that the job must read. */
const bytesOf = ({ isHashed, leaves, size }: HashJob): number => (isHashed || (leaves ?? null) !== null ? 0 : size);

interface Thread {
  readonly worker: Worker;
  /** In order of processing. */
  readonly running: Map<number, HashJob>;
  /** Bytes done of the present file. */
  progressBytes: number;
  /** Shared with the thread: KiB that it may read per second; 0: no limit. */
  readonly speed: Int32Array;
}

export class HashPool {
  readonly #workersMax: number;
  readonly #threads = new Set<Thread>();
  /** Bounded by the files of the library. */
  #waiting: HashJob[] = [];
  #next = 0;
  #lastId = 0;
  #idle: NodeJS.Timeout | null = null;
  #closed = false;
  #speed = 0;
  readonly #meter = new RateMeter(performance.now());
  /** Bytes of unfinished jobs; a file in progress counts in full. */
  #bytes = 0;
  /** By default one thread, and two with more than two cores. */
  constructor(workersMax = availableParallelism() > 2 ? 2 : 1) {
    this.#workersMax = workersMax;
  }

  /** Number of unfinished jobs. */
  get pending(): number {
    let running = 0;
    for (const thread of this.#threads) running += thread.running.size;
    return this.#waiting.length - this.#next + running;
  }

  get bytesLeft(): number {
    let left = this.#bytes;
    for (const thread of this.#threads) left -= thread.progressBytes;
    return Math.max(0, left);
  }

  /** Bytes read per second, over the last seconds. */
  get rate(): number {
    return this.pending === 0 ? 0 : Math.round(this.#meter.bytesPerSecond(performance.now()));
  }

  /** Path of a file being hashed; null: none. */
  get current(): string | null {
    for (const { running } of this.#threads) for (const job of running.values()) return job.path;
    return null;
  }

  /** Most bytes read per second by all threads; 0: no limit. Applies at once. */
  set speed(bytesPerSecond: number) {
    this.#speed = bytesPerSecond;
    this.#divideSpeed();
  }

  submit(job: HashJob): void {
    if (this.#closed) return;
    this.#bytes += bytesOf(job);
    this.#waiting.push(job);
    this.#dispatch();
  }

  /** Ends threads that work only for cancelled jobs. */
  dropCancelled(): void {
    for (const thread of this.#threads) {
      const jobs = [...thread.running.values()];
      if (!jobs.every(({ cancelled }) => cancelled)) continue;
      this.#threads.delete(thread);
      for (const job of jobs) this.#bytes -= bytesOf(job);
      void thread.worker.terminate();
    }
    this.#dispatch();
  }

  /** Ends the threads. Unfinished jobs are not reported. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#waiting = [];
    this.#next = 0;
    await this.#endThreads();
  }

  #dispatch(): void {
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = null;
    while (this.#next < this.#waiting.length) {
      const job = this.#waiting[this.#next];
      if (job === undefined || job.cancelled) {
        this.#next++;
        this.#bytes -= job === undefined ? 0 : bytesOf(job);
        continue;
      }
      const thread = this.#freeThread();
      if (thread === null) break;
      this.#next++;
      const { path, size, mtimeMs, isHashed, leaves = null, pace = null } = job;
      const request: HashRequest = { id: ++this.#lastId, path, size, mtimeMs, isHashed, leaves, pace };
      thread.running.set(request.id, job);
      thread.worker.postMessage(request);
    }
    this.#divideSpeed();
    if (this.#next > 1000 && 2 * this.#next > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#next);
      this.#next = 0;
    }
    if (this.#threads.size > 0 && this.pending === 0) {
      this.#idle = setTimeout(() => void this.#endThreads(), IDLE_MS).unref();
    }
  }

  /** The thread with the fewest requests; starts another thread, if allowed, before it gives a second request to one. */
  #freeThread(): Thread | null {
    let best: Thread | null = null;
    for (const thread of this.#threads) {
      if (best === null || thread.running.size < best.running.size) best = thread;
    }
    if (best !== null && best.running.size === 0) return best;
    if (this.#threads.size < this.#workersMax) return this.#startThread();
    return best !== null && best.running.size < REQUESTS_PER_WORKER ? best : null;
  }

  /** Threads with work share the limit. */
  #divideSpeed(): void {
    let busy = 0;
    for (const { running } of this.#threads) if (running.size > 0) busy++;
    const kibs = this.#speed === 0 ? 0 : Math.max(1, Math.floor(this.#speed / Math.max(1, busy) / 1024));
    for (const { speed } of this.#threads) {
      if (Atomics.exchange(speed, 0, Math.min(kibs, 2 ** 31 - 1)) !== kibs) Atomics.notify(speed, 0);
    }
  }

  #startThread(): Thread {
    const speed = new Int32Array(new SharedArrayBuffer(4));
    const data: HashWorkerData = { rules: neverShared().list.firstBytes, speed };
    const worker = new Worker(workerUrl, { name: 'hash', workerData: data });
    const thread: Thread = { worker, running: new Map(), progressBytes: 0, speed };
    this.#threads.add(thread);
    thread.worker.on('message', (reply: HashReply) => this.#onReply(thread, reply));
    // A thread that ends unexpectedly fails its jobs; the next job starts another thread.
    thread.worker.on('error', error => this.#onEnd(thread, error.name));
    thread.worker.on('exit', () => this.#onEnd(thread, 'WORKER_EXIT'));
    return thread;
  }

  #onReply(thread: Thread, reply: HashReply): void {
    if (reply.kind === 'progress') {
      thread.progressBytes += reply.bytes;
      this.#meter.add(reply.bytes, performance.now());
    } else this.#finish(thread, reply.id, reply.result);
    if (!this.#closed) this.#dispatch();
  }

  #finish(thread: Thread, id: number, result: HashResult): void {
    const job = thread.running.get(id);
    if (job === undefined) return;
    thread.running.delete(id);
    this.#bytes -= bytesOf(job);
    if (result.kind === 'hashed') this.#meter.add(bytesOf(job) - thread.progressBytes, performance.now());
    thread.progressBytes = 0;
    if (!this.#closed && !job.cancelled) job.done(result);
  }

  #onEnd(thread: Thread, code: string): void {
    if (!this.#threads.delete(thread)) return;
    for (const id of [...thread.running.keys()]) this.#finish(thread, id, { kind: 'failed', code });
    if (!this.#closed) this.#dispatch();
  }

  async #endThreads(): Promise<void> {
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = null;
    const threads = [...this.#threads];
    this.#threads.clear();
    await Promise.all(threads.map(({ worker }) => worker.terminate()));
  }
}
