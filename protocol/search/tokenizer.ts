// Splits file names and query texts into keywords, in a canonical form and in the forms that other servents use.
//
// The canonical form is gtk-gnutella's (utf8.c utf32_canonize): folds case, removes accents and controls, splits at everything but letters
// and digits and where the Unicode block changes. LimeWire removes `'` and symbols where gtk-gnutella splits (don't: `dont`, not
// `don` `t`), splits only at its own delimiters, and hashes the words of relayed queries as typed.
import { blockOf } from './unicode-blocks.ts';

/** Distinct words of a query that are used; further ones are ignored. */
export const QUERY_WORDS_MAX = 30;
/** UTF-16 units of a query that are used; bounds the cost of normalisation. */
export const QUERY_UNITS_MAX = 1024;

/** Both tokenizers give the same words for these characters. */
const PLAIN = /^[A-Za-z0-9 \-._*(),/\\]*$/;

/** Whether canonical words and delimitedWords() of this text are the same. */
export function isPlain(text: string): boolean {
  return PLAIN.test(text);
}

const ASCII = /^[\0-\x7f]*$/;

// Non-spacing marks that change the meaning of a word, hence kept.
const MARKS =
  '\u3099\u309a\u0bcd\u094d\u09cd\u0a4d\u0acd\u0b4d\u0ccd\u1039\u1714\u0c4d\u093c\u09bc\u0a3c\u0abc\u0b3c\u0cbc\u0345' +
  '\u0f71\u0f72\u0f7a-\u0f7d\u0f80\u0f74\u0f39\u0f18\u0f19\u0f35\u0f37\u0fc6\u0f82-\u0f84\u0f86\u0f87' +
  '\u1037\u0dca\u0e3a\u1734\u0951\u0952\u0eb8\u0eb9\u1939-\u193b\u18a9';
