// Packets of reliable UDP as LimeWire sends them, and those of our own stream extension: bytes to values and back.
import { ProtocolError } from '../errors.ts';
import {
  DATA_BYTES_MAX,
  DATA1_AT,
  DATA1_BYTES,
  LENGTH_AT,
  Opcode,
  RUDP_HEADER_BYTES,
  RUDP_TYPE,
  rudpHeader,
  TYPE_AT,
} from './packet-header.ts';
import { encodeStreamOffer, type StreamOffer, streamOfferIn } from './stream-offer.ts';
import {
  encodeAbort,
  encodeReport,
  encodeSegment,
  parseAbort,
  parseReport,
  parseSegment,
  type StreamPacket,
} from './stream-packet.ts';

/** Why a connection ends, in a FIN. */
export const FinReason = {
  Normal: 0,
  YouClosed: 1,
  Timeout: 2,
  LargePacket: 3,
  TooManyResends: 4,
  SendError: 5,
} as const;

export type RudpRole = 'requestor' | 'acceptor';

export interface SynPacket {
  readonly kind: 'syn';
  /** 0: not known yet. */
  readonly peerId: number;
  /** The sender's connection, 1 to 255. */
  readonly id: number;
  readonly version: number;
  /** Null when the packet does not say. */
  readonly role: RudpRole | null;
  /** Null: the sender knows LimeWire's packets alone. */
  readonly offer: StreamOffer | null;
}

export interface AckPacket {
  readonly kind: 'ack';
  readonly peerId: number;
  /** Of the packet that arrived. */
  readonly sequence: number;
  /** Lowest sequence number that has not arrived. */
  readonly windowStart: number;
  /** Packets that the receiver has room for. */
  readonly windowSpace: number;
}

export interface KeepAlivePacket {
  readonly kind: 'keep_alive';
  readonly peerId: number;
  readonly windowStart: number;
  readonly windowSpace: number;
}

export interface DataPacket {
  readonly kind: 'data';
  readonly peerId: number;
  readonly sequence: number;
  readonly payload: Buffer;
}

export interface FinPacket {
  readonly kind: 'fin';
  readonly peerId: number;
  readonly sequence: number;
  readonly reason: number;
}

export type ClassicPacket = SynPacket | AckPacket | KeepAlivePacket | DataPacket | FinPacket;
export type RudpPacket = ClassicPacket | StreamPacket;

const ROLES: readonly (RudpRole | null)[] = [null, 'requestor', 'acceptor'];

/** The payload of segments is a view. Throws WIRE_TRUNCATED, WIRE_MALFORMED, WIRE_TOO_LONG. */
export function parseRudpPacket(bytes: Buffer): RudpPacket {
  if (bytes.length < RUDP_HEADER_BYTES) throw new ProtocolError('WIRE_TRUNCATED', `${bytes.length} bytes of a packet`);
  if (bytes.readUInt8(TYPE_AT) !== RUDP_TYPE) throw new ProtocolError('WIRE_MALFORMED', 'not a packet of reliable UDP');
  if (bytes.readUInt32LE(LENGTH_AT) !== bytes.length - RUDP_HEADER_BYTES)
    throw new ProtocolError('WIRE_MALFORMED', 'the length is not that of the datagram');
  const peerId = bytes.readUInt8(0);
  const opcode = bytes.readUInt8(1) >> 4;
  const sequence = bytes.readUInt16BE(2);
  switch (opcode) {
    case Opcode.Syn:
      return parseSyn(bytes, peerId);
    case Opcode.Ack:
      return { kind: 'ack', peerId, sequence, ...windowIn(bytes) };
    case Opcode.KeepAlive:
      return { kind: 'keep_alive', peerId, ...windowIn(bytes) };
    case Opcode.Data:
      return { kind: 'data', peerId, sequence, payload: payloadIn(bytes) };
    case Opcode.Fin:
      return { kind: 'fin', peerId, sequence, reason: bytes.readUInt8(DATA1_AT) };
    case Opcode.Segment:
      return parseSegment(bytes, peerId);
    case Opcode.Report:
      return parseReport(bytes, peerId);
    case Opcode.Abort:
      return parseAbort(bytes, peerId);
    default:
      throw new ProtocolError('WIRE_MALFORMED', `opcode ${opcode} is unknown`);
  }
}

