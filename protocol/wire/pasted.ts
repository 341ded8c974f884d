// Links as people paste them: with blanks and line ends around, in brackets or quotes, in a sentence, out of a page, escaped whole.
import { unescapeOctets } from './percent.ts';
import { decodeText } from './text.ts';

/** Opening sign to closing sign; with `last`, the closing sign may be in a link, too. */
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
/** A link in the parameter of a link in a parameter. */
const ESCAPED_TIMES_MAX = 3;

/** The magnet link in it, or the URN that it is; null: there is none. */
export function linkIn(text: string): string | null {
  const plain = unescapedWhole(text);
  const magnet = /(?<![a-z0-9])magnet:\/{0,2}\?(?=.)/is.exec(plain);
  const start = magnet?.index ?? /^\W*(?=urn:[a-z0-9-]+:)/i.exec(plain)?.[0].length;
  if (start === undefined) return null;
  const link = enclosed(plain, start) ?? bare(plain.slice(start));
  if (magnet === null) return withoutEnd(link);
  return link.replace(/^magnet:\/*\?/i, 'magnet:?').replace(/&amp;/gi, '&');
}

/** Without the signs of a sentence behind a hash or a number. */
export function withoutEnd(text: string): string {
  return /^.*[a-z0-9]/is.exec(text)?.[0] ?? '';
}

export function isMagnet(text: string): boolean {
  return linkIn(text)?.startsWith('magnet:') === true;
}

function unescapedWhole(text: string): string {
  let plain = text;
  for (let times = 0; times < ESCAPED_TIMES_MAX && /(?:magnet|urn)(?::?%|%(?:25)*3a)/i.test(plain); times++) {
    if (/magnet:\/{0,2}\?/i.test(plain)) break; // only what is inside is escaped, and that is for its reader
    const bytes = unescapeOctets(Buffer.from(plain, 'utf8'));
    plain = decodeText(bytes, 0, bytes.length);
  }
  return plain;
}

/** Lines are broken in brackets and quotes only for want of room. */
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

/** To the end of the line; to the first blank where blanks are escaped, or nothing has them. */
function bare(text: string): string {
  const [line = ''] = text.split(/[\r\n]/, 1);
  const blank = line.search(/\s/);
  if (blank < 0) return line;
  const isEscaped = /[%+]/.test(line.slice(0, blank)) || !/[?&]dn(?:\.\d+)?=/i.test(line.slice(0, blank));
  const goesOn = /&[a-z]{2}(?:\.\d+)?=/i.test(line.slice(blank));
  return isEscaped && !goesOn ? line.slice(0, blank) : line.trim();
}
