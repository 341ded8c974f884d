// Whether the name in a request line is that of a file. Hits give an index and a name; indices are given anew at every start.
import { isUtf8 } from 'node:buffer';
import { unescapeOctets } from '../wire/percent.ts';
import { decodeText } from '../wire/text.ts';

/** Where old servents cut a name, escaped or not; up to this much less where a character or an escape would be split. */
const CUT_BYTES = 255;
const CUT_SLACK = 3;

/**
 * `asked` is the rest of the target after `/get/INDEX/`, as sent (latin1): raw or escaped, in UTF-8 or Latin-1, with `+` for blanks,
 * with the slash that the first servents put at its end, or cut at 255 bytes. Case counts: on most disks it is another file.
 */
export function namesFile(asked: string, name: string): boolean {
  const wanted = settled(name);
  return spellings(asked).some(
    spelling =>
      [spelling, unescapeOctets(spelling)].some(bytes => texts(bytes).some(text => settled(text) === wanted)) ||
      (spelling.length >= CUT_BYTES - CUT_SLACK && isBeginning(spelling, wanted)),
  );
}

function spellings(asked: string): Buffer[] {
  const question = asked.indexOf('?');
  const whole = question < 0 ? [asked] : [asked, asked.slice(0, question)];
  const ended = whole.flatMap(text => (text.endsWith('/') ? [text, text.slice(0, -1)] : [text]));
  const spaced = ended.flatMap(text => (text.includes('+') ? [text, text.replaceAll('+', ' ')] : [text]));
  return spaced.map(text => Buffer.from(text, 'latin1'));
}

/** As agreed, and UTF-8 that was taken for Latin-1 and written as UTF-8 once more. */
function texts(bytes: Buffer): string[] {
  const text = decodeText(bytes, 0, bytes.length);
  const again = /^[\0-\xff]*$/.test(text) ? Buffer.from(text, 'latin1') : null;
  return again !== null && isUtf8(again) ? [text, again.toString('utf8')] : [text];
}

/** One form for what looks the same; blanks at the ends get lost in request lines. */
function settled(text: string): string {
  return text.normalize('NFC').trim();
}

/** The cut may have left the beginning of an escape or of a character at the end. */
function isBeginning(cut: Buffer, wanted: string): boolean {
  const half = /%[0-9a-f]?$/i.exec(cut.toString('latin1', cut.length - 2));
  const bytes = cut.subarray(0, cut.length - (half?.[0].length ?? 0));
  return [bytes, unescapeOctets(bytes)]
    .map(plain => settled(beginning(plain)))
    .some(text => text !== '' && wanted.startsWith(text));
}

function beginning(bytes: Buffer): string {
  for (let left = 0; left <= CUT_SLACK; left++)
    if (isUtf8(bytes.subarray(0, bytes.length - left))) return bytes.toString('utf8', 0, bytes.length - left);
  return bytes.toString('latin1');
}
