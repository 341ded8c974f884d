// Numbers of the overlay that an operator may want to change. Milliseconds and bytes throughout.
import { MAX_TTL } from '../constants.ts';
import type { Reach } from '../wire/endpoint.ts';
import { SEND_LIMITS, type SendLimits } from './links/send-queue.ts';
import { DYNAMIC_QUERY_LIMITS, type DynamicQueryLimits, LOCAL_DYNAMIC_QUERY } from './queries/dynamic-query.ts';
import type { QueryGuardLimits } from './queries/query-guard.ts';

export interface OverlayLimits {
  /** Largest hops + TTL of a relayed query, and the TTL of our own. */
  readonly ttlMax: number;
  /** The same towards legacy peers: flat networks need the old horizon. */
  readonly legacyTtlMax: number;
  /** Answer and relay queries without the flags mark, as 0.4 servents send them. gtk-gnutella drops them. */
  readonly unflaggedQueries: boolean;
  /** Records that one query is answered with, over all its hits. */
  readonly hitsPerQueryMax: number;
  /** Flood every query to all links, as in Gnutella 0.4, without query routing and dynamic querying. For comparison. */
  readonly flooding: boolean;
  readonly dynamicQuery: DynamicQueryLimits;
  /** Shortest interval between tables sent, of the own library and of the union with leaves' tables; the first few may be sooner. */
  readonly tableUpdateMs: number;
  readonly unionUpdateMs: number;
  /** Interval at which a neighbour may send tables of QRP_SLOTS_MAX slots, after a burst; proportionally shorter for smaller ones. */
  readonly largestTableMs: number;
  /** Own searches open at a time; the oldest is cancelled for a new one. */
  readonly searchesMax: number;
  /** Addresses that pongs may name. */
  readonly reaches: readonly Reach[];
  /** Silence after which a peer gets an alive ping. */
  readonly aliveAfterMs: number;
  readonly leafAliveAfterMs: number;
  /** Between rounds of pings that refresh the pong cache. */
  readonly refreshMs: number;
  readonly leafRefreshMs: number;
  /** Interval at which pings for hosts are answered, for an ultrapeer and for a leaf. */
  readonly pingEveryMs: number;
  readonly leafPingEveryMs: number;
  /** A link whose queue makes no progress for this long is closed. */
  readonly stallMs: number;
  /** All leaves at one address together may send so many times the queries of one; 0: no limit, as where all share an address. */
  readonly leavesOfAddress: number;
  /** How soon a peer may ask the same again; null: at once, as in a lab. */
  readonly queries: QueryGuardLimits | null;
  /** Have hits for leaves that datagrams do not reach sent to us by UDP. */
  readonly proxyOutOfBand: boolean;
  readonly send: SendLimits;
}

/** Periods after gtk-gnutella. */
export const OVERLAY_LIMITS: OverlayLimits = {
  ttlMax: MAX_TTL,
  legacyTtlMax: 7,
  unflaggedQueries: true,
  hitsPerQueryMax: 50,
  flooding: false,
  dynamicQuery: DYNAMIC_QUERY_LIMITS,
  tableUpdateMs: 300_000,
  unionUpdateMs: 60_000,
  largestTableMs: 15_000,
  searchesMax: 256,
  reaches: ['public'],
  aliveAfterMs: 20_000,
  leafAliveAfterMs: 120_000,
  refreshMs: 20_000,
  leafRefreshMs: 120_000,
  pingEveryMs: 3_000,
  leafPingEveryMs: 60_000,
  stallMs: 180_000,
  leavesOfAddress: 0,
  queries: null,
  proxyOutOfBand: true,
  send: SEND_LIMITS,
};

/** What differs where a round trip takes a millisecond: loopback, a lab. */
export const LOCAL_OVERLAY_LIMITS: Partial<OverlayLimits> = {
  dynamicQuery: LOCAL_DYNAMIC_QUERY,
  tableUpdateMs: 1_000,
  unionUpdateMs: 1_000,
  largestTableMs: 500,
  refreshMs: 3_000,
  leafRefreshMs: 3_000,
  pingEveryMs: 1_000,
  leafPingEveryMs: 1_000,
};
