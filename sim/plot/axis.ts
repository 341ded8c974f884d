// An axis of a figure: where values stand on it, and which are named.
const TICKS = 6;
/** From here on values span so much that equal steps would hide the small ones. */
const LOG_RATIO = 20;

export interface Axis {
  readonly kind: 'linear' | 'log';
  readonly min: number;
  readonly max: number;
  readonly ticks: readonly number[];
  /** 0 at the lower end, 1 at the upper one. */
  place(value: number): number;
}

export function axisOf(values: readonly number[]): Axis {
  const finite = values.filter(Number.isFinite);
  const low = finite.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  const high = finite.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  if (finite.length === 0) return linear(0, 1);
  return low > 0 && high / low >= LOG_RATIO ? log(low, high) : linear(low > 0 && low < high / 2 ? 0 : low, high);
}

function linear(low: number, high: number): Axis {
  const span = high > low ? high - low : Math.abs(high) || 1;
  const step = stepOf(span / TICKS);
  const min = Math.floor(low / step) * step;
  const max = Math.max(Math.ceil(high / step) * step, min + step);
  const ticks = Array.from({ length: Math.round((max - min) / step) + 1 }, (_, i) => rounded(min + i * step));
  return { kind: 'linear', min, max, ticks, place: value => (value - min) / (max - min) };
}

/** 1, 2 or 5 times a power of ten, not below `least`. */
function stepOf(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5].find(factor => factor * power >= least * 0.999) ?? 10);
}

function log(low: number, high: number): Axis {
  const first = Math.floor(Math.log10(low));
  const last = Math.max(Math.ceil(Math.log10(high) - 1e-9), first + 1);
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => 10 ** (first + i));
  const place = (value: number): number => (Math.log10(value) - first) / (last - first);
  return { kind: 'log', min: 10 ** first, max: 10 ** last, ticks, place };
}

const rounded = (value: number): number => Number(value.toPrecision(12));

const UNITS = [
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
] as const;

/** A tick as it is written: `20k`, `0.05`. */
export function tickText(value: number): string {
  for (const [size, unit] of UNITS) if (Math.abs(value) >= size) return `${rounded(value / size)}${unit}`;
  return String(rounded(value));
}
