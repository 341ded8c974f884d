// A shared file, and the interface of the library for the overlay.
import type { Query } from '../wire/query.ts';
import type { Urn } from '../wire/urn.ts';

export interface SharedFile {
  /** Index in query hits and GET /get/<index>/: 32-bit, not reused while the servent runs. */
  readonly index: number;
  /** Base name, no path. */
  readonly name: string;
  /** Bytes; may exceed 4 GiB. */
  readonly size: number;
  /** 20 bytes. */
  readonly sha1: Buffer;
  /** Root of the hash tree, 24 bytes; null while the tree is still to be made. */
  readonly tigerRoot: Buffer | null;
  /** Milliseconds since 1970. */
  readonly modifiedAt: number;
}

/** Files by their content: one of those that have it, or null. */
export interface ContentFiles {
  bySha1(sha1: Buffer): SharedFile | null;
  byTigerRoot(root: Buffer): SharedFile | null;
}

/** Gives the file that a URN names. A bitprint whose tree root is not that of the file with its SHA-1 names none. */
export function fileOfUrn(files: ContentFiles, { sha1, tigerRoot }: Urn): SharedFile | null {
  if (sha1 === null) return tigerRoot === null ? null : files.byTigerRoot(tigerRoot);
  const file = files.bySha1(sha1);
  const isOther = tigerRoot !== null && file?.tigerRoot?.equals(tigerRoot) === false;
  return isOther ? null : file;
}

export interface Searchable {
  readonly files: number;
  readonly bytes: number;
  /** Files that match every word of the text, or one of the URNs; best first, at most `hitsMax`. Must not throw. */
  match(query: Query, hitsMax: number): readonly SharedFile[];
  /** Files modified at or after `since` (milliseconds since 1970), newest first. Absent: What's New is not answered. */
  newest?(count: number, since: number): readonly SharedFile[];
  /** LimeWire's XML for a hit whose records are these files; null without metadata. Absent: hits carry none. */
  xmlOf?(files: readonly SharedFile[]): string | null;
  /** Every distinct word of every name, in every form that queries may use, for QRP tables. */
  words(): Iterable<string>;
  shared(): Iterable<SharedFile>;
  /** Absent: files are not published in the DHT. */
  bySha1?(sha1: Buffer): SharedFile | null;
}
