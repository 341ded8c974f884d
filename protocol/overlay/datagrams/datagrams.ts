// The UDP core: datagrams in, datagrams out through `send`. The address that a datagram claims to come from can be forged,
// so nothing here answers much, often, or longer than a small factor of what was asked, until a key or token is shown.
import { HARD_TTL_MAX, HEADER_BYTES, Type } from '../../constants.ts';
import { ProtocolError } from '../../errors.ts';
import type { Clock, Random } from '../../ports.ts';
import { ReasonCounts } from '../../reason-counts.ts';
import type { Searchable } from '../../search/shared-file.ts';
import { type Endpoint, type Reach, reachOf } from '../../wire/endpoint.ts';
import { Frame } from '../../wire/frame-reader.ts';
import type { GgepItem } from '../../wire/ggep.ts';
import { encodeDescriptor } from '../../wire/header.ts';
import { parsePing } from '../../wire/ping.ts';
import { encodePush, type Push } from '../../wire/push.ts';
import { parseQueryHit, type QueryHit } from '../../wire/query-hit.ts';
import { parseOutOfBandAck, parseOutOfBandOffer } from '../../wire/vendor/out-of-band.ts';
import { encodeTimeSyncReply, parseTimeSyncRequest, timeSyncGuid, timestampOf } from '../../wire/vendor/time-sync.ts';
import { parseVendorMessage, VendorId, vendorId } from '../../wire/vendor-message.ts';
import type { Identity } from '../identity.ts';
import type { Link } from '../links/link.ts';
import type { HostSighting } from '../neighbours/host-cache.ts';
import type { Search } from '../queries/search.ts';
import { KeyedRateLimit, RateLimit } from '../rate-limit.ts';
import type { Firewall } from '../reach/firewall.ts';
import { answerCrawler, answerHead } from './datagram-answers.ts';
import { DatagramPings, type PingAnswer, type PingDone, type PingQuestion, wishesOf } from './datagram-pings.ts';
import { DELIVERY_PACE, Deliveries, type DeliveryPace } from './deliveries.ts';
import { Guess } from './guess.ts';
import { OutOfBandClaims, OutOfBandReplies } from './out-of-band.ts';

/** LimeWire reads 2,048 bytes of a datagram; nobody sends more. */
const DATAGRAM_BYTES_MAX = 2_048;
/** An answer to an address that has proven nothing: so long, or three times the question, whichever is more. */
const ANSWER_BYTES = 508;
const ANSWER_FACTOR = 3;
const PUSH_TTL = 2;
/** Set in the TTL when the payload is deflated, which only those get who ask for it. */
const DEFLATED_TTL = 0x80;

/** How a datagram ended. */
export const DATAGRAM_ENDS = [
  'taken',
  'too_long',
  'malformed',
  'address',
  'rate',
  'answer_rate',
  'answer_too_long',
  'pong_unasked',
  'hit_unasked',
  'offer_unasked',
  'push_unasked',
  'not_spoken',
  'unknown',
  /** We failed on it: a bug of ours. */
  'internal',
] as const;
export type DatagramEnd = (typeof DATAGRAM_ENDS)[number];

