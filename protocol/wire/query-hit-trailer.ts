// The trailer of a query hit: vendor, flag bytes, GGEP and XML, between the last record and the servent GUID.
import { deflateSync } from 'node:zlib';
import { ProtocolError } from '../errors.ts';
import type { ByteWriter } from './byte-writer.ts';
import type { Cursor } from './cursor.ts';
import { type Endpoint, packIpv6, unpackIpv6 } from './endpoint.ts';
import { joinEndpoints, pushEndpoints } from './endpoint-items.ts';
import { GGEP_MAGIC, type GgepItem, InflateBudget, readGgep, writeGgep } from './ggep.ts';
import { decodeText } from './text.ts';

/** gtk-gnutella sends at most 8 push proxies, LimeWire 4. */
export const PUSH_PROXIES_MAX = 8;
/** Inflated XML; LimeWire's own limit. */
const XML_BYTES_MAX = 32_768;
/** The buffer that gtk-gnutella reads the XML of a hit into; it does not inflate. */
const XML_PLAIN_BYTES_MAX = 4_096;

/** Bits of the trailer's two flag bytes: the first has which are valid, the second their values; swapped for Push. */
const TrailerFlag = { Push: 0x01, Busy: 0x04, Uploaded: 0x08, Measured: 0x10, Ggep: 0x20 } as const;

/** Flags are null when the servent does not set them. */
export interface Trailer {
  /** Another address of the servent, same port. */
  readonly ipv6: string | null;
  /** Four characters; empty when an old servent sends no trailer. */
  readonly vendor: string;
  /** Firewalled: needs a push. */
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
  /** Number of malformed extensions. */
  readonly malformed: number;
}

/** Default values of the optional fields. */
export const PLAIN_TRAILER = {
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

function flagOf(enablers: number, setters: number, bit: number): boolean | null {
  return (enablers & bit) === 0 ? null : (setters & bit) !== 0;
}

/** Reads the trailer up to the cursor's end. Throws WIRE_TRUNCATED. */
export function readTrailer(cursor: Cursor, budget: InflateBudget): Trailer {
  if (cursor.left < 5) return { ...PLAIN_TRAILER, vendor: '' };
  const { bytes, end } = cursor;
  const vendor = cursor.take(4).toString('latin1');
  const openBytes = cursor.u8();
  if (openBytes > cursor.left) throw new ProtocolError('WIRE_TRUNCATED', `${openBytes} bytes of open data`);
  const enablers = openBytes >= 2 ? bytes.readUInt8(cursor.at) : 0;
  const setters = openBytes >= 2 ? bytes.readUInt8(cursor.at + 1) : 0;
  const xmlBytes = openBytes >= 4 ? bytes.readUInt16LE(cursor.at + 2) : 0;
  cursor.skip(openBytes);

  // the XML is at the end with a known size, so that a C3 in it is not taken for GGEP
  const xmlStart = xmlBytes > 1 && xmlBytes <= cursor.left ? end - xmlBytes : end;
  const items: GgepItem[] = [];
  // without the GGEP flag a C3 in the private data is not malformed
  const announced = (enablers & setters & TrailerFlag.Ggep) !== 0;
  const malformed = !readPrivateGgep(bytes, cursor.at, xmlStart, items, budget) && announced ? 1 : 0;

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
        pushProxies = joinEndpoints(pushProxies, value, 4, PUSH_PROXIES_MAX);
        break;
      case 'PUSH6':
        pushProxies = joinEndpoints(pushProxies, value, 16, PUSH_PROXIES_MAX);
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
 * Reads the first well-formed block: gtk-gnutella puts it first, LimeWire after a byte of its own. Tries four C3s.
 * False if it found some and none started a block.
 */
function readPrivateGgep(bytes: Buffer, start: number, end: number, items: GgepItem[], budget: InflateBudget): boolean {
  let tries = 0;
  for (let at = start; at < end && tries < 4; at++) {
    if (bytes[at] !== GGEP_MAGIC) continue;
    if (readGgep(bytes, at, end, items, budget) >= 0) return true;
    tries++;
  }
  return tries === 0;
}

/** Reads the XML, which may be empty: LimeWire puts "{}", "{plaintext}", "{deflate}" or nothing before it and a NUL after it. */
function readXml(bytes: Buffer, start: number, end: number, budget: InflateBudget): string | null {
  const head = bytes.toString('latin1', start, Math.min(start + 11, end)).toLowerCase();
  if (head.startsWith('{deflate}')) {
    const xmlBudget = new InflateBudget(Math.min(1, budget.streams), Math.min(XML_BYTES_MAX, budget.bytes));
    const plain = xmlBudget.inflate(bytes.subarray(start + 9, end));
    return plain === null ? null : decodeText(plain, 0, plain.length);
  }
  if (head.startsWith('{gzip}')) return null; // obsolete
  let from = start;
  if (head === '{plaintext}') from += 11;
  else if (head.startsWith('{}')) from += 2;
  const to = bytes[end - 1] === 0 ? end - 1 : end;
  return to > from ? decodeText(bytes, from, to) : null;
}

/** Text and NUL, deflated above XML_PLAIN_BYTES_MAX, where gtk-gnutella does not read it any more. */
function encodeXml(xml: string): Buffer {
  const plain = Buffer.from(`${xml}\0`, 'utf8');
  if (plain.length > XML_BYTES_MAX) throw new RangeError(`${plain.length} bytes of XML`);
  if (plain.length <= XML_PLAIN_BYTES_MAX) return plain;
  return Buffer.concat([Buffer.from('{deflate}', 'latin1'), deflateSync(plain.subarray(0, -1)), Buffer.alloc(1)]);
}

/** Appends the trailer to a message, with `ipv6` for the address of its GGEP 6; items in gtk-gnutella's order. */
export function writeTrailer(writer: ByteWriter, trailer: Trailer, ipv6: string | null): void {
  const { xml } = trailer;
  const items: GgepItem[] = [...trailer.ggep];
  if (ipv6 !== null) items.push({ id: '6', payload: packIpv6(ipv6) });
  if (trailer.tls) items.push({ id: 'TLS', payload: Buffer.alloc(0) });
  if (trailer.browsable) items.push({ id: 'BH', payload: Buffer.alloc(0) });
  pushEndpoints(items, 'PUSH', trailer.pushProxies, PUSH_PROXIES_MAX);

  let enablers = 0;
  let setters = 0;
  const flag = (bit: number, value: boolean | null): void => {
    if (value !== null) enablers |= bit;
    if (value === true) setters |= bit;
  };
  flag(TrailerFlag.Busy, trailer.busy);
  flag(TrailerFlag.Uploaded, trailer.uploaded);
  flag(TrailerFlag.Measured, trailer.measured);
  if (items.length > 0) flag(TrailerFlag.Ggep, true);
  if (trailer.push !== null) setters |= TrailerFlag.Push;
  if (trailer.push === true) enablers |= TrailerFlag.Push;

  const xmlField = xml === null ? null : encodeXml(xml);
  writer.bytes(Buffer.from(trailer.vendor, 'latin1'));
  writer.u8(xmlField === null ? 2 : 4);
  writer.u8(enablers);
  writer.u8(setters);
  if (xmlField !== null) writer.u16(xmlField.length);
  writeGgep(writer, items, { cobs: false });
  if (xmlField !== null) writer.bytes(xmlField);
}
