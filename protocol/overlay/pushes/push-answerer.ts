// Decides which pushes for us to follow; the shell connects to the requester, sends GIV and serves files.

import { LazyMap } from '../../lazy-map.ts';
import { KeyedRateLimit, RateLimit } from '../../rate-limit.ts';
import { ReasonCounts } from '../../reason-counts.ts';
import { TimedKeys } from '../../timed-keys.ts';
import { subjectOf } from '../../transfer/uploads/conduct/subject.ts';
import { type Endpoint, formatEndpoint } from '../../wire/endpoint.ts';
import { guidKey } from '../../wire/guid.ts';
import { FIREWALL_TO_FIREWALL_INDEX, type Push } from '../../wire/push.ts';

/** gtk-gnutella connects to one address five times in 30 seconds, LimeWire as often. An IPv6 network of 64 bits is one address. */
const PER_ADDRESS = new RateLimit(6_000, 5);
/** To all together: each costs a connection. */
const ALL = new RateLimit(200, 50);
const ADDRESSES_MAX = 4_096;
/** An address that could not be reached is not tried again for so long (gtk-gnutella). */
const UNREACHABLE_MS = 500_000;
/** The same for a stream by UDP, for which the other side may only have been late. */
const NO_STREAM_MS = 60_000;
/** Ports of one address that could not be reached: then none of it is tried for as long. */
const DEAD_PORTS_MAX = 3;
const UNDER_WAY_MAX = 32;
/** gtk-gnutella sends one push by datagram, to each push proxy and along links: the same descriptor is followed once. */
const FOLLOWED_MS = 60_000;
const FOLLOWED_MAX = 1_024;

const PUSH_OUTCOMES = [
  'served',
  'unreachable',
  /** A stream by UDP did not come about. */
  'no_stream',
  /** Too often from one address, or from all. */
  'rate',
  'forbidden',
  /** It could not be reached a while ago. */
  'remembered',
  /** By UDP between two firewalled servents, and we cannot do that. */
  'firewall_to_firewall',
  'crowded',
  /** The same one has come another way. */
  'repeated',
] as const;
export type PushOutcome = (typeof PUSH_OUTCOMES)[number];

/** Along links, by datagram, or over HTTP, as we are a push proxy ourselves. */
const PUSH_ARRIVALS = ['overlay', 'datagram', 'proxy'] as const;
export type PushArrival = (typeof PUSH_ARRIVALS)[number];

export interface PushAnswererParts {
  /** Why an endpoint must not be dialled, or null. */
  readonly forbids: (endpoint: Endpoint) => string | null;
  /** Connect there, say GIV, and serve. The outcome comes back through ended(). */
  readonly serve: (to: Endpoint) => void;
  /** The same over a stream by UDP that both open; null: there is none. */
  readonly serveStream?: ((to: Endpoint) => void) | null;
  /** See NetworkRules. */
  readonly sharedAddress: boolean;
}

export class PushAnswerer {
  readonly outcomes = new ReasonCounts<PushOutcome>(PUSH_OUTCOMES);
  /** Pushes that came, by way. */
  readonly came = new ReasonCounts<PushArrival>(PUSH_ARRIVALS);
  readonly #parts: PushAnswererParts;
  readonly #rates = new KeyedRateLimit(PER_ADDRESS, ADDRESSES_MAX);
  readonly #unreachable: DeadEnds;
  readonly #noStream: DeadEnds;
  /** GUIDs of pushes that were followed. */
  readonly #followed: TimedKeys;
  #allDue = 0;
  #underWay = 0;
  #closing = false;

  constructor(parts: PushAnswererParts, now: number) {
    this.#parts = parts;
    this.#unreachable = new DeadEnds(UNREACHABLE_MS, now);
    this.#noStream = new DeadEnds(NO_STREAM_MS, now);
    this.#followed = new TimedKeys(FOLLOWED_MS, FOLLOWED_MAX, now);
  }

