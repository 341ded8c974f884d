// A shared file, and the interface of the library for the overlay.
import type { Query } from '../wire/query.ts';

export interface SharedFile {
  /** Index in query hits and GET /get/<index>/: 32-bit, not reused while the servent runs. */
  readonly index: number;
  /** Base name, no path. */
  readonly name: string;
  /** Bytes; may exceed 4 GiB. */
  readonly size: number;
  /** 20 bytes. */
  readonly sha1: Buffer;
  /** Milliseconds since 1970. */
  readonly modifiedAt: number;
}

export interface Searchable {
  readonly files: number;
  readonly bytes: number;
  /** Files that match every word of the text, or one of the URNs; best first, at most `hitsMax`. Must not throw. */
  match(query: Query, hitsMax: number): readonly SharedFile[];
  /** Files modified at or after `since` (milliseconds since 1970), newest first. Absent: What's New is not answered. */
  newest?(count: number, since: number): readonly SharedFile[];
  /** Every distinct word of every name, in every form that queries may use, for QRP tables. */
  words(): Iterable<string>;
  shared(): Iterable<SharedFile>;
}
