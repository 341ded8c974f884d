// What is left of transfers that are over: a record each, and sums over all, by address and by content.
import { formatEndpoint } from '../../protocol/wire/endpoint.ts';
import { formatBase32 } from '../../protocol/wire/urn.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { Journal, type JournalLimits } from '../store/journal.ts';
import type { Store } from '../store/store.ts';
import type { DownloadSnapshot } from './download-snapshot.ts';
import { Tallies, type Tally } from './tallies.ts';
import type { UploadResult, UploadSnapshot } from './upload.ts';

export type DownloadResult = 'completed' | 'failed';

/** A transfer that is over, as it is stored. Times are milliseconds since 1970. */
export interface PastTransfer {
  /** When it ended. */
  readonly at: number;
  readonly since: number;
  readonly id: string;
  readonly direction: 'upload' | 'download';
  readonly result: UploadResult | DownloadResult;
  readonly name: string;
  /** Base32. */
  readonly sha1: string | null;
  readonly size: number | null;
  /** Bytes that were transferred. */
  readonly bytes: number;
  /** HOST:PORT of who got it; null: a download, from several. */
  readonly address: string | null;
  readonly userAgent: string | null;
  readonly error: string | null;
}

export class PastTransfers {
  readonly #journal: Journal<PastTransfer>;
  readonly #tallies: Tallies;
  readonly #clock: Clock;
  /** Bytes of finished ranges since the start, by how they ended; for metrics. */
  readonly uploaded: Record<UploadResult, number> = { whole: 0, partial: 0, cut: 0, unreadable: 0 };
  /** Bytes received since the start, and of those the ones whose file had the wrong hash. */
  readonly downloaded = { received: 0, wrong: 0 };

  constructor(store: Store, clock: Clock, log: Log, limits: JournalLimits) {
    this.#journal = new Journal<PastTransfer>(store.table('transfers'), clock, log, limits);
    this.#tallies = new Tallies(store.table<Tally>('tallies'), clock, log);
    this.#clock = clock;
  }

  /** Rejects with StoreError. */
  async start(): Promise<void> {
    await this.#journal.start();
    await this.#tallies.start();
  }

  async stop(): Promise<void> {
    await this.#journal.stop();
    await this.#tallies.stop();
  }

  set limits(limits: JournalLimits) {
    this.#journal.limits = limits;
  }

  newestFirst(): PastTransfer[] {
    return this.#journal.newestFirst();
  }

  get tallies(): Pick<Tallies, 'all' | 'addresses' | 'contents' | 'ofAddress'> {
    return this.#tallies;
  }

  /** `bytes`: sent of that file on that connection. One that never had its turn leaves nothing. */
  addUpload(upload: UploadSnapshot, bytes: number, result: UploadResult): void {
    if (bytes === 0) return;
    const sha1 = formatBase32(upload.file.sha1);
    this.uploaded[result] += bytes;
    this.#tallies.add({ direction: 'upload', host: upload.remote.host, sha1, name: upload.file.name, bytes, ends: 1 });
    this.#journal.add({
      ...{ at: this.#clock.wallTime(), since: upload.since, id: upload.id, direction: 'upload', result },
      ...{ name: upload.file.name, sha1, size: upload.file.size, bytes },
      ...{ address: formatEndpoint(upload.remote), userAgent: upload.userAgent, error: null },
    });
  }

  /** Bytes that one source of a download sent; the download may go on. */
  addReceived(download: Pick<DownloadSnapshot, 'sha1' | 'name'>, host: string, bytes: number): void {
    if (bytes === 0) return;
    this.downloaded.received += bytes;
    const sha1 = download.sha1 === null ? null : formatBase32(download.sha1);
    this.#tallies.add({ direction: 'download', host, sha1, name: download.name, bytes, ends: 0 });
  }

  addWrong(bytes: number): void {
    this.downloaded.wrong += bytes;
  }

  addDownload(download: DownloadSnapshot, result: DownloadResult): void {
    const { id, name, size, done, error, addedAt } = download;
    const sha1 = download.sha1 === null ? null : formatBase32(download.sha1);
    if (result === 'completed') this.#tallies.count('download', sha1, name);
    const [only, ...others] = download.sources;
    const address = only !== undefined && others.length === 0 ? formatEndpoint(only.source.endpoint) : null;
    this.#journal.add({
      ...{ at: this.#clock.wallTime(), since: addedAt, id, direction: 'download', result },
      ...{ name, sha1, size, bytes: done, address, userAgent: null, error },
    });
  }
}
