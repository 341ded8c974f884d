// The queries that pass through, newest last: what an admin watches. Kept as raw payloads and parsed when looked at, since few are.
import { HEADER_BYTES } from '../../protocol/constants.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { Link } from '../../protocol/overlay/links/link.ts';
import type { Endpoint } from '../../protocol/wire/endpoint.ts';
import type { Frame } from '../../protocol/wire/frame-reader.ts';
import { guidKey } from '../../protocol/wire/guid.ts';
import { parseQuery, URN_QUERY_TEXT } from '../../protocol/wire/query.ts';
import type { Urn } from '../../protocol/wire/urn.ts';
import { QueryStats } from './query-stats.ts';
import { type Privacy, WordHasher } from './query-words.ts';

export interface PassedQuery {
  id: number;
  /** Milliseconds since 1970. */
  at: number;
  from: Link;
  /** The whole descriptor. */
  frame: Buffer;
  hits: number;
}

/** As far as privacy lets it be seen. */
export interface SeenQuery {
  readonly id: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly text: string;
  readonly urns: readonly Urn[];
  readonly from: Endpoint;
  readonly ttl: number;
  readonly hops: number;
  readonly hits: number;
}

export class QueryMonitor {
  readonly stats: QueryStats;
  /** Called for each query kept. */
  onNoted: ((query: PassedQuery) => void) | null = null;
  readonly #capacity: number;
  readonly #hasher: WordHasher;
  readonly #ring: (PassedQuery | null)[];
  readonly #byGuid = new Map<string, PassedQuery>(); // the queries of the ring; at most `capacity`
  /** Their keys by slot. */
  readonly #keys: string[];
  #privacy: Privacy;
  #next = 1;

  constructor({ capacity = 1000, privacy = 'full', hasher = new WordHasher() }: QueryMonitorOptions = {}) {
    this.#capacity = capacity;
    this.#privacy = privacy;
    this.#hasher = hasher;
    this.#ring = new Array<PassedQuery | null>(capacity).fill(null);
    this.#keys = new Array<string>(capacity).fill('');
    this.stats = new QueryStats({ privacy, hasher });
  }

  /** Queries seen since the start. */
  get total(): number {
    return this.#next - 1;
  }

  get privacy(): Privacy {
    return this.#privacy;
  }

  /** Clears the queries kept under the former setting. */
  set privacy(privacy: Privacy) {
    if (privacy === this.#privacy) return;
    this.#privacy = privacy;
    this.#ring.fill(null);
    this.#byGuid.clear();
    this.stats.reset(privacy);
  }

  /** Hot path: called for every passing query. */
  note(from: Link, frame: Frame, ownHits: number, at: number): void {
    const id = this.#next++;
    if (this.#privacy === 'off') return;
    this.stats.note(from, frame, ownHits);
    const slot = id % this.#capacity;
    this.#byGuid.delete(this.#keys[slot] ?? '');
    const kept =
      this.#privacy === 'counts'
        ? Buffer.from(frame.bytes.subarray(frame.start, frame.start + HEADER_BYTES))
        : frame.copy();
    const query: PassedQuery = { id, at, from, frame: kept, hits: ownHits };
    this.#ring[slot] = query;
    const key = guidKey(frame.bytes, frame.start);
    this.#keys[slot] = key;
    this.#byGuid.set(key, query);
    if (this.#privacy !== 'counts') this.onNoted?.(query);
  }

  /** Counts `records` hits for the query with the GUID of `frame`. */
  noteHit(frame: Frame, records: number): void {
    const query = this.#byGuid.get(guidKey(frame.bytes, frame.start));
    if (query === undefined) return;
    this.stats.noteHits(records, query.hits === 0);
    query.hits += records;
  }

  /** Newest first; empty when the privacy setting forbids single queries. */
  latest(): PassedQuery[] {
    if (this.#privacy === 'counts') return [];
    const newest: PassedQuery[] = [];
    for (let id = this.#next - 1; id > 0 && id > this.#next - 1 - this.#capacity; id--) {
      const query = this.#ring[id % this.#capacity] ?? null;
      if (query !== null) newest.push(query);
    }
    return newest;
  }

  static keyOf(query: PassedQuery): string {
    return String(query.id);
  }

  /** A query that does not parse has neither text nor hashes. */
  seen({ id, at, from, frame, hits }: PassedQuery): SeenQuery {
    const { text, urns } = parsed(frame);
    const hashed = this.#privacy === 'hashed';
    return {
      ...{ id, at, hits, from: from.endpoint },
      text: hashed ? this.#hasher.text(text) : text,
      urns: hashed ? [] : urns,
      ttl: frame.readUInt8(17),
      hops: frame.readUInt8(18),
    };
  }
}

export interface QueryMonitorOptions {
  /** Most queries kept. */
  capacity?: number;
  privacy?: Privacy;
  hasher?: WordHasher;
}

/** Text and URNs of a query; empty for malformed ones. Drops the placeholder text of a query by hash. */
function parsed(frame: Buffer): { text: string; urns: readonly Urn[] } {
  try {
    const { text, urns } = parseQuery(frame.subarray(HEADER_BYTES));
    return { text: text === URN_QUERY_TEXT && urns.length > 0 ? '' : text, urns };
  } catch (error) {
    if (error instanceof ProtocolError) return { text: '', urns: [] };
    throw error;
  }
}
