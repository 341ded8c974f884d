// What all upload connections of a servent share: the files, the queue, the times, how requests ended.
import type { ReasonCounts } from '../../reason-counts.ts';
import type { ContentFiles, SharedFile } from '../../search/shared-file.ts';
import type { Mesh } from '../mesh/mesh.ts';
import type { TransferIdentity } from '../transfer-identity.ts';
import type { BrowsableFile } from './browse-hits.ts';
import type { PartialFiles } from './partial-file.ts';
import type { UploadTimes } from './queue/upload-limits.ts';
import type { UploadQueue } from './upload-queue.ts';

/** What a request can name: an index or a hash, never a path. */
export interface NamedFiles extends ContentFiles {
  byIndex(index: number): SharedFile | null;
}

/** How a request ended. */
export const UPLOAD_OUTCOMES = [
  'whole',
  'partial',
  'head',
  'browse',
  /** A browse of who has the list already. */
  'unchanged',
  /** A hash tree. */
  'tree',
  /** One that is still to be made. */
  'no_tree',
  'not_found',
  /** On a connection over a relay: anything but the file that it is for. */
  'other_file',
  /** We were asked to pass a push on, and did or did not. */
  'push_passed',
  'push_refused',
  'unsatisfiable',
  'queued',
  'busy',
  /** It asked for a slot again and again before its time. */
  'early',
  /** Its address is banned. */
  'banned',
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
  readonly files: NamedFiles;
  readonly queue: UploadQueue;
  /** Running downloads, whose verified bytes are served. */
  readonly partials: PartialFiles;
  readonly identity: TransferIdentity;
  readonly mesh: Mesh;
  readonly times: ServerTimes;
  readonly outcomes: ReasonCounts<UploadOutcome>;
  /** What a browse lists; null: browsing is refused. */
  readonly browse: (() => Iterable<BrowsableFile>) | null;
  /** When that list last changed, milliseconds since 1970; null: not known, so it always goes out whole. */
  browseChangedAt(): number | null;
  /** Takes one of the turns to browse. False: all are taken, or the address has one and slots are limited by address. */
  enterBrowse(address: string): boolean;
  leaveBrowse(address: string): void;
  /** Status for a push-proxy request: its target, X-Node and X-Node-IPv6, and the address that asks. Throws HTTP_MALFORMED. */
  passPush(target: string, nodes: readonly (string | null)[], remoteHost: string, now: number): number;
  /** Connections run short. */
  readonly crowded: boolean;
  onClosed(connection: number, now: number): void;
}
