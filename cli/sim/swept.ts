// The outcome of a sweep, on this machine or on others.
import type { UnitResult } from '../../sim/sweep/units.ts';

/** What came out, in the order of the units. */
export interface Swept {
  /** Null where a unit came to nothing. */
  readonly results: readonly (UnitResult | null)[];
  /** Why, at its place. */
  readonly errors: readonly (string | null)[];
  readonly workers: number;
  /** Workers whose results were others than those that are accepted. */
  readonly liars: readonly string[];
}
