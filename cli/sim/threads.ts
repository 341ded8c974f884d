// Threads that run models and storms, each with a limit of memory. A thread that ends without an answer fails its task only.
import { availableParallelism, totalmem } from 'node:os';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Reply, Task, TaskResult } from './thread.ts';

// Works in the built form and in the sources.
const threadUrl = new URL(`./thread${extname(import.meta.url)}`, import.meta.url);

const MIB = 1 << 20;
/** Of the memory of the machine, for all threads together. */
const MEMORY_SHARE = 0.75;
const HEAP_MIB_MIN = 256;
const HEAP_MIB_MAX = 16_384;
const WATCH_MS = 500;

/** Memory that this process may have: that of the machine, or of its container. */
function memoryMib(): number {
  const limit = process.constrainedMemory() ?? 0;
  const all = totalmem();
  return (limit > 0 && limit < all ? limit : all) / MIB;
}

export const coresOfThisMachine = availableParallelism;

export interface ThreadLimits {
  /** Tasks at once; the heap of each thread is its share of three quarters of the memory. */
  readonly workers: number;
  /** Longest time of a task; absent: none. */
  readonly secondsMax?: number;
  /** Heap of a thread; absent: its share of the memory. */
  readonly heapMib?: number;
}

/** The task came to nothing; the message says why. */
export class TaskError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'TaskError';
  }
}

interface Running {
  readonly thread: Worker;
  readonly fail: (error: Error) => void;
}

export class Threads {
  readonly #limits: ThreadLimits;
  readonly #allMib = Math.floor(MEMORY_SHARE * memoryMib());
  readonly #idle: Worker[] = [];
  readonly #running = new Set<Running>();
  readonly #watch: NodeJS.Timeout;
  #closed = false;

  constructor(limits: ThreadLimits) {
    this.#limits = limits;
    this.#watch = setInterval(() => this.#checkMemory(), WATCH_MS).unref();
  }

  /** Of one thread. */
  get heapMib(): number {
    const share = Math.floor(this.#allMib / this.#limits.workers);
    return this.#limits.heapMib ?? Math.max(HEAP_MIB_MIN, Math.min(HEAP_MIB_MAX, share));
  }

  /** Call it at most as often at once as there are workers. Rejects with TaskError. */
  async run(task: Task, onProgress?: (share: number) => void): Promise<TaskResult> {
    if (this.#closed) throw new TaskError('stopped');
    const thread = this.#idle.pop() ?? this.#start();
    return await this.#answerOf(thread, task, onProgress);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#watch);
    const running = [...this.#running];
    for (const { fail } of running) fail(new TaskError('stopped'));
    await Promise.all([...this.#idle, ...running.map(({ thread }) => thread)].map(thread => thread.terminate()));
    this.#idle.length = 0;
  }

  #start(): Worker {
    return new Worker(threadUrl, { name: 'sim', resourceLimits: { maxOldGenerationSizeMb: this.heapMib } });
  }

  #answerOf(thread: Worker, task: Task, onProgress?: (share: number) => void): Promise<TaskResult> {
    const { secondsMax } = this.#limits;
    return new Promise((resolve, reject) => {
      const over = (): void => {
        clearTimeout(timer);
        // not all events at once: Node has listeners of its own on it
        for (const event of ['message', 'error', 'exit']) thread.removeAllListeners(event);
        this.#running.delete(running);
      };
      /** The thread is of no more use. */
      const fail = (error: Error): void => {
        over();
        void thread.terminate();
        reject(error);
      };
      const running = { thread, fail };
      const timer =
        secondsMax === undefined
          ? undefined
          : setTimeout(() => fail(new TaskError(`took longer than ${secondsMax} s`)), 1000 * secondsMax);
      this.#running.add(running);
      thread.on('message', (reply: Reply) => {
        if (reply.kind === 'progress') return onProgress?.(reply.share);
        over();
        this.#idle.push(thread);
        if (reply.kind === 'failed') reject(new TaskError(reply.message));
        else resolve(reply);
      });
      thread.on('error', (error: NodeJS.ErrnoException) => fail(new TaskError(this.#reasonOf(error))));
      thread.on('exit', code => fail(new TaskError(`its thread ended with ${code}`)));
      thread.postMessage(task);
    });
  }

  #reasonOf({ code, message }: NodeJS.ErrnoException): string {
    return code === 'ERR_WORKER_OUT_OF_MEMORY' ? tooLarge(this.heapMib) : message;
  }

  /** Arrays of numbers lie outside the heaps: the threads together are held to the whole. The one that came last ends. */
  #checkMemory(): void {
    const last = [...this.#running].at(-1);
    if (last !== undefined && process.memoryUsage.rss() > this.#allMib * MIB)
      last.fail(new TaskError(tooLarge(this.#allMib)));
  }
}

function tooLarge(mib: number): string {
  return `needs more than ${mib} MiB of memory: give fewer servents, or fewer --workers`;
}
