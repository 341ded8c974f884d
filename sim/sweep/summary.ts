// What came out of a sweep, one row for each combination of size and parameters: mean and spread of each figure over the seeds.
import type { Unit, UnitResult } from './units.ts';

export interface Figure {
  readonly mean: number;
  /** Sample standard deviation; 0 for one seed. */
  readonly spread: number;
  readonly unit: string;
}

export interface Row {
  readonly servents: number;
  readonly parameters: Readonly<Record<string, number>>;
  /** Seeds that have a result. */
  readonly seeds: number;
  /** Seeds whose measures are all as expected. */
  readonly ok: number;
  /** By name, those that are numbers for each seed; in the order of the model. */
  readonly figures: Readonly<Record<string, Figure>>;
}

/** `results`: one a unit, null where there is none. Rows come in the order of the units. */
export function summaryOf(units: readonly Unit[], results: readonly (UnitResult | null)[]): Row[] {
  const groups = new Map<string, { readonly unit: Unit; readonly results: UnitResult[] }>();
  units.forEach((unit, i) => {
    const key = JSON.stringify([unit.servents, unit.parameters]);
    const group = groups.get(key) ?? { unit, results: [] };
    groups.set(key, group);
    const result = results[i] ?? null;
    if (result !== null) group.results.push(result);
  });
  return [...groups.values()].map(({ unit, results }) => ({
    servents: unit.servents,
    parameters: unit.parameters,
    seeds: results.length,
    ok: results.filter(isOk).length,
    figures: figuresOf(results),
  }));
}

export function isOk({ measures }: UnitResult): boolean {
  return measures.every(({ ok }) => ok);
}

function figuresOf(results: readonly UnitResult[]): Record<string, Figure> {
  const [first, ...others] = results.map(({ measures }) => new Map(measures.map(measure => [measure.name, measure])));
  const figures: Record<string, Figure> = {};
  for (const [name, { measured, unit }] of first ?? []) {
    const values = [measured, ...others.map(measures => measures.get(name)?.measured)];
    const numbers = values.filter(value => typeof value === 'number');
    if (numbers.length === values.length) figures[name] = { ...spreadOf(numbers), unit };
  }
  return figures;
}

function spreadOf(values: readonly number[]): { mean: number; spread: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, spread: values.length < 2 ? 0 : Math.sqrt(squares / (values.length - 1)) };
}
