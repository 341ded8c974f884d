// Strings on the wire: UTF-8 by agreement, Latin-1 from old servents.
import { isUtf8 } from 'node:buffer';

/**
 * Text of bytes[start, end). Not valid UTF-8 is read as Latin-1, so that every byte survives and the name can still be
 * shown, never as replacement characters.
 */
export function decodeText(bytes: Buffer, start: number, end: number): string {
  const view = bytes.subarray(start, end);
  return isUtf8(view) ? view.toString('utf8') : view.toString('latin1');
}
