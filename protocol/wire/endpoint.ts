// Addresses with ports: as text, as packed bytes (address in network order, port little-endian), and their scope.
import ipaddr from 'ipaddr.js';
import { DEFAULT_PORT } from '../constants.ts';
import { ProtocolError } from '../errors.ts';

/** `host` is textual IPv4, or IPv6 in lower case without brackets; IPv4-mapped IPv6 is written as IPv4. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** Endpoints read from one list, textual or packed; LimeWire and gtk-gnutella send 10 to 20. */
export const ENDPOINTS_MAX = 100;

/** IPv4 field of a servent that has only IPv6 (gtk-gnutella); its address is in GGEP 6. */
export const NO_IPV4 = '127.0.0.0';
export const PACKED_IPV4_BYTES = 6;
export const PACKED_IPV6_BYTES = 18;

export function isIpv6(host: string): boolean {
  return host.includes(':');
}

/** The /64 of an IPv6 address, which one host may have all of. */
export function ipv6Network(host: string): string {
  return ipaddr.IPv6.parse(host).parts.slice(0, 4).join(':');
}

// no leading zeros: some programs read them as octal
const STRICT_IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;

/** Canonical text of an address, IPv4-mapped ones as IPv4 (what Node's dual-stack sockets report), or null. */
export function canonicalHost(text: string): string | null {
  if (STRICT_IPV4.test(text)) return text;
  // no zone ids: they are local to one machine
  if (!text.includes(':') || text.length > 45 || text.includes('%') || !ipaddr.IPv6.isValid(text)) return null;
  const address = ipaddr.IPv6.parse(text);
  return address.isIPv4MappedAddress() ? address.toIPv4Address().toString() : address.toRFC5952String();
}

function portOf(text: string): number {
  return /^\d{1,5}$/.test(text) ? Number(text) : -1;
}

/** Parses like parseEndpoint; null instead of an exception. */
export function endpointOrNull(text: string, defaultPort?: number): Endpoint | null {
  let hostText = text;
  let port = defaultPort ?? -1;
  const bracketed = text.startsWith('[');
  if (bracketed) {
    const close = text.indexOf(']');
    hostText = text.slice(1, close);
    if (close < 0 || !hostText.includes(':')) return null;
    if (close + 1 < text.length) port = text[close + 1] === ':' ? portOf(text.slice(close + 2)) : -1;
  } else {
    const colon = text.indexOf(':');
    // more than one colon without brackets: a bare IPv6 address, which leaves no room for a port
    if (colon >= 0 && colon === text.lastIndexOf(':')) {
      hostText = text.slice(0, colon);
      port = portOf(text.slice(colon + 1));
    }
  }
  if (port < 1 || port > 65535) return null;
  const host = canonicalHost(hostText);
  return host === null ? null : { host, port };
}

/** `1.2.3.4:6346`, `[::1]:6346`; without a port only when a default is given. Neither host names nor port 0. */
export function parseEndpoint(text: string, defaultPort?: number): Endpoint {
  const endpoint = endpointOrNull(text, defaultPort);
  if (endpoint === null) throw new ProtocolError('ENDPOINT_MALFORMED', `not an address and port: ${text.slice(0, 60)}`);
  return endpoint;
}

/** Letters and digits of any script, `_`, `-` and single dots between them. */
const HOST_NAME = /^(?=.{1,253}$)[\p{L}\p{N}_](?:[\p{L}\p{N}_-]|\.(?!\.))*$/u;
/** A name whose last label is a number is a mistyped IPv4 address. */
const NUMBER_LAST = /(?:^|\.)\d+\.?$/;

/** What addressOrNull() understands, for messages. */
export const ADDRESS_EXPECTED =
  'HOST or HOST:PORT, such as 192.0.2.7, servent.example or [2001:db8::7]:6347 (a name without a dot needs its port)';

/**
 * Normalises a typed address to HOST:PORT, or returns null. Accepts an IP address or a host name, IPv6 with or without brackets; the
 * default port is 6346. Refuses `::1:6347` (ambiguous) and a single word without a port. Does not resolve names.
 */
export function addressOrNull(text: string): string | null {
  const given = text.trim();
  const endpoint = endpointOrNull(given, DEFAULT_PORT);
  if (endpoint !== null) return isAmbiguous(given) ? null : formatEndpoint(endpoint);
  const [name = '', portText] = given.split(/:(.*)/s, 2);
  const port = portText === undefined ? DEFAULT_PORT : portOf(portText);
  if (port < 1 || port > 65_535 || !HOST_NAME.test(name) || NUMBER_LAST.test(name)) return null;
  if (portText === undefined && !name.includes('.') && name.toLowerCase() !== 'localhost') return null;
  return `${name.toLowerCase()}:${port}`;
}

