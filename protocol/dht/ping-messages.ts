// PING and PONG of the DHT.
import { ProtocolError } from '../errors.ts';
import type { ByteWriter } from '../wire/byte-writer.ts';
import type { Cursor } from '../wire/cursor.ts';
import type { Endpoint } from '../wire/endpoint.ts';
import { readSocketAddress, writeSocketAddress } from './dht-contact.ts';
import type { DhtHeader } from './dht-header.ts';
import { KUID_BITS, KUID_BYTES } from './kuid.ts';

export interface DhtPing {
  readonly kind: 'ping';
  readonly header: DhtHeader;
}

export interface DhtPong {
  readonly kind: 'pong';
  readonly header: DhtHeader;
  /** Where the ping came from. Only the host can be believed: gtk-gnutella mistakes the byte order of ports. */
  readonly requester: Endpoint;
  /** Nodes in the network as the sender estimates them, below 2 ** 160. */
  readonly networkSize: bigint;
}

/** Throws WIRE_TRUNCATED, DHT_MALFORMED. */
export function readDhtPong(header: DhtHeader, cursor: Cursor): DhtPong {
  return { kind: 'pong', header, requester: readSocketAddress(cursor), networkSize: readBigInt(cursor) };
}

/** A size of 0 is sent as 1, as gtk-gnutella does: the sender is a node. */
export function writeDhtPong(writer: ByteWriter, { requester, networkSize }: DhtPong): void {
  writeSocketAddress(writer, requester);
  writeBigInt(writer, networkSize < 1n ? 1n : networkSize);
}

/** Unsigned, big-endian; LimeWire sends a leading zero byte before a set sign bit. */
function readBigInt(cursor: Cursor): bigint {
  const length = cursor.u8();
  if (length > KUID_BYTES) throw new ProtocolError('DHT_TOO_LONG', `a number of ${length} bytes`);
  const digits = cursor.take(length).toString('hex');
  return digits === '' ? 0n : BigInt(`0x${digits}`);
}

function writeBigInt(writer: ByteWriter, value: bigint): void {
  if (value >> BigInt(KUID_BITS) !== 0n) throw new RangeError('a number of more than 160 bits');
  const digits = value.toString(16);
  const bytes = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex');
  writer.u8(bytes.length);
  writer.bytes(bytes);
}
