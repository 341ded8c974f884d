// What searches cost and bring: messages, success, latency, load of nodes.
import { mean, quantile } from '../statistics.ts';

export interface SearchCosts {
  readonly servents: number;
  readonly searches: number;
  /** Messages a search, of all nodes together. */
  readonly messages: number;
  /** Share of the searches for something that is there which found it. */
  readonly success: number;
  /** Milliseconds until the first result, of those that found one. */
  readonly latencyMs: number;
  /** Messages taken a search, by the node that took most, and by the median one. */
  readonly loadMost: number;
  readonly loadMedian: number;
  /** Hexadecimal hash of what happened. */
  readonly traceHash: string;
}

export interface SearchOutcome {
  readonly found: boolean;
  /** Milliseconds until the first result; ignored when nothing was found. */
  readonly ms: number;
}

/** What the searches of a network cost; `network` counted from the first of them on. */
export function costsOf(
  network: {
    readonly nodes: number;
    readonly messages: number;
    readonly taken: Uint32Array;
    readonly trace: { readonly hex: string };
  },
  outcomes: readonly SearchOutcome[],
): SearchCosts {
  const count = Math.max(1, outcomes.length);
  const found = outcomes.filter(outcome => outcome.found);
  const taken = Float64Array.from(network.taken);
  return {
    servents: network.nodes,
    searches: outcomes.length,
    messages: network.messages / count,
    success: found.length / count,
    latencyMs: mean(found.map(({ ms }) => ms)),
    loadMost: taken.reduce((most, load) => Math.max(most, load), 0) / count,
    loadMedian: quantile(taken, 0.5) / count,
    traceHash: network.trace.hex,
  };
}
