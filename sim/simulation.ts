// Runs a model and puts what came out into one document.
import type { Measure } from './measure.ts';
import { defaultsOf, type Model, type Range, type Run, type Series } from './model.ts';
import { SeededRandom } from './seeded-random.ts';
import type { SearchCosts } from './workload/search-costs.ts';

/** Absent: the model's own. */
export interface SimulationOptions {
  readonly seed?: number | undefined;
  readonly servents?: number | undefined;
  readonly seconds?: number | undefined;
  readonly parameters?: Readonly<Record<string, number>> | undefined;
  readonly onProgress?: ((share: number) => void) | undefined;
}

export interface Simulation {
  readonly model: string;
  readonly system: string;
  readonly seed: number;
  readonly servents: number;
  readonly seconds: number;
  readonly parameters: Readonly<Record<string, number>>;
  readonly traceHash: string;
  readonly measures: readonly Measure[];
  readonly series: readonly Series[];
}

/** A parameter that the model does not have, or a size or a value that it cannot run with. */
export class ParameterError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ParameterError';
  }
}

/** Throws ParameterError. */
export function simulate(model: Model, options: SimulationOptions = {}): Simulation {
  const run = runOf(model, options);
  const { measures, series, traceHash } = model.run(run);
  const { seed, servents, seconds, parameters } = run;
  return { model: model.name, system: model.system, seed, servents, seconds, parameters, traceHash, measures, series };
}

/** The searches that all systems share; null for a model without. Throws ParameterError. */
export function searchIn(model: Model, options: SimulationOptions = {}): SearchCosts | null {
  if (model.searches === undefined) return null;
  const run = runOf(model, options);
  // servers and trackers, which a network has besides, are not counted as servents
  return { ...model.searches(run), servents: run.servents };
}

function runOf(model: Model, options: SimulationOptions): Run {
  const { seed = 1, parameters = {}, onProgress = () => undefined } = options;
  const { servents = model.servents, seconds = model.seconds } = options;
  checkSizes(model, servents, seconds);
  for (const [name, value] of Object.entries(parameters)) checkParameter(model, name, value);
  return {
    seed,
    random: new SeededRandom(seed),
    servents,
    seconds,
    parameters: { ...defaultsOf(model), ...parameters },
    onProgress,
  };
}

/** Throws ParameterError. */
export function checkSizes({ name, bounds = {}, seconds: own }: Model, servents: number, seconds: number): void {
  if (bounds.seconds === null && seconds !== own)
    throw new ParameterError(`${name} runs until it is done: its seconds cannot be set`);
  for (const [what, value, range] of [
    ['servents', servents, bounds.servents],
    ['seconds', seconds, bounds.seconds],
  ] as const)
    if (range != null && !isWithin(value, range))
      throw new ParameterError(`${name} runs with ${range[0]} to ${range[1]} ${what}, not ${value}`);
}

/** Throws ParameterError. */
export function checkParameter(model: Model, name: string, value: number): void {
  const parameter = Object.hasOwn(model.parameters, name) ? model.parameters[name] : undefined;
  if (parameter === undefined) {
    const known = Object.keys(model.parameters);
    throw new ParameterError(
      known.length === 0
        ? `${model.name} has no parameters, so ${name} cannot be set`
        : `${model.name} has no parameter ${name}: it has ${known.join(', ')}`,
    );
  }
  const { range, whole = false } = parameter;
  if (!isWithin(value, range) || (whole && !Number.isInteger(value)))
    throw new ParameterError(
      `${name} of ${model.name} is a ${whole ? 'whole ' : ''}number from ${range[0]} to ${range[1]}, not ${value}`,
    );
}

const isWithin = (value: number, [least, most]: Range): boolean => value >= least && value <= most;
