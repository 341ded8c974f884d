// Mean, deviation, quantiles and fits of figures.
export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] ?? 0;
  return values.length === 0 ? 0 : sum / values.length;
}

/** Standard deviation of all of them. */
export function deviation(values: ArrayLike<number>): number {
  const middle = mean(values);
  return Math.sqrt(mean(Array.from(values, value => (value - middle) ** 2)));
}

/** The value at that share of them in their order; 0 without values. */
export function quantile(values: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

export interface Line {
  readonly slope: number;
  readonly intercept: number;
  /** Share of the variance that the line explains. */
  readonly r2: number;
}

/** The line of least squares through the points. */
export function fitLine(x: readonly number[], y: readonly number[]): Line {
  const [middleX, middleY] = [mean(x), mean(y)];
  let [xx, xy, yy] = [0, 0, 0];
  for (const [i, at] of x.entries()) {
    const [dx, dy] = [at - middleX, (y[i] ?? 0) - middleY];
    xx += dx * dx;
    xy += dx * dy;
    yy += dy * dy;
  }
  const slope = xx === 0 ? 0 : xy / xx;
  return { slope, intercept: middleY - slope * middleX, r2: xx === 0 || yy === 0 ? 1 : xy ** 2 / (xx * yy) };
}
