// One running search of ours.
import type { Urn } from '../wire/urn.ts';

export interface SearchSpec {
  /** Words; empty for a search by URN alone. */
  readonly text: string;
  /** Any of them. */
  readonly urns?: readonly Urn[];
}

export class Search {
  /** 16 bytes: GUID of the query and of its hits. */
  readonly guid: Buffer;
  readonly text: string;
  readonly urns: readonly Urn[];
  /** Milliseconds of the overlay's clock. */
  readonly startedAt: number;
  /** Hit records received. */
  hits = 0;
  /** Query hit descriptors received. */
  queryHits = 0;
  /** Links that were asked. */
  linksAsked = 0;
  open = true;

  constructor(guid: Buffer, spec: SearchSpec, startedAt: number) {
    this.guid = guid;
    this.text = spec.text;
    this.urns = spec.urns ?? [];
    this.startedAt = startedAt;
  }
}
