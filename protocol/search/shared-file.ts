// A file of ours as searches see it, and the library as the overlay sees it.
import type { Query } from '../wire/query.ts';

export interface SharedFile {
  /** As in query hits and GET /get/<index>/: 32-bit, never reused while the servent runs. */
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
  /** Files that hold every word of the text, or one of the URNs; best first, at most `hitsMax`. Must not throw. */
  match(query: Query, hitsMax: number): readonly SharedFile[];
  /** The last modified ones, newest first, none from before `since` (milliseconds since 1970). Absent: What's New is not answered. */
  newest?(count: number, since: number): readonly SharedFile[];
  /** Every distinct word of every name, in every form under which a query may look for it: what a QRP table has to hold. */
  words(): Iterable<string>;
  shared(): Iterable<SharedFile>;
}
