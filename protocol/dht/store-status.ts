// What a node answers to each value that it was asked to store: a code, as gtk-gnutella defines it, and a text.
import type { ByteWriter } from '../wire/byte-writer.ts';
import type { Cursor } from '../wire/cursor.ts';
import { decodeText } from '../wire/text.ts';
import { writeKuid } from './dht-contact.ts';
import { KUID_BYTES } from './kuid.ts';

/** LimeWire knows Ok and Error only. */
export const StoreCode = {
  Ok: 1,
  Error: 2,
  Full: 3,
  Loaded: 4,
  FullAndLoaded: 5,
  TooLarge: 6,
  Exhausted: 7,
  BadCreator: 8,
  BadValue: 9,
  BadType: 10,
  Quota: 11,
  DataMismatch: 12,
  BadToken: 13,
  Expired: 14,
  DatabaseFault: 15,
} as const;
export type StoreCode = (typeof StoreCode)[keyof typeof StoreCode];

const NAMES: Readonly<Record<StoreCode, string>> = {
  1: 'stored',
  2: 'refused',
  3: 'too many values for the key',
  4: 'too many requests for the key',
  5: 'too many values and requests for the key',
  6: 'value too large',
  7: 'no room for more values',
  8: 'creator refused',
  9: 'value malformed',
  10: 'type refused',
  11: 'quota of the address used up',
  12: 'data differ from what is stored',
  13: 'token invalid',
  14: 'value expired',
  15: 'database fault',
};

export interface StoreStatus {
  /** KUID under which the value was to be stored. */
  readonly key: Buffer;
  /** KUID of the value's creator. */
  readonly creator: Buffer;
  /** Of StoreCode, or any other number below 65,536. */
  readonly code: number;
  /** For people; mostly empty. */
  readonly text: string;
}

function isStoreCode(code: number): code is StoreCode {
  return code in NAMES;
}

/** What a code means, for people. */
export function storeCodeName(code: number): string {
  return isStoreCode(code) ? NAMES[code] : `status ${code}`;
}

/** Throws WIRE_TRUNCATED. */
export function readStoreStatus(cursor: Cursor): StoreStatus {
  const key = cursor.take(KUID_BYTES);
  const creator = cursor.take(KUID_BYTES);
  const code = cursor.u16be();
  const text = cursor.take(cursor.u16be());
  return { key, creator, code, text: decodeText(text, 0, text.length) };
}

/** Throws RangeError for a text of more than 65,535 bytes. */
export function writeStoreStatus(writer: ByteWriter, { key, creator, code, text }: StoreStatus): void {
  const bytes = Buffer.from(text);
  if (bytes.length > 0xffff) throw new RangeError(`a status text of ${bytes.length} bytes`);
  writeKuid(writer, key);
  writeKuid(writer, creator);
  writer.u16be(code);
  writer.u16be(bytes.length);
  writer.bytes(bytes);
}
