// Runs a swarm: gives it time, connections and the part file, until nothing more can be done now.
import { setImmediate as soon } from 'node:timers';
import type { Swarm, SwarmRest, SwarmShell } from '../../protocol/transfer/downloads/swarm.ts';
import type { HashOrder } from '../../protocol/transfer/downloads/verification.ts';
import type { Visit } from '../../protocol/transfer/downloads/visit.ts';
import { Fetch, type FetchContext } from './fetch.ts';
import type { PartFile } from './part-file.ts';
import { HashingEnded, type PartHashing } from './part-verifier.ts';

export interface SwarmRunReports {
  /** A source is visited. */
  onVisit(): void;
  /** New bytes of the file are on their way to the disk. */
  onBytes(bytes: number): void;
  /** A visit to a source at `host` is over and brought so many bytes. */
  onFetched(host: string, bytes: number): void;
  onRemoteQueue(isWaiting: boolean): void;
  /** Bytes that came were wrong, and are fetched again. */
  onWrong(bytes: number): void;
  onSearch(): void;
  /** What a source calls the file. */
  onNamed(name: string): void;
}

type End = SwarmRest | { readonly kind: 'stopped' };

/** Longest time of setTimeout. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export class SwarmRun implements SwarmShell {
  readonly #swarm: Swarm;
  readonly #part: PartFile;
  readonly #hashing: PartHashing;
  readonly #context: FetchContext;
  readonly #reports: SwarmRunReports;
  readonly #fetches = new Map<Visit, Fetch>();
  readonly #over: Promise<End>;
  #resolve: (end: End) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;
  #timer: NodeJS.Timeout | null = null;
  #isWoken = false;
  #isOver = false;

  constructor(swarm: Swarm, part: PartFile, hashing: PartHashing, context: FetchContext, reports: SwarmRunReports) {
    this.#swarm = swarm;
    this.#part = part;
    this.#hashing = hashing;
    this.#context = context;
    this.#reports = reports;
    this.#over = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Resolves when the swarm rests, or `signal` aborts: all connections are closed then. Rejects with DiskError. */
  async run(signal: AbortSignal): Promise<End> {
    const onAbort = () => this.#end(() => this.#resolve({ kind: 'stopped' }));
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      this.#swarm.start(this);
      if (signal.aborted) onAbort();
      else this.#tick();
      return await this.#over;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  visit(visit: Visit): void {
    const fetch = new Fetch(visit, this.#part, this.#context, error => {
      this.#fetches.delete(visit);
      this.#swarm.onOver(visit);
      this.#reports.onFetched(visit.source.source.endpoint.host, visit.bytes);
      if (error !== null) this.#end(() => this.#reject(error));
    });
    this.#fetches.set(visit, fetch);
    this.#reports.onVisit();
    void fetch.start(!this.#swarm.isSizeGiven);
  }

  resume(visit: Visit): void {
    this.#fetches.get(visit)?.resume();
  }

  close(visit: Visit): void {
    this.#fetches.get(visit)?.close();
  }

  write(offset: number, bytes: Buffer): boolean {
    this.#reports.onBytes(bytes.length);
    return this.#part.put(offset, bytes);
  }

  hash(order: HashOrder): void {
    this.#hashing.digest(order.kind, order.range).then(
      digest => {
        if (!this.#isOver) this.#swarm.onHashed(order, digest, this.#context.clock.now());
      },
      error => {
        if (!(error instanceof HashingEnded)) this.#end(() => this.#reject(error));
      },
    );
  }

  drop(start: number, end: number): void {
    this.#part.drop(start, end);
    this.#hashing.rewind(start);
    this.#reports.onWrong(end - start);
  }

  onNamed(name: string): void {
    this.#reports.onNamed(name);
  }

  search(): void {
    this.#reports.onSearch();
  }

  onRemoteQueue(isWaiting: boolean): void {
    this.#reports.onRemoteQueue(isWaiting);
  }

  wake(): void {
    if (this.#isWoken || this.#isOver) return;
    this.#isWoken = true;
    soon(() => this.#tick());
  }

  #tick(): void {
    this.#isWoken = false;
    if (this.#isOver) return;
    const now = this.#context.clock.now();
    const rest = this.#swarm.tick(now);
    if (rest !== null) {
      this.#end(() => this.#resolve(rest));
      return;
    }
    // nothing more is put that would tell of a failed write
    if (this.#swarm.map.complete) this.#part.flush().catch(error => this.#end(() => this.#reject(error)));
    if (this.#timer !== null) clearTimeout(this.#timer);
    const at = this.#swarm.nextAt(now);
    const ms = at === null ? null : Math.min(Math.max(1, Math.ceil(at - now)), TIMER_MS_MAX);
    this.#timer = ms === null ? null : setTimeout(() => this.#tick(), ms);
  }

  #end(settle: () => void): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#swarm.stop(this.#context.clock.now());
    for (const fetch of [...this.#fetches.values()]) fetch.close();
    settle();
  }
}
