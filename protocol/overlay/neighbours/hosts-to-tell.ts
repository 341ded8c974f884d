// Servents that are worth telling others.
import { distinct, type Endpoint } from '../../wire/endpoint.ts';
import type { Link } from '../links/link.ts';
import type { HostCache } from './host-cache.ts';

/** Out of the cache for one pong. */
const FRESH_HOSTS = 30;

/** Our ultrapeers, then others seen lately. */
export function hostsToTell(links: Iterable<Link>, hosts: HostCache, count: number): Endpoint[] {
  const near: Endpoint[] = [];
  for (const { role, listen } of links) if (role === 'ultrapeer' && listen !== null) near.push(listen);
  return distinct([...near, ...hosts.fresh(FRESH_HOSTS, true)]).slice(0, count);
}
