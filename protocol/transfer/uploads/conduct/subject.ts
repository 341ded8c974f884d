// Whom scores and bans are about: an IPv4 address, or a public IPv6 network of 64 bits, as one host has all of its addresses.
import { canonicalHost, isIpv6, packIpv6, reachOf, unpackIpv6 } from '../../../wire/endpoint.ts';

const NETWORK_BYTES = 8;

/** Null: no address. Of a network the first address; those of private networks belong to different hosts, so each is its own. */
export function subjectOf(host: string): string | null {
  const canonical = canonicalHost(host);
  if (canonical === null || !isIpv6(canonical) || reachOf(canonical) !== 'public') return canonical;
  return unpackIpv6(packIpv6(canonical).fill(0, NETWORK_BYTES), 0);
}

/** For people: with `/64` for a network. */
export function subjectText(subject: string): string {
  return isIpv6(subject) && reachOf(subject) === 'public' ? `${subject}/64` : subject;
}
