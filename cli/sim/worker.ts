// sim worker: does units of sweeps that come over Redis, until it is told to stop.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { hostname } from 'node:os';
import type { Job } from 'bullmq';
import { Command } from 'commander';
import type { Unit, UnitResult } from '../../sim/sweep/units.ts';
import { CommandError, EndedBySignal } from '../failure.ts';
import { inSimulator } from '../in-simulator.ts';
import { wholeNumber } from '../numbers.ts';
import { stopSignal } from '../signals.ts';
import { note, type Terminal } from '../terminal.ts';
import { BOUNDS, WORKERS_MAX } from './bounds.ts';
import { connectRedis, type RedisLink, redisUrl } from './redis.ts';
import { coresOfThisMachine, TaskError, Threads } from './threads.ts';
import { type Answer, aliveKey, claimsKey, KEYS_SECONDS, liarsKey, orderIn, QUEUE } from './work-order.ts';

export interface WorkerOptions {
  readonly redis: URL;
  /** Units at once. */
  readonly workers: number;
  /** A worker that says nothing for so long has its units taken over. */
  readonly lockMs?: number;
  /** Between what a run shows and what is answered; for tests. */
  readonly alter?: (result: UnitResult) => UnitResult;
}

const LOCK_MS = 4_000;
/** Takeovers of one unit; then it is taken to be what ends workers. */
const STALLED_MAX = 5;
/** A unit that needs a worker other than this one is looked at again after so long. */
const OTHERS_FIRST_MS = 250;
/** BullMQ waits so long when Redis is gone, also when it is closed meanwhile. */
const RETRY_MS = 500;
const UNIT_SECONDS_MAX = 3_600;

export function workerCommand(terminal: Terminal): Command {
  return new Command('worker')
    .description('do runs of sweeps that others give out over Redis, until Ctrl-C')
    .requiredOption('--redis <url>', 'the Redis of the sweep, as redis://HOST:6379', redisUrl)
    .option('--workers <n>', 'runs at once (default: one a core)', wholeNumber(1, WORKERS_MAX))
    .action(({ redis, workers = coresOfThisMachine() }: { redis: URL; workers?: number }) =>
      workFor(terminal, { redis, workers }),
    );
}

/** Resolves when a signal ends it; rejects with a CommandError when Redis goes away or a sweep names it a liar. */
export async function workFor(terminal: Terminal, options: WorkerOptions): Promise<void> {
  const stop = stopSignal(terminal);
  const link = await connectRedis(options.redis);
  const bullmq = await import('bullmq');
  const threads = new Threads({ workers: options.workers, secondsMax: UNIT_SECONDS_MAX });
  const named = new AbortController();
  const signal = AbortSignal.any([stop, link.gone, named.signal]);
  const work = new UnitWork({ ...options, link, threads, signal, onNamedLiar: reason => named.abort(reason) });
  const { lockMs = LOCK_MS } = options;
  const worker = new bullmq.Worker(
    QUEUE,
    async (job: Job, token?: string) => {
      const answer = await work.answer(job);
      if (answer !== null) return answer;
      await job.moveToDelayed(Date.now() + OTHERS_FIRST_MS, token);
      throw new bullmq.DelayedError();
    },
    {
      ...{ connection: link.client, concurrency: options.workers, name: work.name },
      ...{ lockDuration: lockMs, stalledInterval: lockMs / 2, maxStalledCount: STALLED_MAX },
      runRetryDelay: RETRY_MS,
    },
  );
  // a lost connection is told by `link.gone`, a lost lock by the sweep that gives the unit to another
  worker.on('error', () => undefined);
  try {
    await Promise.race([worker.waitUntilReady(), aborted(signal)]);
    note(
      terminal,
      `${work.name} does runs of sweeps at ${link.where}, ${options.workers} at once, ${threads.heapMib} MiB each`,
    );
    await aborted(signal);
  } finally {
    await threads.close();
    await link.close(worker);
  }
  note(terminal, `${work.name} did ${work.done} runs`);
  if (!(signal.reason instanceof EndedBySignal)) throw signal.reason;
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}

interface UnitWorkOptions extends Pick<WorkerOptions, 'alter'> {
  readonly link: RedisLink;
  readonly threads: Threads;
  readonly signal: AbortSignal;
  readonly onNamedLiar: (reason: CommandError) => void;
}

/** What is done with one unit that comes. */
class UnitWork {
  readonly #options: UnitWorkOptions;
  /** Different for each process, so that one that comes back is another worker. */
  readonly name = `${hostname().slice(0, 40)}-${process.pid}-${randomBytes(4).toString('hex')}`;
  done = 0;

  constructor(options: UnitWorkOptions) {
    this.#options = options;
  }

  /** Null: another worker must do it. */
  async answer({ id = '', data }: Job): Promise<Answer | null> {
    const { name } = this;
    const { client } = this.#options.link;
    const order = orderIn(data);
    if (order === null) return { worker: name, error: 'no unit of a sweep' };
    const { sweep } = order;
    if ((await client.exists(aliveKey(sweep))) === 0) return { worker: name, error: 'its sweep is over' };
    if ((await client.sismember(liarsKey(sweep), name)) === 1) this.#stopAsLiar();
    if (this.#options.signal.aborted) return null;
    if (!(await this.#claimed(claimsKey(sweep), `${order.unit} ${name}`, id))) return null;
    const [{ MODELS }, { unitIn }] = await Promise.all([inSimulator.models(), inSimulator.units()]);
    const unit = unitIn(order.work, MODELS, BOUNDS);
    if (unit === null) return { worker: name, error: `${name} does not know such a model, or not of such a size` };
    return await this.#run(unit);
  }

  async #run(unit: Unit): Promise<Answer | null> {
    const { name } = this;
    const { threads, signal, alter = result => result } = this.#options;
    try {
      const answer = await threads.run({ kind: 'unit', unit });
      if (answer.kind !== 'unit') return null;
      this.done++;
      return { worker: name, result: alter(answer.result) };
    } catch (error) {
      if (signal.aborted) return null; // given back
      if (error instanceof TaskError) return { worker: name, error: error.message };
      throw error;
    }
  }

  /** False: this worker has another job of the same unit, or had one. */
  async #claimed(claims: string, field: string, job: string): Promise<boolean> {
    const { client } = this.#options.link;
    if ((await client.hsetnx(claims, field, job)) === 0) return (await client.hget(claims, field)) === job;
    await client.expire(claims, KEYS_SECONDS);
    return true;
  }

  #stopAsLiar(): void {
    this.#options.onNamedLiar(
      new CommandError(
        'a sweep found other results than ours by several workers: look for another version or broken memory here',
      ),
    );
  }
}
