// Connect-back tests: asks neighbours to test whether we can be reached, and tests for them, by ourselves and by our ultrapeers, as
// LimeWire accepts no proof from a host that it is linked to. Rate-limited, since each request causes a connection.
import type { Random } from '../../ports.ts';
import { RateLimit } from '../../rate-limit.ts';
import { TimedKeys } from '../../timed-keys.ts';
import { type Endpoint, formatEndpoint, isIpv6, type Reach, reachOf } from '../../wire/endpoint.ts';
import {
  encodeTcpConnectBack,
  encodeTcpConnectBackRedirect,
  encodeUdpConnectBack,
  encodeUdpConnectBackRedirect,
} from '../../wire/vendor/connect-back.ts';
import { VendorId } from '../../wire/vendor-message.ts';
import type { Identity } from '../identity.ts';
import type { Link } from '../links/link.ts';
import type { Firewall } from './firewall.ts';

/** One neighbour's requests for itself, of each kind. */
const OWN_LIMIT = new RateLimit(5 * 60_000, 2);
/** Requests for third parties, from all neighbours together; gtk-gnutella does five in ten minutes. */
const REDIRECT_LIMIT = new RateLimit(60_000, 10);
/** Neighbours' requests that are handed on, of all neighbours together, and to how many ultrapeers each: LimeWire's number. */
const HAND_ON_LIMIT = new RateLimit(10_000, 20);
const HELPERS = 5;
/** No third party is probed where services of its system may listen. */
const REDIRECT_PORT_MIN = 1_024;
/** Nobody is probed twice within this (gtk-gnutella remembers 200 targets for 10 minutes). */
const TARGET_MS = 10 * 60_000;
/**
 * By UDP sooner, as a ping costs little: the router of the first one may have let nothing in, as nothing had been sent yet. Shorter than
 * EAGER_ROUND_MS.
 */
const UDP_TARGET_MS = 50_000;
const TARGETS_MAX = 512;
/** Between rounds of asking, and how many are asked in one. */
const ROUND_MS = 20 * 60_000;
const ROUND_LINKS = 2;
/** While nothing is proven, rounds follow faster. */
const EAGER_ROUND_MS = 60_000;
const EAGER_ROUNDS = 5;

export interface Probes {
  /** Connect, write two line feeds, close. */
  tcp(to: Endpoint): void;
  /** Ping with this GUID. */
  udp(to: Endpoint, guid: Buffer, now: number): void;
}

export interface ConnectBackParts {
  readonly firewall: Firewall;
  readonly identity: Identity;
  readonly random: Random;
  readonly probes: Probes;
  readonly reaches: readonly Reach[];
  /** Sends a vendor message to a link. */
  readonly send: (link: Link, payload: Buffer, guid?: Buffer) => void;
  /** Links that listed a message in null/0. */
  readonly supporting: (id: string) => Link[];
  readonly supports: (link: Link, id: string) => boolean;
  readonly links: ReadonlyMap<number, Link>;
  readonly now: number;
}

export class ConnectBacks {
  readonly #parts: ConnectBackParts;
  readonly #targets: TimedKeys;
  readonly #udpTargets: TimedKeys;
  /** GUID of the pings that prove that we can be reached; for the whole run, like gtk-gnutella's. */
  readonly guid: Buffer;
  readonly #dues = new WeakMap<Link, { tcp: number; udp: number }>();
  #redirectDue = 0;
  #handOnDue = 0;
  #roundAt: number;
  #rounds = 0;
  done = 0;
  refused = 0;
  asked = 0;
  handedOn = 0;

  constructor(parts: ConnectBackParts) {
    this.#parts = parts;
    this.guid = parts.random.guid();
    this.#targets = new TimedKeys(TARGET_MS, TARGETS_MAX, parts.now);
    this.#udpTargets = new TimedKeys(UDP_TARGET_MS, TARGETS_MAX, parts.now);
    this.#roundAt = parts.now;
  }

