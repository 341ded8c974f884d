// What a question to a recording is: a name, what it teaches, its SQL, and what is made of the rows.
import type { Dialect } from './dialect.ts';
import type { TableName } from './tables.ts';

export type Value = string | number | null;
export type Row = Readonly<Record<string, Value>>;

/** Points of one line of a picture. */
export interface Series {
  readonly name: string;
  readonly axes: readonly [x: string, y: string];
  readonly x: readonly number[];
  readonly y: readonly number[];
}

export interface Asked {
  /** Most rows of questions that list what is most frequent. */
  readonly top: number;
  /** Milliseconds of a step of questions over time. */
  readonly stepMs: number;
}

export interface Answer {
  readonly rows: readonly Row[];
  readonly series: readonly Series[];
}

export interface Question {
  readonly teaches: string;
  /** Columns of the answer and what they mean. */
  readonly columns: Readonly<Record<string, string>>;
  /** The table whose time is cut into steps; null: none is. */
  readonly over: TableName | null;
  readonly sql: (dialect: Dialect, asked: Asked) => string;
  readonly answer: (rows: readonly Row[], asked: Asked) => Answer;
}

export const number = (value: Value | undefined): number => (typeof value === 'number' ? value : Number(value ?? 0));

/** A line of one column over another. */
export function lineOf(
  rows: readonly Row[],
  [x, y]: readonly [x: string, y: string],
  axes: readonly [string, string],
  name: string = y,
): Series {
  return { name, axes, x: rows.map(row => number(row[x])), y: rows.map(row => number(row[y])) };
}

/** Rows with the beginning of their step as a time. */
export function timed(rows: readonly Row[]): Row[] {
  return rows.map(({ step, ...rest }) => ({ at: new Date(number(step)).toISOString(), ...rest }));
}

/** A line over the seconds since the first step. */
export function overTime(rows: readonly Row[], column: string, label: string, name = column): Series {
  const first = number(rows[0]?.['step']);
  return {
    name,
    axes: ['seconds', label],
    x: rows.map(row => (number(row['step']) - first) / 1000),
    y: rows.map(row => number(row[column])),
  };
}

const STEPS_MS = [1, 2, 5, 10, 30, 60, 300, 600, 1800, 3600, 21_600, 86_400, 604_800].map(seconds => seconds * 1000);
const STEPS_WANTED = 60;

/** Milliseconds of a step so that a time of this length has about 60. */
export function stepFor(spanMs: number): number {
  return STEPS_MS.find(step => spanMs / step <= STEPS_WANTED) ?? STEPS_MS.at(-1) ?? 1000;
}
