// Query hit payloads: records (one a file), then the trailer with vendor, flags, GGEP, XML, and the servent GUID.
import { GUID_BYTES } from '../constants.ts';
import { ProtocolError } from '../errors.ts';
import { Cursor } from './cursor.ts';
import {
  type Endpoint,
  isIpv6,
  packEndpoint,
  packIpv6,
  unpackEndpoints,
  unpackIpv4,
  unpackIpv6,
  writeIpv4,
} from './endpoint.ts';
import {
  encodeGgep,
  encodeGgepUint,
  GGEP_MAGIC,
  type GgepItem,
  InflateBudget,
  readGgep,
  readGgepUint,
} from './ggep.ts';
import { encodeExtensions, parseExtensions } from './huge.ts';
import { NO_IPV4 } from './pong.ts';
import { decodeText } from './text.ts';
import { TIGER_BYTES, urnOfGgepH } from './urn.ts';

/** Count, port, IPv4 and speed before the records. */
const HEAD_BYTES = 11;
/** Index, size, an empty name and two NULs. */
const RECORD_BYTES_MIN = 10;
/** From this size on the field reads FFFFFFFF and GGEP LF has the size (gtk-gnutella, LimeWire). */
const LARGE_FILE_BYTES = 2 ** 31;
/** LimeWire takes a hit with more records for a bad one. */
export const HITS_MAX = 10;
/** Alternate locations in one record, as both vendors send at most. */
export const ALTERNATES_MAX = 10;
/** gtk-gnutella sends at most 8 push proxies, LimeWire 4. */
export const PUSH_PROXIES_MAX = 8;
/** Inflated XML; LimeWire's own limit. */
const XML_BYTES_MAX = 32_768;

/** Bits of the trailer's two flag bytes: the first says which are valid, the second what they are; push the other way. */
const TrailerFlag = { Push: 0x01, Busy: 0x04, Uploaded: 0x08, Measured: 0x10, Ggep: 0x20 } as const;

/** One record: a file that somebody has. */
export interface Hit {
  /** Names the file in /get/<index>/<name> and in pushes; unique within the servent. */
  readonly index: number;
  /** Bytes, a safe integer. */
  readonly size: number;
  /** Text as sent: nothing is made safe for a file system here. */
  readonly name: string;
  readonly sha1: Buffer | null;
  readonly tigerRoot: Buffer | null;
  /** Seconds since 1970. */
  readonly createdAt: number | null;
  readonly alternates: readonly Endpoint[];
  /** Items not folded into the other fields. */
  readonly ggep: readonly GgepItem[];
}

/** Flags of the trailer are null where the servent did not say. */
export interface QueryHit {
  readonly endpoint: Endpoint;
  /** A second address of the same servent, same port; null when `endpoint` is its only one. */
  readonly ipv6: string | null;
  readonly speedKbps: number;
  readonly hits: readonly Hit[];
  /** Four characters; empty from servents so old that they send no trailer. */
  readonly vendor: string;
  /** Cannot be connected to. */
  readonly push: boolean | null;
  /** Has no free upload slot. */
  readonly busy: boolean | null;
  /** Has uploaded something already. */
  readonly uploaded: boolean | null;
  /** The speed is measured, not set by hand. */
  readonly measured: boolean | null;
  readonly browsable: boolean;
  readonly tls: boolean;
  readonly pushProxies: readonly Endpoint[];
  /** Items not folded into the other fields. */
  readonly ggep: readonly GgepItem[];
  readonly xml: string | null;
  readonly serventGuid: Buffer;
  /** Extensions that could not be read. The rest of the hit is good; how much of this to bear is policy. */
  readonly malformed: number;
}

/** The fields of a record that many do without. */
export const PLAIN_HIT = { sha1: null, tigerRoot: null, createdAt: null, alternates: [], ggep: [] } as const;

/** The fields of a query hit that many do without. */
export const PLAIN_QUERY_HIT = {
  ipv6: null,
  push: null,
  busy: null,
  uploaded: null,
  measured: null,
  browsable: false,
  tls: false,
  pushProxies: [],
  ggep: [],
  xml: null,
  malformed: 0,
} as const;

/** Last 16 bytes, which routing of pushes needs, without parsing the rest; a view. */
export function serventGuidOf(payload: Buffer): Buffer {
  return payload.subarray(payload.length - GUID_BYTES);
}

/** Shorter payloads are no query hits. */
export const QUERY_HIT_PAYLOAD_BYTES_MIN = HEAD_BYTES + GUID_BYTES;

