// What a sweep writes into Redis for a worker, what the worker answers, and the names of the keys of both.

/** Of BullMQ: all sweeps at one Redis share it. */
export const QUEUE = 'servent-sweep';

/** A unit for a worker; `work` is checked by the simulator. */
export interface Order {
  readonly sweep: string;
  readonly unit: number;
  readonly work: unknown;
}

export interface Answer {
  readonly worker: string;
  readonly result?: unknown;
  /** In place of a result: why there is none. */
  readonly error?: string;
}

const NAME_MAX = 100;
const ERROR_MAX = 300;

export function orderIn(data: unknown): Order | null {
  if (!isRecord(data)) return null;
  const { sweep, unit, work } = data;
  if (typeof sweep !== 'string' || !/^[\da-f-]{36}$/.test(sweep)) return null;
  return typeof unit === 'number' && Number.isSafeInteger(unit) && unit >= 0 ? { sweep, unit, work } : null;
}

/** BullMQ hands it over parsed or as text. */
export function answerIn(value: unknown): Answer | null {
  const data = typeof value === 'string' ? parsed(value) : value;
  if (!isRecord(data)) return null;
  const { worker, result, error } = data;
  if (typeof worker !== 'string' || worker.length > NAME_MAX) return null;
  return typeof error === 'string' ? { worker, error: error.slice(0, ERROR_MAX) } : { worker, result };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // the worker writes something else
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** Redis drops the keys of a sweep that did not end well so long after their last use. */
export const KEYS_SECONDS = 86_400;
/** Set while the sweep runs. */
export const aliveKey = (sweep: string): string => `servent:sweep:${sweep}:alive`;
/** Hash: which job each worker has taken for each unit. */
export const claimsKey = (sweep: string): string => `servent:sweep:${sweep}:claims`;
/** Set of workers whose results do not count. */
export const liarsKey = (sweep: string): string => `servent:sweep:${sweep}:liars`;
