// Connect-back requests: a servent asks a neighbour to test its port (BEAR/7 TCP, GTKG/7 UDP); the neighbour passes the request
// to one of its own neighbours (LIME/7, LIME/8).
import { ProtocolError } from '../../errors.ts';
import { type Endpoint, packEndpoint, unpackIpv4 } from '../endpoint.ts';
import { demandBody, VendorId, type VendorMessage, vendorPayload } from '../vendor-message.ts';

function portOf(body: Buffer, at: number): number {
  const port = body.readUInt16LE(at);
  if (port === 0) throw new ProtocolError('WIRE_MALFORMED', 'port 0');
  return port;
}

function portBytes(port: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(port);
  return bytes;
}

/** The port to connect to, at the link's address. Throws WIRE_TRUNCATED, WIRE_MALFORMED. */
export function parseTcpConnectBack(message: VendorMessage): number {
  return portOf(demandBody(message, 2), 0);
}

/** BEAR/7 version 1. */
export function encodeTcpConnectBack(port: number): Buffer {
  return vendorPayload(VendorId.TcpConnectBack, 1, portBytes(port));
}

export interface UdpConnectBack {
  readonly port: number;
  /** GUID of the ping to send there. */
  readonly guid: Buffer;
}

/** Reads the ping's GUID from the body (version 1) or the descriptor (version 2). Throws WIRE_TRUNCATED, WIRE_MALFORMED. */
export function parseUdpConnectBack(message: VendorMessage, descriptorGuid: Buffer): UdpConnectBack {
  const ownGuid = message.version < 2;
  const body = demandBody(message, ownGuid ? 18 : 2);
  return { port: portOf(body, 0), guid: ownGuid ? body.subarray(2, 18) : descriptorGuid };
}

/** GTKG/7 version 1: what gtk-gnutella and LimeWire send. */
export function encodeUdpConnectBack(connectBack: UdpConnectBack): Buffer {
  return vendorPayload(VendorId.UdpConnectBack, 1, Buffer.concat([portBytes(connectBack.port), connectBack.guid]));
}

/** The endpoint to connect to (LIME/7) or to ping with the descriptor's GUID (LIME/8). Not relayed. */
export function parseConnectBackRedirect(message: VendorMessage): Endpoint {
  const body = demandBody(message, 6);
  return { host: unpackIpv4(body, 0), port: portOf(body, 4) };
}

/** LIME/7 version 1. `endpoint` is IPv4. */
export function encodeTcpConnectBackRedirect(endpoint: Endpoint): Buffer {
  return vendorPayload(VendorId.TcpConnectBackRedirect, 1, packEndpoint(endpoint));
}

/** LIME/8 version 1. `endpoint` is IPv4. */
export function encodeUdpConnectBackRedirect(endpoint: Endpoint): Buffer {
  return vendorPayload(VendorId.UdpConnectBackRedirect, 1, packEndpoint(endpoint));
}
