// A UDP host cache (server): datagrams in, datagrams out. Lists only servents that answered a ping at the address they sent from.
import { HEADER_BYTES, Type } from '../constants.ts';
import { ProtocolError } from '../errors.ts';
import type { Random } from '../ports.ts';
import { KeyedRateLimit, RateLimit } from '../rate-limit.ts';
import { type Endpoint, formatEndpoint, isIpv6, PACKED_IPV4_BYTES, PACKED_IPV6_BYTES } from '../wire/endpoint.ts';
import { guidKey } from '../wire/guid.ts';
import { encodeDescriptor } from '../wire/header.ts';
import { encodePing, PING_GGEP_BYTES_MAX, parsePing, ScpFlag } from '../wire/ping.ts';
import { encodePong, PLAIN_PONG, PONG_BYTES_MIN, parsePong } from '../wire/pong.ts';
import type { GwebCache } from './gwebcache.ts';

/** As in gtk-gnutella (PCACHE_UHC_MAX_IP). */
const HOSTS_SENT_MAX = 30;
/** Newest hosts from which those of the wanted address families are chosen. */
const HOSTS_CONSIDERED = 500;
/** Keeps answers below 508 bytes, which are not fragmented. */
const HOST_BYTES_MAX = 400;
/** Unanswered probes; the oldest is dropped for a new one. */
const PROBES_MAX = 1024;
const PROBE_WAIT_MS = 20_000;
const ADDRESSES_MAX = 20_000;

export interface UdpHostCacheRules {
  /** Between two answers to one address; 0: no limit, where servents share an address. */
  perAddressMs: number;
  /** Answers to all addresses. */
  answersPerSecond: number;
}

export const PUBLIC_UDP_CACHE_RULES: UdpHostCacheRules = { perAddressMs: 60_000, answersPerSecond: 20 };
export const PRIVATE_UDP_CACHE_RULES: UdpHostCacheRules = { perAddressMs: 0, answersPerSecond: 1000 };

export interface Datagram {
  readonly bytes: Buffer;
  readonly to: Endpoint;
}

export interface UdpHostCacheOptions {
  /** Shared with the GWebCache side. */
  cache: GwebCache;
  rules: UdpHostCacheRules;
  random: Random;
  /** Our address. */
  own: Endpoint;
}

export class UdpHostCache {
  readonly counters = { pings: 0, answered: 0, tooSoon: 0, probes: 0, listed: 0, ignored: 0 };
  readonly #options: UdpHostCacheOptions;
  readonly #perAddress: KeyedRateLimit | null;
  readonly #overall: RateLimit;
  #overallDue = 0;
  /** Probe GUID to target and time. At most PROBES_MAX, oldest first. */
  readonly #probes = new Map<string, { to: Endpoint; at: number }>();

  constructor(options: UdpHostCacheOptions) {
    const { perAddressMs, answersPerSecond } = options.rules;
    this.#options = options;
    this.#perAddress = perAddressMs > 0 ? new KeyedRateLimit(new RateLimit(perAddressMs, 1), ADDRESSES_MAX) : null;
    this.#overall = new RateLimit(1000 / answersPerSecond, answersPerSecond);
  }

  /** Processes a datagram; returns the answer, and a ping for a servent not listed yet. Never throws. */
  receive(bytes: Buffer, from: Endpoint, now: number): Datagram[] {
    const payload = payloadOf(bytes);
    try {
      if (payload !== null && bytes[16] === Type.Ping) return this.#onPing(bytes, payload, from, now);
      if (payload !== null && bytes[16] === Type.Pong) this.#onPong(bytes, payload, from, now);
      else this.counters.ignored++;
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.counters.ignored++;
    }
    return [];
  }

  #onPing(bytes: Buffer, payload: Buffer, from: Endpoint, now: number): Datagram[] {
    const { supportsCachedPongs } = parsePing(payload);
    this.counters.pings++;
    if (from.port === 0 || !this.#mayAnswer(from, now)) {
      this.counters.tooSoon++;
      return [];
    }
    this.counters.answered++;
    const answer = { bytes: this.#pong(bytes.subarray(0, 16), supportsCachedPongs, from, now), to: from };
    return this.#options.cache.has(from, now) ? [answer] : [answer, this.#probe(from, now)];
  }

  #mayAnswer(from: Endpoint, now: number): boolean {
    const due = this.#overall.admit(this.#overallDue, now);
    if (due < 0) return false;
    if (this.#perAddress !== null && !this.#perAddress.admit(from.host, now)) return false;
    this.#overallDue = due;
    return true;
  }

  /** `scp`: ScpFlag bits, or null when no hosts are wanted. */
  #pong(guid: Buffer, scp: number | null, from: Endpoint, now: number): Buffer {
    const { cache, own } = this.#options;
    const hosts: Endpoint[] = [];
    let room = HOST_BYTES_MAX;
    for (const host of scp === null ? [] : cache.hosts(now, HOSTS_CONSIDERED)) {
      const wanted = isIpv6(host.host)
        ? ((scp ?? 0) & ScpFlag.Ipv6) !== 0 || isIpv6(from.host)
        : ((scp ?? 0) & ScpFlag.NoIpv4) === 0;
      const size = isIpv6(host.host) ? PACKED_IPV6_BYTES : PACKED_IPV4_BYTES;
      if (!wanted || size > room || hosts.length >= HOSTS_SENT_MAX) continue;
      if (formatEndpoint(host) === formatEndpoint(from)) continue;
      hosts.push(host);
      room -= size;
    }
    const plain = { ...PLAIN_PONG, endpoint: own, files: 0, kibibytes: 0, ultrapeer: false };
    return encodeDescriptor(guid, Type.Pong, 1, 0, encodePong({ ...plain, hosts, udpHostCache: '' }));
  }

  /** A probe is never longer than the ping that caused it, so a forged sender amplifies nothing. */
  #probe(to: Endpoint, now: number): Datagram {
    const guid = this.#options.random.guid();
    this.#probes.set(guidKey(guid), { to, at: now });
    if (this.#probes.size > PROBES_MAX) {
      const oldest = this.#probes.keys().next();
      if (!oldest.done) this.#probes.delete(oldest.value);
    }
    this.counters.probes++;
    return {
      bytes: encodeDescriptor(guid, Type.Ping, 1, 0, encodePing({ supportsCachedPongs: null, ggep: [] })),
      to,
    };
  }

  /** Lists the servent that answered a probe, with the port in its pong. */
  #onPong(bytes: Buffer, payload: Buffer, from: Endpoint, now: number): void {
    const key = guidKey(bytes);
    const probe = this.#probes.get(key);
    if (probe === undefined || now - probe.at > PROBE_WAIT_MS || formatEndpoint(probe.to) !== formatEndpoint(from)) {
      this.counters.ignored++;
      return;
    }
    this.#probes.delete(key);
    const pong = parsePong(payload);
    // other host caches answer pings too, but accept no connections
    const added =
      pong.udpHostCache === null &&
      this.#options.cache.add({ host: from.host, port: pong.endpoint.port }, now, pong.ultrapeer);
    if (added) this.counters.listed++;
  }
}

/** The payload of a datagram; null when lengths do not agree or it is too long. */
function payloadOf(bytes: Buffer): Buffer | null {
  if (bytes.length < HEADER_BYTES || bytes.length > HEADER_BYTES + PONG_BYTES_MIN + PING_GGEP_BYTES_MAX) return null;
  if (bytes.readUInt32LE(19) !== bytes.length - HEADER_BYTES) return null;
  return bytes.subarray(HEADER_BYTES);
}
