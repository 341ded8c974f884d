// What is stored of an entry of the upload queue, so that its id is good after a restart. Only entries of PARQ have ids that clients know.
import { endpointOrNull, formatEndpoint } from '../../../wire/endpoint.ts';
import type { EntryState, QueueEntry } from './queue-entry.ts';

/** Times are milliseconds since 1970; null: never. */
export interface QueueRecord {
  readonly id: string;
  readonly address: string;
  readonly agent: string | null;
  readonly key: string;
  readonly name: string;
  readonly size: number;
  /** HOST:PORT */
  readonly node: string | null;
  /** A client that had a slot is stored as `guarded`: its connection is gone after a restart. */
  readonly state: Extract<EntryState, 'waiting' | 'guarded' | 'dead'>;
  readonly enteredAt: number;
  readonly rank: number;
  /** Among records of the same rank, the lower number is first. */
  readonly number: number;
  readonly retryAt: number | null;
  readonly calls: number;
  readonly callRefusals: number;
  readonly callAt: number | null;
}

/** `past`: what to add to times of the machine to have wall times. */
export function recordOf(entry: QueueEntry, past: number): QueueRecord {
  const { id, load, agent, file, node, state, number, calls, callRefusals } = entry;
  const wall = (time: number) => (Number.isFinite(time) ? Math.round(time + past) : null);
  return {
    ...{ id, address: load.address, agent, ...file },
    node: node === null ? null : formatEndpoint(node),
    state: state === 'waiting' || state === 'dead' ? state : 'guarded',
    enteredAt: Math.round(entry.enteredAt + past),
    rank: Math.round(entry.rank + past),
    ...{ number, retryAt: wall(entry.retryAt), calls, callRefusals, callAt: wall(entry.callAt) },
  };
}

/** Gives an entry what its record says of times and calls. No time is later than `now`, that of the next request apart. */
export function recall(entry: QueueEntry, record: QueueRecord, past: number, now: number): void {
  const time = (wall: number | null, latest: number) =>
    wall === null ? Number.NEGATIVE_INFINITY : Math.min(latest, wall - past);
  entry.rank = time(record.rank, now);
  entry.retryAt = time(record.retryAt, now);
  entry.node = record.node === null ? null : endpointOrNull(record.node);
  entry.calls = record.calls;
  entry.callRefusals = record.callRefusals;
  entry.callAt = time(record.callAt, now);
}

/** Whether it is one, as records may be of another version. */
export function isQueueRecord(value: unknown): value is QueueRecord {
  if (typeof value !== 'object' || value === null) return false;
  const record = value as Record<keyof QueueRecord, unknown>;
  const { id, address, agent, key, name, size, node, state, retryAt, callAt } = record;
  return (
    typeof id === 'string' &&
    /^[0-9a-f]{32}$/.test(id) &&
    [address, key, name].every(text => typeof text === 'string') &&
    [agent, node].every(text => text === null || typeof text === 'string') &&
    [size, record.enteredAt, record.rank, record.number, record.calls, record.callRefusals].every(Number.isFinite) &&
    [retryAt, callAt].every(time => time === null || Number.isFinite(time)) &&
    ['waiting', 'guarded', 'dead'].includes(state as string)
  );
}

/** In the order of the queue. */
export const byPlace = (a: QueueRecord, b: QueueRecord): number => a.rank - b.rank || a.number - b.number;
