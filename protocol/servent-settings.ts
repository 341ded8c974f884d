// The settings of a servent. Values change while it runs: read at each use.
import type { DhtSetting } from './dht/dht-mode.ts';
import type { Role } from './handshake/capabilities.ts';
import type { UploadLimits } from './transfer/uploads/queue/upload-limits.ts';

export type RoleMode = 'auto' | Role;
/** `auto` finds out; the others settle the question whether hosts outside can connect to us. */
export type ReachableSetting = 'auto' | 'yes' | 'no';

export interface ServentSettings {
  readonly userAgent: string;
  readonly mode: RoleMode;
  readonly maxLeaves: number;
  readonly maxUltrapeers: number;
  /** Links to ultrapeers that we look for by ourselves; 0: only those that we are told of. */
  readonly seek: number;
  /** Links from one address; 0: no limit. */
  readonly maxPerAddress: number;
  /** Queries that one link may bring, of an ultrapeer and of a leaf; 0: no limit. */
  readonly queriesPerSecond: number;
  readonly leafQueriesPerSecond: number;
  readonly deflate: boolean;
  readonly tls: boolean;
  /** Ask for hits by UDP. */
  readonly outOfBand: boolean;
  readonly reachable: ReachableSetting;
  /** Pass bytes on between leaves that nobody can connect to and those that want their files. */
  readonly relay: boolean;
  readonly dht: DhtSetting;
  /** Bytes a second that we say we can upload; 0: what was measured. */
  readonly uploadSpeed: number;
  readonly uploads: UploadLimits;
}
