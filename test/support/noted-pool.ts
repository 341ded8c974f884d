// A hash pool that notes how each file is read.
import { basename } from 'node:path';
import { type HashJob, HashPool } from '../../daemon/library/hash-pool.ts';

export class NotedPool extends HashPool {
  readonly #reads: string[] = [];
  /** Called with each job before it may start. */
  before: (job: HashJob) => unknown = () => undefined;

  override submit(job: HashJob): void {
    const how = job.isHashed ? 'judged' : (job.leaves ?? null) === null ? 'read' : 'sampled';
    this.#reads.push(`${basename(job.path)} ${how}`);
    this.before(job);
    super.submit(job);
  }

  /** What was read since the last call, such as `a sampled`, in order of names. */
  take(): string[] {
    return this.#reads.splice(0).sort();
  }
}
