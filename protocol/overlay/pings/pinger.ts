// Pings and pongs on links: checks that peers are alive, learns hosts, answers pings from the pong cache.
import { HARD_TTL_MAX, HEADER_BYTES, Type } from '../../constants.ts';
import { dhtModeIn } from '../../dht/dht-items.ts';
import { ProtocolError } from '../../errors.ts';
import type { Random } from '../../ports.ts';
import { RateLimit } from '../../rate-limit.ts';
import type { Searchable } from '../../search/shared-file.ts';
import { ByeCode } from '../../wire/bye.ts';
import { formatEndpoint, reachOf } from '../../wire/endpoint.ts';
import type { Frame } from '../../wire/frame-reader.ts';
import { encodeDescriptor } from '../../wire/header.ts';
import { PING_GGEP_BYTES_MAX } from '../../wire/ping.ts';
import { encodePong, PLAIN_PONG, PONG_BYTES_MIN, type Pong, parsePong } from '../../wire/pong.ts';
import type { Identity } from '../identity.ts';
import type { OverlayLimits } from '../limits.ts';
import type { OverlayCounters } from '../links/counters.ts';
import type { Discipline } from '../links/discipline.ts';
import { Drop } from '../links/drops.ts';
import type { Link } from '../links/link.ts';
import type { Links } from '../links/links.ts';
import { Priority } from '../links/send-queue.ts';
import type { HostSighting } from '../neighbours/host-cache.ts';
import type { AnswerPace } from '../queries/answer-pace.ts';
import type { OverlaySink } from '../sink.ts';
import { OwnPong } from './own-pong.ts';
import { PongCache } from './pong-cache.ts';

/** Pings that want hosts may come so many at once. */
const PING_BURST = 2;
/** Alive pings answered on one link. */
const ALIVE_LIMIT = new RateLimit(1_000, 10);
/** Unanswered alive pings that end a link. */
const UNANSWERED_MAX = 6;
const LEAF_UNANSWERED_MAX = 4;
/** Cached pongs in answer to a ping. */
const PONGS_PER_PING = 10;
/** Neighbours told to a crawler. */
const CRAWLER_PONGS_MAX = 64;
/** Twice the refresh period: a round that brings nothing leaves something to answer with. */
const PONG_LIFE_MS = 40_000;
/** Pongs that we take for a ping that wants hosts, for an alive ping, and may be owed at most. */
const PONGS_FOR_PING = 40;
const PONGS_FOR_ALIVE = 4;
const PONGS_OWED_MAX = 80;
/** A round asks a fifth of the ultrapeers, but three. */
const REFRESH_SHARE = 0.2;
const REFRESH_LINKS_MIN = 3;
/** Peers without pong caching flood what we ask. */
const OLD_CLIENT_PERIOD_MS = 45_000;

export interface PingerParts {
  readonly links: Links;
  readonly library: Searchable;
  readonly discipline: Discipline;
  readonly counters: OverlayCounters;
  readonly sink: OverlaySink;
  readonly identity: Identity;
  readonly limits: OverlayLimits;
  readonly random: Random;
  /** Told of round trips. */
  readonly pace: AnswerPace;
  readonly now: number;
}

export class Pinger {
  readonly #links: Links;
  readonly #discipline: Discipline;
  readonly #counters: OverlayCounters;
  readonly #sink: OverlaySink;
  readonly #identity: Identity;
  readonly #limits: OverlayLimits;
  readonly #random: Random;
  readonly #pace: AnswerPace;
  readonly #pingLimit: RateLimit;
  readonly #leafPingLimit: RateLimit;
  readonly #ownPong: OwnPong;
  readonly cache: PongCache;
  #refreshedAt: number;

  constructor(parts: PingerParts) {
    this.#links = parts.links;
    this.#discipline = parts.discipline;
    this.#counters = parts.counters;
    this.#sink = parts.sink;
    this.#identity = parts.identity;
    this.#limits = parts.limits;
    this.#random = parts.random;
    this.#pace = parts.pace;
    this.#pingLimit = new RateLimit(parts.limits.pingEveryMs, PING_BURST);
    this.#leafPingLimit = new RateLimit(parts.limits.leafPingEveryMs, PING_BURST);
    this.#ownPong = new OwnPong(parts.identity, parts.library);
    this.cache = new PongCache(parts.random, PONG_LIFE_MS);
    this.#refreshedAt = parts.now;
  }

