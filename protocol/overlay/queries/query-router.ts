// Selects the neighbours whose QRP tables match a query. Hashes its words once, when first needed.

import { type QueryHashes, queryHashes } from '../../qrp/hash.ts';
import type { Frame } from '../../wire/frame-reader.ts';
import { parseQuery, QUERY_PAYLOAD_BYTES_MIN, queryTextEnd } from '../../wire/query.ts';
import type { Link } from '../links/link.ts';
import type { NeighbourTables } from './neighbour-tables.ts';

const NOTHING: QueryHashes = { urns: [], words: [], delimited: [] };

/** What of a query payload is looked up; nothing of one that does not parse. */
export function hashesOf(payload: Buffer): QueryHashes {
  if (payload.length < QUERY_PAYLOAD_BYTES_MIN || queryTextEnd(payload) < 0) return NOTHING;
  const { text, urns } = parseQuery(payload);
  return queryHashes(
    text,
    urns.flatMap(({ sha1 }) => sha1 ?? []),
  );
}

export class QueryRouter {
  readonly #tables: NeighbourTables;
  #hashes: QueryHashes | null = null;
  #whatsNew = false;
  /** Reused: good until the next call of leaves(). */
  readonly #targets: Link[] = [];

  constructor(tables: NeighbourTables) {
    this.#tables = tables;
  }

  /** Another query is being routed; one that asks for what is new is in no table, and goes by what peers understand. */
  next(whatsNew = false): void {
    this.#hashes = null;
    this.#whatsNew = whatsNew;
  }

  /** Whether an ultrapeer that may pass the query to its leaves only has any use for it. */
  servesLastHop(ultrapeer: Link, frame: Frame): boolean {
    if (this.#whatsNew) return ultrapeer.whatsNew;
    if (ultrapeer.routeTable === null) return true;
    this.#hashes ??= hashesOf(frame.payload());
    return ultrapeer.routeTable.mayMatch(this.#hashes);
  }

  /** Our leaves that may have it. */
  leaves(frame: Frame): readonly Link[] {
    this.#targets.length = 0;
    if (this.#tables.leaves === 0) return this.#targets;
    if (this.#whatsNew) {
      this.#tables.sharersOfNews(this.#targets);
      return this.#targets;
    }
    this.#hashes ??= hashesOf(frame.payload());
    this.#tables.leavesFor(this.#hashes, this.#targets);
    return this.#targets;
  }
}
