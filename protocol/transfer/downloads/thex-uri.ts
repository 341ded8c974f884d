// X-Thex-URI, where a source says under which path it sends the hash tree of a file, and which root it has.
import { base32OrNull, formatBase32, formatSha1Urn, TIGER_BYTES } from '../../wire/urn.ts';

export interface ThexUri {
  /** Path and query on the same host. */
  readonly target: string;
  readonly root: Buffer;
}

/** Those of servents have about 110 characters. */
const TARGET_CHARACTERS_MAX = 512;

/** `<uri>;<root>`. Null for another host, for what is no path, and for a root that is none. */
export function parseThexUri(text: string): ThexUri | null {
  const [, target = '', digits = ''] = /^\s*(\/[\x21-\x7e]*?)\s*;\s*([a-z2-7]{39})\s*$/i.exec(text) ?? [];
  // `//host/path` would be another host
  if (target === '' || target.startsWith('//') || target.length > TARGET_CHARACTERS_MAX) return null;
  const root = base32OrNull(digits);
  return root?.length === TIGER_BYTES ? { target, root } : null;
}

/** The path under which servents send the tree of a file with that hash. */
export function thexTarget(sha1: Uint8Array, root: Uint8Array | null): string {
  const target = `/uri-res/N2X?${formatSha1Urn(sha1)}`;
  return root === null ? target : `${target};${formatBase32(root)}`;
}