/** IPv6 without brackets whose last part may be meant as a port. */
function isAmbiguous(text: string): boolean {
  const colon = text.lastIndexOf(':');
  return (
    /^\d{1,5}$/.test(text.slice(colon + 1)) &&
    isIpv6(text.slice(0, colon)) &&
    canonicalHost(text.slice(0, colon)) !== null
  );
}

/**
 * Parses a list such as X-Try-Ultrapeers (`a:p, b:p`). Cuts the date after a blank in old X-Try entries. Skips bad entries
 * and those after the first `endpointsMax`.
 */
export function parseEndpointList(text: string, defaultPort?: number, endpointsMax = ENDPOINTS_MAX): Endpoint[] {
  const endpoints: Endpoint[] = [];
  for (let at = 0; at < text.length && endpoints.length < endpointsMax; ) {
    let end = text.indexOf(',', at);
    if (end < 0) end = text.length;
    const [entry = ''] = text.slice(at, end).trim().split(/\s/, 1);
    const endpoint = endpointOrNull(entry, defaultPort);
    if (endpoint !== null) endpoints.push(endpoint);
    at = end + 1;
  }
  return endpoints;
}

/** `1.2.3.4:6346` or `[::1]:6346`. */
export function formatEndpoint(endpoint: Endpoint): string {
  return isIpv6(endpoint.host) ? `[${endpoint.host}]:${endpoint.port}` : `${endpoint.host}:${endpoint.port}`;
}

let lastHost = '';
let lastPort = 0;
let lastKey = ':0';

/**
 * The text of formatEndpoint() in one piece, for keys that are kept: V8 keeps what a template makes as a tree of its parts. What one message
 * brings about asks for the key of its source several times: the last one is remembered.
 */
export function endpointKey({ host, port }: Endpoint): string {
  if (port !== lastPort || host !== lastHost) {
    lastKey = (isIpv6(host) ? ['[', host, ']:', port] : [host, ':', port]).join('');
    lastHost = host;
    lastPort = port;
  }
  return lastKey;
}

/** Removes duplicates, keeping the order. */
export function distinct(endpoints: readonly Endpoint[]): Endpoint[] {
  return [...new Map(endpoints.map(endpoint => [formatEndpoint(endpoint), endpoint])).values()];
}

/** 4 address bytes. `host` must be canonical IPv4. */
export function packIpv4(host: string): Buffer {
  const bytes = Buffer.alloc(4);
  writeIpv4(bytes, host, 0);
  return bytes;
}

/** Writes 4 address bytes at `at`. Throws ENDPOINT_MALFORMED unless `host` has four parts. */
export function writeIpv4(target: Buffer, host: string, at: number): void {
  let octet = 0;
  let index = 0;
  for (let i = 0; i < host.length; i++) {
    const code = host.charCodeAt(i);
    if (code === 0x2e) {
      target[at + index++] = octet;
      octet = 0;
    } else octet = octet * 10 + code - 0x30;
  }
  target[at + index] = octet;
  if (index !== 3) throw new ProtocolError('ENDPOINT_MALFORMED', `not IPv4: ${host}`);
}

/** 16 address bytes; IPv4 comes out mapped. */
export function packIpv6(host: string): Buffer {
  const address = ipaddr.parse(host);
  const v6 = address instanceof ipaddr.IPv4 ? address.toIPv4MappedAddress() : address;
  return Buffer.from(v6.toByteArray());
}

/** Address bytes as written (4 or 16), then the port little-endian. */
export function packEndpoint(endpoint: Endpoint): Buffer {
  const v6 = isIpv6(endpoint.host);
  const bytes = Buffer.allocUnsafe(v6 ? PACKED_IPV6_BYTES : PACKED_IPV4_BYTES);
  if (v6) bytes.set(packIpv6(endpoint.host));
  else writeIpv4(bytes, endpoint.host, 0);
  bytes.writeUInt16LE(endpoint.port, bytes.length - 2);
  return bytes;
}

/** Text of the 4 address bytes at `at`. Runs for every pong and hit, hence without the library. */
export function unpackIpv4(bytes: Buffer, at: number): string {
  return `${bytes.readUInt8(at)}.${bytes.readUInt8(at + 1)}.${bytes.readUInt8(at + 2)}.${bytes.readUInt8(at + 3)}`;
}