  /** `guid`: of its descriptor; null: it came without one. */
  onPush(push: Push, by: PushArrival, now: number, guid: Buffer | null = null): void {
    this.came.count(by);
    const key = guid === null ? null : guidKey(guid);
    if (key !== null && this.#followed.has(key, now)) {
      this.outcomes.count('repeated');
      return;
    }
    const streams = push.fileIndex === FIREWALL_TO_FIREWALL_INDEX;
    // the IPv6 address is for those that IPv4 does not lead to
    const second = push.ipv6 === null || streams ? null : { host: push.ipv6, port: push.endpoint.port };
    const to = second !== null && this.#isHopeless(push.endpoint, now) ? second : push.endpoint;
    const refusal = this.#refusalOf(to, streams, now);
    if (refusal !== null) {
      this.outcomes.count(refusal);
      return;
    }
    if (key !== null) this.#followed.add(key, now);
    this.#underWay++;
    if (streams) this.#parts.serveStream?.(to);
    else this.#parts.serve(to);
  }

  #isHopeless(endpoint: Endpoint, now: number): boolean {
    return this.#parts.forbids(endpoint) !== null || this.#unreachable.has(endpoint, this.#keyOf(endpoint), now);
  }

  #keyOf(endpoint: Endpoint): string {
    return this.#parts.sharedAddress ? formatEndpoint(endpoint) : (subjectOf(endpoint.host) ?? endpoint.host);
  }

  #refusalOf(endpoint: Endpoint, streams: boolean, now: number): PushOutcome | null {
    const { forbids, serveStream = null } = this.#parts;
    if (streams && serveStream === null) return 'firewall_to_firewall';
    if (this.#closing || this.#underWay >= UNDER_WAY_MAX) return 'crowded';
    if (forbids(endpoint) !== null) return 'forbidden';
    // datagrams may get through where connections do not
    const dead = streams ? this.#noStream : this.#unreachable;
    if (dead.has(endpoint, this.#keyOf(endpoint), now)) return 'remembered';
    // of all first: else refused pushes to many addresses would have what the rates remember of one forgotten
    const due = ALL.admit(this.#allDue, now);
    if (due < 0 || !this.#rates.admit(this.#keyOf(endpoint), now)) return 'rate';
    this.#allDue = due;
    return null;
  }

  /** The connection that serve() asked for is made, or cannot be made. */
  ended(to: Endpoint, outcome: 'served' | 'unreachable' | 'no_stream', now: number): void {
    this.#underWay--;
    this.outcomes.count(outcome);
    if (outcome === 'unreachable' && !this.#closing) this.#unreachable.add(to, this.#keyOf(to), now);
    // each try sends 50 SYNs there, and it may be a victim of the one that asked
    if (outcome === 'no_stream') this.#noStream.add(to, this.#keyOf(to), now);
  }

  /** Follows no push from now on. */
  close(): void {
    this.#closing = true;
  }
}

/** Endpoints that led nowhere, each left alone for a while; after DEAD_PORTS_MAX of one address the whole address for UNREACHABLE_MS. */
class DeadEnds {
  readonly #endpoints: TimedKeys;
  readonly #addresses: TimedKeys;
  /** How many ports of an address led nowhere lately, forgotten all together; at most ADDRESSES_MAX. */
  readonly #ports = new LazyMap<string, number>();
  #since: number;

  constructor(endpointMs: number, now: number) {
    this.#endpoints = new TimedKeys(endpointMs, ADDRESSES_MAX, now);
    this.#addresses = new TimedKeys(UNREACHABLE_MS, ADDRESSES_MAX, now);
    this.#since = now;
  }

  add(to: Endpoint, address: string, now: number): void {
    this.#endpoints.add(formatEndpoint(to), now);
    if (now - this.#since >= UNREACHABLE_MS || this.#ports.size >= ADDRESSES_MAX) {
      this.#ports.clear();
      this.#since = now;
    }
    const ports = (this.#ports.get(address) ?? 0) + 1;
    this.#ports.set(address, ports);
    if (ports >= DEAD_PORTS_MAX) this.#addresses.add(address, now);
  }

  has(to: Endpoint, address: string, now: number): boolean {
    return this.#endpoints.has(formatEndpoint(to), now) || this.#addresses.has(address, now);
  }
}
