// A figure: the series of a run that share their axes.
import type { Series } from '../model.ts';
import { type Axis, axisOf } from './axis.ts';

export interface Figure {
  readonly title: string;
  readonly labels: readonly [x: string, y: string];
  readonly series: readonly Series[];
  readonly x: Axis;
  readonly y: Axis;
}

export interface Point {
  /** 0 to 1 from the left, and from the bottom. */
  readonly x: number;
  readonly y: number;
}

/** One figure for each pair of axes, in the order of the series. */
export function figuresOf(title: string, series: readonly Series[]): Figure[] {
  const groups = new Map<string, Series[]>();
  for (const one of series) {
    const key = one.axes.join('\n');
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()].map(group => {
    const [first] = group;
    return {
      title,
      labels: first?.axes ?? ['', ''],
      series: group,
      x: axisOf(group.flatMap(({ x }) => x)),
      y: axisOf(group.flatMap(({ y }) => y)),
    };
  });
}

/** The points of a series that the axes can show. */
export function pointsOf({ x, y }: Figure, series: Series): Point[] {
  return series.x
    .map((value, i) => ({ x: x.place(value), y: y.place(series.y[i] ?? Number.NaN) }))
    .filter(point => Number.isFinite(point.x) && Number.isFinite(point.y));
}
