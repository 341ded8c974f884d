// Whether others can reach us, by TCP and by UDP, proven by their having done so. Rules and windows of gtk-gnutella.

import { TimedKeys } from '../../timed-keys.ts';
import { type Endpoint, isIpv6 } from '../../wire/endpoint.ts';
import { ExternalPort } from './external-port.ts';

/** A proof holds so long (gtk-gnutella FW_INCOMING_WINDOW). */
export const PROOF_MS = 1_800_000;
/** After which an answer to what was asked still counts as one: a router lets it in (FW_UDP_WINDOW). */
const ASKED_MS = 120_000;
/** Silence after a proof has run out, while neighbours are asked again. */
const GRACE_MS = 300_000;
const ADDRESSES_MAX = 8_192;

export type Reachability = 'open' | 'firewalled' | 'unknown';

export interface FirewallStatus {
  readonly tcp: Reachability;
  readonly udp: Reachability;
  /** Datagrams that answer ours get through. */
  readonly udpSolicited: boolean;
  /** Milliseconds of the clock, null for never. */
  readonly tcpProvenAt: number | null;
  readonly udpProvenAt: number | null;
}

/** How reachability by one transport is known. `silence`: nobody came for too long. Null: not known yet. */
export interface ReachAccount {
  readonly state: Reachability;
  /** Milliseconds of the clock: when it became so. */
  readonly since: number;
  readonly known: 'configured' | 'proof' | 'silence' | null;
  /** Of the last proof; null for never. */
  readonly provenAt: number | null;
}

/** Overrides the measured reachability; null: none. */
export type ReachOverride = 'open' | 'firewalled' | null;

export interface FirewallOptions {
  readonly override: ReachOverride;
  /** Addresses that prove nothing, as they are on our side of any firewall. */
  readonly isNear: (host: string) => boolean;
  /** Many servents share one address, as in a lab: tell them apart by port. */
  readonly byPort: boolean;
  readonly now: number;
}

export class Firewall {
  readonly #options: FirewallOptions;
  #override: ReachOverride;
  /** When the override was last set, or the start. */
  #begun: number;
  /** Whom we sent datagrams to lately. */
  readonly #sent: TimedKeys;
  #tcpProvenAt: number | null = null;
  #udpProvenAt: number | null = null;
  /** First proof of those that followed one another without a gap. */
  #tcpOpenSince: number | null = null;
  #udpOpenSince: number | null = null;
  #solicitedAt: number | null = null;
  readonly #externalPort = new ExternalPort();

  constructor(options: FirewallOptions) {
    this.#options = options;
    this.#override = options.override;
    this.#begun = options.now;
    this.#sent = new TimedKeys(ASKED_MS, ADDRESSES_MAX, options.now);
  }

  /** Sets the override. Keeps proofs; restarts the grace period. */
  setOverride(override: ReachOverride, now: number): void {
    this.#override = override;
    this.#begun = now;
  }

  /** We listen on another port: proofs of the old one hold no longer. */
  moved(now: number): void {
    this.#tcpProvenAt = null;
    this.#udpProvenAt = null;
    this.#begun = now;
  }

