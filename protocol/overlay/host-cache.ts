// Hosts we have heard of: which are worth dialling, and when.
import type { Endpoint } from '../wire/endpoint.ts';

/** How we came to know a host. */
export type HostSource = 'configured' | 'stored' | 'pong' | 'try' | 'hit' | 'cache' | 'peer';

export interface HostSighting {
  readonly endpoint: Endpoint;
  readonly source: HostSource;
  /** Null when unknown. */
  readonly ultrapeer: boolean | null;
  /** Average seconds a day that the host is up; null when unknown. */
  readonly dailyUptimeSeconds: number | null;
}

/** One host as stored and shown. Times are milliseconds since 1970, 0 for never. */
export interface HostRecord {
  host: string;
  port: number;
  source: HostSource;
  ultrapeer: boolean | null;
  dailyUptimeSeconds: number | null;
  seenAt: number;
  triedAt: number;
  connectedAt: number;
  successes: number;
  /** In a row. */
  failures: number;
}

export interface HostPolicy {
  readonly hostsMax: number;
  readonly allowLoopback: boolean;
  readonly allowPrivate: boolean;
  readonly allowPublic: boolean;
}

/** All times are wall-clock milliseconds: records outlive the process. */
export declare class HostCache {
  constructor(policy?: Partial<HostPolicy>);
  readonly size: number;
  /** False when the address is none that may be dialled. */
  add(sighting: HostSighting, now: number): boolean;
  /** A dial to it began. */
  tried(endpoint: Endpoint, now: number): void;
  succeeded(endpoint: Endpoint, now: number): void;
  /** `busy`: it answered but had no slot. */
  failed(endpoint: Endpoint, now: number, busy: boolean): void;
  remove(endpoint: Endpoint): void;
  /** The best host to dial now, or null. `exclude` says which are connected or being dialled. */
  next(now: number, exclude: (endpoint: Endpoint) => boolean): Endpoint | null;
  /** Fresh ones for X-Try-Ultrapeers and pongs. */
  fresh(count: number, ultrapeersOnly: boolean): Endpoint[];
  /** Grows with every change: store the records when it has moved. */
  readonly revision: number;
  toRecords(): HostRecord[];
  /** Bad records are left out; how many were taken. */
  fromRecords(records: Iterable<HostRecord>, now: number): number;
}
