// Services and limits that all downloads share.
import type { Random } from '../../protocol/ports.ts';
import type { HostLimits } from '../../protocol/transfer/downloads/host-limits.ts';
import type { Source } from '../../protocol/transfer/downloads/source.ts';
import type { RetryTimes } from '../../protocol/transfer/downloads/source-retry.ts';
import type { Mesh } from '../../protocol/transfer/mesh/mesh.ts';
import type { Clock } from '../clock.ts';
import type { DownloadStore } from '../store/downloads.ts';
import type { CheckpointLimits } from './checkpoints.ts';
import type { FetchContext } from './fetch.ts';
import type { PartVerifier } from './part-verifier.ts';
import type { SourceHunt } from './source-hunt.ts';

export interface DownloadContext<Download> {
  /** Folder of finished files; `.incomplete` in it holds the part files. */
  readonly folder: string;
  /** Where the finished file of a download goes. */
  readonly targetOf: (download: Download) => string;
  /** Whether the finished file of another download is at this path. */
  readonly isOthers: (download: Download, path: string) => boolean;
  readonly store: DownloadStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly fetch: FetchContext;
  readonly retryTimes: RetryTimes;
  /** Of connections to each address, of all downloads; null: none. */
  readonly hosts: HostLimits | null;
  readonly verifier: PartVerifier;
  readonly mesh: Mesh;
  readonly checkpoint: CheckpointLimits;
  onChange(download: Download): void;
  /** How the network is asked for sources of the download with this id; null: it is not. */
  huntOf(id: string): SourceHunt | null;
  /** It has fewer usable sources than it could use. */
  onSearch(download: Download): void;
  /** A visit to a source at `host` is over and brought so many bytes. */
  onFetched(download: Download, host: string, bytes: number): void;
  /** All bytes were fetched and have the wrong hash. */
  onWrong(bytes: number): void;
  /** A source is charged with wrong bytes, or is not any more as the charge was false. */
  readonly onCharge: (source: Source, isCharged: boolean) => void;
  /** The download starts or ends waiting in a queue of its source; it needs no slot meanwhile. */
  onRemoteQueue(download: Download, waiting: boolean): void;
  /** Progress could not be stored (the run goes on), or an internal error ended the run. */
  onTrouble(download: Download, error: unknown): void;
}
