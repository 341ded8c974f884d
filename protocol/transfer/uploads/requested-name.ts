// Compares the name in a request line with a file's: indices change at every start, so a request must match the name too.
import { isUtf8 } from 'node:buffer';
import { unescapeOctets } from '../../wire/percent.ts';
import { decodeText } from '../../wire/text.ts';

/** Length at which old servents cut a name, escaped or not; less by up to CUT_SLACK at a split character or escape. */
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

/** The decoded text, and the text of UTF-8 that was encoded twice. */
function texts(bytes: Buffer): string[] {
  const text = decodeText(bytes, 0, bytes.length);
  const again = /^[\0-\xff]*$/.test(text) ? Buffer.from(text, 'latin1') : null;
  return again !== null && isUtf8(again) ? [text, again.toString('utf8')] : [text];
}

/** Normalises for comparison; request lines lose blanks at the ends. */
function settled(text: string): string {
  return text.normalize('NFC').trim();
}

/** Whether a cut name is a prefix; ignores an incomplete escape or character at its end. */
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
