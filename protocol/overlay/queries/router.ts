// Routes queries, hits and pushes: duplicates, TTL and hops, reverse paths.
import { GUID_BYTES, HARD_TTL_MAX, HEADER_BYTES, Type } from '../../constants.ts';
import { ProtocolError } from '../../errors.ts';
import type { Random } from '../../ports.ts';
import { KeyedRateLimit, RateLimit } from '../../rate-limit.ts';
import { ownerKey } from '../../transfer/reaching/ask-budget.ts';
import { type Endpoint, isIpv6, reachOf, writeIpv4 } from '../../wire/endpoint.ts';
import type { Frame } from '../../wire/frame-reader.ts';
import { addressInGuid } from '../../wire/guid-address.ts';
import { encodeDescriptor } from '../../wire/header.ts';
import { encodePush, FIREWALL_TO_FIREWALL_INDEX, PUSH_BYTES_MIN, type Push, parsePush } from '../../wire/push.ts';
import { isWhatsNewText, QUERY_PAYLOAD_BYTES_MIN, QueryFlag, wantsOutOfBand } from '../../wire/query.ts';
import { parseQueryHit, QUERY_HIT_PAYLOAD_BYTES_MIN } from '../../wire/query-hit.ts';
import type { Identity } from '../identity.ts';
import type { OverlayLimits } from '../limits.ts';
import type { OverlayCounters } from '../links/counters.ts';
import type { Discipline } from '../links/discipline.ts';
import { Drop } from '../links/drops.ts';
import type { Link } from '../links/link.ts';
import type { Links } from '../links/links.ts';
import { Priority } from '../links/send-queue.ts';
import type { OverlaySink } from '../sink.ts';
import type { Answerer } from './answerer.ts';
import { type DynamicQueries, recordsOf } from './dynamic-queries.ts';
import { OutOfBandProxy, type ProxiedQuery } from './oob-proxy.ts';
import type { OwnSearches } from './own-searches.ts';
import { PushRoutes } from './push-routes.ts';
import { QueryGuard } from './query-guard.ts';
import type { QueryRates } from './query-rates.ts';
import type { QueryRouter } from './query-router.ts';
import { BY_DATAGRAM, NO_LINK, OURSELVES, RouteTable } from './route-table.ts';
import type { Search } from './search.ts';
import { relayTtl, Unfit } from './ttl.ts';

/** gtk-gnutella ends a link over a query this long, so none is passed on. */
const QUERY_BYTES_MAX = 1023;
/** Flags, the NUL of a text that is not there, and another NUL. */
const QUERY_WITHOUT_TEXT_BYTES = HEADER_BYTES + 4;
/** What's New goes no further than this, gtk-gnutella's rule: no table can spare anybody from it. */
const WHATS_NEW_HOPS_MAX = 2;
/** gtk-gnutella drops longer hits. */
const HIT_BYTES_MAX = 16_384;
/** With the largest GGEP block that gtk-gnutella accepts. */
const PUSH_BYTES_MAX = PUSH_BYTES_MIN + 1536;
/** Hits live long enough to get back however their query went; gtk-gnutella cuts them to this. */
const HIT_TTL_MAX = 16;

/** At most 131,072 queries a generation (8 MiB each, two of them); remembered for 10 to 20 minutes unless it fills. */
const QUERY_ROUTES = { entriesMin: 1024, entriesMax: 131_072, generationMs: 10 * 60_000 };
/** A mark in the query table: TTLs with which it went on, to modern peers in the low byte, to legacy ones above it. */
const LEGACY_SHIFT = 8;
/** Mark of queries of which no later copy is relayed. */
const FINAL_MARK = (0xff << LEGACY_SHIFT) | 0xff;

/** Pushes a link may send: each makes somebody open a connection. */
const PUSH_LIMIT = new RateLimit(100, 50);
/** Pushes by datagram, from everybody together. */
const DATAGRAM_PUSH_LIMIT = new RateLimit(20, 100);
/** Of one address: else one could take the room of all others. */
const DATAGRAM_PUSHES_OF_ONE = new RateLimit(200, 20);
const DATAGRAM_PUSHERS_MAX = 1_024;

