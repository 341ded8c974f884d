// sim sweep: one model with many sizes, parameters and seeds, on all cores or over many machines.
import { Command } from 'commander';
import type { Row } from '../../sim/sweep/summary.ts';
import type { Unit } from '../../sim/sweep/units.ts';
import { CommandError, usageError } from '../failure.ts';
import { inSimulator } from '../in-simulator.ts';
import { wholeNumber } from '../numbers.ts';
import { outputOptions } from '../output.ts';
import { stopSignal } from '../signals.ts';
import { type Column, table } from '../table.ts';
import { note, print, printJson, type Terminal } from '../terminal.ts';
import { onAllCores } from './all-cores.ts';
import { WORKERS_MAX } from './bounds.ts';
import { overMachines } from './coordinator.ts';
import { formatFigure } from './figure.ts';
import { redisUrl } from './redis.ts';
import { readPlan } from './sweep-file.ts';
import type { Swept } from './swept.ts';
import { coresOfThisMachine, TaskError } from './threads.ts';

interface SweepFlags {
  workers?: number;
  redis?: URL;
  replicas?: number;
  measure: string[];
  json?: boolean;
}

const REPLICAS_DEFAULT = 2;
const REPLICAS_MAX = 9;

export function sweepCommand(terminal: Terminal): Command {
  return outputOptions(
    new Command('sweep').description('run a model with many sizes, parameters and seeds, as a file says'),
  )
    .argument('<file>', 'YAML or JSON: model, seeds, servents, seconds, parameters')
    .option('--workers <n>', 'runs at once on this machine (default: one a core)', wholeNumber(1, WORKERS_MAX))
    .option('--redis <url>', 'give the runs to the workers at this Redis, as redis://HOST:6379', redisUrl)
    .option(
      '--replicas <n>',
      'with --redis: different workers that must agree on each run (default: 2)',
      wholeNumber(1, REPLICAS_MAX),
    )
    .option('--measure <name>', 'show this measure in the table, instead of all; may repeat', listed, [])
    .action((file: string, flags: SweepFlags) => sweep(terminal, file, flags));
}

const listed = (text: string, before: string[]): string[] => [...before, text];

async function sweep(terminal: Terminal, file: string, flags: SweepFlags): Promise<void> {
  const { workers, redis, replicas = REPLICAS_DEFAULT } = flags;
  if (redis !== undefined && workers !== undefined)
    throw usageError('--workers is for this machine: give it to "servent sim worker" when the sweep has --redis');
  if (redis === undefined && flags.replicas !== undefined)
    throw usageError('--replicas needs --redis: on this machine each run is done once');
  const began = performance.now();
  const plan = await readPlan(terminal, file);
  const [{ unitsOf }, { summaryOf, isOk }] = await Promise.all([inSimulator.units(), inSimulator.summary()]);
  const units = unitsOf(plan);
  const signal = stopSignal(terminal);
  const swept =
    redis === undefined
      ? await onThisMachine(terminal, units, workers ?? coresOfThisMachine(), signal)
      : await overMachines(terminal, { redis, units, replicas }, signal);
  const seconds = Number(((performance.now() - began) / 1000).toFixed(3));
  const done = units.flatMap((unit, i) => {
    const result = swept.results[i] ?? null;
    const { model: _, ...about } = unit;
    return result === null ? [] : [{ ...about, ...result }];
  });
  if (flags.json === true) {
    const document = { model: plan.model.name, workers: swept.workers, seconds, units: done };
    printJson(
      terminal,
      document,
      done.map(({ measures, ...unit }) => ({
        ...unit,
        ok: isOk({ traceHash: unit.traceHash, measures }),
        measures: Object.fromEntries(measures.map(({ name, measured }) => [name, measured])),
      })),
    );
  } else {
    const rows = summaryOf(units, swept.results);
    const known = [...new Set(rows.flatMap(({ figures }) => Object.keys(figures)))];
    const chosen = known.filter(name => flags.measure.length === 0 || flags.measure.includes(name));
    print(terminal, table(columnsOf(Object.keys(plan.parameters), chosen), rows));
    // what was run for a long time is shown all the same
    for (const name of flags.measure)
      if (!known.includes(name)) note(terminal, `no measure ${name}: there are ${known.join(', ')}`);
    note(terminal, `${done.length} runs of ${plan.model.name}, ${plan.seconds} virtual seconds each, in ${seconds} s`);
  }
  for (const liar of swept.liars) note(terminal, `liar: ${liar}, whose results differ from those of others`);
  refuseGaps(units, swept.errors);
}

async function onThisMachine(
  terminal: Terminal,
  units: readonly Unit[],
  workers: number,
  signal: AbortSignal,
): Promise<Swept> {
  const tasks = units.map(unit => ({ kind: 'unit' as const, unit }));
  const answers = await onAllCores(terminal, { tasks, workers, what: 'runs' }, signal);
  return {
    workers: Math.min(workers, units.length),
    liars: [],
    results: answers.map(answer => (answer instanceof TaskError || answer.kind !== 'unit' ? null : answer.result)),
    errors: answers.map(answer => (answer instanceof TaskError ? answer.message : null)),
  };
}

/** Runs that came to nothing make the sweep fail, after the others are shown. */
function refuseGaps(units: readonly Unit[], errors: readonly (string | null)[]): void {
  const [first, ...others] = units.flatMap((unit, i) => {
    const error = errors[i] ?? null;
    return error === null ? [] : [`${nameOf(unit)}: ${error}`];
  });
  if (first === undefined) return;
  throw new CommandError(others.length === 0 ? first : `${first}; and ${others.length} more runs failed`);
}

function nameOf({ servents, seed, parameters }: Unit): string {
  const set = Object.entries(parameters).map(([name, value]) => `, ${name} ${value}`);
  return `${servents} servents${set.join('')}, seed ${seed}`;
}

/** Size and parameters, seeds that were as expected, then the measures: mean ± spread. */
function columnsOf(parameters: readonly string[], measures: readonly string[]): Column<Row>[] {
  return [
    { title: 'SERVENTS', of: ({ servents }) => String(servents), right: true },
    ...parameters.map(name => ({
      title: name.toUpperCase(),
      of: (row: Row) => formatFigure(row.parameters[name] ?? ''),
      right: true,
    })),
    { title: 'OK', of: ({ ok, seeds }) => `${ok}/${seeds}`, right: true },
    ...measures.map(name => ({
      title: name.toUpperCase(),
      of: ({ figures: { [name]: figure } }: Row) =>
        figure === undefined
          ? ''
          : `${formatFigure(figure.mean)} ± ${formatFigure(figure.spread)} ${figure.unit}`.trimEnd(),
      right: true,
    })),
  ];
}
