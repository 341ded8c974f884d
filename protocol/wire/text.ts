// Strings on the wire: UTF-8, or Latin-1 from old servents.
import { isUtf8 } from 'node:buffer';

/**
 * Decodes bytes[start, end) as UTF-8, or as Latin-1 when that is invalid, so that no byte becomes a replacement character.
 */
export function decodeText(bytes: Buffer, start: number, end: number): string {
  const view = bytes.subarray(start, end);
  return isUtf8(view) ? view.toString('utf8') : view.toString('latin1');
}
