// The state shared by all upload connections: slots, browse limit, connection limit, counters.
import { ReasonCounts } from '../../reason-counts.ts';
import type { Mesh } from '../mesh/mesh.ts';
import type { TransferIdentity } from '../transfer-identity.ts';
import type { BrowsableFile } from './browse-hits.ts';
import { Conduct } from './conduct/conduct.ts';
import { NO_PARTIAL_FILES, type PartialFiles } from './partial-file.ts';
import { UPLOAD_TIMES } from './queue/upload-limits.ts';
import { UploadConnection } from './upload-connection.ts';
import {
  type NamedFiles,
  type ServerTimes,
  UPLOAD_OUTCOMES,
  type UploadContext,
  type UploadOutcome,
} from './upload-context.ts';
import type { UploadQueue } from './upload-queue.ts';

export interface UploadParts {
  readonly files: NamedFiles;
  readonly queue: UploadQueue;
  /** Running downloads, whose verified bytes are served; absent: none. */
  readonly partials?: PartialFiles | undefined;
  readonly identity: TransferIdentity;
  readonly mesh: Mesh;
  /** What a browse lists; absent: browsing is refused. */
  readonly browse?: (() => Iterable<BrowsableFile>) | undefined;
  /** See UploadContext; absent: not known. */
  readonly browseChangedAt?: UploadContext['browseChangedAt'] | undefined;
  /** See UploadContext; absent: 410. */
  readonly passPush?: UploadContext['passPush'] | undefined;
  /** Judges the addresses that ask; absent: nobody is banned. */
  readonly conduct?: Conduct | undefined;
  readonly times?: Partial<ServerTimes> | undefined;
  /** Connections, whatever they ask for; each costs a few KiB. */
  readonly connectionsMax?: number | undefined;
}

/** Idle: twice LimeWire's, as peers verify and write between two ranges. Stall: LimeWire's for a transfer. */
const SERVER_TIMES: ServerTimes = { ...UPLOAD_TIMES, headMs: 15_000, idleMs: 30_000, stallMs: 120_000 };

const BROWSES_MAX = 4;
export const CONNECTIONS_MAX = 512;
/** From here on most of those that wait do so without a connection. */
const CROWDED_SHARE = 0.75;

export class UploadAnswerer implements UploadContext {
  readonly files: NamedFiles;
  readonly queue: UploadQueue;
  readonly partials: PartialFiles;
  readonly identity: TransferIdentity;
  readonly mesh: Mesh;
  readonly times: ServerTimes;
  readonly browse: (() => Iterable<BrowsableFile>) | null;
  readonly browseChangedAt: UploadContext['browseChangedAt'];
  readonly outcomes = new ReasonCounts<UploadOutcome>(UPLOAD_OUTCOMES);
  readonly passPush: UploadContext['passPush'];
  readonly conduct: Conduct;
  readonly #parts: Pick<UploadParts, 'connectionsMax'>;
  #connections = 0;
  #lastNumber = 0;
  /** Addresses that browse now; at most BROWSES_MAX. */
  readonly #browsers: string[] = [];

  constructor(parts: UploadParts) {
    this.files = parts.files;
    this.queue = parts.queue;
    this.partials = parts.partials ?? NO_PARTIAL_FILES;
    this.identity = parts.identity;
    this.mesh = parts.mesh;
    this.times = { ...SERVER_TIMES, ...parts.times };
    this.browse = parts.browse ?? null;
    this.browseChangedAt = parts.browseChangedAt ?? (() => null);
    this.conduct = parts.conduct ?? new Conduct();
    this.passPush = parts.passPush ?? (() => 410);
    this.#parts = parts;
  }

  /**
   * A connection that asks for files, accepted or opened because of a push, to be closed with its `close`. `only`: SHA-1 of the one file
   * that it is for; null: any. Null: there are enough, or the address is banned and knows it.
   */
  connect(address: string, now: number, pushed = false, only: Buffer | null = null): UploadConnection | null {
    if (this.#connections >= this.#connectionsMax) {
      this.outcomes.count('busy');
      return null;
    }
    const visit = this.conduct.visit(address, pushed, now);
    if (visit === null) return null;
    this.#connections++;
    return new UploadConnection(this, { number: ++this.#lastNumber, address, pushed, visit, only });
  }

  get #connectionsMax(): number {
    return this.#parts.connectionsMax ?? CONNECTIONS_MAX;
  }

  enterBrowse(address: string): boolean {
    const isAgain = this.queue.limits.slotsPerAddress > 0 && this.#browsers.includes(address);
    if (isAgain || this.#browsers.length >= BROWSES_MAX) return false;
    this.#browsers.push(address);
    return true;
  }

  leaveBrowse(address: string): void {
    const at = this.#browsers.indexOf(address);
    if (at >= 0) this.#browsers.splice(at, 1);
  }

  get crowded(): boolean {
    return this.#connections > this.#connectionsMax * CROWDED_SHARE;
  }

  onClosed(connection: number, now: number): void {
    this.#connections--;
    this.queue.leave(connection, now);
  }
}
