// A master and its workers (Dean and Ghemawat 2004, section 3): the master gives out map tasks, then reduce tasks, which fetch what the maps have
// left on the workers' disks. It pings the workers: what one that is silent was doing, and the maps that it had done, are done again.
import { Network } from '../network.ts';
import type { SeededRandom } from '../seeded-random.ts';
import { type Job, mapped, type Pair, reduceAll } from './job.ts';

type Message =
  | { readonly kind: 'ping' | 'pong' }
  | { readonly kind: 'map'; readonly task: number }
  | { readonly kind: 'mapped'; readonly task: number }
  | { readonly kind: 'reduce'; readonly task: number }
  /** The output of a map task is to be fetched from that worker. */
  | { readonly kind: 'place'; readonly map: number; readonly worker: number }
  | { readonly kind: 'fetch'; readonly map: number; readonly part: number }
  | { readonly kind: 'pairs'; readonly map: number; readonly part: number; readonly pairs: readonly Pair[] }
  | { readonly kind: 'reduced'; readonly task: number; readonly output: readonly Pair[] };

interface Task {
  readonly kind: 'map' | 'reduce';
  readonly number: number;
  /** Workers that are at it. */
  readonly at: Set<number>;
  doneBy: number | null;
}

interface Worker {
  /** Output of the map tasks that it has done, on its own disk. */
  readonly outputs: Map<number, Pair[][]>;
  /** Input of the reduce task that it is at, by map task; null: none. */
  reducing: { readonly task: number; readonly input: Map<number, readonly Pair[]> } | null;
}

export interface ClusterOptions {
  readonly workers: number;
  readonly random: SeededRandom;
  readonly job: Job;
  /** The last tasks are given to a second worker, too. */
  readonly backups: boolean;
  /** How many times longer each worker takes. */
  readonly slownessOf?: (worker: number) => number;
}

const MASTER = 0;
/** A worker takes so long for a word, or for a pair that it reduces. */
export const MS_PER_ITEM = 10;
const PING_MS = 1_000;
const SILENT_MS = 5_000;

/** The master 0 and workers 1 to n; each does one map task and one reduce task at a time. */
export class Cluster {
  readonly network: Network<Message>;
  /** Keys with their values, when all is done. */
  readonly output = new Map<string, number>();
  /** Pairs that went over the network, tasks that were given out again after a failure, and second copies of the last ones. */
  shuffled = 0;
  again = 0;
  backups = 0;
  readonly #job: Job;
  readonly #options: ClusterOptions;
  readonly #maps: Task[];
  readonly #reduces: Task[];
  readonly #workers: Worker[];
  readonly #heardAt: number[];
  readonly #lost = new Set<number>();
  doneAt: number | null = null;

  constructor(options: ClusterOptions) {
    const { workers, random, job } = options;
    this.#options = options;
    this.#job = job;
    const tasks = (kind: Task['kind'], count: number): Task[] =>
      Array.from({ length: count }, (_, number) => ({ kind, number, at: new Set<number>(), doneBy: null }));
    this.#maps = tasks('map', job.splits.length);
    this.#reduces = tasks('reduce', job.partitions);
    this.#workers = Array.from({ length: workers + 1 }, () => ({ outputs: new Map(), reducing: null }));
    this.#heardAt = new Array<number>(workers + 1).fill(0);
    this.network = new Network({ nodes: workers + 1, random, latencyMs: () => 1 });
    this.network.onMessage = (to, message, from) => this.#receive(to, message, from);
  }

