// Preferential attachment (Barabási and Albert 1999): nodes join one after the other, and link to
// a node with a chance in proportion to its links.
import type { SeededRandom } from '../seeded-random.ts';
import { Graph } from './graph.ts';

/** Each node brings that many links; the first of them are all joined to each other. */
export function preferentialAttachment(nodes: number, linksEach: number, random: SeededRandom): Graph {
  const links: number[] = [];
  const first = Math.min(nodes, linksEach + 1);
  for (let a = 0; a < first; a++) for (let b = 0; b < a; b++) links.push(a, b);
  for (let node = first; node < nodes; node++) {
    const chosen = new Set<number>();
    // an end of a random link: a node is chosen in proportion to its links
    while (chosen.size < linksEach) chosen.add(links[random.below(links.length)] ?? 0);
    for (const other of chosen) links.push(node, other);
  }
  return new Graph(nodes, links);
}
