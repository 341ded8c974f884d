// 16-byte GUIDs: marks, text form, map keys. The Random port generates them.
import { GUID_BYTES } from '../constants.ts';
import { ProtocolError } from '../errors.ts';

/**
 * Marks a random GUID in place as one of a modern servent: byte 8 = FF, byte 15 = 00. Leaves the bytes in which LimeWire
 * and gtk-gnutella put their own tags.
 */
export function markGuid(guid: Buffer): Buffer {
  guid[8] = 0xff;
  guid[15] = 0;
  return guid;
}

/** 32 lower-case hex digits, for people and the API. */
export function formatGuid(guid: Buffer): string {
  return guid.toString('hex', 0, GUID_BYTES);
}

const HEX_GUID = /^[0-9a-f]{32}$/i;

/** The reverse of formatGuid, either case. */
export function parseGuid(hex: string): Buffer {
  if (!HEX_GUID.test(hex)) throw new ProtocolError('WIRE_MALFORMED', 'a GUID is 32 hex digits');
  return Buffer.from(hex, 'hex');
}

declare global {
  interface Buffer {
    // missing in @types/node; a third faster than toString('latin1') here
    latin1Slice(start?: number, end?: number): string;
  }
}

/** Map key of the GUID at `start`: one character a byte, half as long as hex and cheaper to hash. */
export function guidKey(bytes: Buffer, start = 0): string {
  return bytes.latin1Slice(start, start + GUID_BYTES);
}
