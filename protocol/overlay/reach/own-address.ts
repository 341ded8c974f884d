// The addresses that others reach us at: as configured, or those of this machine until peers agree on what they see.

import { LazyMap } from '../../lazy-map.ts';
import { canonicalHost, type Endpoint, isIpv6, type Reach, reachOf } from '../../wire/endpoint.ts';

/** Different networks that must agree before hearsay is believed (LimeWire takes the first, gtk-gnutella the majority). */
const VOTES_WANTED = 2;
const VOTERS_MAX = 64;

/** Where a router lets others in for us; a port is null while it is not mapped. */
export interface Mapped {
  /** The router's address outside; null: not known, or no use. */
  readonly host: string | null;
  readonly tcp: number | null;
  readonly udp: number | null;
}

/** Stands for the router among those who vote on our address. */
const ROUTER = 'router';

export class OwnAddress {
  #port: number;
  #mapped: Mapped = { host: null, tcp: null, udp: null };
  /** IPv4 when we have both families, as most of the network knows nothing else. */
  readonly #main: OneAddress;
  /** IPv6 beside IPv4; null when we do not listen on both. */
  readonly #second: OneAddress | null;

  /** `reaches`: addresses that others can reach; `hosts`: those of this machine, in its own order. */
  constructor(listening: Endpoint, reaches: readonly Reach[], hosts: readonly string[]) {
    const { host } = listening;
    this.#port = listening.port;
    this.#second = null;
    if (!isWildcard(host)) {
      this.#main = new OneAddress(host, []);
      return;
    }
    const found4 = best(hosts, false, reaches);
    const found6 = host === '::' ? best(hosts, true, reaches) : null;
    if (found4 === null && found6 !== null) this.#main = new OneAddress(found6, reaches);
    else {
      this.#main = new OneAddress(found4 ?? '127.0.0.1', reaches);
      if (found6 !== null) this.#second = new OneAddress(found6, reaches);
    }
  }

  get endpoint(): Endpoint {
    return { host: this.#main.host, port: this.#mapped.tcp ?? this.#port };
  }

  /** The same for datagrams: a router may have given these another port. */
  get datagrams(): Endpoint {
    return { host: this.#main.host, port: this.#mapped.udp ?? this.#port };
  }

  /** We listen on another port; what others see of our address stays true. */
  set port(port: number) {
    this.#port = port;
  }

  /** A router forwards ports to us, or does so no longer. Its word on our address holds until peers agree on another. */
  set mapped(mapped: Mapped) {
    this.#mapped = mapped;
    if (mapped.host === null || isIpv6(mapped.host) !== isIpv6(this.#main.host)) this.#main.forget(ROUTER);
    else this.#main.told(mapped.host, ROUTER);
  }

  /** Our IPv6 address when `endpoint` is IPv4 and we listen on both; same port. */
  get ipv6(): string | null {
    return this.#second?.host ?? null;
  }

  /** A peer says at which address it sees us. True when that changed our mind. */
  seen(seen: string, voter: string): boolean {
    const host = canonicalHost(seen);
    if (host === null) return false;
    const one = [this.#main, this.#second].find(address => address !== null && isIpv6(address.host) === isIpv6(host));
    return one?.seen(host, voter) ?? false;
  }
}

/** One address of one family, and who sees another. */
class OneAddress {
  host: string;
  /** Empty: it was given, and nobody is asked. */
  readonly #reaches: readonly Reach[];
  /** Network of the voter to the address it saw; the oldest vote gives way. Capacity VOTERS_MAX. */
  readonly #votes = new LazyMap<string, string>();

  constructor(host: string, reaches: readonly Reach[]) {
    this.host = host;
    this.#reaches = reaches;
  }

  /** Believed at once, unless peers agree on another. */
  told(host: string, voter: string): void {
    if (!this.#reaches.includes(reachOf(host))) return;
    this.#votes.delete(voter);
    this.#votes.set(voter, host);
    if (this.#agreeing(this.host) < VOTES_WANTED) this.host = host;
  }

  forget(voter: string): void {
    this.#votes.delete(voter);
  }

  #agreeing(host: string): number {
    return [...this.#votes.values()].filter(vote => vote === host).length;
  }

  seen(host: string, voter: string): boolean {
    if (!this.#reaches.includes(reachOf(host))) return false;
    const network = isIpv6(voter) ? voter.split(':').slice(0, 3).join(':') : voter.split('.').slice(0, 2).join('.');
    this.#votes.delete(network);
    this.#votes.set(network, host);
    if (this.#votes.size > VOTERS_MAX) {
      const oldest = this.#votes.keys().next();
      if (!oldest.done) this.#votes.delete(oldest.value);
    }
    const agreeing = this.#agreeing(host);
    if (host === this.host || agreeing < VOTES_WANTED || 2 * agreeing <= this.#votes.size) return false;
    this.host = host;
    return true;
  }
}

/** The first address of a family that can be reached, or the next best: a router may stand for a private one. */
function best(hosts: readonly string[], ipv6: boolean, reaches: readonly Reach[]): string | null {
  const family = hosts.filter(host => isIpv6(host) === ipv6 && !host.startsWith('fe80:'));
  const reached = family.find(host => reaches.includes(reachOf(host)));
  if (reached !== undefined || ipv6) return reached ?? null;
  return family.find(host => reachOf(host) === 'private') ?? null;
}

/** All addresses of one family, or of both. */
export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}
