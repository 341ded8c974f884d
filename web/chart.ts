// Draws lines over an axis of numbers, with ticks; an axis whose values span much is logarithmic.
import { formatCount } from './figures.ts';
import { ceiling } from './graph.ts';
import { h, type Sketch } from './sketch.ts';

const WIDTH = 640;
const HEIGHT = 300;
const MARGIN = { left: 56, right: 28, top: 12, bottom: 42 };
const TICKS = 5;
/** From this ratio on an axis is logarithmic. */
const LOG_RATIO = 50;
/** Lines that can be told apart. */
const LINES_MAX = 4;

export interface ChartLine {
  readonly name: string;
  readonly axes: readonly string[];
  readonly x: readonly number[];
  readonly y: readonly number[];
}

interface Axis {
  readonly ticks: readonly number[];
  /** 0 to 1; values below a logarithmic axis are at its start. */
  readonly place: (value: number) => number;
}

/** Draws the lines that have the axes of the first; null: there is nothing to draw. */
export function chart(title: string, lines: readonly ChartLine[]): Sketch | null {
  const [first] = lines;
  const [nameX = '', nameY = ''] = first?.axes ?? [];
  const shown = lines.filter(({ axes }) => axes[0] === nameX && axes[1] === nameY).slice(0, LINES_MAX);
  const x = axisOf(shown.flatMap(line => line.x));
  const y = axisOf(shown.flatMap(line => line.y));
  if (x === null || y === null) return null;
  const atX = (value: number): number => rounded(MARGIN.left + x.place(value) * (WIDTH - MARGIN.left - MARGIN.right));
  const atY = (value: number): number =>
    rounded(HEIGHT - MARGIN.bottom - y.place(value) * (HEIGHT - MARGIN.top - MARGIN.bottom));
  const low = HEIGHT - MARGIN.bottom;
  return h(
    'figure',
    { class: 'chart', key: title },
    h(
      'figcaption',
      {},
      shown.length === 1
        ? nameY
        : shown.map(({ name }, i) => h('span', { class: 'legend' }, h('i', { class: `line-${i}` }), name)),
    ),
    h(
      'svg',
      { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': `${title}: ${nameY} over ${nameX}` },
      y.ticks.flatMap(tick => [
        h('line', { class: 'grid', x1: MARGIN.left, x2: WIDTH - MARGIN.right, y1: atY(tick), y2: atY(tick) }),
        h('text', { class: 'tick', x: MARGIN.left - 8, y: atY(tick) + 4, 'text-anchor': 'end' }, tickText(tick)),
      ]),
      x.ticks.map(tick =>
        h('text', { class: 'tick', x: atX(tick), y: low + 18, 'text-anchor': 'middle' }, tickText(tick)),
      ),
      h(
        'text',
        { class: 'name', x: (MARGIN.left + WIDTH - MARGIN.right) / 2, y: HEIGHT - 6, 'text-anchor': 'middle' },
        nameX,
      ),
      shown.flatMap((line, i) => {
        const points = line.x.map((value, at) => [atX(value), atY(line.y[at] ?? 0)] as const);
        return [
          h('polyline', { class: `line line-${i}`, points: points.map(point => point.join()).join(' ') }),
          points.map(([cx, cy]) => h('circle', { class: `dot line-${i}`, cx, cy, r: points.length > 60 ? 1.5 : 3 })),
        ].flat();
      }),
    ),
  );
}

export function axisOf(values: readonly number[]): Axis | null {
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0) return null;
  const low = finite.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  const high = finite.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  if (low > 0 && high / low >= LOG_RATIO) {
    const from = Math.floor(Math.log10(low));
    const to = Math.max(from + 1, Math.ceil(Math.log10(high)));
    const every = Math.ceil((to - from) / TICKS);
    const ticks = Array.from({ length: Math.floor((to - from) / every) + 1 }, (_, i) => 10 ** (from + i * every));
    return { ticks, place: value => Math.max(0, (Math.log10(Math.max(value, Number.MIN_VALUE)) - from) / (to - from)) };
  }
  const from = low > 0 && low < high / 2 ? 0 : Math.min(low, high - Number.EPSILON);
  const step = ceiling((high - from || Math.abs(high) || 1) / TICKS, 0);
  const start = Math.floor(from / step) * step;
  const steps = Math.max(1, Math.ceil((high - start) / step - 1e-9));
  const ticks = Array.from({ length: steps + 1 }, (_, i) => Number((start + i * step).toPrecision(12)));
  return { ticks, place: value => (value - start) / (steps * step) };
}

const rounded = (value: number): number => Math.round(value * 10) / 10;

const tickText = (value: number): string =>
  Math.abs(value) >= 10_000 ? formatCount(value) : String(Number(value.toPrecision(6)));
