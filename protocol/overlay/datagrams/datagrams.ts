// Receives datagrams: checks the rate of the sender's address, tells the firewall, dispatches by type. Addresses may be forged,
// so answers are few and short until the sender shows a key or token.
import { HARD_TTL_MAX, HEADER_BYTES, Type } from '../../constants.ts';
import type { DhtMode } from '../../dht/dht.ts';
import { dhtModeIn } from '../../dht/dht-items.ts';
import { ProtocolError } from '../../errors.ts';
import type { Random, WallClock } from '../../ports.ts';
import { KeyedRateLimit, RateLimit } from '../../rate-limit.ts';
import { ReasonCounts } from '../../reason-counts.ts';
import { RUDP_TYPE, TYPE_AT } from '../../rudp/packet-header.ts';
import type { Searchable } from '../../search/shared-file.ts';
import { type Endpoint, type Reach, reachOf } from '../../wire/endpoint.ts';
import { Frame } from '../../wire/frame-reader.ts';
import type { GgepItem } from '../../wire/ggep.ts';
import { encodeDescriptor } from '../../wire/header.ts';
import { encodePush, type Push } from '../../wire/push.ts';
import { parseQueryHit, type QueryHit } from '../../wire/query-hit.ts';
import type { Identity } from '../identity.ts';
import type { Link } from '../links/link.ts';
import type { HostSighting } from '../neighbours/host-cache.ts';
import type { OutOfBandProxy, ProxiedQuery } from '../queries/oob-proxy.ts';
import type { Search } from '../queries/search.ts';
import type { Firewall } from '../reach/firewall.ts';
import { DATAGRAM_ENDS, type DatagramEnd } from './datagram-end.ts';
import { DatagramPings, type PingAnswer, type PingDone, type PingQuestion } from './datagram-pings.ts';
import { DatagramVendor } from './datagram-vendor.ts';
import { DELIVERY_PACE, Deliveries, type DeliveryPace } from './deliveries.ts';
import { Guess } from './guess.ts';
import { OutOfBandClaims, OutOfBandReplies } from './out-of-band.ts';
import { PingAnswers, type PingRates } from './ping-answers.ts';
import { UnsupportedProtocol } from './unsupported-protocol.ts';
import { answerBytesMax, UnverifiedAnswers } from './unverified-answers.ts';

/** As in LimeWire. */
const DATAGRAM_BYTES_MAX = 2_048;
const PUSH_TTL = 2;
/** Set in the TTL when the payload is deflated, which only those get who ask for it. */
const DEFLATED_TTL = 0x80;

export interface DatagramLimits extends PingRates {
  /** Addresses that are answered and heard at all. */
  readonly reaches: readonly Reach[];
  /** Many servents share one address, as in a lab: ports tell them apart. */
  readonly byPort: boolean;
  /** Datagrams of one address. */
  readonly perAddress: RateLimit;
  /** Crawler pings of one address. */
  readonly crawls: RateLimit;
  readonly heads: RateLimit;
  /** Answers to addresses that have proven nothing, all together. */
  readonly answers: RateLimit;
  readonly pace: DeliveryPace;
  /** Answer queries of others by UDP when they ask for it. */
  readonly outOfBand: boolean;
  readonly guess: boolean;
}

export const DATAGRAM_LIMITS: DatagramLimits = {
  reaches: ['public'],
  byPort: false,
  perAddress: new RateLimit(50, 60),
  pings: new RateLimit(60_000, 1),
  hostPings: new RateLimit(60_000, 1),
  keyPings: new RateLimit(30_000, 2),
  crawls: new RateLimit(120_000, 1),
  heads: new RateLimit(2_000, 10),
  answers: new RateLimit(5, 200),
  pace: DELIVERY_PACE,
  outOfBand: true,
  guess: true,
};

/** For servents that share one address. */
export const LOCAL_DATAGRAM_LIMITS: Partial<DatagramLimits> = {
  byPort: true,
  pings: new RateLimit(200, 20),
  hostPings: new RateLimit(200, 20),
  keyPings: new RateLimit(200, 20),
  crawls: new RateLimit(1_000, 5),
  pace: { minMs: 1, maxMs: 5, perAddress: new RateLimit(1, 50) },
};

const ADDRESSES_MAX = 16_384;
/** Nodes of the DHT that are named to one that asks. */
const NODES_TOLD = 11;

