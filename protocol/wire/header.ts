// The 23-byte descriptor header: GUID 16, type, TTL, hops, payload length LE32.
import { HEADER_BYTES } from '../constants.ts';

export function writeHeader(
  target: Buffer,
  guid: Uint8Array,
  type: number,
  ttl: number,
  hops: number,
  payloadBytes: number,
): void {
  target.set(guid, 0);
  target[16] = type;
  target[17] = ttl;
  target[18] = hops;
  target.writeUInt32LE(payloadBytes, 19);
}

/** A whole descriptor in one fresh buffer. */
export function encodeDescriptor(
  guid: Uint8Array,
  type: number,
  ttl: number,
  hops: number,
  payload: Uint8Array,
): Buffer {
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + payload.length);
  writeHeader(bytes, guid, type, ttl, hops, payload.length);
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}
