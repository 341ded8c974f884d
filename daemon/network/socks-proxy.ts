// The SOCKS5 proxy of the settings, and whether the profile reaches it.
import type { NetworkRules } from '../../protocol/network-rules.ts';
import { endpointOrNull, reachOf } from '../../protocol/wire/endpoint.ts';
import type { Settings } from '../../settings/settings.ts';
import { type SocksProxy, socksProxyOf } from '../../settings/socks-proxy.ts';
import { SocksWay } from '../net/socks-way.ts';

export function socksWayOf({ proxy: { socks, isolate } }: Settings): SocksWay | null {
  const proxy = socksProxyOf(socks);
  return proxy === null ? null : new SocksWay({ proxy, isolate });
}

/** Why the proxy must not be connected to, or null. A name is looked up by the system, in profiles that do so. */
export function outsideProxy(
  { host }: SocksProxy,
  { profile, dialable, resolvesNames }: Pick<NetworkRules, 'profile' | 'dialable' | 'resolvesNames'>,
): string | null {
  if (dialable === null || host === 'localhost') return null;
  const reach = reachOf(host);
  const isName = reach === 'unusable';
  if (isName ? resolvesNames : dialable.includes(reach)) return null;
  return `the proxy ${host} of proxy.socks is not within what profile ${profile} reaches: nothing is sent`;
}

/** A name that only the proxy may look up, in words; null: it is an address. */
export function hiddenName(address: string): string | null {
  if (endpointOrNull(address) !== null) return null;
  return `${address}: names are not looked up while proxy.socks is set: give an IP address and a port`;
}
