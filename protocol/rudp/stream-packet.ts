// Packets of the stream extension: segments of bytes, reports of what arrived, and the end of a connection at once.
import { ProtocolError } from '../errors.ts';
import { DATA1_AT, Opcode, RUDP_HEADER_BYTES, rudpHeader } from './packet-header.ts';

/** Set in the low half of a segment's opcode byte: the stream ends with it. */
const FIN = 0x01;
/** Ranges of one report; the newest are told first. */
export const RANGES_MAX = 32;
/** Delays are told in units of 1/8 ms, so up to 8 s. */
const DELAY_UNITS = 8;
const DELAY_MAX = 0xffff / DELAY_UNITS;
const RANGES_AT = RUDP_HEADER_BYTES + 2;

/** Numbers and offsets are of 32 bits and go round. */
export interface SegmentPacket {
  readonly kind: 'segment';
  readonly peerId: number;
  /** As the receiver offered it. */
  readonly tag: number;
  /** Each segment has the next, those that are sent again too. */
  readonly number: number;
  /** Of the first byte in the stream. */
  readonly offset: number;
  /** The stream ends after these bytes. The end counts as one more byte. */
  readonly fin: boolean;
  readonly payload: Buffer;
}

/** Numbers of segments that arrived, from the first to the last. */
export interface NumberRange {
  readonly first: number;
  readonly last: number;
}

export interface ReportPacket {
  readonly kind: 'report';
  readonly peerId: number;
  readonly tag: number;
  /** All bytes of the stream below this offset have arrived. */
  readonly received: number;
  /** Bytes from there on that the receiver has room for. */
  readonly window: number;
  /** Milliseconds that the receiver waited after the newest segment. */
  readonly delayMs: number;
  /** The newest first; at most RANGES_MAX. */
  readonly ranges: readonly NumberRange[];
}

export interface AbortPacket {
  readonly kind: 'abort';
  readonly peerId: number;
  readonly tag: number;
  /** As in a FIN. */
  readonly reason: number;
}

export type StreamPacket = SegmentPacket | ReportPacket | AbortPacket;

export function parseSegment(bytes: Buffer, peerId: number): SegmentPacket {
  return {
    kind: 'segment',
    peerId,
    tag: bytes.readUInt32BE(DATA1_AT),
    number: bytes.readUInt32BE(DATA1_AT + 4),
    offset: bytes.readUInt32BE(DATA1_AT + 8),
    fin: (bytes.readUInt8(1) & FIN) !== 0,
    payload: bytes.subarray(RUDP_HEADER_BYTES),
  };
}

export function encodeSegment(packet: SegmentPacket): Buffer {
  const bytes = segmentHeader(packet, packet.payload.length);
  packet.payload.copy(bytes, RUDP_HEADER_BYTES);
  return bytes;
}

/** A segment whose payload is still to be filled in, from RUDP_HEADER_BYTES on. */
export function segmentHeader(
  { peerId, tag, number, offset, fin }: Omit<SegmentPacket, 'kind' | 'payload'>,
  payloadBytes: number,
): Buffer {
  const bytes = rudpHeader(peerId, Opcode.Segment, 0, payloadBytes);
  if (fin) bytes[1] = (Opcode.Segment << 4) | FIN;
  bytes.writeUInt32BE(tag, DATA1_AT);
  bytes.writeUInt32BE(number, DATA1_AT + 4);
  bytes.writeUInt32BE(offset, DATA1_AT + 8);
  return bytes;
}

/** Throws WIRE_MALFORMED, WIRE_TOO_LONG. */
export function parseReport(bytes: Buffer, peerId: number): ReportPacket {
  const left = bytes.length - RANGES_AT;
  if (left < 0 || left % 8 !== 0) throw new ProtocolError('WIRE_MALFORMED', `${left} bytes of ranges in a report`);
  if (left > RANGES_MAX * 8) throw new ProtocolError('WIRE_TOO_LONG', `${left / 8} ranges in a report`);
  const ranges: NumberRange[] = [];
  for (let at = RANGES_AT; at < bytes.length; at += 8)
    ranges.push({ first: bytes.readUInt32BE(at), last: bytes.readUInt32BE(at + 4) });
  return {
    kind: 'report',
    peerId,
    tag: bytes.readUInt32BE(DATA1_AT),
    received: bytes.readUInt32BE(DATA1_AT + 4),
    window: bytes.readUInt32BE(DATA1_AT + 8),
    delayMs: bytes.readUInt16BE(RUDP_HEADER_BYTES) / DELAY_UNITS,
    ranges,
  };
}

export function encodeReport({ peerId, tag, received, window, delayMs, ranges }: ReportPacket): Buffer {
  const bytes = rudpHeader(peerId, Opcode.Report, 0, 2 + ranges.length * 8);
  bytes.writeUInt32BE(tag, DATA1_AT);
  bytes.writeUInt32BE(received, DATA1_AT + 4);
  bytes.writeUInt32BE(window, DATA1_AT + 8);
  bytes.writeUInt16BE(Math.floor(Math.min(Math.max(delayMs, 0), DELAY_MAX) * DELAY_UNITS), RUDP_HEADER_BYTES);
  ranges.forEach(({ first, last }, i) => {
    bytes.writeUInt32BE(first, RANGES_AT + i * 8);
    bytes.writeUInt32BE(last, RANGES_AT + i * 8 + 4);
  });
  return bytes;
}

export function parseAbort(bytes: Buffer, peerId: number): AbortPacket {
  const tag = bytes.readUInt32BE(DATA1_AT);
  return { kind: 'abort', peerId, tag, reason: bytes.readUInt8(DATA1_AT + 4) };
}

export function encodeAbort({ peerId, tag, reason }: AbortPacket): Buffer {
  const bytes = rudpHeader(peerId, Opcode.Abort, 0, 0);
  bytes.writeUInt32BE(tag, DATA1_AT);
  bytes[DATA1_AT + 4] = reason;
  return bytes;
}
