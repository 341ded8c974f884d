// How firewalled servents tell each other that they can open streams by UDP: a bit of queries (hits have GGEP FW).

import { RELAY_GGEP } from '../../relay/relay-line.ts';
import type { Endpoint } from '../../wire/endpoint.ts';
import { type Query, QueryFlag } from '../../wire/query.ts';
import type { Identity } from '../identity.ts';

/** Bits of our queries. */
export function reachFlags(firewalled: boolean, stream: Endpoint | null): number {
  if (!firewalled) return 0;
  return QueryFlag.Firewalled | (stream === null ? 0 : QueryFlag.FirewalledTransfer);
}

/** Whether neither side could get anything from the other: a hit would be of no use. */
export function isOutOfReach({ flags, ggep }: Pick<Query, 'flags' | 'ggep'>, identity: Identity, now: number): boolean {
  if ((flags & QueryFlag.Firewalled) === 0 || !identity.firewalled(now)) return false;
  const meets = ggep.some(({ id }) => id === RELAY_GGEP) && (identity.relayEndpoints?.(now).length ?? 0) > 0;
  if (meets) return false;
  return (flags & QueryFlag.FirewalledTransfer) === 0 || (identity.streamEndpoint?.(now) ?? null) === null;
}
