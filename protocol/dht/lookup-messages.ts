// FIND_NODE, FOUND_NODE, FIND_VALUE and VALUE of the DHT.
import { ProtocolError } from '../errors.ts';
import type { ByteWriter } from '../wire/byte-writer.ts';
import type { Cursor } from '../wire/cursor.ts';
import {
  type DhtContact,
  readContact,
  readFourCharacters,
  writeContact,
  writeFourCharacters,
  writeKuid,
} from './dht-contact.ts';
import type { DhtHeader } from './dht-header.ts';
import { type DhtValue, readValues, writeCount, writeValues } from './dht-value.ts';
import { KUID_BYTES } from './kuid.ts';
import { readToken, writeToken } from './token-field.ts';

/** k of Kademlia. */
export const FOUND_CONTACTS_MAX = 20;

export interface DhtFindNode {
  readonly kind: 'findNode';
  readonly header: DhtHeader;
  readonly target: Buffer;
}

export interface DhtFoundNode {
  readonly kind: 'foundNode';
  readonly header: DhtHeader;
  /** To be sent back when storing there; empty when the node gave none. */
  readonly token: Buffer;
  /** At most 20, nearest first. */
  readonly contacts: readonly DhtContact[];
}

export interface DhtFindValue {
  readonly kind: 'findValue';
  readonly header: DhtHeader;
  readonly key: Buffer;
  /** KUIDs of creators whose values are wanted; none: those of all. */
  readonly secondaryKeys: readonly Buffer[];
  /** Four characters, of ValueType or any others. */
  readonly type: string;
}

export interface DhtFoundValue {
  readonly kind: 'value';
  readonly header: DhtHeader;
  /** Requests for the key a minute; a finite number of 0 or more. */
  readonly load: number;
  readonly values: readonly DhtValue[];
  /** KUIDs of creators whose values did not fit: to be asked for. */
  readonly secondaryKeys: readonly Buffer[];
}

/** Throws WIRE_TRUNCATED. */
export function readDhtFindNode(header: DhtHeader, cursor: Cursor): DhtFindNode {
  return { kind: 'findNode', header, target: cursor.take(KUID_BYTES) };
}

export function writeDhtFindNode(writer: ByteWriter, { target }: DhtFindNode): void {
  writeKuid(writer, target);
}

/** Throws WIRE_TRUNCATED, DHT_MALFORMED, DHT_TOO_LONG. */
export function readDhtFoundNode(header: DhtHeader, cursor: Cursor): DhtFoundNode {
  const token = readToken(cursor);
  const count = cursor.u8();
  if (count > FOUND_CONTACTS_MAX) throw new ProtocolError('DHT_TOO_LONG', `${count} contacts`);
  const contacts: DhtContact[] = [];
  for (let i = 0; i < count; i++) contacts.push(readContact(cursor));
  return { kind: 'foundNode', header, token, contacts };
}

export function writeDhtFoundNode(writer: ByteWriter, { token, contacts }: DhtFoundNode): void {
  writeToken(writer, token);
  writeCount(writer, contacts.length, FOUND_CONTACTS_MAX);
  for (const contact of contacts) writeContact(writer, contact);
}

/** Throws WIRE_TRUNCATED. */
export function readDhtFindValue(header: DhtHeader, cursor: Cursor): DhtFindValue {
  const key = cursor.take(KUID_BYTES);
  const secondaryKeys = readKuids(cursor);
  return { kind: 'findValue', header, key, secondaryKeys, type: readFourCharacters(cursor) };
}

export function writeDhtFindValue(writer: ByteWriter, { key, secondaryKeys, type }: DhtFindValue): void {
  writeKuid(writer, key);
  writeKuids(writer, secondaryKeys);
  writeFourCharacters(writer, type);
}

/** Leaves out values with too much data. Throws WIRE_TRUNCATED, DHT_MALFORMED. */
export function readDhtFoundValue(header: DhtHeader, cursor: Cursor): DhtFoundValue {
  const load = cursor.take(4).readFloatBE(0);
  const values = readValues(cursor, []);
  // gtk-gnutella before 0.98.4 leaves out the count when it is 0
  const secondaryKeys = cursor.left === 0 ? [] : readKuids(cursor);
  return { kind: 'value', header, load: Number.isFinite(load) && load > 0 ? load : 0, values, secondaryKeys };
}

export function writeDhtFoundValue(writer: ByteWriter, { load, values, secondaryKeys }: DhtFoundValue): void {
  const float = Buffer.allocUnsafe(4);
  float.writeFloatBE(load);
  writer.bytes(float);
  writeValues(writer, values);
  writeKuids(writer, secondaryKeys);
}

function readKuids(cursor: Cursor): Buffer[] {
  const kuids: Buffer[] = [];
  const count = cursor.u8();
  for (let i = 0; i < count; i++) kuids.push(cursor.take(KUID_BYTES));
  return kuids;
}

function writeKuids(writer: ByteWriter, kuids: readonly Buffer[]): void {
  writeCount(writer, kuids.length);
  for (const kuid of kuids) writeKuid(writer, kuid);
}
