// Files that we have a part of, from unfinished downloads: which bytes are served, and what we say about them (PFSP).
import type { SharedFile } from '../../search/shared-file.ts';
import { formatAvailable, formatSomeRanges } from '../content-range.ts';
import { servedOf } from '../range.ts';
import type { ByteRange, RangeSet } from '../range-set.ts';
import type { Header } from './upload-reply.ts';

/** `index` means nothing. `tigerRoot`: null while no hash tree of it is certain. `modifiedAt`: when bytes were added last. */
export interface PartialFile extends SharedFile {
  /** Bytes that are those of the file for certain, by its hash tree. Only these are served; they stay so. */
  readonly verified: RangeSet;
  /** It is being downloaded: more comes soon. */
  readonly growing: boolean;
}

export interface PartialFiles {
  /** Null when nothing of such a file is verified. */
  partialOf(sha1: Buffer): PartialFile | null;
}

export const NO_PARTIAL_FILES: PartialFiles = { partialOf: () => null };

export function isPartial(file: SharedFile): file is PartialFile {
  return 'verified' in file;
}

/**
 * What is sent of a range that was asked: from its first byte as far as verified bytes go. Null when the first byte is not there.
 * A request without a range (null) wants all of the file.
 */
export function partOf({ size, verified }: PartialFile, wanted: ByteRange | null): ByteRange | null {
  if (wanted !== null) return servedOf(wanted, verified);
  return verified.covers(0, size) ? { start: 0, end: size } : null;
}

const RETRY_SECONDS_MIN = 60;
const RETRY_SECONDS_MAX = 86_400;
/** As gtk-gnutella; the client adds up what several replies say. */
const RANGES_BYTES_MAX = 512;

/** The headers about one partial file after another on one connection. */
export class Availability {
  /** The range with which the next cut list begins. */
  #from = 0;

  /** `date`: milliseconds since 1970. */
  headers(status: number, { verified, growing, modifiedAt }: PartialFile, date: number): Header[] {
    const amount: Header = ['X-Available', formatAvailable(verified.bytes)];
    // the ranges will have changed when a queued client has its turn
    if (status === 503) return [amount];
    if (status >= 400 && status !== 416) return [];
    const { text, next } = formatSomeRanges(verified, this.#from, RANGES_BYTES_MAX);
    const headers: Header[] = [['X-Available-Ranges', text]];
    if (next !== null) headers.push(amount);
    this.#from = next ?? 0;
    const seconds = Math.min(Math.floor((date - modifiedAt) / 2000), RETRY_SECONDS_MAX);
    if (status === 416 && !growing && seconds >= RETRY_SECONDS_MIN) headers.push(['Retry-After', String(seconds)]);
    return headers;
  }
}
