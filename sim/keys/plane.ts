// Nodes at random points of a square; the latency between two grows with their distance.
import type { SeededRandom } from '../seeded-random.ts';

/** Of one way between two points a side apart. */
const SIDE_MS = 150;

export class Plane {
  readonly #x: Float32Array;
  readonly #y: Float32Array;

  constructor(nodes: number, random: SeededRandom) {
    this.#x = Float32Array.from({ length: nodes }, () => random.float());
    this.#y = Float32Array.from({ length: nodes }, () => random.float());
  }

  readonly latencyMs = (from: number, to: number): number => {
    const dx = (this.#x[from] ?? 0) - (this.#x[to] ?? 0);
    const dy = (this.#y[from] ?? 0) - (this.#y[to] ?? 0);
    return SIDE_MS * Math.sqrt(dx * dx + dy * dy);
  };
}

/** Of nodes[from] to nodes[to - 1], the nearest to the node among so many, drawn by chance when there are more. */
export function nearestOf(
  nodes: Uint32Array,
  latencyMs: (from: number, to: number) => number,
  candidates: number,
  random: SeededRandom,
): (node: number, from: number, to: number) => number {
  return (node, from, to) => {
    const all = to - from <= candidates;
    let [best, bestMs] = [nodes[from] ?? 0, Number.POSITIVE_INFINITY];
    for (let i = 0; i < Math.min(candidates, to - from); i++) {
      const other = nodes[all ? from + i : from + random.below(to - from)] ?? 0;
      const ms = latencyMs(node, other);
      if (ms < bestMs) [best, bestMs] = [other, ms];
    }
    return best;
  };
}