  /** BEAR/7: connect to the neighbour itself. */
  onTcpRequest(link: Link, port: number, now: number): void {
    const dues = this.#duesOf(link);
    const due = OWN_LIMIT.admit(dues.tcp, now);
    if (due < 0) {
      this.refused++;
      return;
    }
    dues.tcp = due;
    const target = { host: link.endpoint.host, port };
    if (this.#tcp(target, now)) this.#handOn(link, target, null, now);
  }

  /** GTKG/7: ping the neighbour itself. */
  onUdpRequest(link: Link, port: number, guid: Buffer, now: number): void {
    const dues = this.#duesOf(link);
    const due = OWN_LIMIT.admit(dues.udp, now);
    if (due < 0) {
      this.refused++;
      return;
    }
    dues.udp = due;
    const target = { host: link.endpoint.host, port };
    if (this.#udp(target, guid, now)) this.#handOn(link, target, guid, now);
  }

  /** Sends LIME/7, or LIME/8 with the GUID to ping, to some of our ultrapeers. */
  #handOn(link: Link, target: Endpoint, guid: Buffer | null, now: number): void {
    if (target.port < REDIRECT_PORT_MIN || isIpv6(target.host)) return; // they would refuse, or could not be told
    const id = guid === null ? VendorId.TcpConnectBackRedirect : VendorId.UdpConnectBackRedirect;
    const helpers = this.#parts.supporting(id).filter(helper => helper !== link && areUltrapeers(helper));
    if (helpers.length === 0) return;
    const due = HAND_ON_LIMIT.admit(this.#handOnDue, now);
    if (due < 0) return;
    this.#handOnDue = due;
    this.handedOn++;
    const payload = guid === null ? encodeTcpConnectBackRedirect(target) : encodeUdpConnectBackRedirect(target);
    for (const helper of this.#some(helpers, HELPERS)) this.#parts.send(helper, payload, guid ?? undefined);
  }

  /** LIME/7 and 8: for somebody else, by one ultrapeer to another only, as in LimeWire. Never passed on. */
  onRedirect(link: Link, target: Endpoint, guid: Buffer | null, now: number): void {
    if (!areUltrapeers(link) || target.port < REDIRECT_PORT_MIN || this.#isLinkedTo(target)) {
      this.refused++;
      return;
    }
    const due = REDIRECT_LIMIT.admit(this.#redirectDue, now);
    if (due < 0) {
      this.refused++;
      return;
    }
    this.#redirectDue = due;
    if (guid === null) this.#tcp(target, now);
    else this.#udp(target, guid, now);
  }

  /** It would take no proof from us. On loopback, where all have one address, ports tell servents apart. */
  #isLinkedTo(target: Endpoint): boolean {
    const alone = reachOf(target.host) !== 'loopback';
    for (const { endpoint, listen } of this.#parts.links.values()) {
      if (endpoint.host === target.host && (alone || endpoint.port === target.port || listen?.port === target.port)) {
        return true;
      }
    }
    return false;
  }

  /** False when it was not fit to be probed, or had been lately. */
  #tcp(target: Endpoint, now: number): boolean {
    const fresh = this.#fresh(this.#targets, target, now);
    if (fresh) this.#parts.probes.tcp(target);
    return fresh;
  }

  #udp(target: Endpoint, guid: Buffer, now: number): boolean {
    const fresh = this.#fresh(this.#udpTargets, target, now);
    if (fresh) this.#parts.probes.udp(target, guid, now);
    return fresh;
  }

  /** At most `count`, chosen at random. */
  #some(links: readonly Link[], count: number): Link[] {
    const left = [...links];
    const some: Link[] = [];
    while (some.length < count && left.length > 0) some.push(...left.splice(this.#parts.random.below(left.length), 1));
    return some;
  }

  #fresh(targets: TimedKeys, target: Endpoint, now: number): boolean {
    const key = formatEndpoint(target);
    const own = this.#parts.identity.listen();
    const ours = own.host === target.host && own.port === target.port;
    const fit = !ours && target.port > 0 && this.#parts.reaches.includes(reachOf(target.host));
    if (!fit || targets.has(key, now)) {
      this.refused++;
      return false;
    }
    targets.add(key, now);
    this.done++;
    return true;
  }

  #duesOf(link: Link): { tcp: number; udp: number } {
    let dues = this.#dues.get(link);
    if (dues === undefined) {
      dues = { tcp: 0, udp: 0 };
      this.#dues.set(link, dues);
    }
    return dues;
  }

  /** A neighbour said what it understands: a new one is asked at once. */
  onSupported(link: Link, now: number): void {
    this.#ask(link, now);
  }

  #ask(link: Link, now: number): void {
    const { firewall, identity, send, supports } = this.#parts;
    const { port } = identity.listen();
    const { tcp, udp } = firewall.wantsProof(now);
    if (tcp && supports(link, VendorId.TcpConnectBack)) {
      this.asked++;
      send(link, encodeTcpConnectBack(port));
    }
    // by IPv4 only: the probe comes to the address that the link shows
    if (udp && supports(link, VendorId.UdpConnectBack) && !isIpv6(link.endpoint.host)) {
      this.asked++;
      send(link, encodeUdpConnectBack({ port: identity.datagramPort ?? port, guid: this.guid }));
    }
  }

  /** What is proven holds no longer, as after a change of the port: rounds begin anew, at once. */
  askAnew(now: number): void {
    this.#rounds = 0;
    this.#roundAt = now - EAGER_ROUND_MS;
  }

  /** Asks some neighbours again when it is time; when it is next. */
  tick(now: number): number {
    if (now >= this.#nextRoundAt) this.#round(now);
    return this.#nextRoundAt;
  }

  get #nextRoundAt(): number {
    return this.#roundAt + (this.#rounds < EAGER_ROUNDS ? EAGER_ROUND_MS : ROUND_MS);
  }

  #round(now: number): void {
    this.#roundAt = now;
    const { tcp, udp } = this.#parts.firewall.wantsProof(now);
    if (!tcp && !udp) return;
    this.#rounds++;
    const links = this.#parts.supporting(tcp ? VendorId.TcpConnectBack : VendorId.UdpConnectBack);
    for (const link of this.#some(links, ROUND_LINKS)) this.#ask(link, now);
  }
}

function areUltrapeers({ role, ourRole }: Link): boolean {
  return role === 'ultrapeer' && ourRole === 'ultrapeer';
}