/** Throws WIRE_TRUNCATED or WIRE_MALFORMED; names that are not UTF-8 are read as Latin-1. */
export function parseQueryHit(payload: Buffer): QueryHit {
  if (payload.length < QUERY_HIT_PAYLOAD_BYTES_MIN) {
    throw new ProtocolError('WIRE_TRUNCATED', `a query hit of ${payload.length} bytes`);
  }
  const count = payload.readUInt8(0);
  const port = payload.readUInt16LE(1);
  const ipv4 = unpackIpv4(payload, 3);
  const budget = new InflateBudget();
  const cursor = new Cursor(payload, HEAD_BYTES, payload.length - GUID_BYTES);
  if (count * RECORD_BYTES_MIN > cursor.left) {
    throw new ProtocolError('WIRE_TRUNCATED', `${count} records in ${cursor.left} bytes`);
  }
  const hits: Hit[] = [];
  let malformed = 0;
  for (let i = 0; i < count; i++) malformed += readRecord(cursor, hits, budget);
  const trailer = readTrailer(cursor, budget);
  const onlyIpv6 = trailer.ipv6 !== null && ipv4 === NO_IPV4;
  return {
    endpoint: { host: onlyIpv6 && trailer.ipv6 !== null ? trailer.ipv6 : ipv4, port },
    speedKbps: payload.readUInt32LE(7),
    hits,
    ipv6: onlyIpv6 ? null : trailer.ipv6,
    vendor: trailer.vendor,
    // field by field: spreading the trailer here costs more than reading it
    push: trailer.push,
    busy: trailer.busy,
    uploaded: trailer.uploaded,
    measured: trailer.measured,
    browsable: trailer.browsable,
    tls: trailer.tls,
    pushProxies: trailer.pushProxies,
    ggep: trailer.ggep,
    xml: trailer.xml,
    serventGuid: serventGuidOf(payload),
    malformed: malformed + trailer.malformed,
  };
}

/** Appends a record to `hits`; returns the count of what was malformed in its extensions. */
function readRecord(cursor: Cursor, hits: Hit[], budget: InflateBudget): number {
  const index = cursor.u32();
  let size = cursor.u32();
  const nameEnd = cursor.find(0);
  const name = decodeText(cursor.bytes, cursor.at, nameEnd);
  const found = parseExtensions(cursor.bytes, nameEnd + 1, cursor.end, true, budget);
  if (found.end < 0) throw new ProtocolError('WIRE_MALFORMED', 'a record without its final NUL');
  cursor.at = found.end;

  let { malformed } = found;
  let sha1: Buffer | null = null;
  let tigerRoot: Buffer | null = null;
  let createdAt: number | null = null;
  let alternates: Endpoint[] = [];
  const ggep: GgepItem[] = [];
  for (const urn of found.urns) {
    sha1 ??= urn.sha1;
    tigerRoot ??= urn.tigerRoot;
  }
  for (const item of found.ggep) {
    const value = item.payload;
    switch (item.id) {
      case 'H': {
        const urn = urnOfGgepH(value);
        if (urn === null) ggep.push(item); // other kinds of hash
        sha1 ??= urn?.sha1 ?? null;
        tigerRoot ??= urn?.tigerRoot ?? null;
        break;
      }
      case 'TT':
        if (value.length === TIGER_BYTES) tigerRoot ??= value;
        else malformed++;
        break;
      case 'LF': {
        const large = readGgepUint(value);
        if (large !== null && large > 0) size = large;
        else malformed++;
        break;
      }
      case 'CT':
        createdAt = readGgepUint(value);
        break;
      case 'ALT':
        alternates = alternates.concat(unpackEndpoints(value, 4, ALTERNATES_MAX - alternates.length));
        break;
      case 'ALT6':
        alternates = alternates.concat(unpackEndpoints(value, 16, ALTERNATES_MAX - alternates.length));
        break;
      default:
        ggep.push(item);
    }
  }
  hits.push({ index, size, name, sha1, tigerRoot, createdAt, alternates, ggep });
  return malformed;
}

type Trailer = Omit<QueryHit, 'endpoint' | 'speedKbps' | 'hits' | 'serventGuid'>;

function flagOf(enablers: number, setters: number, bit: number): boolean | null {
  return (enablers & bit) === 0 ? null : (setters & bit) !== 0;
}

