// A model of a network: what it stands for, what it can be told, and what a run of it answers.
import type { Measure } from './measure.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { SearchCosts } from './workload/search-costs.ts';

/** A number that a run can be given in place of the default one. */
export interface Parameter {
  readonly value: number;
  /** The least and the most that it may be. */
  readonly range: Range;
  /** Only whole numbers make sense. */
  readonly whole?: true;
  readonly unit: string;
  readonly meaning: string;
}

export type Range = readonly [least: number, most: number];

export interface Run {
  readonly seed: number;
  readonly random: SeededRandom;
  readonly servents: number;
  /** Of virtual time. */
  readonly seconds: number;
  /** Each parameter of the model, by name. */
  readonly parameters: Readonly<Record<string, number>>;
  /** Called now and then with the share that is done, 0 to 1. */
  readonly onProgress: (share: number) => void;
}

export interface Series {
  readonly name: string;
  /** Names of the axes. */
  readonly axes: readonly [x: string, y: string];
  readonly x: readonly number[];
  readonly y: readonly number[];
}

export interface Outcome {
  readonly measures: readonly Measure[];
  readonly series: readonly Series[];
  /** Hexadecimal; the same for each run with the same seed and settings. */
  readonly traceHash: string;
}

export interface Model {
  readonly name: string;
  /** The system that it stands for. */
  readonly system: string;
  /** One sentence: what it teaches. */
  readonly teaches: string;
  /** Of a run that names none. */
  readonly servents: number;
  readonly seconds: number;
  /** Sizes that it can run with; absent: any. `null` for seconds: it runs until it is done, and nobody can say how long. */
  readonly bounds?: { readonly servents?: Range; readonly seconds?: Range | null };
  readonly parameters: Readonly<Record<string, Parameter>>;
  run(run: Run): Outcome;
  /** The workload that all searching systems share, in this one; absent: it has no search. */
  searches?(run: Run): SearchCosts;
}

/** The default of each parameter. */
export function defaultsOf(model: Model): Record<string, number> {
  return Object.fromEntries(Object.entries(model.parameters).map(([name, { value }]) => [name, value]));
}
