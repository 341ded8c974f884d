// Reads the metadata of media files in a thread of its own: a parser that hangs, fails or takes too much memory costs the thread, not us.
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { MediaReply, MediaRequest } from './media-worker.ts';

/** How reading one file ended. `why` is a sentence without the file's name. */
export type MediaResult = Exclude<MediaReply, { kind: 'ready' }> | { readonly kind: 'stopped' };

export interface MediaReaderOptions {
  /** The thread's script; absent: media-worker. */
  readonly workerUrl?: URL;
  /** For one file. */
  readonly fileMs?: number;
  /** Of the JavaScript heap of the thread, in MiB; what it reads is bounded by the worker. */
  readonly heapMb?: number;
}

const FILE_MS = 10_000;
const HEAP_MB = 64;
/** For loading the parser on a busy machine. */
const START_MS = 60_000;
/** The thread ends after a time without work. */
const IDLE_MS = 3_000;

// Works in the built form and in the sources.
const defaultUrl = new URL(`./media-worker${extname(import.meta.url)}`, import.meta.url);

export class MediaReader {
  readonly #url: URL;
  readonly #fileMs: number;
  readonly #heapMb: number;
  #worker: Worker | null = null;
  #isReady = false;
  #finish: ((result: MediaResult) => void) | null = null;
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor({ workerUrl = defaultUrl, fileMs = FILE_MS, heapMb = HEAP_MB }: MediaReaderOptions = {}) {
    this.#url = workerUrl;
    this.#fileMs = fileMs;
    this.#heapMb = heapMb;
  }

  /** One file at a time. Never rejects. */
  async read(request: MediaRequest): Promise<MediaResult> {
    if (this.#stopped) return { kind: 'stopped' };
    return await new Promise(resolve => {
      this.#finish = resolve;
      const worker = this.#worker ?? this.#start();
      this.#endAfter(this.#isReady ? this.#fileMs : START_MS);
      worker.postMessage(request);
    });
  }

  /** Ends the thread; what it reads ends as `stopped`. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#settle({ kind: 'stopped' });
    await this.#end();
  }

  #start(): Worker {
    const worker = new Worker(this.#url, {
      resourceLimits: { maxOldGenerationSizeMb: this.#heapMb, maxYoungGenerationSizeMb: 8, stackSizeMb: 2 },
    });
    this.#worker = worker;
    this.#isReady = false;
    worker.on('message', (reply: MediaReply) => {
      if (reply.kind !== 'ready') return this.#settle(reply);
      this.#isReady = true;
      if (this.#finish !== null) this.#endAfter(this.#fileMs);
    });
    worker.on('error', (error: Error & { code?: string }) => {
      const why = error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'its parser took too much memory' : error.message;
      this.#lost(worker, why);
    });
    worker.on('exit', () => this.#lost(worker, 'its parser ended'));
    return worker;
  }

  #endAfter(ms: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      void this.#end();
      this.#settle({ kind: 'failed', why: `its parser took more than ${ms / 1000} s` });
    }, ms);
  }

  #lost(worker: Worker, why: string): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    this.#settle({ kind: 'failed', why });
  }

  #settle(result: MediaResult): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const finish = this.#finish;
    this.#finish = null;
    if (this.#worker !== null) this.#timer = setTimeout(() => void this.#end(), IDLE_MS).unref();
    finish?.(result);
  }

  async #end(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const worker = this.#worker;
    this.#worker = null;
    await worker?.terminate();
  }
}
