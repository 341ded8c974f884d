// Opens the bytes of a download for a reader of the API: the part file while it runs, the finished file afterwards.
import { type FileHandle, open } from 'node:fs/promises';
import type { DownloadContent } from '../../api/download-content.ts';
import { ApiError, notFound } from '../../api/errors.ts';
import { idBegunWith } from '../../api/prefix.ts';
import { RangeSet } from '../../protocol/transfer/range-set.ts';
import { formatBase32 } from '../../protocol/wire/urn.ts';
import type { Downloads } from '../transfer/downloads.ts';
import type { ReadableDownload } from '../transfer/readable-download.ts';

/** Throws ApiError: NOT_FOUND, also when the finished file is not where it was put; AMBIGUOUS. */
export async function openContent(downloads: Downloads, id: string): Promise<DownloadContent> {
  const whole = downloads.readable(id) === null ? idBegunWith(id, downloads.list(), 'downloads') : id;
  const download = whole === null ? null : downloads.readable(whole);
  if (download === null) throw notFound('download', id);
  const content = new OpenDownload(download);
  if (download.state === 'completed') await content.openFinished();
  return content;
}

class OpenDownload implements DownloadContent {
  readonly #download: ReadableDownload;
  #handle: FileHandle | null = null;
  /** Size of the finished file: somebody may have changed it. Null: it was not finished when it was opened. */
  #size: number | null = null;

  constructor(download: ReadableDownload) {
    this.#download = download;
  }

  get name(): string {
    return this.#download.name;
  }

  get etag(): string | null {
    const { sha1, size } = this.#download;
    const isChanged = this.#size !== null && this.#size !== size;
    return sha1 === null || isChanged ? null : `"${formatBase32(sha1)}"`;
  }

  get size(): number | null {
    return this.#size ?? this.#download.size;
  }

  get growing(): boolean {
    return ['active', 'queued', 'verifying'].includes(this.#download.state);
  }

  get available(): RangeSet {
    return this.#isWhole ? RangeSet.of([{ start: 0, end: this.size ?? 0 }]) : this.#download.verified;
  }

  endFrom(offset: number): number {
    return this.#isWhole ? Math.max(offset, this.size ?? 0) : this.#download.verifiedFrom(offset);
  }

  /** The file that is read keeps its bytes when it gets its final name. */
  async read(start: number, end: number): Promise<Buffer> {
    this.#handle ??= await open(this.#path);
    const buffer = Buffer.allocUnsafe(end - start);
    const { bytesRead } = await this.#handle.read(buffer, 0, buffer.length, start);
    if (bytesRead < buffer.length) throw new Error(`${this.#path} ends at ${start + bytesRead}`);
    return buffer;
  }

  seek(offset: number): void {
    this.#download.reading.seek(this, offset);
  }

  async close(): Promise<void> {
    this.#download.reading.leave(this);
    await this.#handle?.close();
  }

  async openFinished(): Promise<void> {
    try {
      this.#handle = await open(this.#path);
      this.#size = (await this.#handle.stat()).size;
    } catch (cause) {
      await this.#handle?.close();
      const code = (cause as NodeJS.ErrnoException).code ?? 'unknown';
      throw new ApiError('NOT_FOUND', `the finished file cannot be read (${code} ${this.#path})`, { cause });
    }
  }

  get #isWhole(): boolean {
    return this.#download.state === 'completed';
  }

  get #path(): string {
    return this.#download.path ?? this.#download.partPath;
  }
}
