// The overlay core: owns the links, dispatches their descriptors, runs periodic work, sends Byes.
import { Type } from '../constants.ts';
import type { Random, WallClock } from '../ports.ts';
import type { Searchable } from '../search/shared-file.ts';
import { ByeCode } from '../wire/bye.ts';
import type { Endpoint } from '../wire/endpoint.ts';
import { Frame, ReadResult } from '../wire/frame-reader.ts';
import { encodeDescriptor } from '../wire/header.ts';
import type { Push } from '../wire/push.ts';
import type { Identity } from './identity.ts';
import { OVERLAY_LIMITS, type OverlayLimits } from './limits.ts';
import { OverlayCounters } from './links/counters.ts';
import { Discipline } from './links/discipline.ts';
import { Drop, type Drops } from './links/drops.ts';
import { encodeFarewell, readFarewell } from './links/farewell.ts';
import { Link, type LinkSpec, LinkState } from './links/link.ts';
import { Links } from './links/links.ts';
import { Priority } from './links/send-queue.ts';
import { Pinger } from './pings/pinger.ts';
import type { PongCache } from './pings/pong-cache.ts';
import { AnswerPace } from './queries/answer-pace.ts';
import { Answerer, type HitTransport } from './queries/answerer.ts';
import { DynamicQueries } from './queries/dynamic-queries.ts';
import { LeafGuidance } from './queries/leaf-guidance.ts';
import { NeighbourTables } from './queries/neighbour-tables.ts';
import type { OutOfBandProxy, ProxiedQuery } from './queries/oob-proxy.ts';
import { OwnSearches } from './queries/own-searches.ts';
import { type QueryRateSettings, QueryRates } from './queries/query-rates.ts';
import { QueryRouter } from './queries/query-router.ts';
import type { SearchSpec } from './queries/question.ts';
import { Router } from './queries/router.ts';
import type { Search } from './queries/search.ts';
import { TableSender } from './queries/table-sender.ts';
import type { OverlaySink } from './sink.ts';

/** Longest payload of any type, as in gtk-gnutella. */
const PAYLOAD_BYTES_MAX = 65_535;
/** Longest payload of QRP, vendor and unsupported types: gtk-gnutella closes the link on a longer one. */
const OTHER_BYTES_MAX = 40_960;
/** Interval of checks of all links. */
const SWEEP_MS = 1_000;
const NO_RATES: QueryRateSettings = { queriesPerSecond: 0, leafQueriesPerSecond: 0 };

export interface OverlayOptions {
  readonly clock: WallClock;
  readonly random: Random;
  readonly library: Searchable;
  readonly sink: OverlaySink;
  readonly identity: Identity;
  readonly limits?: Partial<OverlayLimits>;
  /** Read at each query; absent: no limit. */
  readonly rates?: QueryRateSettings;
  /** Delivers our hits by UDP; absent: hits go by links only. */
  readonly hitTransport?: HitTransport;
}

export class Overlay {
  readonly counters = new OverlayCounters();
  readonly queryRates: QueryRates;
  readonly #random: Random;
  readonly #sink: OverlaySink;
  readonly #identity: Identity;
  readonly #limits: OverlayLimits;
  readonly #links = new Links();
  readonly #discipline = new Discipline((link, code, text) => this.#end(link, code, text));
  readonly #searches: OwnSearches;
  readonly #tables: NeighbourTables;
  readonly #tableSender: TableSender;
  readonly #dynamicQueries: DynamicQueries;
  readonly #guidance: LeafGuidance;
  readonly #router: Router;
  readonly #pinger: Pinger;
  /** The descriptor being handled. */
  readonly #frame = new Frame();
  #receiving = false;
  #nextId = 1;
  #sweptAt: number;
  /** The next sweep has something to do then, as of the last one, if nothing comes in before. */
  #sweepDue = 0;

