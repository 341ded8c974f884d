// The name that a source gives a file: Content-Disposition of RFC 6266, with `filename*` before `filename`.
import { parse } from 'content-disposition';
import { NO_NAME, safeFileName } from './file-name.ts';

const CHARACTERS_MAX = 2000;
/** gtk-gnutella writes quotes around it: `filename*="utf-8'en'a%20song.mp3"`. */
const QUOTED = /(;\s*filename\*\s*=\s*)"([^"\\]*)"/i;

/** As a safe name. Null: it has none with a letter or digit, or is malformed. */
export function nameInDisposition(text: string): string | null {
  if (text.length > CHARACTERS_MAX) return null;
  try {
    const { filename } = parse(text.replace(QUOTED, '$1$2')).parameters;
    const name = safeFileName(decoded(filename ?? ''));
    return name === NO_NAME || !/[\p{L}\p{N}]/u.test(name) ? null : name;
  } catch {
    return null;
  }
}

/** Servers write UTF-8 into `filename` too, which headers give as latin1. */
function decoded(text: string): string {
  if (!/[\x80-\xff]/.test(text) || /[^\0-\xff]/.test(text)) return text;
  const utf8 = Buffer.from(text, 'latin1').toString('utf8');
  return utf8.includes('\ufffd') ? text : utf8;
}
