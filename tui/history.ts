// Keeps rates of the last minute, hour, day, month and year in rings; rings of the daemon replace them. Pure.
import { RANGES, type Range } from './range.ts';

/** Values of one step each, oldest first. */
export interface Ring {
  readonly stepMs: number;
  readonly capacity: number;
  readonly values: readonly number[];
  /** Sum of the samples of the current step. */
  readonly sum: number;
  readonly count: number;
  readonly begunAt: number;
}

export const SERIES = ['messagesIn', 'messagesOut', 'queries', 'download', 'upload', 'peers'] as const;
export type SeriesName = (typeof SERIES)[number];

export type History = Readonly<Record<Range, Readonly<Record<SeriesName, readonly number[]>>>> & {
  readonly rings: Readonly<Record<Range, Readonly<Record<SeriesName, Ring>>>>;
};

const RINGS: Record<Range, { stepMs: number; capacity: number }> = {
  minute: { stepMs: 1000, capacity: 60 },
  hour: { stepMs: 30_000, capacity: 120 },
  day: { stepMs: 600_000, capacity: 144 },
  month: { stepMs: 3_600_000, capacity: 720 },
  year: { stepMs: 86_400_000, capacity: 366 },
};

const forEach = <K extends string, V>(keys: readonly K[], make: (key: K) => V): Record<K, V> =>
  Object.fromEntries(keys.map(key => [key, make(key)])) as Record<K, V>;

const noRing = (name: Range): Ring => ({ ...RINGS[name], values: [], sum: 0, count: 0, begunAt: 0 });

export const noHistory: History = fromRings(forEach(RANGES, name => forEach(SERIES, () => noRing(name))));

function fromRings(rings: History['rings']): History {
  const valuesOf = (name: Range) => forEach(SERIES, series => live(rings[name][series]));
  return { ...forEach(RANGES, valuesOf), rings };
}

/** Values including the current, unfinished step. */
function live({ values, sum, count }: Ring): readonly number[] {
  return count === 0 ? values : [...values, sum / count];
}

/** Adds a sample of each series, taken at `at`. */
export function addSample(history: History, at: number, sample: Readonly<Record<SeriesName, number>>): History {
  return fromRings(
    forEach(RANGES, name => forEach(SERIES, series => addTo(history.rings[name][series], at, sample[series]))),
  );
}

function addTo(ring: Ring, at: number, value: number): Ring {
  const { stepMs, capacity } = ring;
  if (ring.count === 0 || at < ring.begunAt) return { ...ring, sum: value, count: 1, begunAt: at };
  const steps = Math.floor((at - ring.begunAt) / stepMs);
  if (steps === 0) return { ...ring, sum: ring.sum + value, count: ring.count + 1 };
  const mean = ring.sum / ring.count;
  // a late sample also fills the steps without one
  const filled = new Array<number>(Math.min(steps, capacity)).fill(mean);
  const values = [...ring.values, ...filled].slice(-capacity);
  return { ...ring, values, sum: value, count: 1, begunAt: ring.begunAt + steps * stepMs };
}

/** Resamples to `count` values by averaging or repeating; a partly filled ring is aligned right. */
export function stretch(values: readonly number[], count: number, capacity: number): number[] {
  const out: number[] = [];
  const perValue = count / capacity;
  const wanted = Math.min(count, Math.round(values.length * perValue));
  for (let i = 0; i < wanted; i++) {
    const from = Math.floor((i * values.length) / wanted);
    const to = Math.max(from + 1, Math.floor(((i + 1) * values.length) / wanted));
    let sum = 0;
    for (let j = from; j < to; j++) sum += values[j] ?? 0;
    out.push(sum / (to - from));
  }
  return out;
}

export const capacityOf = (name: Range): number => RINGS[name].capacity;

/** A ring of the daemon: `step` in seconds, values oldest first. */
export type ToldRing = Readonly<Partial<Record<SeriesName, readonly number[]>>> & { readonly step: number };

/** Converts the daemon's rings to our steps; `at` is the time of the answer. */
export function historyFrom(told: Readonly<Partial<Record<Range, ToldRing>>>, at: number): History {
  return fromRings(
    forEach(RANGES, name =>
      forEach(SERIES, series => {
        const { stepMs, capacity } = RINGS[name];
        const ring = told[name];
        const values = ring === undefined ? [] : inSteps(ring[series] ?? [], ring.step * 1000, stepMs).slice(-capacity);
        return { ...noRing(name), values, begunAt: at };
      }),
    ),
  );
}

/** Converts values to another step, aligned at the newest. */
function inSteps(values: readonly number[], stepMs: number, wantedMs: number): number[] {
  if (!(stepMs > 0)) return [];
  const count = Math.floor((values.length * stepMs) / wantedMs);
  const out = new Array<number>(count).fill(0);
  for (let i = 0; i < count; i++) {
    const to = values.length - Math.floor((i * wantedMs) / stepMs);
    const from = Math.min(to - 1, values.length - Math.floor(((i + 1) * wantedMs) / stepMs));
    let sum = 0;
    for (let j = from; j < to; j++) sum += values[j] ?? 0;
    out[count - 1 - i] = sum / (to - from);
  }
  return out;
}
