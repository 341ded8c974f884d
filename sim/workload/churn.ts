// Churn: nodes fail without a word after sessions of exponentially distributed length, and come back later.
import type { SeededRandom } from '../seeded-random.ts';

export interface ChurnOptions {
  readonly network: {
    after(ms: number, run: () => void): void;
    fail(node: number): void;
    revive(node: number): void;
  };
  readonly random: SeededRandom;
  readonly nodes: Iterable<number>;
  readonly meanUpMs: number;
  readonly meanDownMs: number;
  /** The node has come back, and knows nothing any more. */
  readonly onReturn: (node: number) => void;
}

/** Begins with all nodes up; goes on for as long as the network runs. */
export function churn({ network, random, nodes, meanUpMs, meanDownMs, onReturn }: ChurnOptions): void {
  const session = (node: number): void =>
    network.after(random.exponential(meanUpMs), () => {
      network.fail(node);
      network.after(random.exponential(meanDownMs), () => {
        network.revive(node);
        onReturn(node);
        session(node);
      });
    });
  for (const node of nodes) session(node);
}
