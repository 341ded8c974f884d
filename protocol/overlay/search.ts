// One running search of ours.

export interface SearchSpec {
  /** Words; empty for a search by hash alone. */
  readonly text: string;
  /** SHA-1s of 20 bytes; a file with any of them is meant. */
  readonly urns?: readonly Buffer[];
}

export class Search {
  /** 16 bytes: GUID of the query and so of its hits. */
  readonly guid: Buffer;
  readonly text: string;
  readonly urns: readonly Buffer[];
  /** Milliseconds of the overlay's clock. */
  readonly startedAt: number;
  /** Payload of the query, kept for links that come later. */
  readonly payload: Buffer;
  /** Hit records received. */
  hits = 0;
  /** Query hit descriptors received. */
  queryHits = 0;
  /** Links that were asked. */
  linksAsked = 0;
  open = true;

  constructor(guid: Buffer, spec: SearchSpec, payload: Buffer, startedAt: number) {
    this.guid = guid;
    this.text = spec.text;
    this.urns = spec.urns ?? [];
    this.payload = payload;
    this.startedAt = startedAt;
  }
}
