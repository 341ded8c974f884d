// Applies answers of a daemon to its state and derives rates. Pure.
import type { PeerView, QueryView, StatusView } from '../api/control.ts';
import { mergedQueries } from '../api/live/reducer.ts';
import { withEarlier } from './daemon-log.ts';
import { addSample } from './history.ts';
import { type ListId, type News, type PeerRow, QUERIES_MAX, type World } from './model.ts';

/** Least time between two polls for computing a rate. */
const RATE_MIN_MS = 200;

const PARTS = [
  'searches',
  'downloads',
  'uploads',
  'past',
  'folders',
  'files',
  'hosts',
  'config',
  'history',
  'stats',
  'caller',
] as const;

export function withNews(world: World, news: News, at: number): World {
  let next: World = { ...world };
  if (news.queries !== undefined) next = withPage(next, news.queries, at, news.counted ?? true);
  if (news.queryHits !== undefined) next = withHits(next, news.queryHits);
  if (news.queryRate !== undefined) next = { ...next, queryRate: news.queryRate };
  if (news.whole !== undefined) next = { ...next, partial: partialLists(next.partial, news.whole) };
  if (news.peers !== undefined) next = { ...next, peers: withRates(world, news.peers, at), peersAt: at };
  for (const part of PARTS) if (news[part] !== undefined) next = { ...next, [part]: news[part] };
  if (news.results !== undefined) next = { ...next, results: news.results.items, resultsOf: news.results.search };
  if (news.chunks !== undefined) next = { ...next, chunks: news.chunks.map, chunksOf: news.chunks.download };
  if (news.status !== undefined) next = withStatus(next, news.status, at);
  if (news.logLines !== undefined) next = withEarlier(next, news.logLines);
  return next;
}

export function withStatus(world: World, status: StatusView, at: number): World {
  const before = world.status;
  const seconds = (at - world.statusAt) / 1000;
  const next = { ...world, status, statusAt: at };
  if (before === null || seconds * 1000 < RATE_MIN_MS)
    return before === null ? next : { ...next, statusAt: world.statusAt };
  const rate = (now: number, then: number): number => Math.max(0, (now - then) / seconds);
  return {
    ...next,
    history: addSample(world.history, at, {
      messagesIn: rate(status.messages.in, before.messages.in),
      messagesOut: rate(status.messages.out, before.messages.out),
      queries: world.queryRate,
      download: status.downloads.rate,
      upload: status.uploads.rate,
      peers: status.peers.leaves + status.peers.ultrapeers,
    }),
  };
}

function withRates(world: World, peers: readonly PeerView[], at: number): PeerRow[] {
  const seconds = (at - world.peersAt) / 1000;
  const before = new Map(world.peers.map(peer => [peer.id, peer]));
  return peers.map(peer => {
    const then = before.get(peer.id);
    if (then === undefined || seconds * 1000 < RATE_MIN_MS)
      return { ...peer, rateIn: then?.rateIn ?? 0, rateOut: then?.rateOut ?? 0 };
    return {
      ...peer,
      rateIn: Math.max(0, (peer.bytes.in - then.bytes.in) / seconds),
      rateOut: Math.max(0, (peer.bytes.out - then.bytes.out) / seconds),
    };
  });
}

/** Merges a page of the latest queries with those known. */
function withPage(world: World, queries: readonly QueryView[], at: number, counted: boolean): World {
  const newest = world.queries[0];
  const known = newest === undefined ? -1 : queries.findIndex(({ id, at }) => id === newest.id && at === newest.at);
  if (!counted) return { ...world, queries: mergedQueries(world.queries, queries, QUERIES_MAX) };
  const fresh = known < 0 ? queries : queries.slice(0, known);
  const passed = passedSince(newest, queries[0], fresh.length);
  const seconds = (at - world.queriesAt) / 1000;
  const rate = world.queriesAt === 0 || seconds * 1000 < RATE_MIN_MS ? world.queryRate : passed / seconds;
  // hit counts of known queries may have changed
  const overlap = known < 0 ? [] : queries.slice(known);
  const rest = world.queries.slice(overlap.length);
  const same = fresh.length === 0 && overlap.every((query, i) => query.hits === world.queries[i]?.hits);
  return {
    ...world,
    queries: same ? world.queries : [...fresh, ...overlap, ...rest].slice(0, QUERIES_MAX),
    queryRate: rate,
    queriesAt: at,
  };
}

function withHits(world: World, grown: NonNullable<News['queryHits']>): World {
  const hits = new Map(grown.map(({ id, hits }) => [id, hits]));
  if (world.queries.every(query => (hits.get(query.id) ?? query.hits) <= query.hits)) return world;
  const queries = world.queries.map(query => {
    const now = hits.get(query.id) ?? 0;
    return now > query.hits ? { ...query, hits: now } : query;
  });
  return { ...world, queries };
}

function partialLists(before: World['partial'], whole: NonNullable<News['whole']>): World['partial'] {
  const partial = new Set(before);
  for (const [list, isWhole] of Object.entries(whole) as [ListId, boolean][])
    if (isWhole) partial.delete(list);
    else partial.add(list);
  return partial;
}

/** Number of queries received between two, from their ids, which count up; a page may hold fewer. */
function passedSince(before: QueryView | undefined, after: QueryView | undefined, seen: number): number {
  const passed = Number(after?.id) - Number(before?.id);
  return Number.isSafeInteger(passed) && passed >= seen ? passed : seen;
}
