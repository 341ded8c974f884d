// How many links nodes have: the share of the nodes for each degree.
import { power } from '../exact-math.ts';
import type { SeededRandom } from '../seeded-random.ts';

export class DegreeDistribution {
  /** Share of the nodes, at the index of their degree; all together 1. */
  readonly shares: readonly number[];

  /** Weight at the index of each degree: they need not add up to 1. */
  constructor(weights: readonly number[]) {
    const sum = weights.reduce((sum, weight) => sum + weight, 0);
    this.shares = Array.from(weights, weight => (weight ?? 0) / sum);
  }

  get mean(): number {
    return this.#moment(1);
  }

  get deviation(): number {
    return Math.sqrt(this.#moment(2) - this.mean ** 2);
  }

  #moment(order: number): number {
    return this.shares.reduce((sum, share, degree) => sum + share * degree ** order, 0);
  }

  draw(random: SeededRandom): number {
    let point = random.float();
    for (const [degree, share] of this.shares.entries()) {
      point -= share;
      if (point < 0) return degree;
    }
    return this.shares.length - 1;
  }
}

/** p(d) = c · d^-exponent for d from 1 to `most`. */
export function powerLaw(exponent: number, most: number): DegreeDistribution {
  return new DegreeDistribution(
    Array.from({ length: most + 1 }, (_, degree) => (degree === 0 ? 0 : power(degree, -exponent))),
  );
}

/** That distribution for all nodes but the share `hubs`, which have `degree` links each. */
export function withHubs({ shares }: DegreeDistribution, hubs: number, degree: number): DegreeDistribution {
  const weights = Array.from({ length: Math.max(shares.length, degree + 1) }, (_, d) => (1 - hubs) * (shares[d] ?? 0));
  weights[degree] = (weights[degree] ?? 0) + hubs;
  return new DegreeDistribution(weights);
}

/** All nodes have that many links. */
export function sameDegree(degree: number): DegreeDistribution {
  return new DegreeDistribution(Array.from({ length: degree + 1 }, (_, d) => (d === degree ? 1 : 0)));
}
