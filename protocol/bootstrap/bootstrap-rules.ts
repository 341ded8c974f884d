// How fast first hosts are looked for, and how politely caches are asked: on the public network, and in one's own.
import { type BootstrapTiming, LAB_TIMING, PUBLIC_TIMING } from './bootstrap-plan.ts';
import { type CachePolicy, LAB_CACHES, POLITE_UDP, POLITE_WEB } from './cache-book.ts';

export interface BootstrapRules {
  readonly timing: BootstrapTiming;
  readonly web: CachePolicy;
  readonly udp: CachePolicy;
  /** Milliseconds between two looks at what is to be done. */
  readonly lookMs: number;
  /** Milliseconds for one request to a GWebCache, redirects included. */
  readonly requestMs: number;
  /** GWebCaches are told of us this long after the start, and again after each `tellEveryMs`. */
  readonly tellAfterMs: number;
  readonly tellEveryMs: number;
  /** Each GWebCache of one's own is told; otherwise one of all known, at random. */
  readonly tellsEach: boolean;
  /** The lowest port that is believed of a host that a cache names. */
  readonly portMin: number;
}

const HOUR_MS = 3_600_000;

export const PUBLIC_BOOTSTRAP: BootstrapRules = {
  timing: PUBLIC_TIMING,
  web: POLITE_WEB,
  udp: POLITE_UDP,
  lookMs: 1_000,
  requestMs: 15_000,
  tellAfterMs: HOUR_MS,
  tellEveryMs: HOUR_MS,
  tellsEach: false,
  // Servents do not run where only administrators may listen.
  portMin: 1_024,
};

export const LOCAL_BOOTSTRAP: BootstrapRules = {
  timing: LAB_TIMING,
  web: LAB_CACHES,
  udp: LAB_CACHES,
  lookMs: 200,
  requestMs: 5_000,
  tellAfterMs: 0,
  // A cache of ours lists a host for 20 minutes.
  tellEveryMs: 5 * 60_000,
  tellsEach: true,
  portMin: 1,
};