  onPing(link: Link, frame: Frame, now: number): void {
    const { ttl, hops, payloadBytes } = frame;
    if (payloadBytes > PING_GGEP_BYTES_MAX) {
      this.#discipline.drop(link, Drop.SizeWrong);
      return;
    }
    if (ttl === 0 && hops === 0) return; // BearShare acknowledges an alive ping so: that the link lives is noted already
    if (hops + ttl > HARD_TTL_MAX) {
      this.#discipline.drop(link, Drop.TtlTooHigh);
      return;
    }
    if (ttl === 1 && hops === 0) {
      const due = ALIVE_LIMIT.admit(link.alivePingDue, now);
      if (due < 0) this.#discipline.drop(link, Drop.PingTooSoon);
      else {
        link.alivePingDue = due;
        this.#sendPong(link, frame, 1, 0, this.#ownPong.payload(link.capabilities.ggep), Priority.Control);
      }
      return;
    }
    const due = (link.role === 'leaf' ? this.#leafPingLimit : this.#pingLimit).admit(link.pingDue, now);
    if (due < 0) {
      this.#discipline.drop(link, Drop.PingTooSoon);
      return;
    }
    link.pingDue = due;
    // gtk-gnutella asks new neighbours so for nodes of the DHT, and ends the link of a leaf that relays
    if (ttl === 2 && hops === 0 && link.ourRole !== 'leaf') this.#answerCrawler(link, frame);
    else this.#answerPing(link, frame, now);
  }

  #answerPing(link: Link, frame: Frame, now: number): void {
    const ttl = Math.min(frame.hops + 1, HARD_TTL_MAX);
    const { leafSlotsFree, ultrapeerSlotsFree } = this.#identity;
    if (!link.knowsUs || leafSlotsFree + ultrapeerSlotsFree > 0) {
      link.knowsUs = true;
      this.#sendPong(link, frame, ttl, 0, this.#ownPong.payload(link.capabilities.ggep), Priority.Pong);
    }
    if (link.ourRole === 'leaf') return;
    const itself = link.listen === null ? null : formatEndpoint(link.listen);
    for (const { payload, hops } of this.cache.pick(PONGS_PER_PING, link.id, link.role === 'leaf', now, itself)) {
      this.#sendPong(link, frame, ttl, hops + 1, Buffer.from(payload, 'latin1'), Priority.Pong);
    }
  }

