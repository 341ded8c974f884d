// Gives the units of a sweep to workers at a Redis, each to several, and takes what they agree on.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { Queue, QueueEvents } from 'bullmq';
import type { Unit, UnitResult } from '../../sim/sweep/units.ts';
import { inSimulator } from '../in-simulator.ts';
import { note, type Terminal } from '../terminal.ts';
import { countProgress } from './count-progress.ts';
import { connectRedis, type RedisLink } from './redis.ts';
import type { Swept } from './swept.ts';
import { aliveKey, answerIn, claimsKey, KEYS_SECONDS, liarsKey, type Order, QUEUE } from './work-order.ts';

export interface OverMachines {
  readonly redis: URL;
  readonly units: readonly Unit[];
  readonly replicas: number;
}

/** Jobs of this sweep in Redis at once: enough for a few hundred cores. */
const WINDOW = 512;
const ALIVE_SECONDS = 60;
const ALIVE_EVERY_MS = 10_000;
/** So long nothing came before the person is told that workers are missing. */
const QUIET_MS = 10_000;

/** Rejects with a CommandError when Redis cannot be reached, and with the reason of `stop` when it aborts. */
export async function overMachines(terminal: Terminal, options: OverMachines, stop: AbortSignal): Promise<Swept> {
  const link = await connectRedis(options.redis);
  const { Queue, QueueEvents } = await import('bullmq');
  const queue = new Queue(QUEUE, { connection: link.client });
  const events = new QueueEvents(QUEUE, { connection: link.client });
  // the client tells of them: `link.gone`
  queue.on('error', () => undefined);
  events.on('error', () => undefined);
  const sweep = randomUUID();
  const beat = beating(link, sweep);
  const signal = AbortSignal.any([stop, link.gone]);
  try {
    await events.waitUntilReady();
    return await new Coordinator(terminal, link, queue, sweep, options).run(events, signal);
  } catch (error) {
    // what is under way when Redis goes away fails as well
    signal.throwIfAborted();
    throw error;
  } finally {
    clearInterval(beat);
    await link.close(events, queue);
  }
}

/** Workers leave the units of a sweep that does not say that it goes on. */
function beating({ client }: RedisLink, sweep: string): NodeJS.Timeout {
  const beat = (): void => {
    // a failure is told by `link.gone`
    client.set(aliveKey(sweep), 1, 'EX', ALIVE_SECONDS).then(undefined, () => undefined);
  };
  beat();
  return setInterval(beat, ALIVE_EVERY_MS).unref();
}

class Coordinator {
  readonly #terminal: Terminal;
  readonly #link: RedisLink;
  readonly #queue: Queue;
  readonly #sweep: string;
  readonly #units: readonly Unit[];
  readonly #replicas: number;
  /** Job → unit. */
  readonly #underWay = new Map<string, number>();
  readonly #workers = new Set<string>();
  #jobs = 0;

  constructor(
    terminal: Terminal,
    link: RedisLink,
    queue: Queue,
    sweep: string,
    { units, replicas }: Pick<OverMachines, 'units' | 'replicas'>,
  ) {
    this.#terminal = terminal;
    this.#link = link;
    this.#queue = queue;
    this.#sweep = sweep;
    this.#units = units;
    this.#replicas = replicas;
  }

  async run(events: QueueEvents, signal: AbortSignal): Promise<Swept> {
    const [{ Vote }, { resultIn }] = await Promise.all([inSimulator.vote(), inSimulator.units()]);
    const vote = new Vote({ units: this.#units.length, replicas: this.#replicas });
    const news = new EventTarget();
    let pending = true;
    let lastMs = performance.now();
    const ended = (jobId: string, take: (unit: number) => void): void => {
      const unit = this.#underWay.get(jobId);
      if (unit === undefined) return; // of another sweep
      this.#underWay.delete(jobId);
      take(unit);
      pending = true;
      lastMs = performance.now();
      news.dispatchEvent(new Event('news'));
    };
    events.on('completed', ({ jobId, returnvalue }) =>
      ended(jobId, unit => {
        const answer = answerIn(returnvalue);
        const result = answer?.error === undefined ? resultIn(answer?.result) : null;
        if (answer === null || result === null)
          return vote.fail(unit, answer?.error ?? 'a worker answered what is no result');
        this.#workers.add(answer.worker);
        vote.count(unit, answer.worker, JSON.stringify(result));
      }),
    );
    events.on('failed', ({ jobId, failedReason }) => ended(jobId, unit => vote.fail(unit, failedReason)));
    const progress = await countProgress(this.#terminal.stderr, 'runs', this.#units.length);
    const quiet = setInterval(() => {
      if (performance.now() - lastMs < QUIET_MS) return;
      lastMs = performance.now();
      void this.#tellWhatIsMissing();
    }, QUIET_MS / 4).unref();
    let liars = 0;
    try {
      while (!vote.isOver) {
        if (!pending) await once(news, 'news', { signal });
        signal.throwIfAborted();
        pending = false;
        if (vote.liars.length !== liars) await this.#name(vote.liars);
        liars = vote.liars.length;
        await this.#fill(() => vote.give());
        progress.show(vote.settled);
      }
    } finally {
      clearInterval(quiet);
      progress.end();
      if (!this.#link.gone.aborted) await this.#leave();
    }
    const results = this.#units.map((_, i): UnitResult | null => {
      const document = vote.accepted(i);
      return document === null ? null : resultIn(JSON.parse(document));
    });
    const workers = [...this.#workers].filter(worker => !vote.liars.includes(worker)).length;
    return { results, errors: this.#units.map((_, i) => vote.error(i)), workers, liars: vote.liars };
  }

  get #client(): RedisLink['client'] {
    return this.#link.client;
  }

  async #fill(give: () => number | null): Promise<void> {
    const jobs = [];
    while (this.#underWay.size < WINDOW) {
      const unit = give();
      if (unit === null) break;
      const jobId = `${this.#sweep}-${++this.#jobs}`;
      this.#underWay.set(jobId, unit);
      const data: Order = { sweep: this.#sweep, unit, work: this.#units[unit] };
      jobs.push({ name: 'unit', data, opts: { jobId, removeOnComplete: true, removeOnFail: true } });
    }
    if (jobs.length > 0) await this.#queue.addBulk(jobs);
  }

  /** Workers that find themselves among these stop. */
  async #name(liars: readonly string[]): Promise<void> {
    await this.#client.sadd(liarsKey(this.#sweep), ...liars);
    await this.#client.expire(liarsKey(this.#sweep), KEYS_SECONDS);
  }

  /** Takes back what no worker has begun, and the keys; workers drop the rest. */
  async #leave(): Promise<void> {
    await Promise.allSettled([
      ...[...this.#underWay.keys()].map(job => this.#queue.remove(job)),
      this.#client.del(...[aliveKey, claimsKey, liarsKey].map(key => key(this.#sweep))),
    ]);
  }

  async #tellWhatIsMissing(): Promise<void> {
    const [counted, running] = await Promise.allSettled([this.#queue.getWorkersCount(), this.#queue.getActiveCount()]);
    if (counted.status === 'rejected' || running.status === 'rejected' || running.value > 0) return;
    const command = `servent sim worker --redis redis://${this.#link.where}`;
    note(
      this.#terminal,
      `waiting: ${counted.value} workers are there and none can take what is left, as ${this.#replicas} different ones do each run; start another with "${command}"`,
    );
  }
}
