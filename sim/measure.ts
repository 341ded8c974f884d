// What a run is asked to show: a figure, what is expected of it, by which source, and whether it holds.
export type Rule = 'equal' | 'near' | 'at most' | 'at least' | 'told';

export interface Measure {
  readonly name: string;
  /** Null where nothing is expected: the figure is only told. */
  readonly expected: number | string | null;
  readonly measured: number | string;
  readonly unit: string;
  /** Where the expectation comes from. */
  readonly source: string;
  readonly rule: Rule;
  /** Largest difference that `near` takes. */
  readonly tolerance: number | null;
  readonly ok: boolean;
}

/** Of figures from 0 to 1. */
export const SHARE = { unit: 'share' } as const;

export interface Labels {
  readonly unit?: string;
  readonly source: string;
}

function measure(
  name: string,
  rule: Rule,
  expected: number | string | null,
  measured: number | string,
  ok: boolean,
  { unit = '', source }: Labels,
  tolerance: number | null = null,
): Measure {
  return { name, expected, measured, unit, source, rule, tolerance, ok };
}

/** The figure is exactly that. */
export function equal(name: string, expected: number | string, measured: number | string, labels: Labels): Measure {
  return measure(name, 'equal', expected, measured, measured === expected, labels);
}

export function near(name: string, expected: number, tolerance: number, measured: number, labels: Labels): Measure {
  return measure(name, 'near', expected, measured, Math.abs(measured - expected) <= tolerance, labels, tolerance);
}

export function atMost(name: string, bound: number, measured: number, labels: Labels): Measure {
  return measure(name, 'at most', bound, measured, measured <= bound, labels);
}

export function atLeast(name: string, bound: number, measured: number, labels: Labels): Measure {
  return measure(name, 'at least', bound, measured, measured >= bound, labels);
}

/** A figure without an expectation. */
export function told(name: string, measured: number | string, labels: Labels): Measure {
  return measure(name, 'told', null, measured, true, labels);
}