  /** Until the job is done, at most so many seconds. */
  run(seconds: number): void {
    this.network.every(MASTER, PING_MS, () => this.#ping());
    this.#assign();
    this.network.run(seconds * 1000);
  }

  #ping(): boolean {
    for (let worker = 1; worker < this.#workers.length; worker++) {
      if (this.#lost.has(worker)) continue;
      if (this.network.now - (this.#heardAt[worker] ?? 0) > SILENT_MS) this.#onLost(worker);
      else this.network.send(MASTER, worker, { kind: 'ping' });
    }
    this.#assign();
    return this.doneAt === null;
  }

  #onLost(worker: number): void {
    this.#lost.add(worker);
    for (const task of [...this.#maps, ...this.#reduces]) {
      const wasAt = task.at.delete(worker);
      const isGone = task.kind === 'map' && task.doneBy === worker;
      if (isGone) task.doneBy = null;
      if (isGone || (wasAt && task.doneBy === null && task.at.size === 0)) this.again++;
    }
  }

  #assign(): void {
    for (const tasks of [this.#maps, this.#reduces]) {
      const isMap = tasks === this.#maps;
      if (!isMap && this.#maps.some(({ doneBy }) => doneBy === null)) return;
      const open = tasks.filter(({ doneBy }) => doneBy === null);
      const busy = new Set(open.flatMap(({ at }) => [...at]));
      for (let worker = 1; worker < this.#workers.length; worker++) {
        if (busy.has(worker) || this.#lost.has(worker)) continue;
        const fresh = open.find(({ at }) => at.size === 0);
        const task = fresh ?? (this.#options.backups ? open.find(({ at }) => at.size === 1) : undefined);
        if (task === undefined) break;
        if (fresh === undefined) this.backups++;
        task.at.add(worker);
        this.network.send(MASTER, worker, { kind: task.kind, task: task.number });
        if (!isMap) for (const map of this.#maps) this.#tellPlace(worker, map);
      }
    }
  }

  #tellPlace(worker: number, { number, doneBy }: Task): void {
    if (doneBy !== null) this.network.send(MASTER, worker, { kind: 'place', map: number, worker: doneBy });
  }

  #receive(to: number, message: Message, from: number): void {
    if (to === MASTER) this.#heardAt[from] = this.network.now;
    const worker = this.#workers[to] as Worker;
    switch (message.kind) {
      case 'ping':
        this.network.send(to, MASTER, { kind: 'pong' });
        break;
      case 'map': {
        const split = this.#job.splits[message.task] ?? '';
        this.#work(to, this.#job.map(split).length, () => {
          worker.outputs.set(message.task, mapped(this.#job, split));
          this.network.send(to, MASTER, { kind: 'mapped', task: message.task });
        });
        break;
      }
      case 'mapped':
        this.#onDone(this.#maps[message.task] as Task, from);
        break;
      case 'reduce':
        worker.reducing = { task: message.task, input: new Map() };
        break;
      case 'place':
        if (worker.reducing !== null && !worker.reducing.input.has(message.map))
          this.network.send(to, message.worker, { kind: 'fetch', map: message.map, part: worker.reducing.task });
        break;
      case 'fetch': {
        const pairs = worker.outputs.get(message.map)?.[message.part] ?? [];
        this.shuffled += pairs.length;
        this.network.send(to, from, { ...message, kind: 'pairs', pairs }, pairs.length);
        break;
      }
      case 'pairs':
        this.#onPairs(to, worker, message);
        break;
      case 'reduced':
        if (this.#reduces[message.task]?.doneBy === null)
          for (const [key, value] of message.output) this.output.set(key, value);
        this.#onDone(this.#reduces[message.task] as Task, from);
        break;
      default:
    }
  }

  #onPairs(
    to: number,
    worker: Worker,
    { map, part, pairs }: { map: number; part: number; pairs: readonly Pair[] },
  ): void {
    const { reducing } = worker;
    if (reducing === null || reducing.task !== part || reducing.input.has(map)) return;
    reducing.input.set(map, pairs);
    if (reducing.input.size < this.#maps.length) return;
    const input = [...reducing.input].sort(([a], [b]) => a - b).flatMap(([, all]) => all);
    this.#work(to, input.length, () => {
      worker.reducing = null;
      this.network.send(to, MASTER, { kind: 'reduced', task: part, output: reduceAll(this.#job, input) });
    });
  }

  /** Runs it when the worker has gone through so many items, unless it fails before. */
  #work(worker: number, items: number, then: () => void): void {
    const slowness = this.#options.slownessOf?.(worker) ?? 1;
    this.network.after(items * MS_PER_ITEM * slowness, () => {
      if (this.network.isUp(worker)) then();
    });
  }

  #onDone(task: Task, by: number): void {
    task.at.delete(by);
    if (this.#lost.has(by)) return;
    if (task.doneBy === null) {
      task.doneBy = by;
      // reducers that wait for the output of a worker that is lost
      if (task.kind === 'map')
        for (const { doneBy, at } of this.#reduces)
          if (doneBy === null) for (const worker of at) this.#tellPlace(worker, task);
    }
    if (this.#reduces.every(({ doneBy }) => doneBy !== null)) this.doneAt ??= this.network.now;
    else this.#assign();
  }
}
