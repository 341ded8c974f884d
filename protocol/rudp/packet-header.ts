// The 23 bytes that every packet of reliable UDP begins with.

/** Byte 16 of every packet, where a descriptor has its type. */
export const RUDP_TYPE = 0x41;
export const RUDP_HEADER_BYTES = 23;
/** Bytes of the first data field, in the header. */
export const DATA1_BYTES = 12;
/** Bytes that a DATA packet may carry; LimeWire takes 4,096. */
export const DATA_BYTES_MAX = 4_096;

export const DATA1_AT = 4;
export const TYPE_AT = 16;
export const LENGTH_AT = 19;

export const Opcode = { Syn: 0, Ack: 1, KeepAlive: 2, Data: 3, Fin: 4, Segment: 8, Report: 9, Abort: 10 } as const;

/** A packet with its header filled in and data fields of zeros. */
export function rudpHeader(peerId: number, opcode: number, sequence: number, data2Bytes: number): Buffer {
  const bytes = Buffer.allocUnsafe(RUDP_HEADER_BYTES + data2Bytes);
  bytes.fill(0, DATA1_AT, RUDP_HEADER_BYTES);
  bytes[0] = peerId;
  bytes[1] = opcode << 4;
  bytes.writeUInt16BE(sequence, 2);
  bytes[TYPE_AT] = RUDP_TYPE;
  bytes[TYPE_AT + 1] = 1; // as a TTL, which nobody reads
  bytes.writeUInt32LE(data2Bytes, LENGTH_AT);
  return bytes;
}