export interface RouterParts {
  readonly links: Links;
  readonly searches: OwnSearches;
  readonly dynamicQueries: DynamicQueries;
  readonly queryRouter: QueryRouter;
  readonly rates: QueryRates;
  readonly answerer: Answerer;
  readonly discipline: Discipline;
  readonly counters: OverlayCounters;
  readonly sink: OverlaySink;
  readonly identity: Identity;
  readonly limits: OverlayLimits;
  readonly random: Random;
  readonly now: number;
}

export class Router {
  readonly #links: Links;
  readonly #searches: OwnSearches;
  readonly #dynamicQueries: DynamicQueries;
  readonly #queryRouter: QueryRouter;
  readonly #answerer: Answerer;
  readonly #discipline: Discipline;
  readonly #counters: OverlayCounters;
  readonly #sink: OverlaySink;
  readonly #identity: Identity;
  readonly #limits: OverlayLimits;
  readonly #rates: QueryRates;
  readonly #queryGuard: QueryGuard | null;
  /** Query GUID -> where it came from. */
  readonly queryRoutes: RouteTable;
  readonly pushRoutes: PushRoutes;
  readonly oobProxy: OutOfBandProxy;
  #datagramPushDue = 0;
  readonly #datagramPushers = new KeyedRateLimit(DATAGRAM_PUSHES_OF_ONE, DATAGRAM_PUSHERS_MAX);

  constructor(parts: RouterParts) {
    this.#links = parts.links;
    this.#searches = parts.searches;
    this.#dynamicQueries = parts.dynamicQueries;
    this.#queryRouter = parts.queryRouter;
    this.#answerer = parts.answerer;
    this.#discipline = parts.discipline;
    this.#counters = parts.counters;
    this.#sink = parts.sink;
    this.#identity = parts.identity;
    this.#limits = parts.limits;
    this.#rates = parts.rates;
    this.#queryGuard = parts.limits.queries === null ? null : new QueryGuard(parts.limits.queries, parts.now);
    this.queryRoutes = new RouteTable(QUERY_ROUTES, parts.random, parts.now);
    this.pushRoutes = new PushRoutes(parts);
    this.oobProxy = new OutOfBandProxy(parts.identity);
  }

  /** What a query must be, whichever way it came: why it is not, or null. */
  #unfit({ bytes, start, end, payloadBytes }: Frame): Drop | null {
    if (payloadBytes < QUERY_PAYLOAD_BYTES_MIN || payloadBytes > QUERY_BYTES_MAX) return Drop.SizeWrong;
    const textStart = start + HEADER_BYTES + 2;
    const textEnd = bytes.indexOf(0, textStart);
    if (textEnd < 0 || textEnd >= end) return Drop.Malformed;
    const marked = (bytes.readUInt16BE(start + HEADER_BYTES) & QueryFlag.Marked) !== 0;
    if (!marked && !this.#limits.unflaggedQueries) return Drop.Unflagged;
    return end - start <= QUERY_WITHOUT_TEXT_BYTES && textEnd === textStart ? Drop.QueryEmpty : null;
  }

