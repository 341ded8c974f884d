// What the list of downloads is asked for, and what it says of that.
import type { Batch } from '../../protocol/transfer/downloads/batch.ts';
import type { Source } from '../../protocol/transfer/downloads/source.ts';
import { formatSha1Urn } from '../../protocol/wire/urn.ts';
import type { DownloadSnapshot } from './download-snapshot.ts';

/** The file to fetch. Without a hash the file is not verified, and sources must name it by index or URL. */
export interface DownloadRequest {
  /** 20 bytes. */
  sha1: Buffer | null;
  /** Root of the hash tree, from the user; 24 bytes. */
  root?: Buffer | null;
  size: number | null;
  /** By hits: shown until a source says more. */
  sizeTold?: number | null;
  name: string;
  /** By which sources are searched for too, where they are not those of the name. */
  words?: string | null;
  sources: readonly Source[];
  /** Another copy, though the content is here or being fetched. */
  again?: boolean;
  /** One of the configured ones; null: none; absent: by their rules. */
  category?: string | null | undefined;
  batch?: Batch;
}

/** Until anybody names the file. */
export function placeholderName(sha1: Buffer | null): string {
  return sha1 === null ? 'download' : formatSha1Urn(sha1);
}

/** What a request met that was there: a download that is not finished, one that is and whose file exists, or a shared file. */
export type Joined = 'download' | 'file' | 'library';

export type AddedDownload = DownloadSnapshot & { readonly joined: Joined | null };
