// GGEP fields that the values of the DHT have in common: GUIDs, ports and numbers.
import { GUID_BYTES } from '../constants.ts';
import { ProtocolError } from '../errors.ts';
import { encodeGgep, encodeGgepUint, type GgepItem, ggepPayload, parseGgep, readGgepUint } from '../wire/ggep.ts';
import { VALUE_DATA_BYTES_MAX } from './dht-value.ts';

/** The fields of a value; bytes after the block are ignored. Throws GGEP_MALFORMED, GGEP_TOO_LONG. */
export function readFields(data: Buffer): readonly GgepItem[] {
  return parseGgep(data, 0).items;
}

/** Throws RangeError when a value cannot hold them. */
export function encodeFields(items: readonly GgepItem[]): Buffer {
  const data = encodeGgep(items, { cobs: false });
  if (data.length > VALUE_DATA_BYTES_MAX) throw new RangeError(`a value of ${data.length} bytes`);
  return data;
}

/** 16 bytes, a view of the value. Throws DHT_MALFORMED. */
export function readGuid(items: readonly GgepItem[], id: string): Buffer {
  return fixed(items, id, GUID_BYTES);
}

/** Throws RangeError for other lengths than 16. */
export function guidField(id: string, guid: Buffer): GgepItem {
  if (guid.length !== GUID_BYTES) throw new RangeError(`a GUID of ${guid.length} bytes`);
  return { id, payload: guid };
}

/** Big-endian, 0 to 65,535. Throws DHT_MALFORMED. */
export function readPort(items: readonly GgepItem[]): number {
  return fixed(items, 'port', 2).readUInt16BE(0);
}

export function portField(port: number): GgepItem {
  const payload = Buffer.allocUnsafe(2);
  payload.writeUInt16BE(port);
  return { id: 'port', payload };
}

/** Little-endian; null without the field. Throws DHT_MALFORMED for more than 8 bytes or no safe integer. */
export function readNumber(items: readonly GgepItem[], id: string): number | null {
  const payload = ggepPayload(items, id);
  if (payload === null) return null;
  const value = readGgepUint(payload);
  if (value === null) throw new ProtocolError('DHT_MALFORMED', `${id} of ${payload.length} bytes`);
  return value;
}

/** As short as can be; 0 is one zero byte. */
export function numberField(id: string, value: number): GgepItem {
  return { id, payload: value === 0 ? Buffer.of(0) : encodeGgepUint(value) };
}

/** A field whose presence says it all. */
export function flagField(id: string): GgepItem {
  return { id, payload: Buffer.alloc(0) };
}

function fixed(items: readonly GgepItem[], id: string, bytes: number): Buffer {
  const payload = ggepPayload(items, id);
  if (payload?.length !== bytes) throw new ProtocolError('DHT_MALFORMED', `${id} is not ${bytes} bytes`);
  return payload;
}
