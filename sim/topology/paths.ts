// What can be reached in a graph, and by how many links.
import type { Graph } from './graph.ts';

/** Links to each node that is reached, -1 for others; `kept` says which nodes are there. Also the nodes in the order of their distance. */
export function distancesFrom(
  graph: Graph,
  start: number,
  kept: (node: number) => boolean = () => true,
  distances = new Int32Array(graph.nodes).fill(-1),
): { readonly distances: Int32Array; readonly reached: readonly number[] } {
  const reached = [start];
  distances[start] = 0;
  for (const node of reached)
    for (const next of graph.neighbours(node))
      if (distances[next] === -1 && kept(next)) {
        distances[next] = (distances[node] ?? 0) + 1;
        reached.push(next);
      }
  return { distances, reached };
}

/** Nodes of the largest connected part. */
export function largestComponent(graph: Graph, kept: (node: number) => boolean = () => true): readonly number[] {
  const distances = new Int32Array(graph.nodes).fill(-1);
  let largest: readonly number[] = [];
  for (let node = 0; node < graph.nodes; node++) {
    if (distances[node] !== -1 || !kept(node)) continue;
    const { reached } = distancesFrom(graph, node, kept, distances);
    if (reached.length > largest.length) largest = reached;
  }
  return largest;
}

export interface PathLengths {
  readonly mean: number;
  /** The diameter, when the starts are all nodes of a connected graph. */
  readonly longest: number;
}

/** Of the shortest paths from the starts to all others that they reach. */
export function pathLengths(graph: Graph, starts: readonly number[]): PathLengths {
  let [sum, count, longest] = [0, 0, 0];
  for (const start of starts) {
    const { distances, reached } = distancesFrom(graph, start);
    for (const node of reached) sum += distances[node] ?? 0;
    count += reached.length - 1;
    longest = Math.max(longest, distances[reached.at(-1) ?? start] ?? 0);
  }
  return { mean: count === 0 ? 0 : sum / count, longest };
}
