// When a servent is a node of the DHT, and whether it answers requests there.
import { type Endpoint, isIpv6, type Reach, reachOf } from '../wire/endpoint.ts';
import type { DhtMode } from './dht.ts';
import { isUnspecified } from './dht-contact.ts';

/**
 * `auto`: a node that answers requests once it has proof that it can be reached, else one that only asks. `passive`: always the latter.
 * `active`: answers from the start, without proof, until it is disproven.
 */
export type DhtSetting = 'off' | 'auto' | 'passive' | 'active';

export interface DhtModeFacts {
  readonly setting: DhtSetting;
  /** Datagrams can be sent and received. */
  readonly udp: boolean;
  /** Where others reach us, as far as we know. */
  readonly endpoint: Endpoint;
  /** Scopes of addresses of nodes. */
  readonly reaches: readonly Reach[];
  /** Datagrams that we did not ask for reach us: proven, disproven, or not known. */
  readonly reachability: 'open' | 'firewalled' | 'unknown';
  readonly upMs: number;
  /** Milliseconds after the start from which on a node answers: nodes that leave soon cost others their values. */
  readonly activeAfterMs: number;
}

/**
 * Why a node is not `active`. `setting`: it is set so. `udp`: no datagrams can be sent. `address`: we know no IPv4 address of ours. `scope`: our
 * address is of no use to the others. `firewalled`: datagrams do not reach us. `unproven`: it is not known whether they do. `new`: we have not
 * been up for long enough.
 */
export type DhtModeCause = 'setting' | 'udp' | 'address' | 'scope' | 'firewalled' | 'unproven' | 'new';

export interface DhtModeChoice {
  readonly mode: DhtMode;
  /** Null: active. */
  readonly cause: DhtModeCause | null;
}

/** `mode`: the present one, which stays while a proof of reachability is renewed. */
export function dhtMode(facts: DhtModeFacts, mode: DhtMode): DhtModeChoice {
  const { setting, udp, endpoint, reaches, reachability, upMs, activeAfterMs } = facts;
  const { host, port } = endpoint;
  if (setting === 'off') return { mode: 'off', cause: 'setting' };
  if (!udp) return { mode: 'off', cause: 'udp' };
  if (port === 0 || isIpv6(host) || isUnspecified(host)) return { mode: 'off', cause: 'address' };
  if (setting === 'passive') return { mode: 'passive', cause: 'setting' };
  if (!reaches.includes(reachOf(host))) return { mode: 'passive', cause: 'scope' };
  if (reachability === 'firewalled') return { mode: 'passive', cause: 'firewalled' };
  if (setting === 'active') return { mode: 'active', cause: null };
  if (upMs < activeAfterMs) return { mode: 'passive', cause: 'new' };
  if (reachability === 'open' || mode === 'active') return { mode: 'active', cause: null };
  return { mode: 'passive', cause: 'unproven' };
}

/** In the list of capabilities that neighbours get. */
export const DHT_CAPABILITY = { active: 'ADHT', passive: 'PDHT' } as const;
