// The rules of the DHT by network profile.
import type { Reach } from '../wire/endpoint.ts';
import { NETWORK_LIMITS, type NetworkLimits, NO_NETWORK_LIMITS } from './network-limits.ts';

export interface DhtRules {
  /** Scopes of addresses of nodes and of creators of values. */
  readonly reaches: readonly Reach[];
  readonly limits: NetworkLimits;
  /** Milliseconds between two PINGs of an address that are answered, and between two that we send to it. */
  readonly pingMs: number;
  /** The same of FIND_NODE and FIND_VALUE. */
  readonly findMs: number;
  /** Values of one creator's address, and of one network. */
  readonly valuesOfAddress: number;
  readonly valuesOfNetwork: number;
  /** Values of one key whose creators are in one network. */
  readonly valuesOfKeyAndNetwork: number;
  /** Milliseconds for which the overlay is not asked for a content while the DHT is. */
  readonly headStartMs: number;
  /** Milliseconds for which a content of a download is not looked up again. */
  readonly againMs: number;
}

export const PUBLIC_DHT: DhtRules = {
  reaches: ['public'],
  limits: NETWORK_LIMITS,
  pingMs: 30_000,
  findMs: 10_000,
  valuesOfAddress: 64,
  valuesOfNetwork: 512,
  valuesOfKeyAndNetwork: 4,
  headStartMs: 10_000,
  againMs: 600_000,
};

/** All that have a file may be in one network. */
export const LAN_DHT: DhtRules = {
  ...PUBLIC_DHT,
  reaches: ['loopback', 'private'],
  valuesOfKeyAndNetwork: Number.POSITIVE_INFINITY,
};

/** All nodes share an address. */
export const LOCAL_DHT: DhtRules = {
  reaches: ['loopback'],
  limits: NO_NETWORK_LIMITS,
  pingMs: 0,
  findMs: 0,
  valuesOfAddress: Number.POSITIVE_INFINITY,
  valuesOfNetwork: Number.POSITIVE_INFINITY,
  valuesOfKeyAndNetwork: Number.POSITIVE_INFINITY,
  headStartMs: 2_000,
  againMs: 5_000,
};