  /**
   * Whether a leaf has hits sent by UDP to a host that is not its own (gtk-gnutella). Ports may differ; addresses where
   * nobody can be are left to those who answer; a leaf that we know by IPv6 may well have IPv4 too.
   */
  #pointsElsewhere({ endpoint }: Link, frame: Frame): boolean {
    const back = addressInGuid(frame.bytes, frame.start);
    if (back.host === endpoint.host || isIpv6(endpoint.host) || back.port === 0) return false;
    return this.#limits.reaches.includes(reachOf(back.host)) && wantsOutOfBand(frame.payload());
  }

  onQuery(link: Link, frame: Frame, now: number): void {
    const { bytes, start, ttl, hops, payloadBytes } = frame;
    if (payloadBytes < QUERY_PAYLOAD_BYTES_MIN || payloadBytes > QUERY_BYTES_MAX) {
      this.#discipline.drop(link, Drop.SizeWrong);
      return;
    }
    if (hops > 0 && link.role === 'leaf') {
      this.#discipline.drop(link, Drop.LeafRelayed);
      return;
    }
    const onward = relayTtl(ttl, hops, this.#limits.ttlMax);
    if (onward === Unfit.TtlTooHigh) {
      this.#discipline.drop(link, Drop.TtlTooHigh);
      return;
    }
    const modernTtl = Math.max(onward, 0);
    const legacyTtl = Math.max(relayTtl(ttl, hops, this.#limits.legacyTtlMax), 0);
    if (ttl === 0 && link.role === 'leaf') {
      this.#discipline.drop(link, Drop.TtlZero); // it relays nothing, so this is nobody's last hop
      return;
    }
    const routes = this.queryRoutes;
    if (routes.find(bytes, start)) {
      this.#onDuplicate(link, frame, modernTtl, legacyTtl);
      return;
    }
    const unfit = this.#unfit(frame);
    if (unfit !== null) {
      this.#discipline.drop(link, unfit);
      return;
    }
    if (link.role === 'leaf' && this.#pointsElsewhere(link, frame)) {
      this.#discipline.drop(link, Drop.ReturnAddress);
      return;
    }
    const refused = this.#rates.judge(link, now) ?? this.#queryGuard?.judge(link, frame, now) ?? null;
    if (refused !== null) {
      this.#discipline.drop(link, refused);
      return;
    }
    const dynamic = link.role === 'leaf' && !this.#limits.flooding;
    const textStart = start + HEADER_BYTES + 2;
    const whatsNew = isWhatsNewText(bytes, textStart, bytes.indexOf(0, textStart));
    routes.add(link.id, dynamic || whatsNew ? FINAL_MARK : markOf(modernTtl, legacyTtl), now);
    const ownHits = this.#answerer.answer(link, frame, now);
    this.#sink.onQueryPassed(link, frame, ownHits);
    if (link.ourRole === 'leaf' || ttl === 0) return;
    if (dynamic) {
      const isKnown = (guid: Buffer) => routes.find(guid, 0);
      const proxied = this.#limits.proxyOutOfBand ? this.oobProxy.start(link, frame, isKnown, now) : null;
      if (proxied !== null) routes.add(link.id, FINAL_MARK, now); // its GUID was just looked for
      this.#dynamicQueries.startOfLeaf(link, frame, ownHits, now, proxied);
      return;
    }
    this.#queryRouter.next(whatsNew);
    const arrived = whatsNew && hops + 1 >= WHATS_NEW_HOPS_MAX;
    if (!arrived) this.#relayToUltrapeers(link.id, NO_LINK, frame, modernTtl, legacyTtl, false);
    this.#relayToLeaves(link, frame);
  }

  /**
   * The first copy of a query is processed. A later one with more TTL, as dynamic querying sends after a probe, only
   * travels on: to ultrapeers that the first never went to, and to those that said they can use it (X-Ext-Probes).
   */
  #onDuplicate(link: Link, frame: Frame, modernTtl: number, legacyTtl: number): void {
    const routes = this.queryRoutes;
    const { link: first, mark } = routes;
    if (first !== link.id && routes.alternate === NO_LINK) routes.alternate = link.id;
    const modernBefore = mark & 0xff;
    const legacyBefore = mark >> LEGACY_SHIFT;
    const further = modernTtl > modernBefore ? modernTtl : 0;
    const toLegacy = legacyBefore === 0 ? legacyTtl : 0;
    if (further + toLegacy > 0 && link.ourRole !== 'leaf') {
      routes.mark = markOf(further === 0 ? modernBefore : further, toLegacy === 0 ? legacyBefore : toLegacy);
      this.#counters.queriesExtended++;
      this.#queryRouter.next();
      this.#relayToUltrapeers(link.id, first, frame, further, toLegacy, modernBefore > 0);
    } else this.#discipline.drop(link, first === link.id ? Drop.DuplicateSameLink : Drop.Duplicate);
  }

  /**
   * Hot: one copy for all modern targets, at most one more for legacy ones with their longer horizon. `again`: modern
   * ones have had the query, with less TTL.
   */
  #relayToUltrapeers(
    fromId: number,
    alsoNotId: number,
    frame: Frame,
    modernTtl: number,
    legacyTtl: number,
    again: boolean,
  ): void {
    const hops = frame.hops + 1;
    let modern: Buffer | null = null;
    let legacy: Buffer | null = null;
    let copies = 0;
    const lastHop = modernTtl === 1 && !this.#limits.flooding;
    for (const target of this.#links.relays) {
      if (target.id === fromId || target.id === alsoNotId || hops >= target.queryHopsMax) continue;
      if (target.role === 'legacy') {
        if (legacyTtl <= 0) continue;
        legacy ??= aged(frame, legacyTtl);
        target.queue.enqueue(legacy, Priority.Query);
      } else {
        if (modernTtl <= 0 || (again && !target.capabilities.extProbes)) continue;
        if (lastHop && !this.#queryRouter.servesLastHop(target, frame)) {
          this.#counters.queriesSpared++;
          continue;
        }
        modern ??= aged(frame, modernTtl);
        target.queue.enqueue(modern, Priority.Query);
      }
      copies++;
    }
    this.#counters.queriesRelayed += copies;
  }

  /** To those whose tables match, with TTL 1: a leaf passes nothing on. */
  #relayToLeaves(from: Link | null, frame: Frame): void {
    if (this.#links.leaves.length === 0) return;
    const leaves = this.#limits.flooding ? this.#links.leaves : this.#queryRouter.leaves(frame);
    const { hops } = frame;
    let copy: Buffer | null = null;
    let copies = 0;
    for (const target of leaves) {
      if (target === from || hops + 1 >= target.queryHopsMax) continue;
      copy ??= aged(frame, 1);
      target.queue.enqueue(copy, Priority.Query);
      copies++;
    }
    this.#counters.queriesRelayed += copies;
  }

  /** A query that came by datagram, for our leaves. False when it is not fit for them or has been here before. */
  onDatagramQuery(frame: Frame, now: number): boolean {
    if (this.#unfit(frame) !== null) return false;
    if (this.queryRoutes.find(frame.bytes, frame.start)) return false;
    this.queryRoutes.add(BY_DATAGRAM, FINAL_MARK, now);
    this.#queryRouter.next();
    this.#relayToLeaves(null, frame);
    return true;
  }

  onQueryHit(link: Link, frame: Frame, now: number): void {
    const { bytes, start, ttl, hops, payloadBytes } = frame;
    if (payloadBytes < QUERY_HIT_PAYLOAD_BYTES_MIN || payloadBytes > HIT_BYTES_MAX) {
      this.#discipline.drop(link, Drop.SizeWrong);
      return;
    }
    if (hops > 0 && link.role === 'leaf') {
      this.#discipline.drop(link, Drop.LeafRelayed);
      return;
    }
    const routes = this.queryRoutes;
    const known = routes.find(bytes, start);
    if (!known || routes.link === OURSELVES) {
      // our own may outlive their place in the table
      const search = this.#searches.size > 0 ? this.#searches.find(bytes, start) : null;
      if (search !== null) this.#takeHit(search, link, frame, now);
      else this.#discipline.drop(link, known ? Drop.HitUnwanted : Drop.HitNoRoute);
      return;
    }
    if (routes.link === BY_DATAGRAM) {
      this.pushRoutes.learn(link, frame, now);
      this.#sink.onDatagramQueryHit?.(frame, now);
      return;
    }
    const target = this.#wayBack(link, routes.link, routes.alternate);
    if (target === null) return;
    routes.touch(now);
    let onwardTtl = Math.min(ttl, HIT_TTL_MAX) - 1;
    if (onwardTtl <= 0 && target.role === 'leaf') onwardTtl = 1; // the last hop to a leaf ignores the TTL
    if (onwardTtl <= 0 || hops >= HIT_TTL_MAX) {
      this.#discipline.drop(link, Drop.HitExpired);
      return;
    }
    this.pushRoutes.learn(link, frame, now);
    const onward = aged(frame, onwardTtl);
    if (target.role === 'leaf') {
      this.oobProxy.find(bytes, start)?.leafGuid.copy(onward, 0);
      this.#dynamicQueries.onHit(link, frame, onward, now);
    }
    target.queue.enqueue(onward, Priority.Hit);
    this.#counters.hitsRelayed++;
    this.#sink.onHitPassed(link, target, frame);
  }

  /** A hit that came by datagram for a query of a leaf that we stand in for. */
  onProxiedHit(proxied: ProxiedQuery, frame: Frame, now: number): void {
    this.oobProxy.pass(proxied, frame);
    this.#dynamicQueries.onProxiedHits(proxied.leafGuid, recordsOf(frame), now);
    this.#counters.hitsRelayed++;
  }

  /** The link that a hit from `link` goes to; null when there is none, which has been counted then. */
  #wayBack(link: Link, first: number, alternate: number): Link | null {
    if (link.ourRole === 'leaf') {
      this.#discipline.drop(link, Drop.HitNoRoute); // a leaf relays nothing, so nobody waits for it
      return null;
    }
    if (first === link.id) {
      this.#discipline.drop(link, Drop.HitBackwards);
      return null;
    }
    const target = this.#links.get(first) ?? (alternate === link.id ? null : this.#links.get(alternate));
    if (target === null) this.#discipline.drop(link, Drop.HitLinkGone);
    return target;
  }

  #takeHit(search: Search, link: Link, frame: Frame, now: number): void {
    try {
      const hit = parseQueryHit(Buffer.from(frame.payload())); // a copy: results are kept, the chunk should not be
      this.pushRoutes.learn(link, frame, now);
      search.queryHits++;
      search.hits += hit.hits.length;
      this.#dynamicQueries.onHit(link, frame, search.guid, now);
      this.#sink.onHit(search, hit, link, frame.hops, now);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#discipline.drop(link, Drop.Malformed);
    }
  }

  onPush(link: Link, frame: Frame, now: number): void {
    const { bytes, start, ttl, hops, payloadBytes } = frame;
    if (payloadBytes < PUSH_BYTES_MIN || payloadBytes > PUSH_BYTES_MAX) {
      this.#discipline.drop(link, Drop.SizeWrong);
      return;
    }
    if (hops > 0 && link.role === 'leaf') {
      this.#discipline.drop(link, Drop.LeafRelayed);
      return;
    }
    const due = PUSH_LIMIT.admit(link.pushDue, now);
    if (due < 0) {
      this.#discipline.drop(link, Drop.PushTooSoon);
      return;
    }
    link.pushDue = due;
    const guidAt = start + HEADER_BYTES;
    if (this.#identity.serventGuid.compare(bytes, guidAt, guidAt + GUID_BYTES) === 0) {
      this.#takePush(link, frame, now);
      return;
    }
    if (hops >= HARD_TTL_MAX) {
      this.#discipline.drop(link, Drop.PushExpired); // TTL does not end it, see below
      return;
    }
    if (ttl === 0 && (link.role === 'leaf' || this.#links.withServent(bytes, guidAt) === null)) {
      this.#discipline.drop(link, Drop.TtlZero); // only the last step, to the neighbour itself, is free
      return;
    }
    // never below 1: a push that has found its way so far should not die before the last step (gtk-gnutella)
    const onwardTtl = Math.max(Math.min(ttl, HARD_TTL_MAX) - 1, 1);
    const relayed =
      link.ourRole === 'leaf' ? 0 : this.pushRoutes.send(bytes, guidAt, link.id, () => aged(frame, onwardTtl), now);
    this.#counters.pushesRelayed += relayed;
    if (relayed === 0) this.#discipline.drop(link, Drop.PushNoRoute);
  }

  /**
   * A push that came by datagram: for us, or for a servent that we know a way to. False when it is neither. One for a stream by UDP names the
   * address that it came from, as gtk-gnutella corrects it.
   */
  onDatagramPush(frame: Frame, from: Endpoint, now: number): boolean {
    const { bytes, start, payloadBytes } = frame;
    if (payloadBytes < PUSH_BYTES_MIN || payloadBytes > PUSH_BYTES_MAX) return false;
    const due = DATAGRAM_PUSH_LIMIT.admit(this.#datagramPushDue, now);
    if (due < 0 || !this.#datagramPushers.admit(ownerKey(from), now)) return false;
    this.#datagramPushDue = due;
    const push = parsePush(Buffer.from(frame.payload()));
    if (this.#identity.serventGuid.equals(push.serventGuid)) {
      const streams = push.fileIndex === FIREWALL_TO_FIREWALL_INDEX;
      this.#sink.onPush(streams ? { ...push, endpoint: from, ipv6: null } : push, null, now, frame.guid());
      return true;
    }
    if (!this.#identity.ultrapeer) return false;
    const streams = push.fileIndex === FIREWALL_TO_FIREWALL_INDEX && !isIpv6(from.host);
    const raised = () => {
      const copy = aged(frame, this.#limits.legacyTtlMax); // it has come one hop whatever it says: gtk-gnutella's rule
      copy[18] = 1;
      if (streams) redirectPush(copy, from);
      return copy;
    };
    const relayed = this.pushRoutes.send(bytes, start + HEADER_BYTES, NO_LINK, raised, now);
    this.#counters.pushesRelayed += relayed;
    return relayed > 0;
  }

  #takePush(link: Link, frame: Frame, now: number): void {
    try {
      this.#sink.onPush(parsePush(Buffer.from(frame.payload())), link, now, frame.guid());
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#discipline.drop(link, Drop.Malformed);
    }
  }

  /** Our own push. On how many links it went out: 0 when no way is known. */
  sendPush(push: Push, now: number, guid: Buffer): number {
    const payload = encodePush(push);
    const make = () => encodeDescriptor(guid, Type.Push, this.#limits.legacyTtlMax, 0, payload);
    return this.pushRoutes.send(payload, 0, NO_LINK, make, now);
  }

  /** Forgets old routes; when it will again. */
  tick(now: number): number {
    return Math.min(this.queryRoutes.tick(now), this.pushRoutes.table.tick(now), this.oobProxy.tick(now));
  }

  /** A new search of ours: to all the ultrapeers that we are a leaf of, and as an ultrapeer step by step. */
  originate(search: Search, now: number): void {
    if (!this.queryRoutes.find(search.guid, 0)) this.queryRoutes.add(OURSELVES, FINAL_MARK, now);
    for (const link of this.#links.all.values()) this.ask(search, link, now);
    if (!this.#limits.flooding) this.#dynamicQueries.startOwn(search, now);
  }

  /** A link came up: our running searches go there as well. */
  onLinked(link: Link, now: number): void {
    for (const search of this.#searches.values()) this.ask(search, link, now);
    this.#dynamicQueries.onLinked(now);
  }

  /** Sends a search of ours to one link, with the largest TTL that the peer accepts, unless dynamic querying will. */
  ask(search: Search, link: Link, now: number): void {
    if (search.held || link.queryHopsMax === 0 || (link.ourRole !== 'leaf' && !this.#limits.flooding)) return;
    const { ttlMax, legacyTtlMax } = this.#limits;
    const most = link.role === 'legacy' ? legacyTtlMax : Math.min(ttlMax, link.capabilities.maxTtl ?? ttlMax);
    const ttl = link.role === 'leaf' ? 1 : Math.max(1, Math.min(most, search.ttlMax));
    link.queue.enqueue(encodeDescriptor(search.guid, Type.Query, ttl, 0, search.payload), Priority.Query);
    search.noteAsked(now);
  }
}

function markOf(modernTtl: number, legacyTtl: number): number {
  return (legacyTtl << LEGACY_SHIFT) | modernTtl;
}

/** Names the address that a push descriptor came from as the one to connect to. */
function redirectPush(descriptor: Buffer, { host, port }: Endpoint): void {
  writeIpv4(descriptor, host, HEADER_BYTES + 20);
  descriptor.writeUInt16LE(port, HEADER_BYTES + 24);
}

/** A copy one hop further. */
function aged(frame: Frame, ttl: number): Buffer {
  const copy = frame.copy();
  copy[17] = ttl;
  copy[18] = frame.hops + 1;
  return copy;
}
