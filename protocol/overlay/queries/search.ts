// One search of ours.
import { questionOf, type SearchSpec } from './question.ts';

/** GUIDs of earlier searches under which hits are still taken. */
const EARLIER_GUIDS_MAX = 8;

export class Search {
  /** 16 bytes: GUID of the query and so of its hits. */
  readonly guid: Buffer;
  readonly text: string;
  readonly urns: readonly Buffer[];
  /** MediaBit bits of the wanted types; 0: files of any type. */
  readonly media: number;
  /** Most TTL that it is sent with. */
  readonly ttlMax: number;
  /** Equal for searches for the same: questionOf(). */
  readonly question: string;
  /** Milliseconds of the overlay's clock. */
  readonly startedAt: number;
  /** Payload of the query, kept for links that come later. */
  readonly payload: Buffer;
  /** When neighbours were asked the same before, if some may still ignore a repeat; null when none was. */
  readonly askedBefore: number | null;
  /** GUIDs of those earlier searches, newest first: this one begins with what they found and takes their late hits. */
  readonly earlierGuids: readonly Buffer[];
  /** Hit records received. */
  hits = 0;
  /** Query hit descriptors received. */
  queryHits = 0;
  /** Links that were asked. */
  linksAsked = 0;
  /** When the last of them was; null before the first. */
  askedAt: number | null = null;
  open = true;
  /** No neighbour is asked yet. */
  held = false;

  /** `earlier`: the search that this one repeats. */
  constructor(guid: Buffer, spec: SearchSpec, payload: Buffer, startedAt: number, earlier: Search | null = null) {
    this.guid = guid;
    this.text = spec.text;
    this.urns = spec.urns ?? [];
    this.media = spec.media ?? 0;
    this.ttlMax = Math.max(1, spec.ttl ?? Number.POSITIVE_INFINITY);
    this.question = questionOf(spec);
    this.payload = payload;
    this.startedAt = startedAt;
    this.askedBefore = earlier?.lastAskedAt ?? null;
    this.earlierGuids = earlier === null ? [] : [earlier.guid, ...earlier.earlierGuids].slice(0, EARLIER_GUIDS_MAX);
  }

  /** When the question last went out, with this search or with one that it repeats; null when it never did. */
  get lastAskedAt(): number | null {
    return this.askedAt ?? this.askedBefore;
  }

  /** The query went to one more link. */
  noteAsked(now: number): void {
    this.linksAsked++;
    this.askedAt = now;
  }
}