/** What the overlay does for us. */
export interface DatagramCore {
  readonly links: ReadonlyMap<number, Link>;
  /** The running search of ours whose GUID stands at `start`. */
  searchOf(bytes: Buffer, start: number): Search | null;
  /** Queries of leaves that we stand in for. */
  readonly oobProxy: Pick<OutOfBandProxy, 'find' | 'inNeed'>;
  receiveProxiedHit(proxied: ProxiedQuery, frame: Frame, now: number): void;
  /** See GuessCore. */
  receiveDatagramQuery(query: Buffer, now: number): boolean;
  /** A push that came by datagram: for us, or for a neighbour. False when we know no way. */
  receiveDatagramPush(frame: Frame, from: Endpoint, now: number): boolean;
}

export interface DatagramSink {
  /** A hit for a search of ours. */
  onDatagramHit(search: Search, hit: QueryHit, from: Endpoint, now: number): void;
  onDatagramHosts(hosts: readonly HostSighting[], now: number): void;
  /** A peer that we asked told us our own address. */
  onOwnAddressSeen(host: string, voter: string): void;
}

/** The DHT whose datagrams share the port. */
export interface DatagramDht {
  readonly mode: DhtMode;
  receive(bytes: Buffer, from: Endpoint, now: number): void;
  contacts(max: number): readonly Endpoint[];
}

/** Streams over UDP that share the port. */
export interface DatagramRudp {
  /** Whether a datagram belongs to a connection. */
  knows(bytes: Buffer, from: Endpoint): boolean;
  receive(bytes: Buffer, from: Endpoint, now: number): void;
}

export interface DatagramsParts {
  /** For the dates that others ask for. */
  readonly clock: WallClock;
  readonly random: Random;
  readonly identity: Identity;
  readonly library: Searchable;
  readonly core: DatagramCore;
  readonly sink: DatagramSink;
  readonly firewall: Firewall;
  /** Sends a datagram, without a result. */
  readonly send: (bytes: Buffer, to: Endpoint) => void;
  /** Hosts worth telling others, with free slots of that kind; our own ultrapeers first. */
  readonly hosts: (count: number, slots: 'ultrapeer' | 'leaf') => readonly Endpoint[];
  readonly userAgent: () => string;
  readonly dht?: DatagramDht | null;
  readonly rudp?: DatagramRudp | null;
  readonly limits?: Partial<DatagramLimits>;
}

export class Datagrams {
  readonly replies: OutOfBandReplies;
  readonly claims: OutOfBandClaims;
  readonly guess: Guess;
  readonly deliveries: Deliveries;
  /** Of the DHT while it is off. */
  readonly dht = new UnsupportedProtocol();
  /** Of reliable UDP while there is none. */
  readonly rudp = new UnsupportedProtocol();
  readonly ends = new ReasonCounts<DatagramEnd>(DATAGRAM_ENDS);
  bytesIn = 0;
  sent = 0;
  bytesSent = 0;
  /** Hits for our searches. */
  hits = 0;
  readonly #parts: DatagramsParts;
  readonly #limits: DatagramLimits;
  readonly #perAddress: KeyedRateLimit;
  readonly #answers: UnverifiedAnswers;
  readonly #pings: DatagramPings;
  readonly #pingAnswers: PingAnswers;
  readonly #vendor: DatagramVendor;
  readonly #frame = new Frame();

