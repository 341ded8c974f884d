// Largest sizes of a run that the command line takes.
export const BOUNDS = { servents: 2_000_000, seconds: 30 * 86_400 } as const;
export const WORKERS_MAX = 1024;
