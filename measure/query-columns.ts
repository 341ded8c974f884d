// Adds texts of queries to the columns `text` and `words`. A plain one, the usual case, is read once, byte by byte, without a string.
import { everyWord } from '../protocol/search/tokenizer.ts';
import type { TextColumn } from './text-column.ts';

const SPACE = 0x20;
/** A longer text may be cut by the tokenizer. */
const PLAIN_BYTES_MAX = 1024;

/** By byte: the character that words have for it; a space: it ends a word; 0: a text with it is not plain. */
const FOLDED = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte > 0x7f) return 0;
  const words = everyWord(`a${String.fromCharCode(byte)}a`);
  if (words.length === 2) return SPACE;
  return words[0]?.length === 3 ? words[0].charCodeAt(1) : 0;
});

/**
 * Hot. Adds the text of a query that begins at `start` and ends with a NUL, when it is plain and nothing but a second NUL comes
 * between it and `end`, the end of the query. False: nothing was added.
 */
export function addPlainText(texts: TextColumn, words: TextColumn, bytes: Buffer, start: number, end: number): boolean {
  const limit = Math.min(end, start + PLAIN_BYTES_MAX);
  if (limit <= start) return false;
  const textFrom = texts.room(limit - start);
  const wordFrom = words.room(limit - start);
  const textOut = texts.bytes;
  const wordOut = words.bytes;
  let wordAt = wordFrom;
  let isBetween = false;
  let at = start;
  for (; ; at++) {
    if (at === limit) return false;
    const byte = bytes[at] ?? 0;
    if (byte === 0) break;
    const folded = FOLDED[byte] ?? 0;
    if (folded === 0) return false;
    textOut[textFrom + at - start] = byte;
    if (folded === SPACE) isBetween = true;
    else {
      if (isBetween && wordAt > wordFrom) wordOut[wordAt++] = SPACE;
      isBetween = false;
      wordOut[wordAt++] = folded;
    }
  }
  if (at + 1 !== end && (at + 2 !== end || bytes[at + 1] !== 0)) return false;
  texts.end(at - start);
  words.end(wordAt - wordFrom);
  return true;
}
