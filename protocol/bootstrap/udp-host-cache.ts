// A UDP host cache as a machine: datagrams in, datagrams out. Lists only servents that answered from their own port.
import { HEADER_BYTES, Type } from '../constants.ts';
import { ProtocolError } from '../errors.ts';
import { KeyedRateLimit, RateLimit } from '../overlay/rate-limit.ts';
import type { Random } from '../ports.ts';
import { type Endpoint, formatEndpoint, isIpv6, PACKED_IPV4_BYTES, PACKED_IPV6_BYTES } from '../wire/endpoint.ts';
import { guidKey } from '../wire/guid.ts';
import { encodeDescriptor } from '../wire/header.ts';
import { encodePing, PING_GGEP_BYTES_MAX, parsePing, ScpFlag } from '../wire/ping.ts';
import { encodePong, PLAIN_PONG, PONG_BYTES_MIN, parsePong } from '../wire/pong.ts';
import type { GwebCache } from './gwebcache.ts';

/** gtk-gnutella packs no more (PCACHE_UHC_MAX_IP). */
const HOSTS_SENT_MAX = 30;
/** Newest, of both address families. */
const HOSTS_CONSIDERED = 500;
/** So that an answer stays below 508 bytes, which no path cuts up. */
const HOST_BYTES_MAX = 400;
/** Servents asked whether they are there, with no answer yet. The oldest gives way. */
const PROBES_MAX = 1024;
const PROBE_WAIT_MS = 20_000;
const ADDRESSES_MAX = 20_000;

export interface UdpHostCacheRules {
  /** Between two answers to one address; 0 in a lab, where all share one. */
  perAddressMs: number;
  /** Answers in all. */
  answersPerSecond: number;
}

export const OPEN_UDP_RULES: UdpHostCacheRules = { perAddressMs: 60_000, answersPerSecond: 20 };
export const LAB_UDP_RULES: UdpHostCacheRules = { perAddressMs: 0, answersPerSecond: 1000 };

export interface Datagram {
  readonly bytes: Buffer;
  readonly to: Endpoint;
}

export interface UdpHostCacheOptions {
  /** Shared with the GWebCache side. */
  cache: GwebCache;
  rules: UdpHostCacheRules;
  random: Random;
  /** Where we answer. */
  own: Endpoint;
}

export class UdpHostCache {
  readonly counters = { pings: 0, answered: 0, tooSoon: 0, probes: 0, listed: 0, ignored: 0 };
  readonly #options: UdpHostCacheOptions;
  readonly #perAddress: KeyedRateLimit | null;
  readonly #overall: RateLimit;
  #overallDue = 0;
  /** Probe GUID to whom it went and when. Capacity PROBES_MAX, oldest first. */
  readonly #probes = new Map<string, { to: Endpoint; at: number }>();

  constructor(options: UdpHostCacheOptions) {
    const { perAddressMs, answersPerSecond } = options.rules;
    this.#options = options;
    this.#perAddress = perAddressMs > 0 ? new KeyedRateLimit(new RateLimit(perAddressMs, 1), ADDRESSES_MAX) : null;
    this.#overall = new RateLimit(1000 / answersPerSecond, answersPerSecond);
  }

  /** What to send for a datagram: an answer, and a ping to a servent not listed yet. Never throws. */
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

  /** Smaller than what asked for it: a forged sender gains nothing. */
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

  /** The servent at the address that we asked; the port is the one it listens on, said by itself. */
  #onPong(bytes: Buffer, payload: Buffer, from: Endpoint, now: number): void {
    const key = guidKey(bytes);
    const probe = this.#probes.get(key);
    if (probe === undefined || now - probe.at > PROBE_WAIT_MS || formatEndpoint(probe.to) !== formatEndpoint(from)) {
      this.counters.ignored++;
      return;
    }
    this.#probes.delete(key);
    const pong = parsePong(payload);
    // A host cache like us answers pings too, and takes no connections.
    const added =
      pong.udpHostCache === null &&
      this.#options.cache.add({ host: from.host, port: pong.endpoint.port }, now, pong.ultrapeer);
    if (added) this.counters.listed++;
  }
}

/** Payload of a whole datagram, null when the lengths do not agree or it is none for a cache. */
function payloadOf(bytes: Buffer): Buffer | null {
  if (bytes.length < HEADER_BYTES || bytes.length > HEADER_BYTES + PONG_BYTES_MIN + PING_GGEP_BYTES_MAX) return null;
  if (bytes.readUInt32LE(19) !== bytes.length - HEADER_BYTES) return null;
  return bytes.subarray(HEADER_BYTES);
}
