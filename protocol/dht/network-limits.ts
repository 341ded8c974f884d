// How many nodes of one network a table, a bucket or a lookup takes, so that the owner of one network fills none of them.

import { LazyMap } from '../lazy-map.ts';
import { ipv6Network, isIpv6 } from '../wire/endpoint.ts';

/** Nodes of one /24; gtk-gnutella has the same numbers. */
export interface NetworkLimits {
  readonly bucket: number;
  readonly table: number;
  /** Of the nodes that a lookup asks. */
  readonly path: number;
  /** An address has one KUID in the table, whatever its ports; otherwise one for each port. */
  readonly oneKuidAnAddress: boolean;
}

export const NETWORK_LIMITS: NetworkLimits = { bucket: 3, table: 10, path: 3, oneKuidAnAddress: true };

const NONE = Number.POSITIVE_INFINITY;
/** For profile `local`, where all nodes share an address. */
export const NO_NETWORK_LIMITS: NetworkLimits = { bucket: NONE, table: NONE, path: NONE, oneKuidAnAddress: false };

/** The /24 of an IPv4 address, the /64 of an IPv6 one. */
export function networkOf(host: string): string {
  return isIpv6(host) ? ipv6Network(host) : host.slice(0, host.lastIndexOf('.'));
}

/** Counts hosts by network. */
export class NetworkCounts {
  readonly #max: number;
  readonly #counts = new LazyMap<string, number>();

  /** `max` of each network; Infinity: nothing is counted. */
  constructor(max: number) {
    this.#max = max;
  }

  hasRoom(host: string): boolean {
    return this.#max === NONE || this.of(host) < this.#max;
  }

  of(host: string): number {
    return this.#counts.get(networkOf(host)) ?? 0;
  }

  add(host: string): void {
    if (this.#max !== NONE) this.#counts.set(networkOf(host), this.of(host) + 1);
  }

  /** Only for a host that was added. */
  remove(host: string): void {
    if (this.#max === NONE) return;
    const left = this.of(host) - 1;
    if (left > 0) this.#counts.set(networkOf(host), left);
    else this.#counts.delete(networkOf(host));
  }
}