function parseSyn(bytes: Buffer, peerId: number): SynPacket {
  const id = bytes.readUInt8(DATA1_AT);
  if (id === 0) throw new ProtocolError('WIRE_MALFORMED', 'a SYN without the connection of its sender');
  const version = bytes.readUInt16BE(DATA1_AT + 1);
  const role = version === 0 ? null : (ROLES[bytes.readUInt8(DATA1_AT + 3)] ?? null);
  return { kind: 'syn', peerId, id, version, role, offer: streamOfferIn(bytes, DATA1_AT + 4) };
}

function windowIn(bytes: Buffer): { windowStart: number; windowSpace: number } {
  return { windowStart: bytes.readUInt16BE(DATA1_AT), windowSpace: bytes.readUInt16BE(DATA1_AT + 2) };
}

function payloadIn(bytes: Buffer): Buffer {
  const first = bytes.readUInt8(1) & 0x0f;
  if (first > DATA1_BYTES) throw new ProtocolError('WIRE_MALFORMED', `${first} bytes in a field of ${DATA1_BYTES}`);
  const length = first + bytes.length - RUDP_HEADER_BYTES;
  if (length > DATA_BYTES_MAX) throw new ProtocolError('WIRE_TOO_LONG', `${length} bytes in one packet`);
  const payload = Buffer.allocUnsafe(length);
  bytes.copy(payload, 0, DATA1_AT, DATA1_AT + first);
  bytes.copy(payload, first, RUDP_HEADER_BYTES);
  return payload;
}

export function encodeRudpPacket(packet: RudpPacket): Buffer {
  switch (packet.kind) {
    case 'syn': {
      const bytes = rudpHeader(packet.peerId, Opcode.Syn, 0, 0);
      bytes[DATA1_AT] = packet.id;
      bytes.writeUInt16BE(packet.version, DATA1_AT + 1);
      if (packet.version > 0) bytes[DATA1_AT + 3] = ROLES.indexOf(packet.role);
      if (packet.offer !== null) encodeStreamOffer(packet.offer, bytes, DATA1_AT + 4);
      return bytes;
    }
    case 'ack':
      return withWindow(rudpHeader(packet.peerId, Opcode.Ack, packet.sequence, 0), packet);
    case 'keep_alive':
      return withWindow(rudpHeader(packet.peerId, Opcode.KeepAlive, 0, 0), packet);
    case 'data': {
      const { payload } = packet;
      const first = Math.min(payload.length, DATA1_BYTES);
      const bytes = rudpHeader(packet.peerId, Opcode.Data, packet.sequence, payload.length - first);
      bytes[1] = (Opcode.Data << 4) | first;
      payload.copy(bytes, DATA1_AT, 0, first);
      payload.copy(bytes, RUDP_HEADER_BYTES, first);
      return bytes;
    }
    case 'fin': {
      const bytes = rudpHeader(packet.peerId, Opcode.Fin, packet.sequence, 0);
      bytes[DATA1_AT] = packet.reason;
      return bytes;
    }
    case 'segment':
      return encodeSegment(packet);
    case 'report':
      return encodeReport(packet);
    case 'abort':
      return encodeAbort(packet);
  }
}

function withWindow(bytes: Buffer, { windowStart, windowSpace }: { windowStart: number; windowSpace: number }): Buffer {
  bytes.writeUInt16BE(windowStart, DATA1_AT);
  bytes.writeUInt16BE(windowSpace, DATA1_AT + 2);
  return bytes;
}
