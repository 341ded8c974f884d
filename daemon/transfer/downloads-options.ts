// What the list of downloads is given: services, limits, and whom it tells.
import type { Random } from '../../protocol/ports.ts';
import type { Category } from '../../protocol/transfer/downloads/category.ts';
import type { VolumeRoom } from '../../protocol/transfer/downloads/download-queue.ts';
import type { HostLimits } from '../../protocol/transfer/downloads/host-limits.ts';
import type { Source } from '../../protocol/transfer/downloads/source.ts';
import type { RetryTimes } from '../../protocol/transfer/downloads/source-retry.ts';
import type { VisitTimes } from '../../protocol/transfer/downloads/visit.ts';
import type { Mesh } from '../../protocol/transfer/mesh/mesh.ts';
import type { TransferIdentity } from '../../protocol/transfer/transfer-identity.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { Bandwidth } from '../net/bandwidth.ts';
import type { DownloadStore } from '../store/downloads.ts';
import type { CheckpointLimits } from './checkpoints.ts';
import type { DownloadSnapshot } from './download-snapshot.ts';
import type { PartVerifier } from './part-verifier.ts';
import type { SourceRoads } from './reach-source.ts';
import type { SourceHunt } from './source-hunt.ts';

export interface DownloadTimes extends RetryTimes, VisitTimes {
  /** Wait after a disk error, ms. */
  diskMs: number;
}

export interface DownloadsOptions extends SourceRoads {
  folder: string;
  store: DownloadStore;
  identity: TransferIdentity;
  mesh: Mesh;
  clock: Clock;
  random: Random;
  log: Log;
  /** Free bytes for part files; null: unknown. Absent: those of the folder's disk. */
  room?: () => Promise<number | null>;
  /** Where the library shares a content; null: it does not. */
  sharedAt?: (sha1: Buffer) => { readonly path: string; readonly size: number } | null;
  /** Free bytes of a folder's volume; the system's by default. */
  roomOf?: (folder: string) => Promise<VolumeRoom>;
  /** Most downloads that run at a time. */
  activeMax?: number;
  /** Bytes that downloads leave free on a volume. */
  reserve?: number;
  categories?: readonly Category[];
  times?: Partial<DownloadTimes>;
  checkpoint?: CheckpointLimits;
  /** Shared with others, and closed by who made it. Absent: its own. */
  verifier?: PartVerifier;
  /** Of connections to each address; null: none. */
  hosts?: HostLimits | null;
  /** By default without limits. */
  bandwidth?: Bandwidth;
  onAdded?: (download: DownloadSnapshot) => void;
  /** Another state, or some progress: about once a second for each that runs. */
  onChange?: (download: DownloadSnapshot) => void;
  onCompleted?: (download: DownloadSnapshot, path: string) => void;
  onFailed?: (download: DownloadSnapshot) => void;
  onRemoved?: (download: DownloadSnapshot) => void;
  onFetched?: (download: DownloadSnapshot, host: string, bytes: number) => void;
  onWrong?: (bytes: number) => void;
  /** A source is charged with wrong bytes, or is not any more as the charge was false. */
  onCharge?: (source: Source, isCharged: boolean) => void;
  /** How the network is asked for sources of a download; absent: it is not. */
  huntOf?: (id: string) => SourceHunt | null;
  /** A running download has fewer usable sources than it could use. */
  onSearch?: (id: string) => void;
}
