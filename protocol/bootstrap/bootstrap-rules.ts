// Timing and limits of bootstrapping, for the public network and for a private one.
import { type BootstrapTiming, LOCAL_TIMING, PUBLIC_TIMING } from './bootstrap-plan.ts';
import { type CachePolicy, LOCAL_CACHES, POLITE_UDP, POLITE_WEB } from './cache-book.ts';

export interface BootstrapRules {
  readonly timing: BootstrapTiming;
  readonly web: CachePolicy;
  readonly udp: CachePolicy;
  /** Milliseconds between two steps of the plan. */
  readonly stepMs: number;
  /** Milliseconds for one request to a GWebCache, redirects included. */
  readonly requestMs: number;
  /** Register with GWebCaches this long after the start, and again each `registerEveryMs`. */
  readonly registerAfterMs: number;
  readonly registerEveryMs: number;
  /** Register with each of the user's GWebCaches; otherwise with a random known one. */
  readonly registerWithAll: boolean;
  /** Hosts of caches with lower ports are ignored. */
  readonly portMin: number;
}

const HOUR_MS = 3_600_000;

export const PUBLIC_BOOTSTRAP: BootstrapRules = {
  timing: PUBLIC_TIMING,
  web: POLITE_WEB,
  udp: POLITE_UDP,
  stepMs: 1_000,
  requestMs: 15_000,
  registerAfterMs: HOUR_MS,
  registerEveryMs: HOUR_MS,
  registerWithAll: false,
  // lower ports need privileges, so a servent is unlikely there
  portMin: 1_024,
};

export const LOCAL_BOOTSTRAP: BootstrapRules = {
  timing: LOCAL_TIMING,
  web: LOCAL_CACHES,
  udp: LOCAL_CACHES,
  stepMs: 200,
  requestMs: 5_000,
  registerAfterMs: 0,
  // our GWebCache lists a host for 20 minutes
  registerEveryMs: 5 * 60_000,
  registerWithAll: true,
  portMin: 1,
};