export interface DatagramLimits {
  /** Addresses that are answered and heard at all. */
  readonly reaches: readonly Reach[];
  /** Many servents share one address, as in a lab: ports tell them apart. */
  readonly byPort: boolean;
  /** Datagrams of one address. */
  readonly perAddress: RateLimit;
  /**
   * Pings of one address that are answered, each kind by itself: whether we live, hosts, a GUESS query key. gtk-gnutella
   * asks us for each once a minute, and forgets a GUESS servent that gives it no key.
   */
  readonly pings: RateLimit;
  readonly hostPings: RateLimit;
  readonly keyPings: RateLimit;
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

/** In a lab: everybody at one address, and nobody patient. */
export const LOCAL_DATAGRAM_LIMITS: Partial<DatagramLimits> = {
  byPort: true,
  pings: new RateLimit(200, 20),
  hostPings: new RateLimit(200, 20),
  keyPings: new RateLimit(200, 20),
  crawls: new RateLimit(1_000, 5),
  pace: { minMs: 1, maxMs: 5, perAddress: new RateLimit(1, 50) },
};

const ADDRESSES_MAX = 16_384;

/** What the overlay does for us. */
export interface DatagramCore {
  readonly links: ReadonlyMap<number, Link>;
  /** The running search of ours whose GUID stands at `start`. */
  searchOf(bytes: Buffer, start: number): Search | null;
  /** See GuessCore. */
  queryFromOutside(query: Buffer, now: number): boolean;
  /** A push that came by datagram: for us, or for a neighbour. False when we know no way. */
  pushFromOutside(frame: Frame, now: number): boolean;
}

export interface DatagramSink {
  /** A hit for a search of ours. */
  onDatagramHit(search: Search, hit: QueryHit, from: Endpoint): void;
  onDatagramHosts(hosts: readonly HostSighting[]): void;
  /** A peer that we asked told us our own address. */
  onOwnAddressSeen(host: string, voter: string): void;
}

export interface DatagramsParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly identity: Identity;
  readonly library: Searchable;
  readonly core: DatagramCore;
  readonly sink: DatagramSink;
  readonly firewall: Firewall;
  /** Fire and forget: what the system does not take is lost. */
  readonly send: (bytes: Buffer, to: Endpoint) => void;
  /** Hosts worth telling others, with free slots of that kind; our own ultrapeers first. */
  readonly hosts: (count: number, slots: 'ultrapeer' | 'leaf') => readonly Endpoint[];
  readonly userAgent: () => string;
  readonly limits?: Partial<DatagramLimits>;
}

export class Datagrams {
  readonly replies: OutOfBandReplies;
  readonly claims: OutOfBandClaims;
  readonly guess: Guess;
  readonly ends = new ReasonCounts<DatagramEnd>(DATAGRAM_ENDS);
  bytesIn = 0;
  sent = 0;
  bytesSent = 0;
  /** Hits for our searches. */
  hits = 0;
  readonly #parts: DatagramsParts;
  readonly #limits: DatagramLimits;
  readonly #pings: DatagramPings;
  readonly deliveries: Deliveries;
  readonly #startedAt: number;
  readonly #perAddress: KeyedRateLimit;
  readonly #pingRates: KeyedRateLimit;
  readonly #hostPingRates: KeyedRateLimit;
  readonly #keyPingRates: KeyedRateLimit;
  readonly #crawlRates: KeyedRateLimit;
  readonly #headRates: KeyedRateLimit;
  #answersDue = 0;
  readonly #frame = new Frame();

