// What became of a lookup: the nodes that it asked and what each did, why it ended, and what was found.

import type { ReasonCounts } from '../reason-counts.ts';
import type { DhtValue } from './dht-value.ts';
import type { Candidate, Doubt } from './lookup.ts';

/** What a lookup is for: `node` and `value` are asked for, the others keep our own values stored and the routing table fresh. */
export const LOOKUP_KINDS = ['node', 'value', 'publish', 'refresh'] as const;
export type LookupKind = (typeof LOOKUP_KINDS)[number];

/**
 * `found`: values. `nearest`: the nearest nodes have answered, of a lookup of nodes. `missing`: they have no such value. `silent`: nobody has
 * answered. `too_long`: its time was up. `refused`: too many lookups wait.
 */
export const LOOKUP_ENDS = ['found', 'nearest', 'missing', 'silent', 'too_long', 'refused'] as const;
export type LookupEnd = (typeof LOOKUP_ENDS)[number];

export interface LookupResult {
  readonly target: Buffer;
  readonly kind: LookupKind;
  readonly end: LookupEnd;
  readonly values: readonly DhtValue[];
  /** Nodes that answered, nearest first, 20 at most. */
  readonly nearest: readonly Candidate[];
  /** Requests one after the other to the nearest one, or to the one that had the values. */
  readonly hops: number;
  /** These nodes, in order. */
  readonly path: readonly Candidate[];
  /** Requests. */
  readonly asked: number;
  /** The nodes that they went to, in the order of the first to each. */
  readonly asks: readonly Candidate[];
  /** Contacts that were named and not asked, by reason. */
  readonly doubts: Pick<ReasonCounts<Doubt>, 'of' | 'toRecord'>;
  readonly ms: number;
  /** Ended by its time limit, or refused because too many wait. */
  readonly cutShort: boolean;
}
