// Finds the link in pasted text: surrounded by blanks, brackets, quotes or a sentence, broken over lines, or percent-escaped as a whole.
import { unescapeOctets } from './percent.ts';
import { decodeText } from './text.ts';

/** Opening to closing sign. `last`: the link ends at the last closing sign, as links may contain the sign. */
const ENCLOSED: Readonly<Record<string, { close: string; last: boolean }>> = {
  '<': { close: '>', last: false },
  '"': { close: '"', last: false },
  '`': { close: '`', last: false },
  '“': { close: '”', last: false },
  '«': { close: '»', last: false },
  "'": { close: "'", last: true },
  '‘': { close: '’', last: true },
  '(': { close: ')', last: true },
  '[': { close: ']', last: true },
};
/** Rounds of unescaping, for links nested in parameters of links. */
const ESCAPED_TIMES_MAX = 3;

/** The magnet link in the text, or the URN with which it begins, or null. */
export function linkIn(text: string): string | null {
  const plain = unescapedWhole(text);
  const magnet = /(?<![a-z0-9])magnet:\/{0,2}\?(?=.)/is.exec(plain);
  const start = magnet?.index ?? /^\W*(?=urn:[a-z0-9-]+:)/i.exec(plain)?.[0].length;
  if (start === undefined) return null;
  const link = enclosed(plain, start) ?? bare(plain.slice(start));
  if (magnet === null) return withoutEnd(link);
  return link.replace(/^magnet:\/*\?/i, 'magnet:?').replace(/&amp;/gi, '&');
}

/** Cuts punctuation after the last letter or digit. */
export function withoutEnd(text: string): string {
  return /^.*[a-z0-9]/is.exec(text)?.[0] ?? '';
}

export function isMagnet(text: string): boolean {
  return linkIn(text)?.startsWith('magnet:') === true;
}

function unescapedWhole(text: string): string {
  let plain = text;
  for (let times = 0; times < ESCAPED_TIMES_MAX && /(?:magnet|urn)(?::?%|%(?:25)*3a)/i.test(plain); times++) {
    if (/magnet:\/{0,2}\?/i.test(plain)) break; // only the parameters are escaped: parseMagnet decodes them
    const bytes = unescapeOctets(Buffer.from(plain, 'utf8'));
    plain = decodeText(bytes, 0, bytes.length);
  }
  return plain;
}

/** The text up to the closing sign of the bracket or quote before `start`, lines joined; null without such a pair. */
function enclosed(text: string, start: number): string | null {
  const { close = '', last = false } = ENCLOSED[text.charAt(start - 1)] ?? {};
  const end = close === '' ? -1 : last ? text.lastIndexOf(close) : text.indexOf(close, start);
  return end <= start
    ? null
    : text
        .slice(start, end)
        .split(/[\r\n]/)
        .map(line => line.trim())
        .join('');
}

/** The text up to the end of the line, or to the first blank when the link escapes blanks or has no dn. */
function bare(text: string): string {
  const [line = ''] = text.split(/[\r\n]/, 1);
  const blank = line.search(/\s/);
  if (blank < 0) return line;
  const isEscaped = /[%+]/.test(line.slice(0, blank)) || !/[?&]dn(?:\.\d+)?=/i.test(line.slice(0, blank));
  const goesOn = /&[a-z]{2}(?:\.\d+)?=/i.test(line.slice(blank));
  return isEscaped && !goesOn ? line.slice(0, blank) : line.trim();
}
