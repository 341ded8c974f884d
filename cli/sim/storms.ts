// sim storm, sim replay: whole servents in a hard time that a seed draws, watched by checkers; many seeds, or one again.
import { Command } from 'commander';
import type { Storm } from '../../sim/servents/storm.ts';
import { CommandError } from '../failure.ts';
import { wholeNumber } from '../numbers.ts';
import { outputOptions } from '../output.ts';
import { stopSignal } from '../signals.ts';
import { type Column, table } from '../table.ts';
import { note, print, printJson, type Terminal } from '../terminal.ts';
import { onAllCores } from './all-cores.ts';
import { BOUNDS, WORKERS_MAX } from './bounds.ts';
import type { StormTask } from './thread.ts';
import { coresOfThisMachine, TaskError } from './threads.ts';

interface StormFlags {
  servents: number;
  seconds: number;
  json?: boolean;
}

const SEED_MAX = 0xffff_ffff;
const SEEDS_MAX = 1_000_000;

function stormOptions(command: Command): Command {
  return outputOptions(command)
    .option('--servents <n>', 'servents of the network', wholeNumber(2, BOUNDS.servents), 300)
    .option('--seconds <n>', 'virtual seconds', wholeNumber(1, BOUNDS.seconds), 90);
}

/** One row a seed; `findings` has the first ones, `counts` all of them by rule. */
export function documentOf(
  { seed, servents, seconds }: StormTask,
  { traceHash, searches, found, checked, findings, counts }: Storm,
) {
  return { seed, servents, seconds, traceHash, searches, found, checked, counts: Object.fromEntries(counts), findings };
}

export type StormDocument = ReturnType<typeof documentOf>;

export function replayCommand(terminal: Terminal): Command {
  return stormOptions(
    new Command('replay').description('run the storm of one seed again and say what the checkers find'),
  )
    .argument('<seed>', 'seed of the storm, as "servent sim storm" names it', wholeNumber(0, SEED_MAX))
    .option('--twice', 'run it twice and compare what happened')
    .action(async (seed: number, { servents, seconds, twice, json }: StormFlags & { twice?: true }) => {
      const tasks = Array.from({ length: twice === true ? 2 : 1 }, () => ({ seed, servents, seconds }));
      reportReplay(terminal, await storms(terminal, tasks, tasks.length), json === true);
    });
}

/** Of one storm, run once or twice. Throws when they differ, and when there are findings. */
export function reportReplay(terminal: Terminal, runs: readonly StormDocument[], json: boolean): void {
  const [first] = runs;
  if (first === undefined) return;
  const hashes = runs.map(({ traceHash }) => traceHash);
  if (json) printJson(terminal, runs.length > 1 ? { ...first, traceHashes: hashes } : first, first.findings);
  else show(terminal, first, hashes);
  if (new Set(hashes).size > 1)
    throw new CommandError(`seed ${first.seed} ran differently twice: ${hashes.join(', ')}`);
  if (first.findings.length > 0) throw new CommandError(`seed ${first.seed}: ${countsOf(first)}`);
}

function show(terminal: Terminal, storm: StormDocument, hashes: readonly string[]): void {
  const { seed, servents, seconds, traceHash, searches, found, checked, findings } = storm;
  print(terminal, `seed ${seed}: ${servents} servents, ${seconds} s, trace ${traceHash}`);
  print(terminal, `${checked} descriptors checked, ${found} of ${searches} searches found something`);
  if (hashes.length > 1)
    print(terminal, `twice: ${hashes.every(hash => hash === traceHash) ? 'the same' : hashes.join(', ')}`);
  if (findings.length === 0) print(terminal, 'clean: the checkers found nothing');
  else print(terminal, `\n${table(FINDING_COLUMNS, [...findings])}`);
}

const FINDING_COLUMNS: readonly Column<Storm['findings'][number]>[] = [
  { title: 'RULE', of: ({ rule }) => rule },
  { title: 'AT', of: ({ atMs }) => `${(atMs / 1000).toFixed(3)} s`, right: true },
  { title: 'HOST', of: ({ host }) => String(host), right: true },
  { title: 'WHAT', of: ({ text }) => text },
];

function countsOf({ counts }: StormDocument): string {
  return Object.entries(counts)
    .map(([rule, count]) => `${rule} ${count}`)
    .join(', ');
}

export function stormCommand(terminal: Terminal): Command {
  return stormOptions(
    new Command('storm').description(
      'run networks of whole servents under churn, loss and a partition, one for each seed; checkers watch',
    ),
  )
    .option('--seeds <n>', 'how many seeds', wholeNumber(1, SEEDS_MAX), 20)
    .option('--first <seed>', 'the first of them', wholeNumber(0, SEED_MAX - SEEDS_MAX), 1)
    .option('--workers <n>', 'runs at once (default: one a core)', wholeNumber(1, WORKERS_MAX))
    .action(async (flags: StormFlags & { seeds: number; first: number; workers?: number }) => {
      const { seeds, first, servents, seconds, workers = coresOfThisMachine(), json } = flags;
      const began = performance.now();
      const tasks = Array.from({ length: seeds }, (_, i) => ({ seed: first + i, servents, seconds }));
      const done = await storms(terminal, tasks, workers);
      const took = Number(((performance.now() - began) / 1000).toFixed(3));
      if (json === true) printJson(terminal, { servents, seconds, took, seeds: done }, done);
      else print(terminal, `${done.length} seeds of ${servents} servents and ${seconds} s in ${took} s`);
      reportStorms(terminal, done, json === true);
    });
}

/** Names each seed with findings on standard error, and throws when there is one. */
export function reportStorms(terminal: Terminal, done: readonly StormDocument[], json: boolean): void {
  const sum = (of: (storm: StormDocument) => number): number => done.reduce((all, storm) => all + of(storm), 0);
  const failing = done.filter(({ findings }) => findings.length > 0);
  if (!json) {
    const searches = `${sum(storm => storm.found)} of ${sum(storm => storm.searches)} searches found something`;
    print(terminal, `${sum(storm => storm.checked)} descriptors checked, ${searches}`);
    print(
      terminal,
      failing.length === 0 ? 'clean: the checkers found nothing' : `${failing.length} seeds with findings`,
    );
  }
  for (const storm of failing)
    note(terminal, `seed ${storm.seed}: ${countsOf(storm)}; see "servent sim replay ${storm.seed}${sizesOf(storm)}"`);
  if (failing.length > 0) throw new CommandError(`findings with seed ${failing.map(({ seed }) => seed).join(', ')}`);
}

const sizesOf = ({ servents, seconds }: StormTask): string => ` --servents ${servents} --seconds ${seconds}`;

/** In the order of the tasks. Rejects when one came to nothing. */
async function storms(terminal: Terminal, seeds: readonly StormTask[], workers: number): Promise<StormDocument[]> {
  const signal = stopSignal(terminal);
  const tasks = seeds.map(storm => ({ kind: 'storm' as const, storm }));
  const answers = await onAllCores(terminal, { tasks, workers, what: 'storms' }, signal);
  return seeds.map((task, i) => {
    const answer = answers[i];
    if (answer === undefined || answer instanceof TaskError || answer.kind !== 'storm')
      throw new CommandError(`seed ${task.seed}: ${answer instanceof TaskError ? answer.message : 'no answer'}`);
    return documentOf(task, answer.result);
  });
}
