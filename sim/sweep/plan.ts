// What a sweep runs: one model, for each combination of sizes and parameters, once for each seed. Read from a document of a person.
import { defaultsOf, type Model } from '../model.ts';
import { checkParameter, checkSizes, ParameterError } from '../simulation.ts';

/** Largest sizes that a run may have. */
export interface Bounds {
  readonly servents: number;
  /** Of virtual time. */
  readonly seconds: number;
}

export interface Plan {
  readonly model: Model;
  readonly seeds: readonly number[];
  readonly servents: readonly number[];
  readonly seconds: number;
  /** The parameters that the document names, in its order, each with the values to run. */
  readonly parameters: Readonly<Record<string, readonly number[]>>;
}

/** The document is no plan; the message says what to change. */
export class PlanError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'PlanError';
  }
}

export const SEED_MAX = 0xffff_ffff;
/** Runs of one sweep. */
export const UNITS_MAX = 100_000;
const SEEDS_DEFAULT = 5;
const KEYS = ['model', 'seeds', 'servents', 'seconds', 'parameters'] as const;

/** Throws PlanError. */
export function planOf(document: unknown, models: readonly Model[], bounds: Bounds): Plan {
  if (!isRecord(document)) throw new PlanError(`a sweep is a mapping with the keys ${KEYS.join(', ')}`);
  for (const key of Object.keys(document))
    if (!KEYS.some(known => known === key)) throw new PlanError(`unknown key ${key}: use ${KEYS.join(', ')}`);
  const model = modelIn(document, models);
  const { seeds = SEEDS_DEFAULT, servents = model.servents, seconds = model.seconds, parameters = {} } = document;
  const plan: Plan = {
    model,
    seeds: seedsIn(seeds),
    servents: numbersIn(
      'servents',
      servents,
      value => isWhole(value, 2, bounds.servents),
      `from 2 to ${bounds.servents}`,
    ),
    seconds: secondsIn(seconds, bounds.seconds),
    parameters: parametersIn(model, parameters),
  };
  checkRuns(plan);
  const units = unitCount(plan);
  if (units > UNITS_MAX)
    throw new PlanError(`the sweep has ${units} runs, at most ${UNITS_MAX} are allowed: give fewer values or seeds`);
  return plan;
}

/** Each size and value by itself is one that the model runs with. */
function checkRuns({ model, servents, seconds, parameters }: Plan): void {
  try {
    for (const size of servents) checkSizes(model, size, seconds);
    for (const [name, values] of Object.entries(parameters))
      for (const value of values) checkParameter(model, name, value);
  } catch (error) {
    throw error instanceof ParameterError ? new PlanError(error.message) : error;
  }
}

/** Combinations times seeds. */
export function unitCount({ seeds, servents, parameters }: Plan): number {
  return Object.values(parameters).reduce((count, { length }) => count * length, seeds.length * servents.length);
}

function modelIn({ model: name }: Readonly<Record<string, unknown>>, models: readonly Model[]): Model {
  const known = models.map(model => model.name).join(', ');
  if (name === undefined) throw new PlanError(`the key model is missing: name one of ${known}`);
  const model = models.find(candidate => candidate.name === name);
  if (model === undefined) throw new PlanError(`no model ${text(name)}: name one of ${known}`);
  return model;
}

/** A count means the seeds from 1 on. */
function seedsIn(seeds: unknown): number[] {
  if (Array.isArray(seeds))
    return numbersIn('seeds', seeds, seed => isWhole(seed, 0, SEED_MAX), `from 0 to ${SEED_MAX}`);
  if (!isWhole(seeds, 1, UNITS_MAX))
    throw new PlanError(`seeds is ${text(seeds)}: give a count from 1 to ${UNITS_MAX}, or a list of seeds`);
  return Array.from({ length: seeds }, (_, i) => i + 1);
}

function secondsIn(seconds: unknown, max: number): number {
  if (!isWhole(seconds, 1, max))
    throw new PlanError(`seconds is ${text(seconds)}: give one whole number of virtual seconds from 1 to ${max}`);
  return seconds;
}

function parametersIn(model: Model, given: unknown): Record<string, number[]> {
  if (!isRecord(given)) throw new PlanError('parameters is no mapping: give NAME: VALUE or NAME: [VALUE, …]');
  const known = Object.keys(defaultsOf(model));
  return Object.fromEntries(
    Object.entries(given).map(([name, values]) => {
      if (!known.includes(name))
        throw new PlanError(
          known.length === 0
            ? `${model.name} has no parameters: remove ${name}`
            : `${model.name} has no parameter ${name}: use ${known.join(', ')}`,
        );
      return [name, numbersIn(`parameters.${name}`, values, isNumber, 'of any size')];
    }),
  );
}

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

export function isWhole(value: unknown, min: number, max: number): value is number {
  return Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max;
}

/** One number or a list of different ones. */
function numbersIn(key: string, given: unknown, fits: (value: unknown) => boolean, range: string): number[] {
  const values: unknown[] = Array.isArray(given) ? given : [given];
  if (values.length === 0) throw new PlanError(`${key} is an empty list: give one value at least, or remove it`);
  if (values.length > UNITS_MAX) throw new PlanError(`${key} has more than ${UNITS_MAX} values: give fewer`);
  const numbers = new Set<number>();
  for (const value of values) {
    if (typeof value !== 'number' || !fits(value))
      throw new PlanError(`${key} has ${text(value)}: give numbers ${range}`);
    if (numbers.has(value)) throw new PlanError(`${key} has ${value} twice: give it once`);
    numbers.add(value);
  }
  return [...numbers];
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** At most 60 characters of a value, for a message. */
function text(value: unknown): string {
  const json = JSON.stringify(value) ?? 'nothing';
  return json.length > 60 ? `${json.slice(0, 59)}…` : json;
}
