// Push proxies: LIME/21 asks an ultrapeer to receive pushes for the sender, LIME/22 accepts, GTKG/21 cancels.
import { type Endpoint, packEndpoint, unpackIpv4 } from '../endpoint.ts';
import { demandBody, VendorId, type VendorMessage, vendorPayload } from '../vendor-message.ts';

/** LIME/21 version 1; the descriptor's GUID is the asking servent's own. */
export function encodePushProxyRequest(): Buffer {
  return vendorPayload(VendorId.PushProxyRequest, 1);
}

/** GTKG/21 version 1. */
export function encodePushProxyCancel(): Buffer {
  return vendorPayload(VendorId.PushProxyCancel, 1);
}

export interface PushProxyAck {
  /** Null in version 1, which means the link's address. */
  readonly host: string | null;
  readonly port: number;
}

/** The descriptor's GUID is the asking servent's. Throws WIRE_TRUNCATED. */
export function parsePushProxyAck(message: VendorMessage): PushProxyAck {
  if (message.version < 2) return { host: null, port: demandBody(message, 2).readUInt16LE(0) };
  const body = demandBody(message, 6);
  return { host: unpackIpv4(body, 0), port: body.readUInt16LE(4) };
}

/** LIME/22 version 2: LimeWire refuses version 1. `proxy` is IPv4. */
export function encodePushProxyAck(proxy: Endpoint): Buffer {
  return vendorPayload(VendorId.PushProxyAck, 2, packEndpoint(proxy));
}
