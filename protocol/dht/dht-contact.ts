// Contacts of the DHT: vendor, version, KUID and endpoint of a node, in headers, in lists of nodes and in values.
import { ProtocolError } from '../errors.ts';
import type { ByteWriter } from '../wire/byte-writer.ts';
import type { Cursor } from '../wire/cursor.ts';
import { type Endpoint, isIpv6, packIpv6, unpackIpv4, unpackIpv6, writeIpv4 } from '../wire/endpoint.ts';
import { KUID_BYTES } from './kuid.ts';

/** Version that all contacts send: gtk-gnutella refuses to store values of others. */
export const CONTACT_VERSION = 0;
/** With an IPv4 address. */
export const CONTACT_BYTES = 33;

const ipv4Bytes: Buffer = Buffer.alloc(4);

export interface DhtContact {
  /** Four characters such as GTKG, one a byte. */
  readonly vendor: string;
  /** Major version × 256 + minor. */
  readonly version: number;
  /** 20 bytes; a view of the message when parsed. */
  readonly kuid: Buffer;
  /** May be private or port 0 when parsed: nothing of it is checked but its form. */
  readonly endpoint: Endpoint;
}

/** Throws WIRE_TRUNCATED, DHT_MALFORMED. */
export function readContact(cursor: Cursor): DhtContact {
  const vendor = readFourCharacters(cursor);
  const version = cursor.u16be();
  const kuid = cursor.take(KUID_BYTES);
  return { vendor, version, kuid, endpoint: readSocketAddress(cursor) };
}

/** Throws RangeError for what must not be sent. */
export function writeContact(writer: ByteWriter, contact: DhtContact): void {
  writeFourCharacters(writer, contact.vendor);
  writer.u16be(contact.version);
  writeKuid(writer, contact.kuid);
  writeSocketAddress(writer, contact.endpoint);
}

/**
 * Length (4 or 16), address, port big-endian. Throws DHT_MALFORMED for other lengths and for the unspecified address,
 * after which LimeWire reads no port.
 */
export function readSocketAddress(cursor: Cursor): Endpoint {
  const addressBytes = cursor.u8();
  if (addressBytes !== 4 && addressBytes !== 16) {
    throw new ProtocolError('DHT_MALFORMED', `an address of ${addressBytes} bytes`);
  }
  const at = cursor.pass(addressBytes);
  const host = addressBytes === 4 ? unpackIpv4(cursor.bytes, at) : unpackIpv6(cursor.bytes, at);
  if (isUnspecified(host)) throw new ProtocolError('DHT_MALFORMED', `the address ${host}`);
  return { host, port: cursor.u16be() };
}

/** Throws RangeError for the unspecified address: LimeWire would misread what follows. */
export function writeSocketAddress(writer: ByteWriter, { host, port }: Endpoint): void {
  if (isUnspecified(host)) throw new RangeError(`the address ${host}`);
  writer.u8(isIpv6(host) ? 16 : 4);
  writeAddress(writer, host);
  writer.u16be(port);
}

/** Without its length. */
export function writeAddress(writer: ByteWriter, host: string): void {
  if (isIpv6(host)) {
    writer.bytes(packIpv6(host));
    return;
  }
  writeIpv4(ipv4Bytes, host, 0); // used again: an answer has twenty
  writer.bytes(ipv4Bytes);
}

/** No address at all, in either family. */
export function isUnspecified(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

/** Throws RangeError unless it has 20 bytes. */
export function writeKuid(writer: ByteWriter, kuid: Buffer): void {
  if (kuid.length !== KUID_BYTES) throw new RangeError(`a KUID of ${kuid.length} bytes`);
  writer.bytes(kuid);
}

/** Texts of four characters that were read last: most are of a few vendors and types. */
const texts = new Map<number, string>();
const TEXTS_MAX = 64;

/** A vendor or the type of a value. Throws WIRE_TRUNCATED. */
export function readFourCharacters(cursor: Cursor): string {
  const at = cursor.pass(4);
  const code = cursor.bytes.readUInt32BE(at);
  const known = texts.get(code);
  if (known !== undefined) return known;
  const text = cursor.bytes.toString('latin1', at, at + 4);
  if (texts.size >= TEXTS_MAX) texts.clear();
  texts.set(code, text);
  return text;
}

/** A vendor or the type of a value. Throws RangeError unless it has four characters of one byte each. */
export function writeFourCharacters(writer: ByteWriter, text: string): void {
  if (text.length !== 4) throw new RangeError('not four characters');
  for (let i = 0; i < 4; i++) {
    const code = text.charCodeAt(i);
    if (code > 0xff) throw new RangeError('not four characters of one byte each');
    writer.u8(code);
  }
}
