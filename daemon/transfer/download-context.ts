// What all downloads share.
import type { Clock, Random } from '../../protocol/ports.ts';
import type { RetryTimes } from '../../protocol/transfer/source-plan.ts';
import type { DownloadStore } from '../store/downloads.ts';
import type { Download } from './download.ts';
import type { FetchContext } from './fetch.ts';

/** How much a crash may cost: what came in since. */
export interface CheckpointLimits {
  bytes: number;
  ms: number;
}

export const CHECKPOINT_LIMITS: CheckpointLimits = { bytes: 4 << 20, ms: 1000 };

export interface DownloadContext {
  /** Of finished files; `.incomplete` in it holds the others. */
  readonly folder: string;
  readonly store: DownloadStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly fetch: FetchContext;
  readonly retryTimes: RetryTimes;
  readonly checkpoint: CheckpointLimits;
  onChange(download: Download): void;
  /** It waits in a queue at its source and needs none of our slots, or does not any more. */
  onRemoteQueue(download: Download, waiting: boolean): void;
  /** Progress could not be stored, and the run goes on; or we made a mistake, and it does not. */
  onTrouble(download: Download, error: unknown): void;
}
