// Estimates the exponent of Zipf's law from how often things occur.

/** `of` things occur `count` times each. */
export interface Frequency {
  readonly count: number;
  readonly of: number;
}

export interface ZipfFit {
  readonly exponent: number;
  /** Half the width of the interval that holds the true exponent with 95 % certainty, if the law holds. */
  readonly error: number;
  /** Ranks that were looked at, from the first. */
  readonly ranks: number;
  /** Occurrences of these. */
  readonly occurrences: number;
}

/** Things that occur less often are left out: their order by frequency is mostly chance. */
const COUNT_MIN = 16;
const RANKS_MAX = 100_000;
const EXPONENT_MAX = 20;
/** Ranks that are known by their frequency alone are off by this much, whatever the number of occurrences: measured in tests. */
const RANK_ERROR = 0.02;

/**
 * Maximum likelihood of p(r) ~ r^-s over the ranks whose things occur 16 times or more, truncated there. The derivative of the
 * likelihood falls with s, so bisection finds its zero; the error comes from the Fisher information. Null with less than two ranks.
 */
export function fitZipf(frequencies: readonly Frequency[]): ZipfFit | null {
  const sorted = [...frequencies].filter(({ count, of }) => count > 0 && of > 0).sort((a, b) => b.count - a.count);
  const counts: number[] = [];
  for (const { count, of } of sorted) {
    if (count < COUNT_MIN && counts.length > 1) break;
    for (let n = 0; n < of && counts.length < RANKS_MAX; n++) counts.push(count);
  }
  if (counts.length < 2) return null;
  const logs = counts.map((_, i) => Math.log(i + 1));
  const occurrences = counts.reduce((sum, count) => sum + count, 0);
  const meanLog = counts.reduce((sum, count, i) => sum + count * (logs[i] ?? 0), 0) / occurrences;
  let low = 0;
  let high = EXPONENT_MAX;
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (moments(logs, middle).mean > meanLog) low = middle;
    else high = middle;
  }
  const exponent = (low + high) / 2;
  const { variance } = moments(logs, exponent);
  const spread = variance > 0 ? 1.96 / Math.sqrt(occurrences * variance) : Number.POSITIVE_INFINITY;
  return { exponent, error: spread + RANK_ERROR, ranks: counts.length, occurrences };
}

/** Mean and variance of ln(rank) under the exponent `s`. */
function moments(logs: readonly number[], s: number): { mean: number; variance: number } {
  let sum = 0;
  let first = 0;
  let second = 0;
  for (const log of logs) {
    const weight = Math.exp(-s * log);
    sum += weight;
    first += weight * log;
    second += weight * log * log;
  }
  const mean = first / sum;
  return { mean, variance: second / sum - mean * mean };
}