  constructor(options: OverlayOptions, now: number) {
    const { clock, random, library, sink, identity } = options;
    const limits = { ...OVERLAY_LIMITS, ...options.limits };
    this.#random = random;
    this.#sink = sink;
    this.#identity = identity;
    this.#limits = limits;
    this.#sweptAt = now;
    this.#searches = new OwnSearches(random, limits.searchesMax);
    const { counters } = this;
    // spelt out for each: a spread would give each servent object shapes of its own, some kilobytes of them
    const [links, discipline] = [this.#links, this.#discipline];
    const answerer = new Answerer({
      library,
      identity,
      counters,
      hitsPerQueryMax: limits.hitsPerQueryMax,
      clock,
      hitTransport: options.hitTransport ?? null,
    });
    this.#tables = new NeighbourTables(limits.largestTableMs, (link, code, text) => this.#end(link, code, text));
    const [tables, searches] = [this.#tables, this.#searches];
    const pace = new AnswerPace(limits.dynamicQuery.waitMsMax);
    const dynamicQueries = new DynamicQueries({ links, tables, pace, counters, limits, random });
    const queryRouter = new QueryRouter(tables);
    this.queryRates = new QueryRates(options.rates ?? NO_RATES, limits.leavesOfAddress);
    this.#dynamicQueries = dynamicQueries;
    this.#tableSender = new TableSender({ library, tables, random, limits });
    this.#guidance = new LeafGuidance({ dynamicQueries, searches });
    this.#router = new Router({
      links,
      searches,
      dynamicQueries,
      queryRouter,
      rates: this.queryRates,
      answerer,
      discipline,
      counters,
      sink,
      identity,
      limits,
      random,
      now,
    });
    this.#pinger = new Pinger({
      links,
      library,
      discipline,
      counters,
      sink,
      identity,
      limits,
      random,
      pace,
      now,
    });
  }

  /** Open links by id, oldest first. */
  get links(): ReadonlyMap<number, Link> {
    return this.#links.all;
  }

  /** Open links by what the peer is; legacy peers count as ultrapeers. */
  get counts(): { readonly leaves: number; readonly ultrapeers: number } {
    return { leaves: this.#links.leaves.length, ultrapeers: this.#links.relays.length };
  }

  /** Of all links so far. */
  get drops(): Drops {
    return this.#discipline.drops;
  }

  /** Running ones, oldest first. */
  get searches(): Iterable<Search> {
    return this.#searches.values();
  }

  get pongs(): PongCache {
    return this.#pinger.cache;
  }

  /** Bytes sent, over all links that there ever were. */
  get bytesOut(): number {
    let bytes = this.counters.bytesOutPast;
    for (const { queue } of this.#links.all.values()) bytes += queue.bytesSent;
    return bytes;
  }

  /** Entries and bytes of the tables that routing needs. */
  get routeTables(): { queries: number; servents: number; bytes: number } {
    const {
      queryRoutes,
      pushRoutes: { table: pushRoutes },
    } = this.#router;
    const bytes = queryRoutes.memoryBytes + pushRoutes.memoryBytes;
    return { queries: queryRoutes.entries, servents: pushRoutes.entries, bytes };
  }

  /** A handshake succeeded. The peer gets a ping and our running searches. */
  addLink(spec: LinkSpec, now: number): Link {
    const link = new Link(this.#nextId++, spec, now, PAYLOAD_BYTES_MAX, this.#limits.send);
    this.#links.add(link);
    this.#pinger.greet(link, now);
    this.#tableSender.greet(link, now);
    this.#router.onLinked(link, now);
    return link;
  }

  /**
   * Bytes from a link, inflated already. Never throws, whatever they are; keeps no view of the chunk but of an
   * unfinished descriptor.
   */
  receive(link: Link, chunk: Buffer, now: number): void {
    if (this.#receiving) throw new Error('a wire delivered from within wake() or a sink from within an event');
    if (link.state !== LinkState.Open) {
      if (link.state === LinkState.Closing) this.drops.count(Drop.AfterClose);
      return;
    }
    link.lastInAt = now;
    link.bytesIn += chunk.length;
    this.counters.bytesIn += chunk.length;
    this.#receiving = true;
    try {
      link.reader.push(chunk);
      let read = link.reader.next(this.#frame);
      while (read === ReadResult.Frame) {
        link.framesIn++;
        this.#dispatch(link, this.#frame, now);
        if (link.state !== LinkState.Open) return;
        read = link.reader.next(this.#frame);
      }
      if (read === ReadResult.TooLong) {
        this.drops.count(Drop.SizeWrong);
        this.#end(link, ByeCode.TooLarge, 'Descriptor too long');
      }
    } finally {
      this.#frame.release();
      this.#receiving = false;
    }
  }

  #dispatch(link: Link, frame: Frame, now: number): void {
    const { counters } = this;
    counters.framesIn++;
    switch (frame.type) {
      case Type.Query:
        counters.queriesIn++;
        this.#router.onQuery(link, frame, now);
        break;
      case Type.QueryHit:
        counters.hitsIn++;
        this.#router.onQueryHit(link, frame, now);
        break;
      case Type.Ping:
        counters.pingsIn++;
        this.#pinger.onPing(link, frame, now);
        break;
      case Type.Pong:
        counters.pongsIn++;
        this.#pinger.onPong(link, frame, now);
        break;
      case Type.Push:
        counters.pushesIn++;
        this.#router.onPush(link, frame, now);
        break;
      case Type.Bye:
        counters.byesIn++;
        this.#onBye(link, frame, now);
        break;
      case Type.Qrp:
        counters.routeTableUpdatesIn++;
        if (this.#fromNeighbour(link, frame)) this.#onRouteTableUpdate(link, frame, now);
        break;
      case Type.Vendor:
      case Type.StandardVendor:
        counters.vendorMessagesIn++;
        if (this.#fromNeighbour(link, frame)) this.#onVendorMessage(link, frame, now);
        break;
      case Type.Dht:
      case Type.Hsep:
        counters.othersIn++;
        if (this.#fromNeighbour(link, frame)) this.#discipline.drop(link, Drop.NotSpoken);
        break;
      default:
        counters.othersIn++;
        this.#discipline.drop(link, Drop.UnknownType);
    }
  }

  /** Checks a type that is not relayed: its size, hops and TTL. */
  #fromNeighbour(link: Link, frame: Frame): boolean {
    if (frame.payloadBytes > OTHER_BYTES_MAX) {
      this.drops.count(Drop.SizeWrong);
      this.#end(link, ByeCode.TooLarge, 'Descriptor too long');
      return false;
    }
    if (frame.hops === 0 && frame.ttl <= 1) return true;
    this.#discipline.drop(link, Drop.NeverRouted);
    return false;
  }

  #onRouteTableUpdate(link: Link, frame: Frame, now: number): void {
    const whole = this.#tables.receive(link, frame, now);
    if (whole && link.role === 'leaf') this.#dynamicQueries.onLeafTable(link, now);
    this.#sink.onRouteTableUpdate(link, frame);
  }

  /** Applies hops flow and query status; passes every message to the sink. */
  #onVendorMessage(link: Link, frame: Frame, now: number): void {
    if (!this.#guidance.onMessage(link, frame, now)) this.drops.count(Drop.Malformed);
    this.#sink.onVendorMessage(link, frame, now);
  }

  #onBye(link: Link, frame: Frame, now: number): void {
    const farewell = readFarewell(frame);
    if (farewell === null) this.drops.count(Drop.Malformed);
    const { code, text, hosts } = farewell ?? { code: 0, text: '', hosts: [] };
    link.ended = { code, text };
    this.#sink.onBye(link, code, text, hosts, now);
    this.#detach(link, LinkState.Closing);
    link.queue.clear();
    link.wire.close();
  }

  /** Clears the queue, sends a Bye with other ultrapeers, and closes the link. Idempotent. */
  bye(link: Link, code: number, text: string, tryUltrapeers: readonly Endpoint[] = []): void {
    if (link.state !== LinkState.Open) return;
    link.ended = { code, text };
    this.#detach(link, LinkState.Closing);
    link.queue.clear();
    const payload = encodeFarewell({ code, text, hosts: tryUltrapeers });
    link.queue.enqueue(encodeDescriptor(this.#random.guid(), Type.Bye, 1, 0, payload), Priority.Control);
    link.wire.close();
  }

  /** Ends a link for a reason of the core: tells the sink too. */
  #end(link: Link, code: number, text: string): void {
    if (link.state !== LinkState.Open) return;
    this.bye(link, code, text);
    this.#sink.onLinkEnded(link, code, text);
  }

  /** The socket is gone. Idempotent. */
  removeLink(link: Link, reason: string): void {
    if (link.state === LinkState.Closed) return;
    link.ended ??= { code: 0, text: reason };
    this.#detach(link, LinkState.Closed);
    link.state = LinkState.Closed;
    const { queue } = link;
    queue.clear();
    this.counters.framesOutPast += queue.framesSent;
    this.counters.bytesOutPast += queue.bytesSent;
    this.counters.shedPast += queue.droppedTotal;
  }

  #detach(link: Link, state: LinkState): void {
    if (!this.#links.remove(link)) return;
    link.state = state;
    this.#pinger.cache.forgetLink(link.id);
    this.#tables.forget(link);
    this.#tableSender.forget(link);
    this.#dynamicQueries.forget(link);
    this.#router.oobProxy.forget(link);
  }

  /** `held`: no neighbour is asked before release(). Throws RangeError, with the reason, when no file can match it. */
  search(spec: SearchSpec, now: number, held = false): Search {
    const identity = this.#identity;
    const outOfBand = identity.outOfBand?.(now) ?? null;
    const stream = identity.streamEndpoint?.(now) ?? null;
    const search = this.#searches.start(spec, identity.firewalled(now), now, outOfBand, stream);
    search.held = held;
    if (!held) this.#router.originate(search, now);
    return search;
  }

  /** Asks the neighbours for a search that was held. */
  release(search: Search, now: number): void {
    if (!search.held || !search.open) return;
    search.held = false;
    this.#router.originate(search, now);
  }

  cancelSearch(search: Search): void {
    const wasOpen = search.open;
    const inherited = this.#searches.cancel(search);
    if (wasOpen && !inherited) this.#guidance.onOver(search, this.#links.all.values());
    this.#dynamicQueries.cancel(search);
  }

  /** Asks a neighbour for its pong, which has its free slots. */
  askForPong(link: Link, now: number): void {
    if (link.state === LinkState.Open) this.#pinger.ask(link, now);
  }

  /** The running search whose GUID stands at `start`. */
  searchOf(bytes: Buffer, start: number): Search | null {
    return this.#searches.find(bytes, start);
  }

  /** A hit that came by datagram, asked for, goes to the leaf. */
  receiveProxiedHit(proxied: ProxiedQuery, frame: Frame, now: number): void {
    this.#router.onProxiedHit(proxied, frame, now);
  }

  /** Queries of leaves that go out with our address. */
  get oobProxy(): OutOfBandProxy {
    return this.#router.oobProxy;
  }

  /**
   * A query descriptor that came by datagram, for our leaves; their hits go to the sink. False when it has been here
   * before.
   */
  receiveDatagramQuery(query: Buffer, now: number): boolean {
    const frame = new Frame();
    frame.bytes = query;
    frame.end = query.length;
    return this.#router.onDatagramQuery(frame, now);
  }

  /** A push that came by datagram. False when it is not for us and no way is known. Throws what parsePush() throws. */
  receiveDatagramPush(frame: Frame, from: Endpoint, now: number): boolean {
    return this.#router.onDatagramPush(frame, from, now);
  }

  /** Pushes for this servent GUID go to `link`; false when another neighbour has it. */
  adopt(link: Link, guid: Buffer): boolean {
    return link.state === LinkState.Open && this.#links.adopt(link, guid);
  }

  /** The link to the servent of this GUID itself. */
  linkTo(guid: Buffer): Link | null {
    return this.#links.withServent(guid, 0);
  }

  /** Asks the servent that sent a hit to connect to `push.endpoint`. Returns the number of links used; 0: no route. */
  sendPush(push: Push, now: number, guid: Buffer = this.#random.guid()): number {
    return this.#router.sendPush(push, now, guid);
  }

  /** The shared files have changed: QRP tables will be updated. */
  onLibraryChanged(): void {
    this.#tableSender.onLibraryChanged();
  }

  /** Neighbours' QRP tables: leaves that have one, bytes of all. Dynamic queries running. */
  get queryRouting(): { leafTables: number; tableBytes: number; dynamicQueries: number } {
    const { leaves, memoryBytes } = this.#tables;
    return { leafTables: leaves, tableBytes: memoryBytes, dynamicQueries: this.#dynamicQueries.size };
  }

  /** Does what is due; when to be called again: after any other call of now, at most SWEEP_MS later. */
  tick(now: number): number {
    const sweeps = now >= this.#sweptAt + SWEEP_MS;
    if (sweeps) {
      this.#sweptAt = now;
      for (const link of this.#links.all.values()) this.#lookAfter(link, now);
      this.#sweepDue = Math.min(this.#pinger.tick(now), this.#router.tick(now), this.#tables.tick(now));
    }
    const asking = this.#dynamicQueries.size > 0;
    const next = Math.min(this.#dynamicQueries.tick(now), this.#tableSender.tick(now));
    if (sweeps) this.#sweepDue = Math.min(this.#sweepDue, this.#watchesAt());
    // What waits may stand still, so the next sweep looks at it. Between sweeps a tick sends to leaves only what dynamic queries ask:
    // their queues, a thousand of them, are read once a sweep.
    const waits = asking || someWaits(sweeps ? this.#links.all.values() : this.#links.relays);
    const sweepDue = waits ? now : this.#sweepDue;
    return Math.min(next, Math.max(sweepDue, this.#sweptAt + SWEEP_MS));
  }

  /** When the first link has been silent for too long. */
  #watchesAt(): number {
    let at = Number.POSITIVE_INFINITY;
    for (const link of this.#links.all.values()) at = Math.min(at, this.#pinger.watchesAt(link));
    return at;
  }

  #lookAfter(link: Link, now: number): void {
    const { queue } = link;
    if (queue.overflowed) {
      this.#end(link, ByeCode.SendQueueFull, 'Send queue full');
      return;
    }
    queue.rest();
    const moves = queue.size === 0 || queue.framesSent !== link.framesSentSeen;
    link.framesSentSeen = queue.framesSent;
    link.stalledSweeps = moves ? 0 : link.stalledSweeps + 1;
    if (link.stalledSweeps * SWEEP_MS > this.#limits.stallMs) {
      this.#end(link, ByeCode.ActivityTimeout, 'Nothing taken for too long');
      return;
    }
    const code = this.#pinger.watch(link, now);
    if (code !== 0) this.#end(link, code, 'No answer to alive pings');
  }

  /** Bye to all. */
  shutdown(): void {
    for (const link of this.#links.all.values()) this.bye(link, ByeCode.Shutdown, 'Servent shutting down');
  }
}

function someWaits(links: Iterable<Link>): boolean {
  for (const { queue } of links) if (queue.size > 0) return true;
  return false;
}
