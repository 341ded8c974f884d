// Every node is linked to every other one.
import { Graph } from './graph.ts';

export function completeGraph(nodes: number): Graph {
  const links: number[] = [];
  for (let a = 0; a < nodes; a++) for (let b = 0; b < a; b++) links.push(a, b);
  return new Graph(nodes, links);
}
