// The queries that pass through, newest last: what an admin watches. Kept as raw payloads and parsed when looked at, since few are.
import type { QueryView } from '../api/control.ts';
import type { Link } from '../protocol/overlay/link.ts';
import { formatEndpoint } from '../protocol/wire/endpoint.ts';
import type { Frame } from '../protocol/wire/frame-reader.ts';
import { guidKey } from '../protocol/wire/guid.ts';
import { parseQuery } from '../protocol/wire/query.ts';
import { formatSha1Urn } from '../protocol/wire/urn.ts';

interface PassedQuery {
  id: number;
  /** Milliseconds since 1970. */
  at: number;
  from: Link;
  /** The whole descriptor. */
  frame: Buffer;
  hits: number;
}

export class QueryMonitor {
  readonly #capacity: number;
  readonly #ring: (PassedQuery | null)[];
  readonly #byGuid = new Map<string, PassedQuery>(); // those of the ring, so never more than `capacity`
  #next = 1;

  constructor(capacity = 1000) {
    this.#capacity = capacity;
    this.#ring = new Array<PassedQuery | null>(capacity).fill(null);
  }

  /** Queries seen since the start. */
  get total(): number {
    return this.#next - 1;
  }

  note(from: Link, frame: Frame, ownHits: number, at: number): void {
    const id = this.#next++;
    const slot = id % this.#capacity;
    const old = this.#ring[slot] ?? null;
    if (old !== null) this.#byGuid.delete(guidKey(old.frame));
    const query: PassedQuery = { id, at, from, frame: frame.copy(), hits: ownHits };
    this.#ring[slot] = query;
    this.#byGuid.set(guidKey(query.frame), query);
  }

  /** A hit went back: `records` of them for the query with the frame's GUID. */
  noteHit(frame: Frame, records: number): void {
    const query = this.#byGuid.get(guidKey(frame.bytes, frame.start));
    if (query !== undefined) query.hits += records;
  }

  /** Newest first. */
  latest(): PassedQuery[] {
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

  static view({ id, at, from, frame, hits }: PassedQuery): QueryView {
    const { text, urns } = parseQuery(frame.subarray(23));
    return {
      id: String(id),
      at: new Date(at).toISOString(),
      text,
      urns: urns.map(formatSha1Urn),
      from: formatEndpoint(from.endpoint),
      ttl: frame.readUInt8(17),
      hops: frame.readUInt8(18),
      hits,
    };
  }
}
