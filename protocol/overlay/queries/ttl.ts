// Clamps the TTL of relayed queries: lowers it by one, and cuts it so that hops + TTL stay within the limit.
import { HARD_TTL_MAX } from '../../constants.ts';

/** Why a query is not relayed. One with TTL 0 is still answered. */
export const Unfit = { TtlZero: -1, TtlTooHigh: -2 } as const;

/**
 * TTL with which a query that arrived with `ttl` and `hops` goes on, when hops + TTL may be `ttlMax`: 0 means not to
 * ultrapeers, less than 0 is one of Unfit and means to nobody. The rules of gtk-gnutella's forward_message; why absurd ones are not cut: ADR 0005.
 */
export function relayTtl(ttl: number, hops: number, ttlMax: number): number {
  if (hops + ttl > HARD_TTL_MAX) return Unfit.TtlTooHigh;
  if (ttl === 0) return Unfit.TtlZero;
  return Math.max(Math.min(ttl, ttlMax - hops), 1) - 1;
}
