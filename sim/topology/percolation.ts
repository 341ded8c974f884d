// Which share of all nodes the largest part of a large random network has, by its distribution of degrees and by what is lost
// (Callaway, Newman, Strogatz and Watts 2000, "Network robustness and fragility").
import type { DegreeDistribution } from './degree-distribution.ts';

/** `kept`: the share of the nodes of a degree that is left. */
export function largestShare({ shares, mean }: DegreeDistribution, kept: (degree: number) => number = () => 1): number {
  const nodes = (x: number): number => shares.reduce((sum, share, d) => sum + share * kept(d) * x ** d, 0);
  const ends = (x: number): number =>
    shares.reduce((sum, share, d) => (d === 0 ? sum : sum + (d * share * kept(d) * x ** (d - 1)) / mean), 0);
  const all = ends(1);
  // chance that a link leads to no infinite part: the fixed point below 1, found from 0 upwards
  let u = 0;
  for (let i = 0; i < 10_000; i++) {
    const next = 1 - all + ends(u);
    if (next - u < 1e-12) break;
    u = next;
  }
  return nodes(1) - nodes(u);
}