function readTrailer(cursor: Cursor, budget: InflateBudget): Trailer {
  if (cursor.left < 5) return { ...PLAIN_QUERY_HIT, vendor: '' };
  const { bytes, end } = cursor;
  const vendor = cursor.take(4).toString('latin1');
  const openBytes = cursor.u8();
  if (openBytes > cursor.left) throw new ProtocolError('WIRE_TRUNCATED', `${openBytes} bytes of open data`);
  const enablers = openBytes >= 2 ? bytes.readUInt8(cursor.at) : 0;
  const setters = openBytes >= 2 ? bytes.readUInt8(cursor.at + 1) : 0;
  const xmlBytes = openBytes >= 4 ? bytes.readUInt16LE(cursor.at + 2) : 0;
  cursor.skip(openBytes);

  // XML sits at the end, sized; GGEP before it. So no C3 within the XML is ever taken for GGEP.
  const xmlStart = xmlBytes > 1 && xmlBytes <= cursor.left ? end - xmlBytes : end;
  const items: GgepItem[] = [];
  const malformed = readPrivateGgep(bytes, cursor.at, xmlStart, items, budget);

  let ipv6: string | null = null;
  let browsable = false;
  let tls = false;
  let pushProxies: Endpoint[] = [];
  const ggep: GgepItem[] = [];
  for (const item of items) {
    const value = item.payload;
    switch (item.id) {
      case '6':
      case 'GTKG.IPV6':
        if (value.length === 16) ipv6 = unpackIpv6(value, 0);
        break;
      case 'BH':
        browsable = true;
        break;
      case 'TLS':
      case 'GTKG.TLS':
        tls = true;
        break;
      case 'PUSH':
        pushProxies = pushProxies.concat(unpackEndpoints(value, 4, PUSH_PROXIES_MAX - pushProxies.length));
        break;
      case 'PUSH6':
        pushProxies = pushProxies.concat(unpackEndpoints(value, 16, PUSH_PROXIES_MAX - pushProxies.length));
        break;
      default:
        ggep.push(item);
    }
  }
  return {
    ipv6,
    vendor,
    push: flagOf(setters, enablers, TrailerFlag.Push),
    busy: flagOf(enablers, setters, TrailerFlag.Busy),
    uploaded: flagOf(enablers, setters, TrailerFlag.Uploaded),
    measured: flagOf(enablers, setters, TrailerFlag.Measured),
    browsable,
    tls,
    pushProxies,
    ggep,
    xml: xmlStart < end ? readXml(bytes, xmlStart, end, budget) : null,
    malformed,
  };
}

/**
 * gtk-gnutella puts the block first, LimeWire after a byte of its own: the first C3 that starts a good block is it.
 * Returns 1 if there were candidates and none was good.
 */
function readPrivateGgep(bytes: Buffer, start: number, end: number, items: GgepItem[], budget: InflateBudget): number {
  let tries = 0;
  for (let at = start; at < end && tries < 4; at++) {
    if (bytes[at] !== GGEP_MAGIC) continue;
    if (readGgep(bytes, at, end, items, budget) >= 0) return 0;
    tries++;
  }
  return tries > 0 ? 1 : 0;
}

/** LimeWire puts "{}", "{plaintext}", "{deflate}" or nothing before the XML, which may be empty; NUL after it. */
function readXml(bytes: Buffer, start: number, end: number, budget: InflateBudget): string | null {
  const head = bytes.toString('latin1', start, Math.min(start + 11, end)).toLowerCase();
  if (head.startsWith('{deflate}')) {
    const xmlBudget = new InflateBudget(Math.min(1, budget.streams), Math.min(XML_BYTES_MAX, budget.bytes));
    const plain = xmlBudget.inflate(bytes.subarray(start + 9, end));
    return plain === null ? null : decodeText(plain, 0, plain.length);
  }
  if (head.startsWith('{gzip}')) return null; // nobody sends it any more
  let from = start;
  if (head === '{plaintext}') from += 11;
  else if (head.startsWith('{}')) from += 2;
  const to = bytes[end - 1] === 0 ? end - 1 : end;
  return to > from ? decodeText(bytes, from, to) : null;
}

