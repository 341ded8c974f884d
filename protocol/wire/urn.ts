// Content names: urn:sha1, urn:bitprint (SHA-1 and Tiger tree root), urn:tree:tiger; RFC 4648 base32 without padding, hex read too.
import { base32 } from 'rfc4648';
import { ProtocolError } from '../errors.ts';

export const SHA1_BYTES = 20;
export const TIGER_BYTES = 24;

/** The hashes in a URN; at least one is not null. */
export interface Urn {
  readonly sha1: Buffer | null;
  readonly tigerRoot: Buffer | null;
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** Upper case, no padding. */
export function formatBase32(bytes: Uint8Array): string {
  return base32.stringify(bytes, { pad: false });
}

/** Decodes base32 in either case, padding optional; null for anything else. */
export function base32OrNull(text: string): Buffer | null {
  if (!/^[a-z2-7]*=*$/i.test(text)) return null;
  const digits = text.replace(/=+$/, '').toUpperCase();
  // the last digit adds no whole byte: an impossible length
  if (digits.length % 8 === 1 || digits.length % 8 === 3 || digits.length % 8 === 6) return null;
  // the decoder throws unless the bits after the last whole byte are zero
  const spareBits = (5 * digits.length) % 8;
  if ((ALPHABET.indexOf(digits.slice(-1)) & ((1 << spareBits) - 1)) !== 0) return null;
  return Buffer.from(base32.parse(digits, { loose: true }));
}

/** Decodes a hash of `bytes` bytes in base32 or hex; null for anything else. */
function digest(text: string, bytes: number): Buffer | null {
  if (text.length === 2 * bytes) return /^[0-9a-f]+$/i.test(text) ? Buffer.from(text, 'hex') : null;
  return text.length === Math.ceil((8 * bytes) / 5) && !text.endsWith('=') ? base32OrNull(text) : null;
}

/** Parses like parseUrn; null instead of an exception. */
export function urnOrNull(text: string): Urn | null {
  const lower = text.slice(0, 16).toLowerCase();
  if (lower.startsWith('urn:sha1:')) {
    const sha1 = digest(text.slice(9), SHA1_BYTES);
    return sha1 === null ? null : { sha1, tigerRoot: null };
  }
  if (lower.startsWith('urn:bitprint:')) {
    const [first = '', second = '', ...more] = text.slice(13).split('.', 3);
    const sha1 = digest(first, SHA1_BYTES);
    const tigerRoot = digest(second, TIGER_BYTES);
    return sha1 === null || tigerRoot === null || more.length > 0 ? null : { sha1, tigerRoot };
  }
  // servents write it with and without slash, old ones as ttroot
  for (const prefix of ['urn:tree:tiger:', 'urn:tree:tiger/:', 'urn:ttroot:']) {
    if (!lower.startsWith(prefix)) continue;
    const tigerRoot = digest(text.slice(prefix.length), TIGER_BYTES);
    return tigerRoot === null ? null : { sha1: null, tigerRoot };
  }
  return null;
}

/** urn:sha1:, urn:bitprint:, urn:tree:tiger:, urn:tree:tiger/: in any case. Throws URN_MALFORMED. */
export function parseUrn(text: string): Urn {
  const urn = urnOrNull(text);
  if (urn === null) throw new ProtocolError('URN_MALFORMED', `not a URN we know: ${text.slice(0, 100)}`);
  return urn;
}

/** GGEP H: 01 and a SHA-1, or 02 and a bitprint; null for the other kinds of hash and wrong lengths. */
export function urnOfGgepH(payload: Buffer): Urn | null {
  const kind = payload[0];
  if (kind === 1 && payload.length === 1 + SHA1_BYTES) return { sha1: payload.subarray(1), tigerRoot: null };
  if (kind !== 2 || payload.length !== 1 + SHA1_BYTES + TIGER_BYTES) return null;
  return { sha1: payload.subarray(1, 1 + SHA1_BYTES), tigerRoot: payload.subarray(1 + SHA1_BYTES) };
}

export function formatSha1Urn(sha1: Uint8Array): string {
  return `urn:sha1:${formatBase32(sha1)}`;
}

export function formatBitprint(sha1: Uint8Array, tigerRoot: Uint8Array): string {
  return `urn:bitprint:${formatBase32(sha1)}.${formatBase32(tigerRoot)}`;
}

/** Formats a bitprint when both hashes are known. Throws RangeError without a hash. */
export function formatUrn(urn: Urn): string {
  if (urn.sha1 !== null) {
    return urn.tigerRoot === null ? formatSha1Urn(urn.sha1) : formatBitprint(urn.sha1, urn.tigerRoot);
  }
  if (urn.tigerRoot === null) throw new RangeError('a URN without a hash');
  return `urn:tree:tiger:${formatBase32(urn.tigerRoot)}`;
}
