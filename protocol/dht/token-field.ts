// The field in which a node hands out a token and gets it back: one byte of length, then as many bytes, opaque to others.
import type { ByteWriter } from '../wire/byte-writer.ts';
import type { Cursor } from '../wire/cursor.ts';

/** A view of the message. Empty when a LimeWire node has no token to give. Throws WIRE_TRUNCATED. */
export function readToken(cursor: Cursor): Buffer {
  return cursor.take(cursor.u8());
}

/** Throws RangeError for more than 255 bytes. */
export function writeToken(writer: ByteWriter, token: Buffer): void {
  if (token.length > 255) throw new RangeError(`a token of ${token.length} bytes`);
  writer.u8(token.length);
  writer.bytes(token);
}
