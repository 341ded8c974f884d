// Periods of the graphs.
export const RANGES = ['minute', 'hour', 'day'] as const;
export type Range = (typeof RANGES)[number];
