// Periods of the graphs.
export const RANGES = ['minute', 'hour', 'day', 'month', 'year'] as const;
export type Range = (typeof RANGES)[number];

/** Statistics of queries reach back a day. */
export const statsSpan = (range: Range): 'minute' | 'hour' | 'day' =>
  range === 'month' || range === 'year' ? 'day' : range;