/** `urn:sha1:` and GGEP both, for gtk-gnutella and LimeWire read different ones. Up to 255 hits; send HITS_MAX. */
export function encodeQueryHit(queryHit: QueryHit): Buffer {
  const { endpoint, hits, vendor, serventGuid } = queryHit;
  if (hits.length > 255) throw new RangeError(`${hits.length} hits in one query hit`);
  if (vendor.length !== 4 || serventGuid.length !== GUID_BYTES) throw new RangeError('vendor or servent GUID');
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt8(hits.length, 0);
  head.writeUInt16LE(endpoint.port, 1);
  writeIpv4(head, isIpv6(endpoint.host) ? NO_IPV4 : endpoint.host, 3);
  head.writeUInt32LE(Math.min(queryHit.speedKbps, 0xffffffff), 7);
  const parts: Buffer[] = [head];
  for (const hit of hits) encodeRecord(hit, parts);
  encodeTrailer(queryHit, parts);
  parts.push(serventGuid);
  return Buffer.concat(parts);
}

function encodeRecord(hit: Hit, parts: Buffer[]): void {
  if (hit.name.includes('\0')) throw new RangeError('a NUL in a file name');
  const large = hit.size >= LARGE_FILE_BYTES;
  const numbers = Buffer.alloc(8);
  numbers.writeUInt32LE(hit.index, 0);
  numbers.writeUInt32LE(large ? 0xffffffff : hit.size, 4);

  const items: GgepItem[] = [];
  if (hit.tigerRoot !== null) items.push({ id: 'TT', payload: hit.tigerRoot });
  pushEndpoints(items, 'ALT', hit.alternates, ALTERNATES_MAX);
  if (large) items.push({ id: 'LF', payload: encodeGgepUint(hit.size) });
  if (hit.createdAt !== null) items.push({ id: 'CT', payload: encodeGgepUint(hit.createdAt) });
  items.push(...hit.ggep);

  const nul = Buffer.alloc(1);
  const urns = hit.sha1 === null ? [] : [{ sha1: hit.sha1, tigerRoot: null }];
  parts.push(numbers, Buffer.from(hit.name, 'utf8'), nul, encodeExtensions(urns, items), nul);
}

/** The first `endpointsMax`, split by family as `<id>` and `<id>6`. */
function pushEndpoints(items: GgepItem[], id: string, endpoints: readonly Endpoint[], endpointsMax: number): void {
  const sent = endpoints.slice(0, endpointsMax);
  const v4 = sent.filter(endpoint => !isIpv6(endpoint.host)).map(packEndpoint);
  const v6 = sent.filter(endpoint => isIpv6(endpoint.host)).map(packEndpoint);
  if (v4.length > 0) items.push({ id, payload: Buffer.concat(v4) });
  if (v6.length > 0) items.push({ id: `${id}6`, payload: Buffer.concat(v6) });
}

function encodeTrailer(queryHit: QueryHit, parts: Buffer[]): void {
  const { endpoint, xml } = queryHit;
  const items: GgepItem[] = [...queryHit.ggep];
  const ipv6 = isIpv6(endpoint.host) ? endpoint.host : queryHit.ipv6;
  if (ipv6 !== null) items.push({ id: '6', payload: packIpv6(ipv6) });
  if (queryHit.tls) items.push({ id: 'TLS', payload: Buffer.alloc(0) });
  if (queryHit.browsable) items.push({ id: 'BH', payload: Buffer.alloc(0) });
  pushEndpoints(items, 'PUSH', queryHit.pushProxies, PUSH_PROXIES_MAX);

  let enablers = 0;
  let setters = 0;
  const flag = (bit: number, value: boolean | null): void => {
    if (value !== null) enablers |= bit;
    if (value === true) setters |= bit;
  };
  flag(TrailerFlag.Busy, queryHit.busy);
  flag(TrailerFlag.Uploaded, queryHit.uploaded);
  flag(TrailerFlag.Measured, queryHit.measured);
  if (items.length > 0) flag(TrailerFlag.Ggep, true);
  if (queryHit.push !== null) setters |= TrailerFlag.Push;
  if (queryHit.push === true) enablers |= TrailerFlag.Push;

  const xmlField = xml === null ? null : Buffer.from(`${xml}\0`, 'utf8');
  if (xmlField !== null && xmlField.length > 0xffff) throw new RangeError(`${xmlField.length} bytes of XML`);
  const open =
    xmlField === null
      ? Buffer.of(2, enablers, setters)
      : Buffer.of(4, enablers, setters, xmlField.length & 0xff, xmlField.length >> 8);
  parts.push(Buffer.from(queryHit.vendor, 'latin1'), open, encodeGgep(items, { cobs: false }));
  if (xmlField !== null) parts.push(xmlField);
}
