// sim: models of networks, run and compared.
import { Command, InvalidArgumentError } from 'commander';
import type { Measure } from '../sim/measure.ts';
import type { Model, Series } from '../sim/model.ts';
import type { Simulation } from '../sim/simulation.ts';
import type { SearchCosts } from '../sim/workload/search-costs.ts';
import { CommandError, EXIT_FAILURE, usageError } from './failure.ts';
import { inSimulator } from './in-simulator.ts';
import { wholeNumber } from './numbers.ts';
import { outputOptions } from './output.ts';
import { BOUNDS } from './sim/bounds.ts';
import { formatFigure } from './sim/figure.ts';
import { replayCommand, stormCommand } from './sim/storms.ts';
import { sweepCommand } from './sim/sweep.ts';
import { workerCommand } from './sim/worker.ts';
import { type FigureFlags, figureOptions, giveFigures, makeFolders } from './sim-figures.ts';
import { type Column, table } from './table.ts';
import { note, print, printJson, type Terminal } from './terminal.ts';

interface ComparedFlags extends FigureFlags {
  seed: number;
  servents?: number;
  set: Record<string, number>;
}

interface RunFlags extends ComparedFlags {
  seconds?: number;
}

interface CompareFlags extends ComparedFlags {
  sizes?: number[];
}

export function simCommand(terminal: Terminal): Command {
  const sim = new Command('sim').description(
    'run models of networks: this servent at scale, and the systems it is compared with',
  );
  sim.addCommand(listCommand(terminal));
  sim.addCommand(runCommand(terminal));
  sim.addCommand(compareCommand(terminal));
  sim.addCommand(sweepCommand(terminal));
  sim.addCommand(workerCommand(terminal));
  sim.addCommand(stormCommand(terminal));
  sim.addCommand(replayCommand(terminal));
  return sim;
}

function listCommand(terminal: Terminal): Command {
  return outputOptions(new Command('list').description('list the models, with the system that each stands for')).action(
    async ({ json }: { json?: true }) => {
      const { MODELS } = await inSimulator.models();
      const rows = MODELS.map(({ name, system, teaches, servents, seconds, parameters }) => ({
        ...{ name, system, teaches, servents, seconds },
        parameters: Object.entries(parameters).map(([parameter, about]) => ({ name: parameter, ...about })),
      }));
      if (json === true) return printJson(terminal, rows);
      print(terminal, table(MODEL_COLUMNS, [...MODELS]));
    },
  );
}

const MODEL_COLUMNS: readonly Column<Model>[] = [
  { title: 'NAME', of: ({ name }) => name },
  { title: 'SYSTEM', of: ({ system }) => system },
  { title: 'TEACHES', of: ({ teaches }) => teaches },
];

function runOptions(command: Command): Command {
  return outputOptions(command)
    .option('--seed <n>', 'seed of all randomness: the same seed gives the same run', wholeNumber(0, 0xffff_ffff), 1)
    .option('--servents <n>', 'nodes of the network (default: the model’s own)', wholeNumber(2, BOUNDS.servents))
    .option(
      '--set <name=value>',
      'a parameter of the model, as "servent sim list --json" names them; may repeat',
      parameter,
      {},
    );
}

function parameter(text: string, before: Record<string, number>): Record<string, number> {
  const [, name, value] = /^([a-z][A-Za-z0-9]*)=(-?\d+(?:\.\d+)?)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError('Expected NAME=NUMBER.');
  return { ...before, [name]: Number(value) };
}

function runCommand(terminal: Terminal): Command {
  return figureOptions(
    runOptions(new Command('run').description('run a model and say what came out beside what is expected')),
  )
    .option('--seconds <n>', 'virtual seconds (default: the model’s own)', wholeNumber(1, BOUNDS.seconds))
    .argument('<name>', 'a model, as "servent sim list" names it')
    .action(async (name: string, flags: RunFlags) => {
      const model = await modelNamed(name);
      await makeFolders(flags, terminal);
      const { simulate } = await inSimulator.simulation();
      const { seed, servents, seconds, set } = flags;
      const done = misused(() => simulate(model, { seed, servents, seconds, parameters: set }));
      if (flags.json === true) printJson(terminal, done, done.measures);
      else show(terminal, done);
      await giveFigures(name, done.series, flags, terminal);
      const wrong = done.measures.filter(({ ok }) => !ok);
      if (wrong.length > 0)
        throw new CommandError(`not as expected: ${wrong.map(measure => measure.name).join(', ')}`, EXIT_FAILURE);
    });
}

async function modelNamed(name: string): Promise<Model> {
  const { MODELS, modelOf } = await inSimulator.models();
  const model = modelOf(name);
  if (model === null) throw usageError(`no model ${name}: there are ${MODELS.map(known => known.name).join(', ')}`);
  return model;
}

/** What a wrong parameter is told as. */
function misused<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof Error && error.name === 'ParameterError') throw usageError(error.message);
    throw error;
  }
}

