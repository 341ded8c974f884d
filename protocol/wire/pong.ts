// Pong payloads: port, IPv4, shared files and KiB, then GGEP.
import { ProtocolError } from '../errors.ts';
import { type Endpoint, isIpv6, NO_IPV4, packIpv6, unpackIpv4, unpackIpv6, writeIpv4 } from './endpoint.ts';
import { joinEndpoints, pushEndpoints } from './endpoint-items.ts';
import { encodeGgep, encodeGgepUint, type GgepItem, readGgepUint } from './ggep.ts';
import { parseTail } from './ping.ts';

export const PONG_BYTES_MIN = 14;
/** Hosts read from one pong; gtk-gnutella sends 16. */
export const PONG_HOSTS_MAX = 60;
/** First byte of GGEP UP: what gtk-gnutella writes. */
const UP_VERSION = 2;

export interface Pong {
  readonly endpoint: Endpoint;
  /** A second address of the same servent, same port; null when `endpoint` is its only one. */
  readonly ipv6: string | null;
  readonly files: number;
  readonly kibibytes: number;
  /** Derived from `kibibytes`: ultrapeers send a power of two from 8 on, leaves never do. */
  readonly ultrapeer: boolean;
  readonly dailyUptimeS: number | null;
  /** Free slots. */
  readonly slots: { readonly leaf: number; readonly ultrapeer: number } | null;
  /** Four characters of GGEP VC. */
  readonly vendor: string | null;
  /** Byte after them: major version << 4 | minor. */
  readonly vendorVersion: number;
  /** GGEP GUE, support of GUESS: major << 4 | minor, 0 without a version. */
  readonly guess: number | null;
  readonly tls: boolean;
  /** Other hosts (IPP, IPP6), requested with SCP. */
  readonly hosts: readonly Endpoint[];
  /** GGEP UDPHC: the sender is a UDP host cache with this DNS name; empty: at its own address. */
  readonly udpHostCache: string | null;
  /** All other items. */
  readonly ggep: readonly GgepItem[];
}

export function isUltrapeerSize(kibibytes: number): boolean {
  return kibibytes >= 8 && (kibibytes & (kibibytes - 1)) === 0;
}

/** Default values of the optional fields. */
export const PLAIN_PONG = {
  ipv6: null,
  dailyUptimeS: null,
  slots: null,
  vendor: null,
  vendorVersion: 0,
  guess: null,
  tls: false,
  hosts: [],
  udpHostCache: null,
  ggep: [],
} as const;

/** Throws WIRE_TRUNCATED, WIRE_MALFORMED, GGEP_*. */
export function parsePong(payload: Buffer): Pong {
  if (payload.length < PONG_BYTES_MIN) throw new ProtocolError('WIRE_TRUNCATED', `a pong of ${payload.length} bytes`);
  const port = payload.readUInt16LE(0);
  const ipv4 = unpackIpv4(payload, 2);
  const kibibytes = payload.readUInt32LE(10);
  const items = parseTail(payload, PONG_BYTES_MIN);
  let ipv6: string | null = null;
  let dailyUptimeS: number | null = null;
  let slots: Pong['slots'] = null;
  let vendor: string | null = null;
  let vendorVersion = 0;
  let guess: number | null = null;
  let tls = false;
  let hosts: Endpoint[] = [];
  let udpHostCache: string | null = null;
  const ggep: GgepItem[] = [];
  for (const item of items) {
    const value = item.payload;
    switch (item.id) {
      case '6':
      case 'GTKG.IPV6':
        if (value.length === 16) ipv6 = unpackIpv6(value, 0);
        break;
      case 'DU':
        dailyUptimeS = readGgepUint(value);
        break;
      case 'UP':
        if (value.length >= 3) slots = { leaf: value.readUInt8(1), ultrapeer: value.readUInt8(2) };
        break;
      case 'VC':
        if (value.length >= 4) vendor = value.toString('latin1', 0, 4);
        vendorVersion = value[4] ?? 0;
        break;
      case 'GUE':
        guess = value[0] ?? 0;
        break;
      case 'TLS':
      case 'GTKG.TLS':
        tls = true;
        break;
      case 'IPP':
        hosts = joinEndpoints(hosts, value, 4, PONG_HOSTS_MAX);
        break;
      case 'IPP6':
        hosts = joinEndpoints(hosts, value, 16, PONG_HOSTS_MAX);
        break;
      case 'UDPHC':
        udpHostCache = value.toString('latin1');
        break;
      default:
        ggep.push(item);
    }
  }
  const onlyIpv6 = ipv4 === NO_IPV4 ? ipv6 : null;
  return {
    endpoint: { host: onlyIpv6 ?? ipv4, port },
    ipv6: onlyIpv6 === null ? ipv6 : null,
    files: payload.readUInt32LE(6),
    kibibytes,
    ultrapeer: isUltrapeerSize(kibibytes),
    dailyUptimeS,
    slots,
    vendor,
    vendorVersion,
    guess,
    tls,
    hosts,
    udpHostCache,
    ggep,
  };
}

/** Encodes the role in the count of KiB: an ultrapeer's is rounded down to a power of two, a leaf's has its lowest bit set instead. */
function kibibytesToSend(kibibytes: number, ultrapeer: boolean): number {
  const bounded = Math.min(kibibytes, 0x7fffffff);
  if (!ultrapeer) return isUltrapeerSize(bounded) ? bounded | 1 : bounded;
  return bounded < 8 ? 8 : 2 ** Math.floor(Math.log2(bounded));
}

/** Items in gtk-gnutella's order. */
export function encodePong(pong: Pong): Buffer {
  const onlyIpv6 = isIpv6(pong.endpoint.host);
  const items: GgepItem[] = [];
  if (pong.vendor !== null) {
    items.push({ id: 'VC', payload: Buffer.from([...Buffer.from(pong.vendor, 'latin1'), pong.vendorVersion]) });
  }
  if (pong.guess !== null) items.push({ id: 'GUE', payload: Buffer.of(pong.guess) });
  if (pong.slots !== null) {
    const { leaf, ultrapeer } = pong.slots;
    items.push({ id: 'UP', payload: Buffer.of(UP_VERSION, Math.min(leaf, 255), Math.min(ultrapeer, 255)) });
  }
  const ipv6 = onlyIpv6 ? pong.endpoint.host : pong.ipv6;
  if (ipv6 !== null) items.push({ id: '6', payload: packIpv6(ipv6) });
  if (pong.dailyUptimeS !== null) {
    // a day at most, as gtk-gnutella and LimeWire
    items.push({ id: 'DU', payload: encodeGgepUint(Math.min(pong.dailyUptimeS, 86_400)) });
  }
  if (pong.tls) items.push({ id: 'TLS', payload: Buffer.alloc(0) });
  pushEndpoints(items, 'IPP', pong.hosts, PONG_HOSTS_MAX);
  if (pong.udpHostCache !== null) items.push({ id: 'UDPHC', payload: Buffer.from(pong.udpHostCache, 'latin1') });
  items.push(...pong.ggep);

  const head = Buffer.alloc(PONG_BYTES_MIN);
  head.writeUInt16LE(pong.endpoint.port, 0);
  writeIpv4(head, onlyIpv6 ? NO_IPV4 : pong.endpoint.host, 2);
  head.writeUInt32LE(Math.min(pong.files, 0xffffffff), 6);
  head.writeUInt32LE(kibibytesToSend(pong.kibibytes, pong.ultrapeer), 10);
  return Buffer.concat([head, encodeGgep(items, { cobs: false })]);
}
