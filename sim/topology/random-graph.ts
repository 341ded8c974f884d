// The random graph of Erdős and Rényi: links between random pairs of nodes.
import type { SeededRandom } from '../seeded-random.ts';
import { Graph } from './graph.ts';

export function randomGraph(nodes: number, meanDegree: number, random: SeededRandom): Graph {
  const links = new Uint32Array(2 * Math.round((nodes * meanDegree) / 2));
  for (let i = 0; i < links.length; i++) links[i] = random.below(nodes);
  return new Graph(nodes, links);
}
