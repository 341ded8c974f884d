// The address that others reach us at. Listening on all of them, we ask the system, then believe what peers see.
import { networkInterfaces } from 'node:os';
import { canonicalHost, type Endpoint, isIpv6, reachOf } from '../../protocol/wire/endpoint.ts';
import type { Profile } from '../settings.ts';
import { reachesOf } from './reach.ts';

/** Different networks that must agree before hearsay is believed (LimeWire takes the first, gtk-gnutella the majority). */
const VOTES_WANTED = 2;
const VOTERS_MAX = 64;

export class OwnAddress {
  readonly #listening: Endpoint;
  readonly #profile: Profile;
  #host: string;
  /** Network of the voter to the address it saw; the oldest vote gives way. Capacity VOTERS_MAX. */
  readonly #votes = new Map<string, string>();

  constructor(listening: Endpoint, profile: Profile) {
    this.#listening = listening;
    this.#profile = profile;
    this.#host = isWildcard(listening.host) ? (interfaceHost(profile) ?? '127.0.0.1') : listening.host;
  }

  get endpoint(): Endpoint {
    return { host: this.#host, port: this.#listening.port };
  }

  /** A peer says at which address it sees us. True when that changed our mind. */
  seen(seen: string, voter: string): boolean {
    const host = canonicalHost(seen);
    if (host === null || !isWildcard(this.#listening.host) || !reachesOf(this.#profile).includes(reachOf(host)))
      return false;
    const network = isIpv6(voter) ? voter.split(':').slice(0, 3).join(':') : voter.split('.').slice(0, 2).join('.');
    this.#votes.delete(network);
    this.#votes.set(network, host);
    if (this.#votes.size > VOTERS_MAX) {
      const oldest = this.#votes.keys().next();
      if (!oldest.done) this.#votes.delete(oldest.value);
    }
    const agreeing = [...this.#votes.values()].filter(vote => vote === host).length;
    if (host === this.#host || agreeing < VOTES_WANTED || 2 * agreeing <= this.#votes.size) return false;
    this.#host = host;
    return true;
  }
}

/** Listening there is listening on every address of the machine. */
export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

/** The first address of this machine that the profile reaches, or the next best. */
function interfaceHost(profile: Profile): string | null {
  const hosts = Object.values(networkInterfaces())
    .flatMap(addresses => addresses ?? [])
    .filter(({ family }) => family === 'IPv4')
    .map(({ address }) => address);
  const reaches = reachesOf(profile);
  return hosts.find(host => reaches.includes(reachOf(host))) ?? hosts.find(host => reachOf(host) === 'private') ?? null;
}
