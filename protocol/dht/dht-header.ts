// Header of DHT messages: a Gnutella header with the sender's contact, 61 bytes, and an extension that is skipped.
import { Type } from '../constants.ts';
import { ProtocolError } from '../errors.ts';
import type { ByteWriter } from '../wire/byte-writer.ts';
import type { Cursor } from '../wire/cursor.ts';
import { isIpv6, unpackIpv4 } from '../wire/endpoint.ts';
import {
  type DhtContact,
  isUnspecified,
  readFourCharacters,
  writeAddress,
  writeFourCharacters,
  writeKuid,
} from './dht-contact.ts';
import { KUID_BYTES } from './kuid.ts';

/** Without an extension. */
export const DHT_HEADER_BYTES = 61;
export const MUID_BYTES = 16;

const FIREWALLED = 0x01;
const LEAVING = 0x02;

export interface DhtHeader {
  /** 16 random bytes of the request, the same in its reply; a view of the datagram when parsed. */
  readonly muid: Buffer;
  /** What the sender says of itself; IPv4. The address may be wrong, even 0.0.0.0: answer to the datagram's source. */
  readonly contact: DhtContact;
  /** Another number when the node has restarted with the same KUID. */
  readonly instance: number;
  /** The sender answers no requests. Also read from port 0. */
  readonly firewalled: boolean;
  /** The sender shuts down. */
  readonly leaving: boolean;
}

/** Reads a header whose payload length has been checked, and the opcode in it. Throws WIRE_TRUNCATED, DHT_MALFORMED. */
export function readDhtHeader(cursor: Cursor): { readonly opcode: number; readonly header: DhtHeader } {
  const muid = cursor.take(MUID_BYTES);
  if (cursor.u8() !== Type.Dht) throw new ProtocolError('DHT_MALFORMED', 'no DHT message');
  cursor.skip(6); // version of the message and its length
  const opcode = cursor.u8();
  const vendor = readFourCharacters(cursor);
  const version = cursor.u16be();
  const kuid = cursor.take(KUID_BYTES);
  const addressBytes = cursor.u8();
  if (addressBytes !== 4) throw new ProtocolError('DHT_MALFORMED', `a sender's address of ${addressBytes} bytes`);
  const host = unpackIpv4(cursor.bytes, cursor.pass(4));
  const port = cursor.u16be();
  const instance = cursor.u8();
  const flags = cursor.u8();
  cursor.skip(cursor.u16be());
  const contact = { vendor, version, kuid, endpoint: { host, port } };
  const firewalled = (flags & FIREWALLED) !== 0 || port === 0;
  return { opcode, header: { muid, contact, instance, firewalled, leaving: (flags & LEAVING) !== 0 } };
}

/** Writes a header whose length is to be filled in. Throws RangeError for what must not be sent, such as IPv6 or 0.0.0.0. */
export function writeDhtHeader(writer: ByteWriter, opcode: number, header: DhtHeader): void {
  const { muid, contact, instance } = header;
  const { host, port } = contact.endpoint;
  if (muid.length !== MUID_BYTES) throw new RangeError(`a MUID of ${muid.length} bytes`);
  if (isIpv6(host) || isUnspecified(host)) throw new RangeError(`a sender's address ${host}`);
  writer.bytes(muid);
  writer.u8(Type.Dht);
  writer.u16(0);
  writer.u32(0);
  writer.u8(opcode);
  writeFourCharacters(writer, contact.vendor);
  writer.u16be(contact.version);
  writeKuid(writer, contact.kuid);
  writer.u8(4);
  writeAddress(writer, host);
  writer.u16be(port);
  writer.u8(instance);
  writer.u8((header.firewalled ? FIREWALLED : 0) | (header.leaving ? LEAVING : 0));
  writer.u16be(0);
}