/** Canonical text of the 16 bytes at `at`; IPv4-mapped addresses come out as IPv4. */
export function unpackIpv6(bytes: Buffer, at: number): string {
  const address = new ipaddr.IPv6([...bytes.subarray(at, at + 16)]);
  return address.isIPv4MappedAddress() ? address.toIPv4Address().toString() : address.toRFC5952String();
}

/** Reads packed endpoints of 6 bytes (IPv4) or 18 (IPv6) each; ignores an incomplete last one. */
export function unpackEndpoints(bytes: Buffer, addressBytes: 4 | 16, endpointsMax = ENDPOINTS_MAX): Endpoint[] {
  const endpoints: Endpoint[] = [];
  const step = addressBytes + 2;
  for (let at = 0; at + step <= bytes.length && endpoints.length < endpointsMax; at += step) {
    const host = addressBytes === 4 ? unpackIpv4(bytes, at) : unpackIpv6(bytes, at);
    endpoints.push({ host, port: bytes.readUInt16LE(at + addressBytes) });
  }
  return endpoints;
}

export type Reach = 'loopback' | 'private' | 'public' | 'unusable';

/** IPv4 ranges that are not public: first address, bits of the prefix, reach. The IANA registry of special-purpose addresses. */
const IPV4_RANGES: readonly (readonly [string, number, Reach])[] = [
  ['0.0.0.0', 8, 'unusable'],
  ['10.0.0.0', 8, 'private'],
  ['100.64.0.0', 10, 'private'],
  ['127.0.0.0', 8, 'loopback'],
  ['169.254.0.0', 16, 'private'],
  ['172.16.0.0', 12, 'private'],
  ['192.0.0.0', 24, 'unusable'],
  ['192.0.2.0', 24, 'unusable'],
  ['192.88.99.0', 24, 'unusable'],
  ['192.168.0.0', 16, 'private'],
  ['198.18.0.0', 15, 'unusable'],
  ['198.51.100.0', 24, 'unusable'],
  ['203.0.113.0', 24, 'unusable'],
  ['224.0.0.0', 3, 'unusable'],
];
const IPV4_PREFIXES = IPV4_RANGES.map(([first, bits, reach]) => {
  const shift = 32 - bits;
  return { prefix: ipv4Number(first) >>> shift, shift, reach };
});

/** The 32 bits of a canonical IPv4 address, unsigned. */
function ipv4Number(host: string): number {
  let number = 0;
  let octet = 0;
  for (let i = 0; i < host.length; i++) {
    const code = host.charCodeAt(i);
    if (code === 0x2e) {
      number = (number << 8) | octet;
      octet = 0;
    } else octet = octet * 10 + code - 0x30;
  }
  return ((number << 8) | octet) >>> 0;
}

/** Runs for every pong, hence without the library. */
function ipv4Reach(host: string): Reach {
  const number = ipv4Number(host);
  for (const { prefix, shift, reach } of IPV4_PREFIXES) if (number >>> shift === prefix) return reach;
  return 'public';
}

/** Who answers at an endpoint, for what is remembered of it: a public address is one's own, behind others there may be many. */
export function ownerOf(endpoint: Endpoint): string {
  return reachOf(endpoint.host) === 'public' ? endpoint.host : formatEndpoint(endpoint);
}

/**
 * Classifies an address by where it can be dialled from. `private`: RFC 1918, link-local, unique local, carrier-grade NAT.
 * `unusable`: unspecified, multicast, broadcast, reserved, benchmarking and documentation ranges, as in gtk-gnutella's
 * bogon list without 179/8 (allocated since), and text that is no address.
 */
export function reachOf(host: string): Reach {
  const canonical = canonicalHost(host);
  if (canonical === null) return 'unusable';
  if (!isIpv6(canonical)) return ipv4Reach(canonical);
  const address = ipaddr.IPv6.parse(canonical);
  switch (address.range()) {
    case 'loopback':
      return 'loopback';
    case 'linkLocal':
    case 'uniqueLocal':
      return 'private';
    case 'unicast':
    case 'amt':
    case 'teredo':
      return 'public';
    case '6to4': {
      // its packets go on to the IPv4 address in it: RFC 3964 forbids those that are not public
      const [, high = 0, low = 0] = address.parts;
      return ipv4Reach(`${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`) === 'public' ? 'public' : 'unusable';
    }
    default:
      return 'unusable';
  }
}
