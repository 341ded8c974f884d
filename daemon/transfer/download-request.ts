// What the list of downloads is asked for, the record that is made of it, and what the list says of that.
import { v4 as uuid } from 'uuid';
import type { Batch } from '../../protocol/transfer/downloads/batch.ts';
import type { Source } from '../../protocol/transfer/downloads/source.ts';
import { RangeSet } from '../../protocol/transfer/range-set.ts';
import { formatSha1Urn } from '../../protocol/wire/urn.ts';
import type { DownloadRecord } from '../store/downloads.ts';
import type { DownloadSnapshot } from './download-snapshot.ts';
import { NO_SOURCE } from './source-hunt.ts';

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

/** Nothing of it is fetched yet. `path`: where its content is already. */
export function newRecord(
  { again: _, ...request }: DownloadRequest & { readonly category: string | null },
  now: number,
  path: string | null,
): DownloadRecord {
  const isThere = path !== null;
  return {
    ...request,
    sizeTold: request.sizeTold ?? null,
    words: request.words ?? null,
    batch: request.batch ?? null,
    root: request.root ?? null,
    id: uuid(),
    state: isThere ? 'completed' : 'queued',
    priority: 0,
    place: 0,
    ranges: RangeSet.of(),
    verified: RangeSet.of(),
    tree: null,
    corrupt: [],
    mismatches: 0,
    sequential: false,
    addedAt: now,
    finishedAt: isThere ? now : null,
    path,
    placed: null,
    error: request.sources.length === 0 && !isThere ? NO_SOURCE : null,
  };
}
