// The same sweep with one thread and with one for each core, in turn: how much faster the cores make it.
import { onAllCores } from '../cli/sim/all-cores.ts';
import { coresOfThisMachine } from '../cli/sim/threads.ts';
import { gnutella04 } from '../sim/models/gnutella04.ts';
import { planOf } from '../sim/sweep/plan.ts';
import { unitsOf } from '../sim/sweep/units.ts';

export const about = 'sweep: 40 runs of gnutella04 with 1,000 servents, with one thread and with one for each core';

const ROUNDS = 2;
const SEEDS = 40;

interface Took {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

const silent = { stdout: { write: () => true }, stderr: { write: () => true }, env: {}, cwd: '.' };

async function sweep(workers: number): Promise<Took> {
  const plan = planOf({ model: gnutella04.name, seeds: SEEDS }, [gnutella04], { servents: 1_000, seconds: 60 });
  const tasks = unitsOf(plan).map(unit => ({ kind: 'unit' as const, unit }));
  const cpu = process.cpuUsage();
  const began = performance.now();
  await onAllCores(silent, { tasks, workers, what: 'runs' }, new AbortController().signal);
  const { user, system } = process.cpuUsage(cpu);
  return { seconds: (performance.now() - began) / 1000, cpuSeconds: (user + system) / 1e6 };
}

/** The best of some rounds, as others' work on the machine only slows them. */
function best(rounds: readonly Took[]): Took {
  const least = (name: keyof Took): number => Number(Math.min(...rounds.map(round => round[name])).toFixed(2));
  return { seconds: least('seconds'), cpuSeconds: least('cpuSeconds') };
}

export async function run(): Promise<Record<string, unknown>> {
  const cores = coresOfThisMachine();
  const ones: Took[] = [];
  const alls: Took[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    ones.push(await sweep(1));
    alls.push(await sweep(cores));
  }
  const [one, all] = [best(ones), best(alls)];
  return { runs: SEEDS, cores, one, all, faster: Number((one.seconds / all.seconds).toFixed(2)) };
}
