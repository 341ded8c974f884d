// The spans of time that graphs can show.
export const RANGES = ['minute', 'hour', 'day'] as const;
export type Range = (typeof RANGES)[number];
