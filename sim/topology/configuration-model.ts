// The configuration model: each node gets as many stubs of links as its degree says, and stubs are joined in random pairs.
import type { SeededRandom } from '../seeded-random.ts';
import { Graph } from './graph.ts';

/** Loops and repeated links are left out afterwards, so that a few nodes have fewer links than asked for. */
export function configurationModel(degrees: ArrayLike<number>, random: SeededRandom): Graph {
  let count = 0;
  for (let node = 0; node < degrees.length; node++) count += degrees[node] ?? 0;
  const stubs = new Uint32Array(count - (count % 2));
  let at = 0;
  for (let node = 0; node < degrees.length; node++) for (let i = degrees[node] ?? 0; i > 0; i--) stubs[at++] = node;
  for (let i = stubs.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [stubs[i], stubs[j]] = [stubs[j] ?? 0, stubs[i] ?? 0];
  }
  return new Graph(degrees.length, stubs);
}