  constructor(parts: DatagramsParts) {
    const { identity, library, random, clock, core } = parts;
    const limits = { ...DATAGRAM_LIMITS, ...parts.limits };
    const now = clock.now();
    this.#parts = parts;
    this.#limits = limits;
    this.#startedAt = now;
    this.#perAddress = new KeyedRateLimit(limits.perAddress, ADDRESSES_MAX);
    this.#pingRates = new KeyedRateLimit(limits.pings, ADDRESSES_MAX);
    this.#hostPingRates = new KeyedRateLimit(limits.hostPings, ADDRESSES_MAX);
    this.#keyPingRates = new KeyedRateLimit(limits.keyPings, ADDRESSES_MAX);
    this.#crawlRates = new KeyedRateLimit(limits.crawls, ADDRESSES_MAX);
    this.#headRates = new KeyedRateLimit(limits.heads, ADDRESSES_MAX);
    const send = (bytes: Buffer, to: Endpoint) => this.#send(bytes, to);
    const sendVendor = (payload: Buffer, guid: Buffer, to: Endpoint) =>
      this.#send(encodeDescriptor(guid, Type.Vendor, 1, 0, payload), to);
    const addressKey = (endpoint: Endpoint) => this.#key(endpoint);
    this.deliveries = new Deliveries({ send, random, pace: limits.pace, addressKey });
    this.replies = new OutOfBandReplies({
      identity,
      reaches: limits.reaches,
      deliveries: this.deliveries,
      send: sendVendor,
      now: () => clock.now(),
      addressKey,
      takesUnsolicited: () => parts.firewall.takesDatagrams(clock.now()),
    });
    this.claims = new OutOfBandClaims(random, sendVendor, now);
    this.guess = new Guess({
      identity,
      library,
      core,
      deliveries: this.deliveries,
      random,
      pong: (guid, to, requestBytes, hosts, ggep) => this.#pong(guid, to, requestBytes, hosts, ggep),
      addressKey,
      now,
    });
    this.#pings = new DatagramPings({
      identity,
      library,
      random,
      send,
      hosts: parts.hosts,
      queryKey: limits.guess ? endpoint => this.guess.keyOf(endpoint, clock.now()) : null,
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
      this.ends.count(end);
    }
    return end;
  }

  #receive(bytes: Buffer, from: Endpoint, now: number): DatagramEnd {
    if (bytes.length > DATAGRAM_BYTES_MAX) return 'too_long';
    if (bytes.length < HEADER_BYTES || bytes.readUInt32LE(19) !== bytes.length - HEADER_BYTES) return 'malformed';
    if (from.port === 0 || !this.#limits.reaches.includes(reachOf(from.host))) return 'address';
    if (!this.#perAddress.admit(this.#key(from), now)) return 'rate';
    const frame = this.#frame;
    frame.bytes = bytes;
    frame.start = 0;
    frame.end = bytes.length;
    const { type, ttl, hops } = frame;
    if (type === Type.Dht || type === RUDP) return 'not_spoken';
    if ((ttl & DEFLATED_TTL) !== 0 || hops + ttl > HARD_TTL_MAX) return 'malformed';
    this.#parts.firewall.udpArrived(from, now);
    switch (type) {
      case Type.Ping:
        return this.#onPing(frame, from, now);
      case Type.Pong:
        return this.#pings.onPong(frame, from, now) ? 'taken' : 'pong_unasked';
      case Type.Query:
        if (!this.#limits.guess) return 'not_spoken';
        this.guess.onQuery(frame, from, now);
        return 'taken';
      case Type.QueryHit:
        return this.#onHit(frame, from, now);
      case Type.Push:
        return this.#parts.core.pushFromOutside(frame, now) ? 'taken' : 'push_unasked';
      case Type.Vendor:
      case Type.StandardVendor:
        return this.#onVendorMessage(frame, from, now);
      default:
        return 'unknown';
    }
  }

  #key(endpoint: Endpoint): string {
    return this.#limits.byPort ? `${endpoint.host} ${endpoint.port}` : endpoint.host;
  }

  #onPing(frame: Frame, from: Endpoint, now: number): DatagramEnd {
    const ping = parsePing(frame.payload());
    const address = this.#key(from);
    const { hosts, key } = wishesOf(ping);
    const granted = {
      hosts: hosts && this.#hostPingRates.admit(address, now),
      key: key && this.#keyPingRates.admit(address, now),
    };
    const plain = !hosts && !key && this.#pingRates.admit(address, now);
    if (!plain && !granted.hosts && !granted.key) return 'answer_rate';
    const bytesMax = answerBytesMax(frame.bytes.length);
    const pong = this.#pings.answer(frame.guid(), ping, granted, from, bytesMax);
    return this.#answer(pong, from, frame.bytes.length, now);
  }

  #onHit(frame: Frame, from: Endpoint, now: number): DatagramEnd {
    const search = this.#parts.core.searchOf(frame.bytes, 0);
    if (search === null) return 'hit_unasked';
    const hit = parseQueryHit(Buffer.from(frame.payload())); // a copy: results are kept, the datagram is not
    if (!this.claims.claimedFrom(hit, frame.guid(), from, now)) return 'hit_unasked';
    this.hits++;
    search.queryHits++;
    search.hits += hit.hits.length;
    this.#parts.sink.onDatagramHit(search, hit, from);
    return 'taken';
  }

  #onVendorMessage(frame: Frame, from: Endpoint, now: number): DatagramEnd {
    const message = parseVendorMessage(frame.payload());
    const requestBytes = frame.bytes.length;
    switch (vendorId(message)) {
      case VendorId.OutOfBandOffer: {
        const search = this.#parts.core.searchOf(frame.bytes, 0);
        if (search === null) return 'offer_unasked';
        this.claims.onOffer(search, frame.guid(), parseOutOfBandOffer(message), from, now);
        return 'taken';
      }
      case VendorId.OutOfBandAck:
        this.replies.onClaim(Buffer.from(frame.guid()), parseOutOfBandAck(message), from, now);
        return 'taken';
      case VendorId.CrawlerPing: {
        if (!this.#crawlRates.admit(this.#key(from), now)) return 'answer_rate';
        const { core, clock, userAgent } = this.#parts;
        const room = answerBytesMax(requestBytes) - HEADER_BYTES;
        const payload = answerCrawler(message, core.links.values(), clock, this.#startedAt, userAgent(), room);
        return this.#answer(encodeDescriptor(frame.guid(), Type.Vendor, 1, 0, payload), from, requestBytes, now);
      }
      case VendorId.HeadPing: {
        if (!this.#headRates.admit(this.#key(from), now)) return 'answer_rate';
        const payload = answerHead(message, this.#parts.library, this.#parts.identity);
        if (payload === null) return 'not_spoken';
        return this.#answer(encodeDescriptor(frame.guid(), Type.Vendor, 1, 0, payload), from, requestBytes, now);
      }
      case VendorId.TimeSyncRequest: {
        const { sentAt } = parseTimeSyncRequest(message, frame.guid());
        const at = timestampOf(this.#parts.clock.wallTime());
        const payload = encodeTimeSyncReply(false, at);
        return this.#answer(
          encodeDescriptor(timeSyncGuid(sentAt, at), Type.Vendor, 1, 0, payload),
          from,
          requestBytes,
          now,
        );
      }
      default:
        return 'unknown';
    }
  }

  #pong(guid: Buffer, to: Endpoint, requestBytes: number, hosts: boolean, ggep: readonly GgepItem[]): void {
    const pong = this.#pings.pong(guid, to, hosts ? 0 : null, ggep, answerBytesMax(requestBytes));
    this.#answer(pong, to, requestBytes, this.#parts.clock.now());
  }

  /** To an address that has proven nothing. */
  #answer(bytes: Buffer, to: Endpoint, requestBytes: number, now: number): DatagramEnd {
    if (bytes.length > answerBytesMax(requestBytes)) return 'answer_too_long';
    const due = this.#limits.answers.admit(this.#answersDue, now);
    if (due < 0) return 'answer_rate';
    this.#answersDue = due;
    this.#send(bytes, to);
    return 'taken';
  }

  #send(bytes: Buffer, to: Endpoint): void {
    this.sent++;
    this.bytesSent += bytes.length;
    this.#parts.firewall.udpSent(to, this.#parts.clock.now());
    this.#parts.send(bytes, to);
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
      if (seen !== null) sink.onOwnAddressSeen(seen.host, from.host);
      const { ultrapeer, dailyUptimeS: dailyUptimeSeconds } = pong;
      const sightings: HostSighting[] = pong.hosts.map(endpoint => ({
        endpoint,
        source: 'cache',
        ultrapeer: null,
        dailyUptimeSeconds: null,
      }));
      // a host cache without TCP says port 0 or an address that is not where it answered from
      if (pong.endpoint.host === from.host && pong.endpoint.port > 0) {
        sightings.push({ endpoint: pong.endpoint, source: 'pong', ultrapeer, dailyUptimeSeconds });
      }
      sink.onDatagramHosts(sightings);
    }
    done(answer, now);
  }

  /** For a neighbour that wants to know whether it can be reached: a ping of its choice, answered to nobody. */
  probe(to: Endpoint, guid: Buffer): void {
    this.#send(encodeDescriptor(guid, Type.Ping, 1, 0, Buffer.alloc(0)), to);
  }

  /** Asks a firewalled servent to connect to us, at its own address or through a push proxy. */
  push(push: Push, to: Endpoint): void {
    this.#send(encodeDescriptor(this.#parts.random.guid(), Type.Push, PUSH_TTL, 0, encodePush(push)), to);
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

/** Firewall-to-firewall transfers, which we do not do. */
const RUDP = 0x41;

function answerBytesMax(requestBytes: number): number {
  return Math.max(ANSWER_BYTES, ANSWER_FACTOR * requestBytes);
}
