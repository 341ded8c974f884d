// Messages of PCP (RFC 6887): the opcode MAP as a client sends it, and a server's answer.
import { ProtocolError } from '../errors.ts';
import { isIpv6, packIpv4, packIpv6, unpackIpv6 } from '../wire/endpoint.ts';
import type { Transport } from './transport.ts';

const PCP_VERSION = 2;
/** Of PCP and NAT-PMP alike. */
export const ROUTER_PORT = 5351;
/** Longest message (RFC 6887 §7). */
export const PCP_BYTES_MAX = 1100;
export const NONCE_BYTES = 12;
const MAP = 1;
const RESPONSE = 0x80;
const HEADER_BYTES = 24;
const MAP_BYTES = 36;
const IANA: Readonly<Record<Transport, number>> = { tcp: 6, udp: 17 };

export interface PcpMapRequest {
  readonly transport: Transport;
  /** Seconds; 0 deletes the mapping. */
  readonly lifetime: number;
  /** Our address as we send from. */
  readonly client: string;
  /** 12 bytes; the same for the life of a mapping. */
  readonly nonce: Buffer;
  readonly internalPort: number;
  /** What we would like; 0: anything. */
  readonly externalPort: number;
  /** Null: anything. */
  readonly externalHost: string | null;
}

export interface PcpMapAnswer {
  /** 0: granted. */
  readonly result: number;
  /** Seconds: of the mapping, or of the error. */
  readonly lifetime: number;
  /** Seconds since the server's tables were made. */
  readonly epoch: number;
  readonly nonce: Buffer;
  readonly transport: Transport;
  readonly internalPort: number;
  readonly externalPort: number;
  readonly externalHost: string;
}

export function encodePcpMap(request: PcpMapRequest): Buffer {
  const { transport, lifetime, client, nonce, internalPort, externalPort, externalHost } = request;
  const bytes = Buffer.alloc(HEADER_BYTES + MAP_BYTES);
  bytes[0] = PCP_VERSION;
  bytes[1] = MAP;
  bytes.writeUInt32BE(lifetime, 4);
  bytes.set(mapped(client), 8);
  bytes.set(nonce, HEADER_BYTES);
  bytes[HEADER_BYTES + 12] = IANA[transport];
  bytes.writeUInt16BE(internalPort, HEADER_BYTES + 16);
  bytes.writeUInt16BE(externalPort, HEADER_BYTES + 18);
  bytes.set(mapped(externalHost ?? (isIpv6(client) ? '::' : '0.0.0.0')), HEADER_BYTES + 20);
  return bytes;
}

/** 16 bytes; IPv4 as ::ffff:a.b.c.d. */
function mapped(host: string): Buffer {
  if (isIpv6(host)) return packIpv6(host);
  return Buffer.concat([Buffer.alloc(10), Buffer.of(0xff, 0xff), packIpv4(host)]);
}

/** Throws ProtocolError. An answer with an error may have no more than its header: it has the nonce of nothing. */
export function parsePcpMapAnswer(bytes: Buffer): PcpMapAnswer {
  if (bytes.length < HEADER_BYTES + MAP_BYTES)
    throw new ProtocolError('WIRE_TRUNCATED', 'an answer of PCP is too short');
  if (bytes.length > PCP_BYTES_MAX) throw new ProtocolError('WIRE_TOO_LONG', 'an answer of PCP is too long');
  if (bytes[0] !== PCP_VERSION || bytes[1] !== (RESPONSE | MAP))
    throw new ProtocolError('WIRE_MALFORMED', 'no answer of PCP to MAP');
  const iana = bytes.readUInt8(HEADER_BYTES + 12);
  if (iana !== IANA.tcp && iana !== IANA.udp) throw new ProtocolError('WIRE_MALFORMED', 'neither TCP nor UDP');
  return {
    result: bytes.readUInt8(3),
    lifetime: bytes.readUInt32BE(4),
    epoch: bytes.readUInt32BE(8),
    nonce: Buffer.from(bytes.subarray(HEADER_BYTES, HEADER_BYTES + NONCE_BYTES)),
    transport: iana === IANA.tcp ? 'tcp' : 'udp',
    internalPort: bytes.readUInt16BE(HEADER_BYTES + 16),
    externalPort: bytes.readUInt16BE(HEADER_BYTES + 18),
    externalHost: unpackIpv6(bytes, HEADER_BYTES + 20),
  };
}
