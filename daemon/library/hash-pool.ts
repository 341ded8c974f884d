// Hands files to hash-worker threads: started when there is work, ended when there has been none for a while.
import { availableParallelism } from 'node:os';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { neverShared } from '../../settings/never-shared.ts';
import type { HashReply, HashRequest, HashResult } from './hash-worker.ts';

export interface HashJob {
  readonly path: string;
  readonly size: number;
  readonly mtimeMs: number;
  /** Its digest is known: it is only judged by its first bytes. */
  readonly isHashed: boolean;
  /** Set by the owner: not hashed any more if it has not begun, and never reported. */
  cancelled: boolean;
  readonly done: (result: HashResult) => void;
}

/** Requests a worker has at once, so that it never waits for us between small files. */
const REQUESTS_PER_WORKER = 32;
const IDLE_MS = 3000;

// Built and from the sources alike.
const workerUrl = new URL(`./hash-worker${extname(import.meta.url)}`, import.meta.url);

/** To be read. */
const bytesOf = ({ isHashed, size }: HashJob): number => (isHashed ? 0 : size);

interface Thread {
  readonly worker: Worker;
  /** In the order in which they are worked on. */
  readonly running: Map<number, HashJob>;
  /** Done of the file it is at. */
  progressBytes: number;
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
  /** Of jobs not finished, whole files. */
  #bytes = 0;
  /** By default a second thread only where there are cores to spare. */
  constructor(workersMax = availableParallelism() > 2 ? 2 : 1) {
    this.#workersMax = workersMax;
  }

  /** Jobs not finished. */
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

  /** The path being worked on, any if there are several. */
  get current(): string | null {
    for (const { running } of this.#threads) for (const job of running.values()) return job.path;
    return null;
  }

  submit(job: HashJob): void {
    if (this.#closed) return;
    this.#bytes += bytesOf(job);
    this.#waiting.push(job);
    this.#dispatch();
  }

  /** What is left is never reported. */
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
      const { path, size, mtimeMs, isHashed } = job;
      const request: HashRequest = { id: ++this.#lastId, path, size, mtimeMs, isHashed };
      thread.running.set(request.id, job);
      thread.worker.postMessage(request);
    }
    if (this.#next > 1000 && 2 * this.#next > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#next);
      this.#next = 0;
    }
    if (this.#threads.size > 0 && this.pending === 0) {
      this.#idle = setTimeout(() => void this.#endThreads(), IDLE_MS).unref();
    }
  }

  /** The one with least to do; a new one rather than a second request for a busy one. */
  #freeThread(): Thread | null {
    let best: Thread | null = null;
    for (const thread of this.#threads) {
      if (best === null || thread.running.size < best.running.size) best = thread;
    }
    if (best !== null && best.running.size === 0) return best;
    if (this.#threads.size < this.#workersMax) return this.#startThread();
    return best !== null && best.running.size < REQUESTS_PER_WORKER ? best : null;
  }

  #startThread(): Thread {
    const worker = new Worker(workerUrl, { name: 'hash', workerData: neverShared().list.firstBytes });
    const thread: Thread = { worker, running: new Map(), progressBytes: 0 };
    this.#threads.add(thread);
    thread.worker.on('message', (reply: HashReply) => this.#onReply(thread, reply));
    // A thread that ends by itself fails what it had; the next job starts another.
    thread.worker.on('error', error => this.#onEnd(thread, error.name));
    thread.worker.on('exit', () => this.#onEnd(thread, 'WORKER_EXIT'));
    return thread;
  }

  #onReply(thread: Thread, reply: HashReply): void {
    if (reply.kind === 'progress') thread.progressBytes += reply.bytes;
    else this.#finish(thread, reply.id, reply.result);
    if (!this.#closed) this.#dispatch();
  }

  #finish(thread: Thread, id: number, result: HashResult): void {
    const job = thread.running.get(id);
    if (job === undefined) return;
    thread.running.delete(id);
    this.#bytes -= bytesOf(job);
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
