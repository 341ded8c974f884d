// The QRP word hash, and the hashes of a query that are looked up in tables.
import { delimitedWords, isPlain, QUERY_UNITS_MAX, QUERY_WORDS_MAX, queryWords } from '../search/tokenizer.ts';
import { formatSha1Urn } from '../wire/urn.ts';

/** gtk-gnutella ignores shorter words of a query (bytes of UTF-8). */
export const WORD_BYTES_MIN = 3;
/** URNs of one query that are looked up. */
const URNS_MAX = 16;

const MULTIPLIER = 0x4f1bbcdc;

/** 32-bit hash; a table of 2^bits slots uses the highest `bits` bits. */
export type WordHash = number;

/**
 * Hashes the low byte of each UTF-16 unit, lower-cased on its own as in LimeWire (without final sigma). `raw`: without
 * lower-casing, as gtk-gnutella hashes `urn:sha1:…`.
 */
export function wordHash(word: string, raw = false): WordHash {
  let mixed = 0;
  for (let i = 0; i < word.length; i++) {
    let unit = word.charCodeAt(i);
    if (!raw) unit = lowerUnit(unit);
    mixed ^= (unit & 0xff) << ((i & 3) << 3);
  }
  return Math.imul(mixed, MULTIPLIER) >>> 0;
}

/** Slot in a table of 2^bits slots, 0 <= bits <= 31. */
export function slotOf(hash: WordHash, bits: number): number {
  return (hash >>> 1) >>> (31 - bits); // two steps: `>>> 32` would not shift
}

export function qrpHash(word: string, bits: number): number {
  return slotOf(wordHash(word), bits);
}

function lowerUnit(unit: number): number {
  if (unit < 0x80) return unit >= 0x41 && unit <= 0x5a ? unit + 0x20 : unit;
  return String.fromCharCode(unit).toLowerCase().charCodeAt(0);
}

/** Hashes of both forms of a URN in tables: lower-cased (LimeWire) and raw (gtk-gnutella). */
export function urnHashes(sha1: Buffer): [WordHash, WordHash] {
  const urn = formatSha1Urn(sha1);
  return [wordHash(urn), wordHash(urn, true)];
}

/** A table matches with one of `urns`, wordsNeeded() of `words`, or all of `delimited`. */
export interface QueryHashes {
  /** Each URN in both forms. */
  readonly urns: readonly WordHash[];
  /** gtk-gnutella's words of three bytes and more. */
  readonly words: readonly WordHash[];
  /** LimeWire's words; empty when they are the same. */
  readonly delimited: readonly WordHash[];
}

/** Number of words that a table must have: two thirds of three or more (gtk-gnutella), as truncated words are in no table. */
export function wordsNeeded(words: number): number {
  return words < 3 ? words : Math.ceil((2 * words) / 3);
}

/** Computed once a query, for all tables. */
export function queryHashes(text: string, urns: readonly Buffer[]): QueryHashes {
  const words = queryWords(text);
  const long = words.filter(word => word.length >= WORD_BYTES_MIN || Buffer.byteLength(word) >= WORD_BYTES_MIN);
  const delimited = isPlain(text) ? words : delimitedWords(text.slice(0, QUERY_UNITS_MAX)).slice(0, QUERY_WORDS_MAX);
  const same = delimited.length === long.length && delimited.every((word, i) => word === long[i]);
  return {
    urns: urns.slice(0, URNS_MAX).flatMap(urnHashes),
    words: long.map(word => wordHash(word)),
    delimited: same ? [] : delimited.map(word => wordHash(word)),
  };
}