  constructor(parts: DatagramsParts, now: number) {
    const { identity, library, random, core } = parts;
    const limits = { ...DATAGRAM_LIMITS, ...parts.limits };
    this.#parts = parts;
    this.#limits = limits;
    this.#perAddress = new KeyedRateLimit(limits.perAddress, ADDRESSES_MAX);
    const send = (bytes: Buffer, to: Endpoint, at: number) => this.#send(bytes, to, at);
    const sendVendor = (payload: Buffer, guid: Buffer, to: Endpoint, at: number) =>
      this.#send(encodeDescriptor(guid, Type.Vendor, 1, 0, payload), to, at);
    const addressKey = (endpoint: Endpoint) => this.#key(endpoint);
    this.#answers = new UnverifiedAnswers(limits.answers, send);
    this.deliveries = new Deliveries({ send, random, pace: limits.pace, addressKey });
    const { deliveries } = this;
    this.replies = new OutOfBandReplies(
      {
        identity,
        xmlOf: files => parts.library.xmlOf?.(files) ?? null,
        deliveries,
        addressKey,
        reaches: limits.reaches,
        send: sendVendor,
        takesUnsolicited: at => parts.firewall.takesDatagrams(at),
      },
      now,
    );
    this.claims = new OutOfBandClaims(random, sendVendor, now);
    this.guess = new Guess({
      identity,
      library,
      core,
      deliveries,
      random,
      addressKey,
      now,
      pong: (guid, to, requestBytes, hosts, ggep, at) => this.#pong(guid, to, requestBytes, hosts, ggep, at),
    });
    this.#pings = new DatagramPings({
      identity,
      library,
      random,
      send,
      hosts: parts.hosts,
      nodes: () => parts.dht?.contacts(NODES_TOLD) ?? [],
      queryKey: limits.guess ? (endpoint, at) => this.guess.keyOf(endpoint, at) : null,
    });
    this.#pingAnswers = new PingAnswers(this.#pings, this.#answers, addressKey, limits, ADDRESSES_MAX);
    this.#vendor = new DatagramVendor({
      clock: parts.clock,
      identity,
      library,
      userAgent: parts.userAgent,
      addressKey,
      crawls: limits.crawls,
      heads: limits.heads,
      links: core.links,
      replies: this.replies,
      claims: this.claims,
      answers: this.#answers,
      searchOf: (bytes, start) => core.searchOf(bytes, start) ?? core.oobProxy.inNeed(bytes, start),
      startedAt: now,
      addressesMax: ADDRESSES_MAX,
    });
  }

  /**
   * One datagram; keeps no view of it. How it ended, counted already. Throws nothing, whatever the datagram is, but bugs
   * of ours, which are counted as `internal`.
   */
  receive(bytes: Buffer, from: Endpoint, now: number): DatagramEnd {
    this.bytesIn += bytes.length;
    let end: DatagramEnd = 'internal';
    try {
      end = this.#receive(bytes, from, now);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      end = 'malformed';
    } finally {
      this.#frame.release();
      this.ends.count(end);
    }
    return end;
  }

  #receive(bytes: Buffer, from: Endpoint, now: number): DatagramEnd {
    if (bytes[TYPE_AT] === RUDP_TYPE && this.#parts.rudp?.knows(bytes, from) === true) {
      // a connection has bounds of its own, and the rates of addresses are too low for one
      this.#parts.rudp.receive(bytes, from, now);
      return 'taken';
    }
    if (bytes.length > DATAGRAM_BYTES_MAX) return 'too_long';
    if (bytes.length < HEADER_BYTES || bytes.readUInt32LE(19) !== bytes.length - HEADER_BYTES) return 'malformed';
    if (from.port === 0 || !this.#limits.reaches.includes(reachOf(from.host))) return 'address';
    if (!this.#perAddress.admit(this.#key(from), now)) return 'rate';
    const frame = this.#frame;
    frame.bytes = bytes;
    frame.start = 0;
    frame.end = bytes.length;
    const { type, ttl, hops } = frame;
    if (hasTtl(type) && ((ttl & DEFLATED_TTL) !== 0 || hops + ttl > HARD_TTL_MAX)) return 'malformed';
    this.#parts.firewall.udpArrived(from, now);
    return this.#take(type, frame, from, now);
  }

  #take(type: number, frame: Frame, from: Endpoint, now: number): DatagramEnd {
    switch (type) {
      case Type.Ping:
        return this.#pingAnswers.onPing(frame, from, now);
      case Type.Pong:
        return this.#pings.onPong(frame, from, now) ? 'taken' : 'pong_unasked';
      case Type.Query:
        return this.#onQuery(frame, from, now);
      case Type.QueryHit:
        return this.#onHit(frame, from, now);
      case Type.Push:
        return this.#parts.core.receiveDatagramPush(frame, from, now) ? 'taken' : 'push_unasked';
      case Type.Vendor:
      case Type.StandardVendor:
        return this.#vendor.onMessage(frame, from, now);
      case Type.Dht:
        return this.#onDht(frame, from, now);
      case RUDP_TYPE:
        return this.#onStranger(frame, from, now);
      default:
        return 'unknown';
    }
  }

  #key(endpoint: Endpoint): string {
    return this.#limits.byPort ? `${endpoint.host} ${endpoint.port}` : endpoint.host;
  }

  #onDht(frame: Frame, from: Endpoint, now: number): DatagramEnd {
    const { dht } = this.#parts;
    if (dht == null || dht.mode === 'off') return this.dht.onDatagram(frame);
    dht.receive(frame.bytes, from, now);
    return 'taken';
  }

  /** Nothing is sent in return, whatever it says. */
  #onStranger(frame: Frame, from: Endpoint, now: number): DatagramEnd {
    const { rudp } = this.#parts;
    if (rudp == null) return this.rudp.onDatagram(frame);
    rudp.receive(frame.bytes, from, now);
    return 'no_connection';
  }

  #onQuery(frame: Frame, from: Endpoint, now: number): DatagramEnd {
    if (!this.#limits.guess) return 'not_spoken';
    this.guess.onQuery(frame, from, now);
    return 'taken';
  }

  #onHit(frame: Frame, from: Endpoint, now: number): DatagramEnd {
    const search = this.#parts.core.searchOf(frame.bytes, 0);
    if (search === null) return this.#onProxiedHit(frame, from, now);
    const hit = parseQueryHit(Buffer.from(frame.payload())); // a copy: results are kept, the datagram is not
    if (!this.claims.claimedFrom(hit, frame.guid(), from, now)) return 'hit_unasked';
    this.hits++;
    search.queryHits++;
    search.hits += hit.hits.length;
    this.#parts.sink.onDatagramHit(search, hit, from, now);
    return 'taken';
  }

  #onProxiedHit(frame: Frame, from: Endpoint, now: number): DatagramEnd {
    const { core } = this.#parts;
    const proxied = core.oobProxy.find(frame.bytes, 0);
    if (proxied === null) return 'hit_unasked';
    if (!this.claims.claimedFrom(parseQueryHit(frame.payload()), frame.guid(), from, now)) return 'hit_unasked';
    core.receiveProxiedHit(proxied, frame, now);
    return 'taken';
  }

  #pong(
    guid: Buffer,
    to: Endpoint,
    requestBytes: number,
    hosts: boolean,
    ggep: readonly GgepItem[],
    now: number,
  ): void {
    const pong = this.#pings.pong(guid, to, hosts ? 0 : null, ggep, answerBytesMax(requestBytes));
    this.#answers.answer(pong, to, requestBytes, now);
  }

  #send(bytes: Buffer, to: Endpoint, now: number): void {
    this.sent++;
    this.bytesSent += bytes.length;
    this.#parts.firewall.udpSent(to, now);
    this.#parts.send(bytes, to);
  }

  /** A datagram of the DHT. */
  sendDht(bytes: Buffer, to: Endpoint, now: number): void {
    this.#send(bytes, to, now);
  }

  /** Asks a host or a UDP host cache. Hosts that it names go to the sink as well. */
  ask(to: Endpoint, question: PingQuestion, done: PingDone, now: number): void {
    this.#pings.ask(to, question, (answer, at) => this.#onAnswer(answer, done, at), now);
  }

  #onAnswer(answer: PingAnswer | null, done: PingDone, now: number): void {
    if (answer !== null) {
      const { pong, from, seen } = answer;
      const { firewall, sink } = this.#parts;
      firewall.udpAnswered(now);
      if (seen !== null) {
        sink.onOwnAddressSeen(seen.host, from.host);
        firewall.udpPortSeen(seen.port, from, now);
      }
      const { ultrapeer, dailyUptimeS: dailyUptimeSeconds } = pong;
      const sightings: HostSighting[] = pong.hosts.map(endpoint => ({
        endpoint,
        source: 'cache',
        ultrapeer: null,
        dailyUptimeSeconds: null,
      }));
      // a host cache without TCP says port 0 or an address that is not where it answered from
      if (pong.endpoint.host === from.host && pong.endpoint.port > 0) {
        const dht = dhtModeIn(pong.ggep) === 'active' ? { dht: true } : {};
        sightings.push({ endpoint: pong.endpoint, source: 'pong', ultrapeer, dailyUptimeSeconds, ...dht });
      }
      sink.onDatagramHosts(sightings, now);
    }
    done(answer, now);
  }

  /** Sends a ping with the given GUID, to test for a neighbour whether it can be reached. */
  probe(to: Endpoint, guid: Buffer, now: number): void {
    this.#send(encodeDescriptor(guid, Type.Ping, 1, 0, Buffer.alloc(0)), to, now);
  }

  /** Asks a firewalled servent to connect to us, at its own address or through a push proxy. True: sent. */
  push(push: Push, to: Endpoint, now: number, guid: Buffer): true {
    this.#send(encodeDescriptor(guid, Type.Push, PUSH_TTL, 0, encodePush(push)), to, now);
    return true;
  }

  /** Does what is due; when to be called again, unless something comes in before. */
  tick(now: number): number {
    return Math.min(this.#pings.tick(now), this.replies.tick(now), this.guess.tick(now), this.deliveries.tick(now));
  }

  /** Entries that wait for something, for metrics. */
  get waiting(): { pings: number; offers: number; deliveries: number; guessRoutes: number } {
    return {
      pings: this.#pings.waiting,
      offers: this.replies.waiting,
      deliveries: this.deliveries.size,
      guessRoutes: this.guess.routes,
    };
  }
}

/** Other protocols keep flags of their own where descriptors have TTL and hops. */
function hasTtl(type: number): boolean {
  return type !== Type.Dht && type !== RUDP_TYPE;
}
