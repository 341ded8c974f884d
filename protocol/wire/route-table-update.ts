// QRP messages (0x30): RESET and PATCH as bytes. qrp/patch.ts applies sequences of them.
import { ProtocolError } from '../errors.ts';

/** The largest table of gtk-gnutella and LimeWire. */
export const QRP_SLOTS_MAX = 1 << 21;

const RESET_BYTES = 6;
/** Variant, sequence, count, compressor, entry bits. */
const PATCH_HEAD_BYTES = 5;

export type EntryBits = 1 | 2 | 4 | 8;

export interface TableReset {
  readonly kind: 'reset';
  /** A power of two. */
  readonly slots: number;
  /** Smallest distance that means "not present", 1 to 127. */
  readonly infinity: number;
}

export interface TablePatch {
  readonly kind: 'patch';
  /** 1 to `count`. */
  readonly sequence: number;
  /** Number of messages of the patch, at most 255. */
  readonly count: number;
  /** The data of all messages together is one zlib stream. */
  readonly deflated: boolean;
  /** A 1-bit entry flips the slot; LimeWire reads only 4 and 8. */
  readonly entryBits: EntryBits;
  /** A view. */
  readonly data: Buffer;
}

export type RouteTableUpdate = TableReset | TablePatch;

/** Throws WIRE_TRUNCATED, WIRE_MALFORMED, WIRE_TOO_LONG (a table over QRP_SLOTS_MAX). */
export function parseRouteTableUpdate(payload: Buffer): RouteTableUpdate {
  if (payload.length < 1) throw new ProtocolError('WIRE_TRUNCATED', 'an empty QRP message');
  switch (payload.readUInt8(0)) {
    case 0:
      return parseReset(payload);
    case 1:
      return parsePatch(payload);
    default:
      throw new ProtocolError('WIRE_MALFORMED', `QRP variant ${payload.readUInt8(0)}`);
  }
}

function parseReset(payload: Buffer): TableReset {
  if (payload.length < RESET_BYTES) throw new ProtocolError('WIRE_TRUNCATED', `a RESET of ${payload.length} bytes`);
  const slots = payload.readUInt32LE(1);
  const infinity = payload.readUInt8(5);
  if (slots > QRP_SLOTS_MAX) throw new ProtocolError('WIRE_TOO_LONG', `a QRP table of ${slots} slots`);
  if (!isPowerOfTwo(slots)) throw new ProtocolError('WIRE_MALFORMED', `a QRP table of ${slots} slots`);
  if (infinity < 1 || infinity > 127) throw new ProtocolError('WIRE_MALFORMED', `QRP infinity ${infinity}`);
  return { kind: 'reset', slots, infinity };
}

function parsePatch(payload: Buffer): TablePatch {
  if (payload.length < PATCH_HEAD_BYTES) {
    throw new ProtocolError('WIRE_TRUNCATED', `a PATCH of ${payload.length} bytes`);
  }
  const sequence = payload.readUInt8(1);
  const count = payload.readUInt8(2);
  const compressor = payload.readUInt8(3);
  const entryBits = payload.readUInt8(4);
  if (sequence < 1 || sequence > count) throw new ProtocolError('WIRE_MALFORMED', `PATCH ${sequence} of ${count}`);
  if (compressor > 1) throw new ProtocolError('WIRE_MALFORMED', `QRP compressor ${compressor}`);
  if (!isEntryBits(entryBits)) throw new ProtocolError('WIRE_MALFORMED', `QRP entries of ${entryBits} bits`);
  const data = payload.subarray(PATCH_HEAD_BYTES);
  return { kind: 'patch', sequence, count, deflated: compressor === 1, entryBits, data };
}

export function encodeRouteTableUpdate(update: RouteTableUpdate): Buffer {
  if (update.kind === 'reset') {
    const payload = Buffer.alloc(RESET_BYTES);
    payload.writeUInt32LE(update.slots, 1);
    payload.writeUInt8(update.infinity, 5);
    return payload;
  }
  const { sequence, count, deflated, entryBits, data } = update;
  const payload = Buffer.allocUnsafe(PATCH_HEAD_BYTES + data.length);
  payload.set([1, sequence, count, deflated ? 1 : 0, entryBits]);
  data.copy(payload, PATCH_HEAD_BYTES);
  return payload;
}

function isPowerOfTwo(value: number): boolean {
  return value > 0 && (value & (value - 1)) === 0;
}

function isEntryBits(bits: number): bits is EntryBits {
  return bits === 1 || bits === 2 || bits === 4 || bits === 8;
}
