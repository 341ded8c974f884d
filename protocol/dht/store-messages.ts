// STORE and STORE_ACK of the DHT.
import type { ByteWriter } from '../wire/byte-writer.ts';
import type { Cursor } from '../wire/cursor.ts';
import type { DhtHeader } from './dht-header.ts';
import { type DhtValue, readValues, type ValueId, writeCount, writeValues } from './dht-value.ts';
import { readStoreStatus, type StoreStatus, writeStoreStatus } from './store-status.ts';
import { readToken, writeToken } from './token-field.ts';

export interface DhtStore {
  readonly kind: 'store';
  readonly header: DhtHeader;
  /** What the node that shall store has sent in its FOUND_NODE. */
  readonly token: Buffer;
  readonly values: readonly DhtValue[];
  /** Values whose data were too long to be read, to be answered so. Never sent. */
  readonly oversized: readonly ValueId[];
}

export interface DhtStoreAck {
  readonly kind: 'storeAck';
  readonly header: DhtHeader;
  /** For each value, or for the first ones when not all fit. */
  readonly statuses: readonly StoreStatus[];
}

/** Throws WIRE_TRUNCATED, DHT_MALFORMED. */
export function readDhtStore(header: DhtHeader, cursor: Cursor): DhtStore {
  const token = readToken(cursor);
  const oversized: ValueId[] = [];
  const values = readValues(cursor, oversized);
  return { kind: 'store', header, token, values, oversized };
}

export function writeDhtStore(writer: ByteWriter, { token, values }: DhtStore): void {
  writeToken(writer, token);
  writeValues(writer, values);
}

/** Throws WIRE_TRUNCATED. */
export function readDhtStoreAck(header: DhtHeader, cursor: Cursor): DhtStoreAck {
  const statuses: StoreStatus[] = [];
  const count = cursor.u8();
  for (let i = 0; i < count; i++) statuses.push(readStoreStatus(cursor));
  return { kind: 'storeAck', header, statuses };
}

export function writeDhtStoreAck(writer: ByteWriter, { statuses }: DhtStoreAck): void {
  writeCount(writer, statuses.length);
  for (const status of statuses) writeStoreStatus(writer, status);
}
