// The address that the GUID of an out-of-band or GUESS query holds: where its hits may be sent by UDP.
import { type Endpoint, packIpv4, unpackIpv4 } from './endpoint.ts';

const PORT_AT = 13;

/** Writes an IPv4 address to bytes 0 to 3 of `guid` and the port to bytes 13 and 14, little-endian. Returns `guid`. */
export function addressGuid(guid: Buffer, endpoint: Endpoint): Buffer {
  packIpv4(endpoint.host).copy(guid, 0);
  guid.writeUInt16LE(endpoint.port, PORT_AT);
  return guid;
}

/** Reads the address from the GUID at `start`. */
export function addressInGuid(bytes: Buffer, start = 0): Endpoint {
  return { host: unpackIpv4(bytes, start), port: bytes.readUInt16LE(start + PORT_AT) };
}
