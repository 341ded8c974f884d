// The runs of a sweep, in a fixed order, and what each of them answers. Both can be read from messages of other machines.
import { equal, type Measure, type Rule } from '../measure.ts';
import type { Model } from '../model.ts';
import { simulate } from '../simulation.ts';
import { type Bounds, isRecord, isWhole, type Plan, SEED_MAX } from './plan.ts';

/** One run: all that it depends on. */
export interface Unit {
  readonly model: string;
  readonly servents: number;
  readonly seconds: number;
  readonly seed: number;
  /** Those that are swept; the others have the defaults of the model. */
  readonly parameters: Readonly<Record<string, number>>;
}

/** What a run shows. */
export interface UnitResult {
  readonly traceHash: string;
  readonly measures: readonly Measure[];
}

/** By size, then by each parameter, the last one fastest; the seeds of a combination follow each other. */
export function unitsOf({ model, seeds, servents, seconds, parameters }: Plan): Unit[] {
  let combinations: Record<string, number>[] = [{}];
  for (const [name, values] of Object.entries(parameters))
    combinations = combinations.flatMap(before => values.map(value => ({ ...before, [name]: value })));
  return servents.flatMap(size =>
    combinations.flatMap(combination =>
      seeds.map(seed => ({ model: model.name, servents: size, seconds, seed, parameters: combination })),
    ),
  );
}

/** Throws what the model throws. */
export function runUnit(
  { servents, seconds, seed, parameters }: Unit,
  model: Model,
  onProgress?: (share: number) => void,
): UnitResult {
  const { traceHash, measures } = simulate(model, { servents, seconds, seed, parameters, onProgress });
  return { traceHash, measures };
}

/** A unit in a message of another machine; null: it is none, or its model is not known, or it is too large. */
export function unitIn(message: unknown, models: readonly Model[], bounds: Bounds): Unit | null {
  if (!isRecord(message)) return null;
  const { model: name, servents, seconds, seed, parameters } = message;
  const model = models.find(known => known.name === name);
  if (model === undefined || !isRecord(parameters)) return null;
  const values: Record<string, number> = {};
  for (const [parameter, value] of Object.entries(parameters)) {
    if (!Object.hasOwn(model.parameters, parameter)) return null;
    if (typeof value !== 'number' || !Number.isFinite(value)) return null;
    values[parameter] = value;
  }
  if (!isWhole(servents, 2, bounds.servents) || !isWhole(seconds, 1, bounds.seconds)) return null;
  if (!isWhole(seed, 0, SEED_MAX)) return null;
  return { model: model.name, servents, seconds, seed, parameters: values };
}

const MEASURES_MAX = 1_000;
const TEXT_MAX = 1_000;
const RULES: readonly Rule[] = ['equal', 'near', 'at most', 'at least', 'told'];

/** A result in a message of another machine, with nothing else in it; null: it is none. */
export function resultIn(message: unknown): UnitResult | null {
  if (!isRecord(message)) return null;
  const { traceHash, measures } = message;
  if (typeof traceHash !== 'string' || !/^[\da-f]{1,64}$/.test(traceHash)) return null;
  if (!Array.isArray(measures) || measures.length > MEASURES_MAX) return null;
  const read = measures.flatMap((measure: unknown) => measureIn(measure) ?? []);
  return read.length === measures.length ? { traceHash, measures: read } : null;
}

function measureIn(message: unknown): Measure | null {
  if (!isRecord(message)) return null;
  const { name, expected, measured, unit, source, rule, tolerance, ok } = message;
  const known = RULES.find(candidate => candidate === rule);
  if (known === undefined || typeof ok !== 'boolean') return null;
  if (!isText(name) || !isText(unit) || !isText(source)) return null;
  if (!isFigure(measured) || !(expected === null || isFigure(expected))) return null;
  if (tolerance !== null && typeof tolerance !== 'number') return null;
  return { ...equal(name, '', measured, { unit, source }), expected, rule: known, tolerance, ok };
}

const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= TEXT_MAX;
const isFigure = (value: unknown): value is number | string => typeof value === 'number' || isText(value);