  #key(endpoint: Endpoint): string {
    return this.#options.byPort ? `${endpoint.host} ${endpoint.port}` : endpoint.host;
  }

  /**
   * Somebody connected to the port that we listen on. Counts from hosts that we connected to as well, unlike with
   * datagrams: our connections leave from other ports, so no router lets this one in for their sake.
   */
  tcpArrived(host: string, now: number): void {
    if (this.#options.isNear(host)) return;
    if (this.#reachability(this.#tcpProvenAt, now) !== 'open') this.#tcpOpenSince = now;
    this.#tcpProvenAt = now;
  }

  /** We sent a datagram to `endpoint`. */
  udpSent(endpoint: Endpoint, now: number): void {
    this.#sent.add(this.#key(endpoint), now);
  }

  /** A datagram came in; true if nobody had asked for it. */
  udpArrived(endpoint: Endpoint, now: number): boolean {
    if (this.#options.isNear(endpoint.host) || this.#sent.has(this.#key(endpoint), now)) return false;
    if (this.#reachability(this.#udpProvenAt, now) !== 'open') this.#udpOpenSince = now;
    this.#udpProvenAt = now;
    return true;
  }

  /** A pong to a ping of ours. */
  udpAnswered(now: number): void {
    this.#solicitedAt = now;
  }

  /** A peer that we asked saw our datagrams come from this port. */
  udpPortSeen(port: number, voter: Endpoint, now: number): void {
    if (isIpv6(voter.host)) return; // routers leave ports of IPv6 as they are
    const network = this.#options.byPort ? this.#key(voter) : voter.host.split('.').slice(0, 2).join('.');
    this.#externalPort.seen(port, network, now);
  }

  /**
   * The port at which a peer that we send datagrams to can send us some: answers get through, and all saw the same port; or `listening`,
   * when datagrams come in unasked. Null: there is none, it is not known, or none is needed as the setting says that all can connect.
   */
  streamPort(listening: number, now: number): number | null {
    if (this.#override === 'open') return null;
    const { udp, udpSolicited } = this.status(now);
    const seen = udpSolicited ? this.#externalPort.stable(now) : null;
    return seen ?? (udp === 'open' ? listening : null);
  }

  /** Different peers see our datagrams come from different ports: a symmetric NAT. */
  portVaries(now: number): boolean {
    return this.#externalPort.varies(now);
  }

  /** Whether peers should be asked at which port they see us. */
  wantsPort(now: number): boolean {
    return this.#override !== 'open' && this.#externalPort.wantsVotes(now);
  }

  status(now: number): FirewallStatus {
    const override = this.#override;
    return {
      tcp: override ?? this.#reachability(this.#tcpProvenAt, now),
      udp: override ?? this.#reachability(this.#udpProvenAt, now),
      udpSolicited: override === 'open' || (this.#solicitedAt !== null && now - this.#solicitedAt < PROOF_MS),
      tcpProvenAt: this.#tcpProvenAt,
      udpProvenAt: this.#udpProvenAt,
    };
  }

  /** The same for people: since when, and how it is known. */
  account(now: number): { tcp: ReachAccount; udp: ReachAccount } {
    return {
      tcp: this.#accountOf(this.#tcpProvenAt, this.#tcpOpenSince, now),
      udp: this.#accountOf(this.#udpProvenAt, this.#udpOpenSince, now),
    };
  }

  #accountOf(provenAt: number | null, openSince: number | null, now: number): ReachAccount {
    const begun = this.#begun;
    if (this.#override !== null) return { state: this.#override, since: begun, known: 'configured', provenAt };
    const state = this.#reachability(provenAt, now);
    if (state === 'open') return { state, since: openSince ?? begun, known: 'proof', provenAt };
    const lapsedAt = this.#lapsedAt(provenAt);
    if (state === 'unknown') return { state, since: lapsedAt, known: null, provenAt };
    return { state, since: lapsedAt + GRACE_MS, known: 'silence', provenAt };
  }

  #reachability(provenAt: number | null, now: number): Reachability {
    if (provenAt !== null && now < provenAt + PROOF_MS) return 'open';
    return now - this.#lapsedAt(provenAt) < GRACE_MS ? 'unknown' : 'firewalled';
  }

  #lapsedAt(provenAt: number | null): number {
    return provenAt === null ? this.#begun : Math.max(this.#begun, provenAt + PROOF_MS);
  }

  /**
   * What hits, pushes and the handshake say: nobody can connect to us. Before the first proof too, for a push works
   * either way; not while a proof that has run out is being renewed.
   */
  firewalled(now: number): boolean {
    const { tcp, tcpProvenAt } = this.status(now);
    return tcp === 'firewalled' || (tcp === 'unknown' && tcpProvenAt === null);
  }

  /** When firewalled() will be another, if no proof comes before. */
  firewalledChangesAt(now: number): number {
    if (this.#override !== null || this.#tcpProvenAt === null) return Number.POSITIVE_INFINITY;
    const at = this.#lapsedAt(this.#tcpProvenAt) + GRACE_MS;
    return at > now ? at : Number.POSITIVE_INFINITY;
  }

  /** Whether hits may be asked for by UDP. */
  takesDatagrams(now: number): boolean {
    return this.status(now).udp === 'open';
  }

  /** Whether a neighbour should be asked for a proof, a third of its life before it runs out. */
  wantsProof(now: number): { tcp: boolean; udp: boolean } {
    if (this.#override !== null) return { tcp: false, udp: false };
    const stale = (provenAt: number | null) => provenAt === null || now - provenAt > (PROOF_MS * 2) / 3;
    return { tcp: stale(this.#tcpProvenAt), udp: stale(this.#udpProvenAt) };
  }
}

/** Null when it is unknown. */
export function proven(reachability: Reachability): boolean | null {
  return reachability === 'unknown' ? null : reachability === 'open';
}
