// A port that a router forwards to us for a while, and when it is to be asked for again.
import type { Random } from '../ports.ts';
import type { Transport } from './transport.ts';

/** What we ask for, seconds (RFC 6886 §3.3 recommends two hours). */
export const LIFETIME_S = 7_200;
/** A shorter life would have us ask all the time, a longer one is not to be trusted (RFC 6887 §15). */
const LIFE_MIN_S = 60;
const LIFE_MAX_S = 86_400;
/** Between two attempts to renew. */
const RENEW_AGAIN_MS = 15_000;

export interface Lease {
  readonly transport: Transport;
  readonly internalPort: number;
  readonly externalPort: number;
  /** As the router says; null: it does not. */
  readonly externalHost: string | null;
  readonly nonce: Buffer;
  readonly grantedAt: number;
  /** Milliseconds of the clock. */
  readonly until: number;
  renewAt: number;
}

type Granted = Omit<Lease, 'grantedAt' | 'until' | 'renewAt'> & { readonly lifetime: number };

/** Renewed between a half and five eighths of its life (RFC 6887 §11.2.1). */
export function leaseOf({ lifetime, ...granted }: Granted, random: Random, now: number): Lease {
  const lifeMs = 1000 * Math.min(Math.max(lifetime, LIFE_MIN_S), LIFE_MAX_S);
  const renewAt = now + lifeMs / 2 + random.below(Math.ceil(lifeMs / 8));
  return { ...granted, grantedAt: now, until: now + lifeMs, renewAt };
}

/** After an attempt that failed: half of what is left, but not all the time. */
export function renewLater(lease: Lease, now: number): void {
  lease.renewAt = now + Math.max(RENEW_AGAIN_MS, (lease.until - now) / 2);
}
