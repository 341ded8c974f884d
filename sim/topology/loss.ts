// Loss of nodes: by chance, or of those with most links first. Each gives 1 for a node that is lost.
import type { SeededRandom } from '../seeded-random.ts';
import type { Graph } from './graph.ts';

export function randomLoss({ nodes }: Graph, share: number, random: SeededRandom): Uint8Array {
  const order = random.shuffle(Array.from({ length: nodes }, (_, node) => node));
  return lost(order, share);
}

/** Those with equally many links are lost in the order of their numbers. */
export function targetedLoss({ nodes, degrees }: Graph, share: number): Uint8Array {
  const order = Array.from({ length: nodes }, (_, node) => node);
  order.sort((a, b) => (degrees[b] ?? 0) - (degrees[a] ?? 0) || a - b);
  return lost(order, share);
}

function lost(order: readonly number[], share: number): Uint8Array {
  const lost = new Uint8Array(order.length);
  for (const node of order.slice(0, Math.round(share * order.length))) lost[node] = 1;
  return lost;
}
