// Zipf's law: the rank-th most popular of `count` things is asked for in proportion to rank^-exponent.
import { power } from '../exact-math.ts';
import type { SeededRandom } from '../seeded-random.ts';

export class Zipf {
  readonly #upTo: Float64Array;

  constructor(count: number, exponent: number) {
    this.#upTo = new Float64Array(count);
    let sum = 0;
    for (let rank = 1; rank <= count; rank++) this.#upTo[rank - 1] = sum += power(rank, -exponent);
    for (let i = 0; i < count; i++) this.#upTo[i] = (this.#upTo[i] ?? 0) / sum;
  }

  /** Share of the rank-th, from 0. */
  share(rank: number): number {
    return (this.#upTo[rank] ?? 1) - (this.#upTo[rank - 1] ?? 0);
  }

  /** A rank, from 0. */
  draw(random: SeededRandom): number {
    const point = random.float();
    let low = 0;
    let high = this.#upTo.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#upTo[middle] ?? 1) > point) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
