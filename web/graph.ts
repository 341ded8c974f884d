// Draws at most two series over the same time and scale.
import { h, type Sketch } from './sketch.ts';

const WIDTH = 300;
const HEIGHT = 72;

export interface Series {
  readonly name: string;
  readonly tone: 'in' | 'out' | 'single';
  /** Oldest first. */
  readonly values: readonly number[];
}

export interface GraphSpec {
  readonly title: string;
  readonly series: readonly Series[];
  /** Number of values for the full width; fewer fill the right part. */
  readonly slots: number;
  readonly format: (value: number) => string;
  /** Lowest top of the scale, so that small values stay small. */
  readonly floor: number;
  readonly bytes?: boolean;
}

/** Rounds up to 1, 2, 5, 10, 20 …; for bytes also of KiB, MiB … */
export function ceiling(value: number, floor: number, bytes = false): number {
  const wanted = Math.max(value, floor, Number.MIN_VALUE);
  if (bytes && wanted >= 1024) return 1024 * ceiling(wanted / 1024, 1, true);
  const power = 10 ** Math.floor(Math.log10(wanted));
  for (const step of [1, 2, 5]) if (step * power >= wanted) return step * power;
  return 10 * power;
}

/** Returns points `x,y` from left to right, the last value at the right edge. */
export function corners(values: readonly number[], slots: number, top: number): string[] {
  const step = WIDTH / Math.max(1, slots - 1);
  const shown = values.slice(-slots);
  const from = WIDTH - (shown.length - 1) * step;
  return shown.map((value, i) => {
    const y = HEIGHT - Math.min(1, Math.max(0, value / top)) * (HEIGHT - 2) - 1;
    return `${round(from + i * step)},${round(y)}`;
  });
}

const round = (value: number): number => Math.round(value * 10) / 10;

export function graph({ title, series, slots, format, floor, bytes = false }: GraphSpec): Sketch {
  const highest = Math.max(0, ...series.flatMap(({ values }) => values.slice(-slots)));
  const top = ceiling(highest, floor, bytes);
  const now = series.map(({ name, tone, values }) => ({ name, tone, text: format(values.at(-1) ?? 0) }));
  const label = `${title}: ${now.map(({ name, text }) => `${name} ${text}`).join(', ')}; maximum ${format(highest)}`;
  return h(
    'figure',
    { class: 'graph', key: title },
    h(
      'figcaption',
      {},
      h('span', { class: 'what' }, title),
      now.map(({ name, tone, text }) =>
        h('span', { class: `legend ${tone}` }, series.length > 1 ? `${name} ` : '', h('b', {}, text)),
      ),
    ),
    h(
      'div',
      { class: 'plot' },
      h(
        'svg',
        { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': label },
        [0.25, 0.5, 0.75].map(part =>
          h('line', { class: 'grid', x1: 0, x2: WIDTH, y1: HEIGHT * part, y2: HEIGHT * part }),
        ),
        series.flatMap(({ tone, values }) => {
          const line = corners(values, slots, top);
          if (line.length < 2) return [];
          const [first = '0,0'] = line;
          return [
            h('path', {
              class: `area ${tone}`,
              d: `M${first.split(',')[0]},${HEIGHT} L${line.join(' L')} L${WIDTH},${HEIGHT} Z`,
            }),
            h('polyline', { class: `line ${tone}`, points: line.join(' ') }),
          ];
        }),
      ),
      h('span', { class: 'top', 'aria-hidden': 'true' }, format(top)),
    ),
  );
}