const DROPPED = new RegExp(`(?![${MARKS}])[\\p{Cc}\\p{Mn}]`, 'gu');
const SEPARATORS = new RegExp(`[^\\p{Ll}\\p{Lo}\\p{Lm}\\p{Nd}\\p{Cn}${MARKS}]+`, 'gu');
/** excluded.dat of LimeWire 5.5 by category; the typographic apostrophe is ours. */
const LIMEWIRE_DROPPED = new RegExp(
  `(?![${MARKS}])['\u2019\\p{Cc}\\p{Cf}\\p{Me}\\p{Mn}\\p{Nl}\\p{No}\\p{Sc}\\p{Sk}\\p{Sm}]`,
  'gu',
);
const LIMEWIRE_DELIMITERS = /[ \-._+/*()\\,]+/;

/** The words of a name in every form that queries may use: canonical, without LimeWire's dropped characters, split as in LimeWire, as typed. */
export function nameWords(name: string): string[] {
  const words = new Set<string>();
  addCanonical(name, words);
  if (!isPlain(name)) {
    addCanonical(name.normalize('NFKD').replace(LIMEWIRE_DROPPED, ''), words);
    for (const word of delimitedWords(name)) words.add(word);
    for (const word of name.toLowerCase().split(LIMEWIRE_DELIMITERS)) if (word !== '') words.add(word);
  }
  return [...words];
}

/** The canonical, distinct words of a query; a file must match all. */
export function queryWords(text: string): string[] {
  const words = new Set<string>();
  addCanonical(text.length > QUERY_UNITS_MAX ? text.slice(0, QUERY_UNITS_MAX) : text, words);
  return words.size > QUERY_WORDS_MAX ? [...words].slice(0, QUERY_WORDS_MAX) : [...words];
}

/** The canonical words of a text in their order, repeated ones too. */
export function everyWord(text: string): string[] {
  const words: string[] = [];
  addCanonical(text.length > QUERY_UNITS_MAX ? text.slice(0, QUERY_UNITS_MAX) : text, {
    add: word => words.push(word),
  });
  return words;
}

/** The words of a text as LimeWire splits them and puts them into its tables. */
export function delimitedWords(text: string): string[] {
  const kept = text.normalize('NFKD').replace(LIMEWIRE_DROPPED, '').toLowerCase().normalize('NFC');
  const words = new Set(splitBlocks(kept).split(LIMEWIRE_DELIMITERS));
  words.delete('');
  return [...words];
}

/** A word and its prefixes that gtk-gnutella or LimeWire put into a QRP table. */
export function wordPrefixes(word: string): string[] {
  return [...new Set([...gtkgPrefixes(word), ...limeWirePrefixes(word)])];
}

/** The word cut by up to five code points, while more than three bytes of UTF-8 remain. */
export function gtkgPrefixes(word: string): string[] {
  const prefixes = [word];
  let bytes = Buffer.byteLength(word);
  let units = word.length;
  for (let cut = 0; cut < 5 && units > 0; cut++) {
    const unit = word.charCodeAt(units - 1);
    const pair = unit >= 0xdc00 && unit < 0xe000 && units > 1;
    bytes -= pair ? 4 : unit < 0x80 ? 1 : unit < 0x800 ? 2 : 3;
    if (bytes <= 3) break;
    units -= pair ? 2 : 1;
    prefixes.push(word.slice(0, units));
  }
  return prefixes;
}

/** The word and, from five UTF-16 units on, without its last one and last two. */
export function limeWirePrefixes(word: string): string[] {
  return word.length > 4 ? [word, word.slice(0, -1), word.slice(0, -2)] : [word];
}

/** What takes words. */
interface WordTaker {
  add(word: string): unknown;
}

function addCanonical(text: string, words: WordTaker): void {
  if (ASCII.test(text)) addAscii(text.toLowerCase(), words);
  else for (const word of canonical(text).split(' ')) if (word !== '') words.add(word);
}

/** Words with single spaces between them. */
function canonical(text: string): string {
  // folds again after NFKD, which decomposes signs into letters
  const folded = foldCase(foldCase(text.normalize('NFC')).normalize('NFKD'));
  return splitBlocks(folded.replace(DROPPED, '').replace(SEPARATORS, ' ').normalize('NFC'));
}

/** Full case folding, except that the dotless i becomes i. */
function foldCase(text: string): string {
  return text.toUpperCase().toLowerCase().replaceAll('ς', 'σ');
}

/** Inserts a space where the Unicode block changes. */
function splitBlocks(text: string): string {
  if (ASCII.test(text)) return text;
  let out = '';
  let before = -1;
  for (const character of text) {
    const block = character === ' ' ? -1 : blockOf(character.codePointAt(0) ?? 0);
    if (before >= 0 && block >= 0 && block !== before) out += ' ';
    out += character;
    before = block;
  }
  return out;
}

const Ascii = { Split: 0, Keep: 1, Drop: 2 } as const;
const asciiKinds = Uint8Array.from({ length: 128 }, (_, unit) => {
  if ((unit >= 0x30 && unit <= 0x39) || (unit >= 0x61 && unit <= 0x7a)) return Ascii.Keep;
  return unit < 0x20 || unit === 0x7f ? Ascii.Drop : Ascii.Split;
});

/** canonical() of lower-case ASCII, the usual case, without normalisation. */
function addAscii(text: string, words: WordTaker): void {
  let start = -1;
  let dropped = false;
  for (let at = 0; at <= text.length; at++) {
    const kind = at < text.length ? asciiKinds[text.charCodeAt(at)] : Ascii.Split;
    if (kind === Ascii.Drop) dropped = true;
    else if (kind === Ascii.Keep) {
      if (start < 0) start = at;
    } else {
      if (start >= 0) words.add(dropped ? text.slice(start, at).replace(DROPPED, '') : text.slice(start, at));
      start = -1;
      dropped = false;
    }
  }
}
