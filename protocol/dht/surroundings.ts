// How near to us a key must lie to be ours to keep, from the nodes around us; looked at once a minute.
import { K } from './bucket.ts';
import { commonBits } from './kuid.ts';
import type { RoutingTable } from './routing-table.ts';
import type { SizeEstimate } from './size-estimate.ts';

const VALID_MS = 60_000;

export class Surroundings {
  readonly #table: RoutingTable;
  readonly #size: SizeEstimate;
  #bits = 0;
  #at = Number.NEGATIVE_INFINITY;

  /** `size` learns from what is seen. */
  constructor(table: RoutingTable, size: SizeEstimate) {
    this.#table = table;
    this.#size = size;
  }

  /** Bits that our KUID shares with the furthest of the k nodes nearest to it; 0 while fewer are known. */
  ballBits(now: number): number {
    if (now - this.#at < VALID_MS) return this.#bits;
    this.#at = now;
    const { own } = this.#table;
    const around = this.#table.closest(own, K).map(({ kuid }) => kuid);
    const last = around[K - 1];
    this.#bits = last === undefined ? 0 : commonBits(own, last);
    this.#size.aroundUs(own, around);
    return this.#bits;
  }
}
