// What all connections of the file server share: the library behind it, its queue, its times, who we are.
import type { FileHandle } from 'node:fs/promises';
import type { UploadView } from '../../api/control.ts';
import type { Clock } from '../../protocol/ports.ts';
import type { ReasonCounts } from '../../protocol/reason-counts.ts';
import type { SharedFile } from '../../protocol/search/shared-file.ts';
import type { UploadQueue, UploadTimes } from '../../protocol/transfer/upload-queue.ts';
import type { Endpoint } from '../../protocol/wire/endpoint.ts';
import type { Log } from '../log.ts';
import type { BrowseSource } from './browse-answer.ts';
import type { LanePool } from './lane-pool.ts';

/** What the server reads from the library: an index into it, never a path made from a request. */
export interface ServableFiles {
  byIndex(index: number): SharedFile | null;
  bySha1(sha1: Buffer): SharedFile | null;
  /** For reading; null when what is there now is not what was hashed. */
  open(file: SharedFile): Promise<FileHandle | null>;
  countUpload?(file: SharedFile): void;
}

export interface TransferIdentity {
  readonly userAgent: string;
  /** 16 bytes. */
  readonly serventGuid: Buffer;
  /** Four characters. */
  readonly vendor: string;
  readonly speedKbps: number;
  readonly firewalled: boolean;
  /** Where we can be reached. */
  listen(): Endpoint;
}

export const UPLOAD_OUTCOMES = [
  'whole',
  'partial',
  'head',
  'browse',
  'not_found',
  /** We were asked to pass a push on, and did or did not. */
  'push_passed',
  'push_refused',
  'unsatisfiable',
  'queued',
  'busy',
  'malformed',
  'too_long',
  'unsupported',
  'forbidden',
  'slow_head',
  /** The peer went while we sent. */
  'cut',
  /** The file could not be read, or not to the end of the range. */
  'unreadable',
] as const;
export type UploadOutcome = (typeof UPLOAD_OUTCOMES)[number];

export interface ServerTimes extends UploadTimes {
  /** From the first byte of a head to its end. */
  headMs: number;
  /** Between two requests. */
  idleMs: number;
  /** Without a byte leaving. */
  stallMs: number;
}

export interface UploadContext {
  readonly files: ServableFiles;
  readonly queue: UploadQueue;
  readonly identity: TransferIdentity;
  readonly browse: BrowseSource | null;
  /** Status for a push-proxy request: its target, X-Node, and who asks. Throws HTTP_MALFORMED. */
  readonly pushProxy: ((target: string, node: string | null, remoteHost: string) => number) | null;
  readonly clock: Clock;
  readonly log: Log;
  readonly times: ServerTimes;
  readonly outcomes: ReasonCounts<UploadOutcome>;
  readonly lanes: LanePool;
  readonly onStarted: (upload: UploadView) => void;
  readonly onFinished: (upload: UploadView, bytes: number) => void;
}
