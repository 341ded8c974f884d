// Hashes ranges of part files in threads, two at most for all downloads: nodes of hash trees, and SHA-1 of the bytes from the beginning
// on, which follows what is written, so that little is left to do at the end. Threads start when there is work and end some time after it.
import { availableParallelism } from 'node:os';
import { dirname, extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { CodedError } from '../../protocol/errors.ts';
import type { ByteRange } from '../../protocol/transfer/range-set.ts';
import { DiskError, diskError } from './disk-error.ts';
import type { PartHashForget, PartHashReply, PartHashRequest } from './part-hash-worker.ts';

export type HashKind = 'node' | 'sha1';

/** The file was closed, or the verifier: nothing is told of the range. */
export class HashingEnded extends CodedError<'HASHING_ENDED'> {}

const IDLE_MS = 3000;
/** At a thread, so that it does not wait between small ranges. */
const REQUESTS_PER_THREAD = 4;
/** A caller that does not wait for its digests is an error of the program. */
const WAITING_MAX = 100_000;
/** Of one file, hashed in turn with what others want. */
const STEP_BYTES = 8 << 20;

// Works in the built form and in the sources.
const workerUrl = new URL(`./part-hash-worker${extname(import.meta.url)}`, import.meta.url);

type Work = PartHashRequest extends infer Each ? (Each extends unknown ? Omit<Each, 'id' | 'fd'> : never) : never;

interface Job {
  readonly file: PartHashing;
  readonly work: Work;
  /** The thread that has its hash; null: any. */
  readonly thread: Thread | null;
  done(digest: Buffer | null, thread: Thread): void;
  failed(error: Error): void;
}

interface Thread {
  readonly worker: Worker;
  readonly running: Map<number, Job>;
  /** Hashes that go on in it. It does not end before them. */
  readonly hashes: Set<number>;
}

export class PartVerifier {
  readonly #threadsMax: number;
  readonly #idleMs: number;
  readonly #threads = new Set<Thread>();
  /** At most WAITING_MAX. */
  readonly #waiting: Job[] = [];
  #lastId = 0;
  #idle: NodeJS.Timeout | null = null;
  #isClosed = false;

  constructor({ threadsMax = Math.min(2, availableParallelism()), idleMs = IDLE_MS } = {}) {
    this.#threadsMax = threadsMax;
    this.#idleMs = idleMs;
  }

  get threads(): number {
    return this.#threads.size;
  }

  /** `fd` stays open until `close` of what is returned has resolved. */
  open(path: string, fd: number): PartHashing {
    return new PartHashing(path, fd, this);
  }

  /** Ends the threads. What is not hashed rejects with HashingEnded. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const job of this.#waiting.splice(0)) job.failed(new HashingEnded('HASHING_ENDED', 'the verifier is closed'));
    await this.#end([...this.#threads]);
  }

  /** For PartHashing alone. */
  submit(job: Job): void {
    if (this.#isClosed) {
      job.failed(new HashingEnded('HASHING_ENDED', 'the verifier is closed'));
      return;
    }
    if (this.#waiting.length >= WAITING_MAX) throw new RangeError(`more than ${WAITING_MAX} ranges wait to be hashed`);
    this.#waiting.push(job);
    this.#dispatch();
  }

  /** For PartHashing alone: its jobs that no thread has. */
  withdraw(file: PartHashing): Job[] {
    const withdrawn = this.#waiting.filter(job => job.file === file);
    const others = this.#waiting.filter(job => job.file !== file);
    this.#waiting.splice(0, this.#waiting.length, ...others);
    return withdrawn;
  }

  /** For PartHashing alone. */
  forget(thread: Thread, hash: number): void {
    if (!thread.hashes.delete(hash)) return;
    thread.worker.postMessage({ kind: 'forget', hash } satisfies PartHashForget);
    this.#dispatch();
  }

  #dispatch(): void {
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = null;
    for (let at = 0; at < this.#waiting.length; ) {
      const job = this.#waiting[at] as Job;
      const thread = job.thread === null ? this.#freeThread() : job.thread;
      if (thread === null) break;
      if (thread.running.size >= REQUESTS_PER_THREAD) {
        at++; // its thread is busy; the next job may do with another
        continue;
      }
      this.#waiting.splice(at, 1);
      if (this.#threads.has(thread)) this.#give(thread, job);
      else job.failed(new Error('the thread that hashed the file ended'));
    }
    const isIdle = [...this.#threads].every(({ running, hashes }) => running.size === 0 && hashes.size === 0);
    if (this.#threads.size > 0 && isIdle)
      this.#idle = setTimeout(() => void this.#end([...this.#threads]), this.#idleMs).unref();
  }

  #give(thread: Thread, job: Job): void {
    const id = ++this.#lastId;
    const request: PartHashRequest = { ...job.work, id, fd: job.file.fd };
    if (request.kind === 'follow' && !request.isLast) thread.hashes.add(request.hash);
    thread.running.set(id, job);
    thread.worker.postMessage(request);
  }

  /** The one with the fewest requests; another is started before one gets a second. Null: all have enough. */
  #freeThread(): Thread | null {
    let best: Thread | null = null;
    for (const thread of this.#threads) if (best === null || thread.running.size < best.running.size) best = thread;
    if (best !== null && best.running.size === 0) return best;
    if (this.#threads.size < this.#threadsMax) return this.#start();
    return best !== null && best.running.size < REQUESTS_PER_THREAD ? best : null;
  }

  #start(): Thread {
    const thread: Thread = { worker: new Worker(workerUrl, { name: 'part' }), running: new Map(), hashes: new Set() };
    this.#threads.add(thread);
    thread.worker.on('message', (reply: PartHashReply) => this.#onReply(thread, reply));
    // a thread that ends unexpectedly fails its jobs; the next job starts another
    thread.worker.on('error', error => this.#onEnd(thread, error));
    thread.worker.on('exit', () => this.#onEnd(thread, new Error('the thread ended')));
    return thread;
  }

  #onReply(thread: Thread, reply: PartHashReply): void {
    const job = thread.running.get(reply.id);
    if (job === undefined) return;
    thread.running.delete(reply.id);
    if (job.work.kind === 'follow' && (job.work.isLast || reply.kind !== 'digest')) thread.hashes.delete(job.work.hash);
    if (reply.kind === 'digest') job.done(reply.digest === null ? null : Buffer.from(reply.digest), thread);
    else job.failed(job.file.trouble(reply));
    this.#dispatch();
  }

  #onEnd(thread: Thread, error: Error): void {
    if (!this.#threads.delete(thread)) return;
    for (const job of thread.running.values()) job.failed(error);
    thread.running.clear();
    if (!this.#isClosed) this.#dispatch();
  }

  async #end(threads: readonly Thread[]): Promise<void> {
    for (const thread of threads) this.#threads.delete(thread);
    await Promise.all(
      threads.map(async ({ worker, running }) => {
        await worker.terminate();
        for (const job of running.values()) job.failed(new HashingEnded('HASHING_ENDED', 'the verifier is closed'));
      }),
    );
  }
}

/** The hash of a file from its beginning on, as far as that is written. */
interface Follower {
  readonly hash: number;
  readonly of: HashKind;
  /** Bytes hashed or given to the thread. */
  at: number;
  /** Bytes that may be hashed. */
  to: number;
  thread: Thread | null;
  isBusy: boolean;
  finish: { size: number; done: (digest: Buffer) => void; failed: (error: Error) => void } | null;
}

let lastHash = 0;

/** What is hashed of one part file. */
export class PartHashing {
  readonly path: string;
  readonly fd: number;
  readonly #verifier: PartVerifier;
  #running = 0;
  #idle: (() => void) | null = null;
  #isClosed = false;
  readonly #followers = new Map<HashKind, Follower>();

  constructor(path: string, fd: number, verifier: PartVerifier) {
    this.path = path;
    this.fd = fd;
    this.#verifier = verifier;
  }

  /**
   * Gives the digest of bytes that are written: their SHA-1, or the node of a hash tree above them. Rejects with DiskError that names the
   * file when it is shorter, or cannot be read, and with HashingEnded.
   */
  digest(kind: HashKind, { start, end }: ByteRange): Promise<Buffer> {
    return new Promise((done, failed) => {
      this.#submit({ kind, start, end }, null, digest => done(digest ?? Buffer.alloc(0)), failed);
    });
  }

  /** The bytes up to `end` are written and do not change: they may be hashed. */
  follow(of: HashKind, end: number): void {
    const follower = this.#follower(of);
    follower.to = Math.max(follower.to, end);
    this.#advance(follower);
  }

  /** Bytes from `start` on are dropped: what was hashed of them counts no more. */
  rewind(start: number): void {
    for (const follower of this.#followers.values()) {
      if (follower.at > start) this.#drop(follower);
      else follower.to = Math.min(follower.to, start);
    }
  }

  /** Gives the digest of the whole file, all of which is written. Rejects as `digest` does. One at a time. */
  whole(of: HashKind, size: number): Promise<Buffer> {
    return new Promise((done, failed) => {
      const follower = this.#follower(of);
      follower.finish = { size, done, failed };
      follower.to = size;
      this.#advance(follower);
    });
  }

  /** Resolves when no thread reads the file any more. What is not hashed rejects with HashingEnded. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const job of this.#verifier.withdraw(this))
      job.failed(new HashingEnded('HASHING_ENDED', `${this.path} is closed`));
    for (const follower of [...this.#followers.values()]) this.#drop(follower);
    while (this.#running > 0) await new Promise<void>(idle => (this.#idle = idle));
  }

  /** For PartVerifier alone: what a failed read means. */
  trouble(reply: Exclude<PartHashReply, { kind: 'digest' }>): Error {
    if (reply.kind === 'failed')
      return diskError(new Error(`reading ${this.path} failed: ${reply.code}`), dirname(this.path));
    return new DiskError(
      'DISK_CHANGED',
      `${this.path} ends at ${reply.at}, before bytes that were written to it: something else shortened or replaced it`,
    );
  }

  #follower(of: HashKind): Follower {
    const known = this.#followers.get(of);
    if (known !== undefined) return known;
    const follower = { hash: ++lastHash, of, at: 0, to: 0, thread: null, isBusy: false, finish: null };
    this.#followers.set(of, follower);
    return follower;
  }

  /** Hashes the next step: a whole one, or the last of the file. */
  #advance(follower: Follower): void {
    if (follower.isBusy) return;
    const { hash, of, at, to, thread, finish } = follower;
    const end = Math.min(to, at + STEP_BYTES);
    const isLast = finish !== null && end === finish.size;
    if (!isLast && end < at + STEP_BYTES) return;
    follower.at = end;
    follower.isBusy = true;
    const work: Work = { kind: 'follow', hash, of, start: at, end, isLast };
    this.#submit(
      work,
      thread,
      (digest, doer) => this.#onStep(follower, digest, doer),
      error => this.#onLost(follower, error),
    );
  }

  #onStep(follower: Follower, digest: Buffer | null, thread: Thread): void {
    follower.isBusy = false;
    follower.thread = thread;
    if (this.#followers.get(follower.of) !== follower) this.#verifier.forget(thread, follower.hash);
    else if (digest === null) this.#advance(follower);
    else {
      this.#followers.delete(follower.of);
      follower.finish?.done(digest);
    }
  }

  /** A step failed: the next begins with the first byte. */
  #onLost(follower: Follower, error: Error): void {
    if (this.#followers.get(follower.of) === follower) this.#followers.delete(follower.of);
    follower.finish?.failed(error);
  }

  #drop(follower: Follower): void {
    this.#followers.delete(follower.of);
    if (follower.thread !== null && !follower.isBusy) this.#verifier.forget(follower.thread, follower.hash);
    follower.finish?.failed(new HashingEnded('HASHING_ENDED', `${this.path} is closed, or bytes of it were dropped`));
  }

  #submit(
    work: Work,
    thread: Thread | null,
    done: (digest: Buffer | null, thread: Thread) => void,
    failed: (error: Error) => void,
  ): void {
    if (this.#isClosed) {
      failed(new HashingEnded('HASHING_ENDED', `${this.path} is closed`));
      return;
    }
    this.#running++;
    const over = (): void => {
      if (--this.#running > 0) return;
      this.#idle?.();
      this.#idle = null;
    };
    this.#verifier.submit({
      file: this,
      work,
      thread,
      done: (digest, doer) => {
        over();
        done(digest, doer);
      },
      failed: error => {
        over();
        failed(error);
      },
    });
  }
}
