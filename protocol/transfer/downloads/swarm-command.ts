// What the planner of a download is given, and what it has done.
import type { Random } from '../../ports.ts';
import type { ByteRange } from '../range-set.ts';
import type { ChunkMap } from './chunk-map.ts';
import type { HostLimits } from './host-limits.ts';
import type { Source } from './source.ts';
import type { Demand, DemandLimits } from './source-demand.ts';
import type { RetryTimes } from './source-retry.ts';
import type { SwarmSource } from './swarm-source.ts';

export type SwarmCommand =
  /** Connect to it, or take the connection with which its queue called us: the answer is onReady, onFailed or another. */
  | { readonly kind: 'connect'; readonly source: SwarmSource }
  /** Ask it, which is connected, for this range. */
  | { readonly kind: 'ask'; readonly source: SwarmSource; readonly range: ByteRange }
  /** Close the connection. Nothing more is to be told of it. */
  | { readonly kind: 'cut'; readonly source: SwarmSource; readonly reason: string }
  /** There are fewer sources than wanted, or none that can serve any more. */
  | Demand;

export interface SwarmLimits extends DemandLimits {
  /** Connections of the download at a time; those in queues of sources, and silent ones, are not counted. */
  readonly connections: number;
  /** Silence after which another source gets the range. */
  readonly stallMs: number;
}

export const SWARM_LIMITS: SwarmLimits = {
  connections: 16,
  sourcesWanted: 8,
  stallMs: 10_000,
  searchMs: 600_000,
  searchAgainMs: 60_000,
};

export interface SwarmPlannerParts {
  readonly map: ChunkMap;
  readonly random: Random;
  readonly limits?: SwarmLimits;
  readonly times?: RetryTimes;
  /** Shared by all downloads. Null: no limits, in a network of one machine. */
  readonly hosts: HostLimits | null;
  /** A source is charged with wrong bytes, or is not any more as the charge was false. */
  readonly onCharge?: (source: Source, isCharged: boolean) => void;
}
