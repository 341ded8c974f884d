// Numbers of the overlay that an operator may want to change. Milliseconds and bytes throughout.
import { MAX_TTL } from '../constants.ts';
import { SEND_LIMITS, type SendLimits } from './send-queue.ts';

export interface OverlayLimits {
  /** Most that hops + TTL of a relayed query may be, and TTL of our own. */
  readonly ttlMax: number;
  /** The same among legacy peers: flat networks need the old horizon. */
  readonly legacyTtlMax: number;
  /** Answer and relay queries without the flags mark, as 0.4 servents send them. gtk-gnutella drops them. */
  readonly unflaggedQueries: boolean;
  /** Records that one query is answered with, over all its hits. */
  readonly hitsPerQueryMax: number;
  /** Own searches open at a time; the oldest is cancelled for a new one. */
  readonly searchesMax: number;
  readonly send: SendLimits;
}

export const OVERLAY_LIMITS: OverlayLimits = {
  ttlMax: MAX_TTL,
  legacyTtlMax: 7,
  unflaggedQueries: true,
  hitsPerQueryMax: 50,
  searchesMax: 256,
  send: SEND_LIMITS,
};
