// Lists of supported vendor messages (null/0) and capabilities (null/10), each sent once after the handshake.
import { Cursor } from '../cursor.ts';
import { demandBody, VendorId, type VendorMessage, vendorPayload } from '../vendor-message.ts';

export interface SupportedMessage {
  readonly vendor: string;
  readonly selector: number;
  readonly version: number;
}

/** gtk-gnutella lists 27, LimeWire 11; more are ignored. */
export const SUPPORTED_MAX = 128;
const CAPABILITIES_MAX = 128;

/** Throws WIRE_TRUNCATED. */
export function parseMessagesSupported(message: VendorMessage): SupportedMessage[] {
  const cursor = new Cursor(demandBody(message, 2));
  const supported: SupportedMessage[] = [];
  for (let left = Math.min(cursor.u16(), SUPPORTED_MAX); left > 0; left--) {
    supported.push({
      vendor: cursor.take(4).toString('latin1'),
      selector: cursor.u16(),
      version: cursor.u16(),
    });
  }
  return supported;
}

/** null/0 version 0. LimeWire acts on each entry (push-proxy and connect-back requests), so list only what is served. */
export function encodeMessagesSupported(supported: readonly SupportedMessage[]): Buffer {
  const body = Buffer.alloc(2 + 8 * supported.length);
  body.writeUInt16LE(supported.length, 0);
  for (const [i, { vendor, selector, version }] of supported.entries()) {
    const at = 2 + 8 * i;
    body.write(vendor, at, 4, 'latin1');
    body.writeUInt16LE(selector, at + 4);
    body.writeUInt16LE(version, at + 6);
  }
  return vendorPayload(VendorId.MessagesSupported, 0, body);
}

/**
 * Maps names of 4 characters (`WHAT`, `TCPI`, `TLS!` …) to versions. LimeWire's second list, of 32-bit numbers, overrides
 * the first; another tail is ignored. Throws WIRE_TRUNCATED.
 */
export function parseCapabilityList(message: VendorMessage): Map<string, number> {
  const cursor = new Cursor(demandBody(message, 2));
  const capabilities = new Map<string, number>();
  for (let left = Math.min(cursor.u16(), CAPABILITIES_MAX); left > 0; left--) {
    capabilities.set(cursor.take(4).toString('latin1'), cursor.u16());
  }
  if (cursor.left < 2) return capabilities;
  const wide = Math.min(cursor.u16(), CAPABILITIES_MAX);
  if (cursor.left < 8 * wide) return capabilities;
  for (let left = wide; left > 0; left--) capabilities.set(cursor.take(4).toString('latin1'), cursor.u32());
  return capabilities;
}

/** null/10: version 0; version 1 with LimeWire's second list when a number exceeds 16 bits. */
export function encodeCapabilityList(capabilities: ReadonlyMap<string, number>): Buffer {
  const wide = [...capabilities].filter(([, version]) => version > 0xffff);
  const narrowBytes = 2 + 6 * capabilities.size;
  const body = Buffer.alloc(narrowBytes + (wide.length > 0 ? 2 + 8 * wide.length : 0));
  let at = body.writeUInt16LE(capabilities.size, 0);
  for (const [name, version] of capabilities) {
    body.write(name, at, 4, 'latin1');
    at = body.writeUInt16LE(Math.min(version, 0xffff), at + 4);
  }
  if (wide.length > 0) at = body.writeUInt16LE(wide.length, at);
  for (const [name, version] of wide) {
    body.write(name, at, 4, 'latin1');
    at = body.writeUInt32LE(version, at + 4);
  }
  return vendorPayload(VendorId.Capabilities, wide.length > 0 ? 1 : 0, body);
}
