// What a search of ours asks for: its text as it is sent, when two searches ask for the same, and what cannot be asked.
import { WORD_BYTES_MIN } from '../../qrp/hash.ts';
import { queryWords } from '../../search/tokenizer.ts';

export interface SearchSpec {
  /** Words; empty for a search by hash alone. */
  readonly text: string;
  /** SHA-1s of 20 bytes; a file with any of them is meant. */
  readonly urns?: readonly Buffer[];
  /** MediaBit bits, sent as GGEP M; absent or 0: files of any type. */
  readonly media?: number | undefined;
  /** Most TTL that it is sent with; where neighbours bear less, less. */
  readonly ttl?: number | undefined;
}

/** Beyond 256 bytes of payload gtk-gnutella drops a query: room for flags, GGEP and one URN is left. */
const TEXT_BYTES_MAX = 180;

/** Signs that make LimeWire drop a query, those that look like them, line ends, and operators of other servents. */
const REFUSED = /[\p{C}\p{Z}_#!|?<>^():;/\\[\]{}"*+-]+/gu;

/** The words as other servents take them: single blanks between, no operators, cut to whole words that fit. */
export function queryText(text: string): string {
  let taken = text.slice(0, 1000).normalize('NFKC').replace(REFUSED, ' ').trim();
  while (Buffer.byteLength(taken) > TEXT_BYTES_MAX) {
    const blank = taken.lastIndexOf(' ');
    taken = blank > 0 ? taken.slice(0, blank) : Array.from(taken).slice(0, -1).join('');
  }
  return taken;
}

/**
 * The text that a search is sent with, empty when it asks by URN and its text has no word. Throws RangeError when no file
 * can match: no word and no URN, or only words that no table of a neighbour holds.
 */
export function textToAsk({ text, urns = [] }: SearchSpec): string {
  const taken = queryText(text);
  const words = queryWords(taken);
  if (urns.length > 0) return words.length === 0 ? '' : taken;
  if (words.length === 0) throw new RangeError('there is no word in it to search for');
  if (words.every(word => Buffer.byteLength(word) < WORD_BYTES_MIN))
    throw new RangeError(`its words are too short to search for: at least one of ${WORD_BYTES_MIN} letters is needed`);
  return taken;
}

/**
 * Equal for two searches that ask for the same: the same words in the same order, whatever their case and the signs
 * between them, the same URNs and the same media types.
 */
export function questionOf({ text, urns = [], media = 0 }: SearchSpec): string {
  const hashes = urns.map(sha1 => sha1.toString('hex')).sort();
  return [queryWords(queryText(text)).join(' '), ...hashes, ...(media === 0 ? [] : [`media ${media}`])].join('\n');
}
