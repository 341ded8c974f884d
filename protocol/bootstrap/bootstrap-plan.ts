// When to ask whom for first addresses: own hosts first, then UDP host caches, then GWebCaches. Pure.

export interface BootstrapTiming {
  /** Own hosts have so long to answer before any cache is asked. */
  readonly ownHostsMs: number;
  /** So many of them are dialled first, if there are as many. */
  readonly ownHostsTried: number;
  /** GWebCaches wait so long for what UDP host caches bring. */
  readonly udpMs: number;
}

/** LimeWire waits 20 s for own hosts and 40 s more for UDP. */
export const PUBLIC_TIMING: BootstrapTiming = { ownHostsMs: 20_000, ownHostsTried: 20, udpMs: 40_000 };
export const LAB_TIMING: BootstrapTiming = { ownHostsMs: 500, ownHostsTried: 20, udpMs: 500 };

export interface BootstrapFacts {
  /** Ultrapeers connected and wanted. */
  readonly links: number;
  readonly wanted: number;
  /** A host that may be dialled now is known. */
  readonly dialable: boolean;
  /** Hosts dialled since there was a link last, or a cache answered. */
  readonly tried: number;
  /** Since then, or since the start. */
  readonly withoutLinkMs: number;
  /** Since the first UDP host cache was asked in that time; null: none was, or none can be. */
  readonly sinceUdpMs: number | null;
  readonly udpCaches: number;
}

export type BootstrapStep = 'wait' | 'udp' | 'web';

/**
 * With one link there are pongs and X-Try headers: caches are asked only when even those leave nothing to dial.
 * The books of caches decide how often; this decides whether it is time at all.
 */
export function nextStep(facts: BootstrapFacts, timing: BootstrapTiming): BootstrapStep {
  const { links, wanted, dialable, tried, withoutLinkMs, sinceUdpMs, udpCaches } = facts;
  if (links >= wanted) return 'wait';
  if (dialable && (links > 0 || tried < timing.ownHostsTried)) return 'wait';
  if (links === 0 && tried > 0 && withoutLinkMs < timing.ownHostsMs) return 'wait'; // their dials are under way
  if (udpCaches > 0 && (sinceUdpMs === null || sinceUdpMs < timing.udpMs)) return 'udp';
  return 'web';
}