const MEASURE_COLUMNS: readonly Column<Measure>[] = [
  { title: '', of: ({ ok, rule }) => (rule === 'told' ? '·' : ok ? 'ok' : 'NOT') },
  { title: 'MEASURE', of: ({ name }) => name },
  { title: 'MEASURED', of: ({ measured }) => formatFigure(measured), right: true },
  { title: 'EXPECTED', of: expectation, right: true },
  { title: 'UNIT', of: ({ unit }) => unit },
  { title: 'SOURCE', of: ({ source }) => source },
];

function expectation({ rule, expected, tolerance }: Measure): string {
  if (expected === null) return '';
  const figure = formatFigure(expected);
  if (rule === 'at most') return `≤ ${figure}`;
  if (rule === 'at least') return `≥ ${figure}`;
  return rule === 'near' ? `${figure} ± ${formatFigure(tolerance ?? 0)}` : figure;
}

function show(terminal: Terminal, { model, system, seed, servents, seconds, traceHash, measures }: Simulation): void {
  print(terminal, `${model}: ${system}, ${servents} servents, ${seconds} s, seed ${seed}, trace ${traceHash}\n`);
  print(terminal, table(MEASURE_COLUMNS, [...measures]));
}

type CostRow = SearchCosts & { readonly model: string };

const COST_COLUMNS: readonly Column<CostRow>[] = [
  { title: 'MODEL', of: ({ model }) => model },
  { title: 'SERVENTS', of: ({ servents }) => String(servents), right: true },
  { title: 'MESSAGES/SEARCH', of: ({ messages }) => formatFigure(messages), right: true },
  { title: 'SUCCESS', of: ({ success }) => `${formatFigure(100 * success)} %`, right: true },
  { title: 'LATENCY MS', of: ({ latencyMs }) => formatFigure(Math.round(latencyMs)), right: true },
  { title: 'LOAD MOST', of: ({ loadMost }) => formatFigure(loadMost), right: true },
  { title: 'LOAD MEDIAN', of: ({ loadMedian }) => formatFigure(loadMedian), right: true },
];

function compareCommand(terminal: Terminal): Command {
  const command = new Command('compare').description(
    'put the same searches to several models and compare what they cost',
  );
  return figureOptions(runOptions(command))
    .option('--sizes <n,n,…>', 'compare networks of each of these sizes in place of one of --servents', sizes)
    .argument('<names...>', 'models, as "servent sim list" names them')
    .action(async (names: string[], flags: CompareFlags) => {
      const models = await Promise.all(names.map(modelNamed));
      checkTogether(models, flags);
      await makeFolders(flags, terminal);
      const rows: CostRow[] = [];
      for (const model of models) {
        const costs = await costsIn(model, flags);
        if (costs.length === 0) note(terminal, `${model.name} has no searches: left out`);
        rows.push(...costs);
      }
      if (flags.json === true) printJson(terminal, rows);
      else if (rows.length > 0) print(terminal, table(COST_COLUMNS, rows));
      await giveFigures('compare', costSeries(rows), flags, terminal);
    });
}

function sizes(text: string): number[] {
  const numbers = text.split(',').map(Number);
  if (numbers.every(number => Number.isInteger(number) && number >= 2 && number <= BOUNDS.servents)) return numbers;
  throw new InvalidArgumentError(`Expected whole numbers from 2 to ${BOUNDS.servents}, with commas between them.`);
}

/** Throws when a flag would have no effect. */
function checkTogether(models: readonly Model[], { set, servents, sizes: several }: CompareFlags): void {
  if (servents !== undefined && several !== undefined) throw usageError('give --servents or --sizes, not both');
  for (const name of Object.keys(set))
    if (!models.some(({ parameters }) => Object.hasOwn(parameters, name)))
      throw usageError(`none of the models has a parameter ${name}: see "servent sim list --json"`);
}

/** One row a size. A parameter counts for the models that have it. */
async function costsIn(model: Model, flags: CompareFlags): Promise<CostRow[]> {
  const { searchIn } = await inSimulator.simulation();
  const known = Object.entries(flags.set).filter(([name]) => Object.hasOwn(model.parameters, name));
  const options = { seed: flags.seed, parameters: Object.fromEntries(known) };
  return (flags.sizes ?? [flags.servents]).flatMap(servents => {
    const costs = misused(() => searchIn(model, { ...options, servents }));
    return costs === null ? [] : [{ model: model.name, ...costs }];
  });
}

const COST_FIGURES: Readonly<Record<string, (costs: SearchCosts) => number>> = {
  'messages a search': ({ messages }) => messages,
  'success, %': ({ success }) => 100 * success,
  'latency, ms': ({ latencyMs }) => latencyMs,
  'messages a search at the busiest node': ({ loadMost }) => loadMost,
};

/** For each figure a line a model, over the size of the network. */
function costSeries(rows: readonly CostRow[]): Series[] {
  const models = [...new Set(rows.map(({ model }) => model))];
  return Object.entries(COST_FIGURES).flatMap(([label, of]) =>
    models.map(name => {
      const own = rows.filter(({ model }) => model === name);
      return { name, axes: ['servents', label] as const, x: own.map(({ servents }) => servents), y: own.map(of) };
    }),
  );
}
