// Messages of NAT-PMP (RFC 6886): the router's address outside, and a mapping.
import { ProtocolError } from '../errors.ts';
import { unpackIpv4 } from '../wire/endpoint.ts';
import type { Transport } from './transport.ts';

export const NAT_PMP_VERSION = 0;
const ADDRESS = 0;
const MAP: Readonly<Record<Transport, number>> = { udp: 1, tcp: 2 };
const RESPONSE = 0x80;

export interface NatPmpMapRequest {
  readonly transport: Transport;
  readonly internalPort: number;
  /** 0 with lifetime 0: deletes the mapping. */
  readonly externalPort: number;
  /** Seconds; 0 deletes. */
  readonly lifetime: number;
}

interface Common {
  /** 0: success. */
  readonly result: number;
  /** Seconds since the router's tables were made. */
  readonly epoch: number;
}

export type NatPmpAnswer = Common &
  (
    | { readonly kind: 'address'; readonly host: string }
    | {
        readonly kind: 'map';
        readonly transport: Transport;
        readonly internalPort: number;
        readonly externalPort: number;
        readonly lifetime: number;
      }
    /** Of a version or an operation that it does not know, or an error without the fields of its operation. */
    | { readonly kind: 'refusal'; readonly about: 'address' | Transport | null }
  );

export function encodeNatPmpAddressRequest(): Buffer {
  return Buffer.of(NAT_PMP_VERSION, ADDRESS);
}

export function encodeNatPmpMap({ transport, internalPort, externalPort, lifetime }: NatPmpMapRequest): Buffer {
  const bytes = Buffer.alloc(12);
  bytes[0] = NAT_PMP_VERSION;
  bytes[1] = MAP[transport];
  bytes.writeUInt16BE(internalPort, 4);
  bytes.writeUInt16BE(externalPort, 6);
  bytes.writeUInt32BE(lifetime, 8);
  return bytes;
}

/** Throws ProtocolError. */
export function parseNatPmpAnswer(bytes: Buffer): NatPmpAnswer {
  if (bytes.length < 4) throw new ProtocolError('WIRE_TRUNCATED', 'an answer of NAT-PMP is too short');
  const operation = bytes.readUInt8(1);
  if (bytes[0] !== NAT_PMP_VERSION || (operation & RESPONSE) === 0)
    throw new ProtocolError('WIRE_MALFORMED', 'no answer of NAT-PMP');
  const result = bytes.readUInt16BE(2);
  const epoch = bytes.length < 8 ? 0 : bytes.readUInt32BE(4);
  const about = aboutOf(operation & ~RESPONSE);
  const whole = about === 'address' ? 12 : 16;
  if (result !== 0 || about === null) {
    if (result === 0) throw new ProtocolError('WIRE_MALFORMED', 'success of an unknown operation of NAT-PMP');
    return { kind: 'refusal', about, result, epoch };
  }
  if (bytes.length < whole) throw new ProtocolError('WIRE_TRUNCATED', 'an answer of NAT-PMP is too short');
  if (about === 'address') return { kind: 'address', result, epoch, host: unpackIpv4(bytes, 8) };
  return {
    kind: 'map',
    ...{ result, epoch, transport: about },
    internalPort: bytes.readUInt16BE(8),
    externalPort: bytes.readUInt16BE(10),
    lifetime: bytes.readUInt32BE(12),
  };
}

function aboutOf(operation: number): 'address' | Transport | null {
  if (operation === ADDRESS) return 'address';
  if (operation === MAP.tcp) return 'tcp';
  return operation === MAP.udp ? 'udp' : null;
}
