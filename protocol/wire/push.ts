// Push payloads: a request to a firewalled servent to connect to the sender.
import { ProtocolError } from '../errors.ts';
import { type Endpoint, isIpv6, NO_IPV4, packIpv6, unpackIpv4, unpackIpv6, writeIpv4 } from './endpoint.ts';
import { encodeGgep, type GgepItem } from './ggep.ts';
import { parseTail } from './ping.ts';

/** File index that asks for a transfer by UDP between two firewalled servents. */
export const FIREWALL_TO_FIREWALL_INDEX = 0x7ffffffd;

/** Without the GGEP tail. */
export const PUSH_BYTES_MIN = 26;

export interface Push {
  /** The servent that shall connect: 16 bytes, a view. */
  readonly serventGuid: Buffer;
  readonly fileIndex: number;
  /** Where to connect to. */
  readonly endpoint: Endpoint;
  /** The requester's IPv6 address when `endpoint` is IPv4. */
  readonly ipv6: string | null;
  readonly tls: boolean;
  /** Everything but TLS and 6. */
  readonly ggep: readonly GgepItem[];
}

/** Throws WIRE_TRUNCATED, WIRE_MALFORMED (port 0, a tail that is no GGEP), GGEP_*. */
export function parsePush(payload: Buffer): Push {
  if (payload.length < PUSH_BYTES_MIN) throw new ProtocolError('WIRE_TRUNCATED', `a push of ${payload.length} bytes`);
  const port = payload.readUInt16LE(24);
  if (port === 0) throw new ProtocolError('WIRE_MALFORMED', 'a push to port 0');
  let ipv6: string | null = null;
  let tls = false;
  const ggep: GgepItem[] = [];
  for (const item of parseTail(payload, PUSH_BYTES_MIN)) {
    if (item.id === 'TLS') tls = true;
    else if (item.id === '6' && item.payload.length === 16) ipv6 = unpackIpv6(item.payload, 0);
    else ggep.push(item);
  }
  const ipv4 = unpackIpv4(payload, 20);
  const onlyIpv6 = ipv4 === NO_IPV4 && ipv6 !== null;
  return {
    serventGuid: payload.subarray(0, 16),
    fileIndex: payload.readUInt32LE(16),
    endpoint: { host: onlyIpv6 && ipv6 !== null ? ipv6 : ipv4, port },
    ipv6: onlyIpv6 ? null : ipv6,
    tls,
    ggep,
  };
}

export function encodePush(push: Push): Buffer {
  const onlyIpv6 = isIpv6(push.endpoint.host);
  const ipv6 = onlyIpv6 ? push.endpoint.host : push.ipv6;
  const items = [...push.ggep];
  if (ipv6 !== null) items.unshift({ id: '6', payload: packIpv6(ipv6) });
  if (push.tls) items.push({ id: 'TLS', payload: Buffer.alloc(0) });
  const head = Buffer.alloc(PUSH_BYTES_MIN);
  push.serventGuid.copy(head, 0, 0, 16);
  head.writeUInt32LE(push.fileIndex, 16);
  writeIpv4(head, onlyIpv6 ? NO_IPV4 : push.endpoint.host, 20);
  head.writeUInt16LE(push.endpoint.port, 24);
  return items.length === 0 ? head : Buffer.concat([head, encodeGgep(items, { cobs: false })]);
}