  /** Answers a crawler (TTL 2, hops 0) with pongs of our neighbours, without extensions. */
  #answerCrawler(link: Link, frame: Frame): void {
    const said = new Set<string>();
    for (const neighbour of this.#links.relays) {
      const { listen: endpoint } = neighbour;
      if (neighbour === link || endpoint === null || said.has(formatEndpoint(endpoint))) continue;
      if (said.size === CRAWLER_PONGS_MAX) return;
      said.add(formatEndpoint(endpoint));
      const ultrapeer = neighbour.role === 'ultrapeer';
      const payload = encodePong({ ...PLAIN_PONG, endpoint, files: 0, kibibytes: 0, ultrapeer });
      this.#sendPong(link, frame, 1, 1, payload, Priority.Pong);
    }
  }

  #sendPong(link: Link, ping: Frame, ttl: number, hops: number, payload: Buffer, priority: Priority): void {
    link.queue.enqueue(encodeDescriptor(ping.guid(), Type.Pong, ttl, hops, payload), priority);
    this.#counters.pongsSent++;
  }

  onPong(link: Link, frame: Frame, now: number): void {
    const { bytes, start, hops, payloadBytes } = frame;
    if (payloadBytes < PONG_BYTES_MIN || payloadBytes > PONG_BYTES_MIN + PING_GGEP_BYTES_MAX) {
      this.#discipline.drop(link, Drop.SizeWrong);
      return;
    }
    if (hops > 0 && link.role === 'leaf') {
      this.#discipline.drop(link, Drop.LeafRelayed);
      return;
    }
    if (link.pingGuid !== null && link.pingGuid.compare(bytes, start, start + 16) === 0) {
      link.rttMs = now - link.pingSentAt;
      this.#pace.note(link.rttMs);
      link.pingGuid = null;
    }
    if (link.pongsOwed <= 0) {
      this.#discipline.drop(link, Drop.PongUnasked);
      return;
    }
    link.pongsOwed--;
    let pong: Pong;
    try {
      pong = parsePong(frame.payload());
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#discipline.drop(link, Drop.Malformed);
      return;
    }
    this.#take(pong, link, frame, now);
  }

  #take(pong: Pong, link: Link, frame: Frame, now: number): void {
    const { endpoint, ultrapeer, dailyUptimeS } = pong;
    const own = this.#identity.listen();
    const ours = endpoint.port === own.port && endpoint.host === own.host;
    if (ours) {
      this.#discipline.drop(link, Drop.PongOwn);
      return;
    }
    if (endpoint.port === 0 || !this.#limits.reaches.includes(reachOf(endpoint.host))) {
      this.#discipline.drop(link, Drop.PongUnusable);
      return;
    }
    this.#sink.onPong?.(link, frame);
    if (frame.hops === 0 && endpoint.host === link.endpoint.host) link.listen = endpoint;
    if (this.#identity.ultrapeer) {
      // a leaf answers no pings with others' pongs
      const { bytes, start, end } = frame;
      const key = formatEndpoint(endpoint);
      const payload = bytes.latin1Slice(start + HEADER_BYTES, end);
      this.cache.add({ payload, key, hops: frame.hops, ultrapeer, linkId: link.id, at: now });
    }
    const sightings: HostSighting[] = [
      {
        endpoint,
        source: 'pong',
        ultrapeer,
        dailyUptimeSeconds: dailyUptimeS,
        leafSlotsFree: pong.slots?.leaf ?? null,
        ...(dhtModeIn(pong.ggep) === 'active' ? { dht: true } : {}),
      },
    ];
    for (const host of pong.hosts) {
      sightings.push({ endpoint: host, source: 'pong', ultrapeer: null, dailyUptimeSeconds: null });
    }
    this.#sink.onHosts(sightings, link, now);
  }

  /** A new neighbour: ask the ones we dialled for hosts if there are few, and find out how far away they are. */
  greet(link: Link, now: number): void {
    const hungry = link.direction === 'out' && this.cache.size < PONGS_PER_PING;
    this.#ping(link, hungry ? this.#limits.ttlMax : 1, now);
  }

  ask(link: Link, now: number): void {
    this.#ping(link, 1, now);
  }

  /** When watch() has something to do, unless the peer says something before. */
  watchesAt({ role, lastInAt, pingsUnanswered }: Link): number {
    const afterMs = role === 'leaf' ? this.#limits.leafAliveAfterMs : this.#limits.aliveAfterMs;
    return lastInAt + afterMs * (pingsUnanswered + 1);
  }

  /** Asks a silent peer whether it lives. A Bye code when it has not answered often enough, 0 otherwise. */
  watch(link: Link, now: number): number {
    const leaf = link.role === 'leaf';
    const afterMs = leaf ? this.#limits.leafAliveAfterMs : this.#limits.aliveAfterMs;
    const silentMs = now - link.lastInAt;
    if (silentMs < afterMs) {
      link.pingsUnanswered = 0;
      return 0;
    }
    if (silentMs < afterMs * (link.pingsUnanswered + 1)) return 0;
    if (link.pingsUnanswered >= (leaf ? LEAF_UNANSWERED_MAX : UNANSWERED_MAX)) return ByeCode.NoAliveReply;
    link.pingsUnanswered++;
    this.#ping(link, 1, now);
    return 0;
  }

  /** Refreshes the cache when it is time, with pings to some ultrapeers, chosen at random; when to be called again. */
  tick(now: number): number {
    const expiresAt = this.cache.expire(now);
    const { relays } = this.#links;
    if (relays.length === 0) return expiresAt;
    const periodMs = this.#identity.ultrapeer ? this.#limits.refreshMs : this.#limits.leafRefreshMs;
    if (now >= this.#refreshedAt + periodMs) this.#refresh(now);
    return Math.min(expiresAt, this.#refreshedAt + periodMs);
  }

  #refresh(now: number): void {
    this.#refreshedAt = now;
    const { relays } = this.#links;
    const wanted = Math.max(REFRESH_LINKS_MIN, Math.ceil(relays.length * REFRESH_SHARE));
    const offset = this.#random.below(Math.max(relays.length, 1));
    for (let i = 0; i < Math.min(wanted, relays.length); i++) {
      const link = relays[(offset + i) % relays.length];
      if (link === undefined) continue;
      if (!link.capabilities.pongCaching && now - link.pingSentAt < OLD_CLIENT_PERIOD_MS) continue;
      this.#ping(link, this.#limits.ttlMax, now);
    }
  }

  #ping(link: Link, ttl: number, now: number): void {
    const guid = this.#random.guid();
    link.pingGuid = guid;
    link.pingSentAt = now;
    link.pongsOwed = Math.min(link.pongsOwed + (ttl === 1 ? PONGS_FOR_ALIVE : PONGS_FOR_PING), PONGS_OWED_MAX);
    const priority = ttl === 1 ? Priority.Control : Priority.Ping; // a shed alive ping would cost the link
    link.queue.enqueue(encodeDescriptor(guid, Type.Ping, ttl, 0, Buffer.alloc(0)), priority);
  }
}
