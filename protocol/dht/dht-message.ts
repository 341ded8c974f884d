// Messages of Mojito, the Gnutella DHT, as whole datagrams.
import { HEADER_BYTES } from '../constants.ts';
import { ProtocolError } from '../errors.ts';
import { ByteWriter } from '../wire/byte-writer.ts';
import { Cursor } from '../wire/cursor.ts';
import { DHT_HEADER_BYTES, readDhtHeader, writeDhtHeader } from './dht-header.ts';
import {
  type DhtFindNode,
  type DhtFindValue,
  type DhtFoundNode,
  type DhtFoundValue,
  readDhtFindNode,
  readDhtFindValue,
  readDhtFoundNode,
  readDhtFoundValue,
  writeDhtFindNode,
  writeDhtFindValue,
  writeDhtFoundNode,
  writeDhtFoundValue,
} from './lookup-messages.ts';
import { type DhtPing, type DhtPong, readDhtPong, writeDhtPong } from './ping-messages.ts';
import {
  type DhtStore,
  type DhtStoreAck,
  readDhtStore,
  readDhtStoreAck,
  writeDhtStore,
  writeDhtStoreAck,
} from './store-messages.ts';

export type DhtMessage =
  | DhtPing
  | DhtPong
  | DhtStore
  | DhtStoreAck
  | DhtFindNode
  | DhtFoundNode
  | DhtFindValue
  | DhtFoundValue;

const Opcode = {
  ping: 1,
  pong: 2,
  store: 3,
  storeAck: 4,
  findNode: 5,
  foundNode: 6,
  findValue: 7,
  value: 8,
} as const satisfies Record<DhtMessage['kind'], number>;

/** Obsolete requests for statistics and their answers. */
const STATS_REQUEST = 9;
const STATS_REPLY = 10;

/**
 * Reads a datagram; null for statistics, which nobody answers any more. Byte strings are views of the datagram. Bytes after
 * the body are ignored, as gtk-gnutella does. Throws WIRE_TRUNCATED, DHT_MALFORMED, DHT_TOO_LONG, DHT_UNKNOWN (opcode).
 */
export function parseDhtMessage(datagram: Buffer): DhtMessage | null {
  if (datagram.length < DHT_HEADER_BYTES) {
    throw new ProtocolError('WIRE_TRUNCATED', `a DHT message of ${datagram.length} bytes`);
  }
  const payloadBytes = datagram.readUInt32LE(HEADER_BYTES - 4);
  if (payloadBytes !== datagram.length - HEADER_BYTES) {
    throw new ProtocolError('DHT_MALFORMED', `length ${payloadBytes} in ${datagram.length} bytes`);
  }
  const cursor = new Cursor(datagram);
  const { opcode, header } = readDhtHeader(cursor);
  switch (opcode) {
    case Opcode.ping:
      return { kind: 'ping', header };
    case Opcode.pong:
      return readDhtPong(header, cursor);
    case Opcode.store:
      return readDhtStore(header, cursor);
    case Opcode.storeAck:
      return readDhtStoreAck(header, cursor);
    case Opcode.findNode:
      return readDhtFindNode(header, cursor);
    case Opcode.foundNode:
      return readDhtFoundNode(header, cursor);
    case Opcode.findValue:
      return readDhtFindValue(header, cursor);
    case Opcode.value:
      return readDhtFoundValue(header, cursor);
    case STATS_REQUEST:
    case STATS_REPLY:
      return null;
    default:
      throw new ProtocolError('DHT_UNKNOWN', `opcode ${opcode}`);
  }
}

const writer = new ByteWriter();

/** Encodes a datagram. Throws RangeError for what must not be sent: see the parts of the message. */
export function encodeDhtMessage(message: DhtMessage): Buffer {
  writer.clear();
  writeDhtHeader(writer, Opcode[message.kind], message.header);
  writeBody(message);
  const bytes = writer.copy();
  bytes.writeUInt32LE(bytes.length - HEADER_BYTES, HEADER_BYTES - 4);
  return bytes;
}

function writeBody(message: DhtMessage): void {
  switch (message.kind) {
    case 'ping':
      break;
    case 'pong':
      writeDhtPong(writer, message);
      break;
    case 'store':
      writeDhtStore(writer, message);
      break;
    case 'storeAck':
      writeDhtStoreAck(writer, message);
      break;
    case 'findNode':
      writeDhtFindNode(writer, message);
      break;
    case 'foundNode':
      writeDhtFoundNode(writer, message);
      break;
    case 'findValue':
      writeDhtFindValue(writer, message);
      break;
    case 'value':
      writeDhtFoundValue(writer, message);
      break;
  }
}
