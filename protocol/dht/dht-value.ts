// Values of the DHT: what a creator has published under a key, with a type, a version and at most 511 bytes of data.
import { ProtocolError } from '../errors.ts';
import type { ByteWriter } from '../wire/byte-writer.ts';
import type { Cursor } from '../wire/cursor.ts';
import { isIpv6 } from '../wire/endpoint.ts';
import {
  type DhtContact,
  readContact,
  readFourCharacters,
  writeContact,
  writeFourCharacters,
  writeKuid,
} from './dht-contact.ts';
import { KUID_BYTES, kuidKey } from './kuid.ts';

/** What gtk-gnutella stores; it answers TOO_LARGE to more. */
export const VALUE_DATA_BYTES_MAX = 511;
/** Creator, key, type, version and length. */
export const VALUE_HEADER_BYTES = 61;

/** Types of values, four characters each. */
export const ValueType = {
  /** Where a file can be had: aloc.ts. */
  AltLocation: 'ALOC',
  /** Push proxies of a servent, told by itself: prox.ts. */
  PushProxies: 'PROX',
  /** A push proxy of a leaf, told by the proxy: nope.ts. */
  PushProxy: 'NOPE',
  /** In requests only: any. */
  Any: '****',
} as const;

/** Names a value in the status of a STORE. */
export interface ValueId {
  /** KUID of 20 bytes, as the creator's. */
  readonly key: Buffer;
  readonly creator: Buffer;
}

export interface DhtValue {
  /** IPv4; for values told by another node not the sender. */
  readonly creator: DhtContact;
  /** KUID of 20 bytes. */
  readonly key: Buffer;
  /** Four characters, of ValueType or any others. */
  readonly type: string;
  /** Major version × 256 + minor. */
  readonly version: number;
  /** 0 to 511 bytes; none removes the value. A view of the message when parsed. */
  readonly data: Buffer;
}

/** Names a value among those of its key. Anybody may say to have the creator's KUID: a value of another address is another one. */
export function creatorKey({ creator, type }: DhtValue): string {
  return `${kuidKey(creator.kuid)}${type}${creator.endpoint.host}`;
}

/** Size on the wire. */
export function valueBytes(value: DhtValue): number {
  return VALUE_HEADER_BYTES + value.data.length;
}

/**
 * Reads a count and that many values; those with more data than VALUE_DATA_BYTES_MAX go to `oversized` instead, by their
 * names. Throws WIRE_TRUNCATED, DHT_MALFORMED.
 */
export function readValues(cursor: Cursor, oversized: ValueId[]): DhtValue[] {
  const values: DhtValue[] = [];
  const count = cursor.u8();
  for (let i = 0; i < count; i++) {
    const creator = readContact(cursor);
    if (isIpv6(creator.endpoint.host)) throw new ProtocolError('DHT_MALFORMED', 'a creator with an IPv6 address');
    const key = cursor.take(KUID_BYTES);
    const type = readFourCharacters(cursor);
    const version = cursor.u16be();
    const data = cursor.take(cursor.u16be());
    if (data.length > VALUE_DATA_BYTES_MAX) oversized.push({ key, creator: creator.kuid });
    else values.push({ creator, key, type, version, data });
  }
  return values;
}

/** A count and the values. Throws RangeError for more than 255, too much data, a creator with IPv6. */
export function writeValues(writer: ByteWriter, values: readonly DhtValue[]): void {
  writeCount(writer, values.length);
  for (const { creator, key, type, version, data } of values) {
    if (isIpv6(creator.endpoint.host)) throw new RangeError('a creator with an IPv6 address');
    if (data.length > VALUE_DATA_BYTES_MAX) throw new RangeError(`a value of ${data.length} bytes`);
    writeContact(writer, creator);
    writeKuid(writer, key);
    writeFourCharacters(writer, type);
    writer.u16be(version);
    writer.u16be(data.length);
    writer.bytes(data);
  }
}

/** One byte. Throws RangeError over `max`. */
export function writeCount(writer: ByteWriter, count: number, max = 255): void {
  if (count > max) throw new RangeError(`a list of ${count} when at most ${max} fit`);
  writer.u8(count);
}
