// Query hit payloads: records (one a file), then the trailer with vendor, flags, GGEP, XML, and the servent GUID.
import { GUID_BYTES } from '../constants.ts';
import { ProtocolError } from '../errors.ts';
import { ByteWriter } from './byte-writer.ts';
import { Cursor } from './cursor.ts';
import { type Endpoint, isIpv6, NO_IPV4, packIpv4, unpackIpv4 } from './endpoint.ts';
import { joinEndpoints, pushEndpoints } from './endpoint-items.ts';
import { encodeGgepUint, type GgepItem, InflateBudget, readGgepUint } from './ggep.ts';
import { parseExtensions, writeExtensions } from './huge.ts';
import { PLAIN_TRAILER, readTrailer, type Trailer, writeTrailer } from './query-hit-trailer.ts';
import { decodeText } from './text.ts';
import { TIGER_BYTES, urnOfGgepH } from './urn.ts';

/** Count, port, IPv4 and speed before the records. */
const HEAD_BYTES = 11;
/** Index, size, an empty name and two NULs. */
const RECORD_BYTES_MIN = 10;
/** From this size on the size field is FFFFFFFF and GGEP LF has the size (gtk-gnutella, LimeWire). */
const LARGE_FILE_BYTES = 2 ** 31;
/** LimeWire refuses a hit with more records. */
export const HITS_MAX = 10;
/** Alternate locations in one record, as in gtk-gnutella and LimeWire. */
export const ALTERNATES_MAX = 10;

/** One record: one file. */
export interface Hit {
  /** Identifies the file in /get/<index>/<name> and in pushes; unique within the servent. */
  readonly index: number;
  /** Bytes, a safe integer. */
  readonly size: number;
  /** As sent, not sanitised for a file system. */
  readonly name: string;
  readonly sha1: Buffer | null;
  readonly tigerRoot: Buffer | null;
  /** Seconds since 1970. */
  readonly createdAt: number | null;
  readonly alternates: readonly Endpoint[];
  /** Items not folded into the other fields. */
  readonly ggep: readonly GgepItem[];
  /** A text of old servents, such as `192 kbps 44 kHz 3:25`; not encoded. */
  readonly note: string | null;
}

/** All of a query hit. The second address (ipv6) is null when `endpoint` is its only one. */
export interface QueryHit extends Trailer {
  readonly endpoint: Endpoint;
  readonly speedKbps: number;
  readonly hits: readonly Hit[];
  readonly serventGuid: Buffer;
}

/** Default values of the optional fields. */
export const PLAIN_HIT = {
  sha1: null,
  tigerRoot: null,
  createdAt: null,
  alternates: [],
  ggep: [],
  note: null,
} as const;

/** Default values of the optional fields of a query hit. */
export const PLAIN_QUERY_HIT = PLAIN_TRAILER;

/** The last 16 bytes, for routing pushes; a view. */
export function serventGuidOf(payload: Buffer): Buffer {
  return payload.subarray(payload.length - GUID_BYTES);
}

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
  const onlyIpv6 = ipv4 === NO_IPV4 ? trailer.ipv6 : null;
  return {
    endpoint: { host: onlyIpv6 ?? ipv4, port },
    speedKbps: payload.readUInt32LE(7),
    hits,
    ipv6: onlyIpv6 === null ? trailer.ipv6 : null,
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
        if (urn === null) ggep.push(item); // another kind of hash
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
        alternates = joinEndpoints(alternates, value, 4, ALTERNATES_MAX);
        break;
      case 'ALT6':
        alternates = joinEndpoints(alternates, value, 16, ALTERNATES_MAX);
        break;
      default:
        ggep.push(item);
    }
  }
  hits.push({ index, size, name, sha1, tigerRoot, createdAt, alternates, ggep, note: found.note });
  return malformed;
}

const message = new ByteWriter();

/** Encodes up to 255 hits; senders keep to HITS_MAX. Throws RangeError for more, a NUL in a name, a bad vendor or GUID. */
export function encodeQueryHit(queryHit: QueryHit): Buffer {
  const { endpoint, hits, vendor, serventGuid } = queryHit;
  if (hits.length > 255) throw new RangeError(`${hits.length} hits in one query hit`);
  if (vendor.length !== 4 || serventGuid.length !== GUID_BYTES) throw new RangeError('vendor or servent GUID');
  message.clear();
  message.u8(hits.length);
  message.u16(endpoint.port);
  message.bytes(packIpv4(isIpv6(endpoint.host) ? NO_IPV4 : endpoint.host));
  message.u32(Math.min(queryHit.speedKbps, 0xffffffff));
  for (const hit of hits) writeRecord(message, hit);
  writeTrailer(message, queryHit, isIpv6(endpoint.host) ? endpoint.host : queryHit.ipv6);
  message.bytes(serventGuid);
  return message.copy();
}

function writeRecord(writer: ByteWriter, hit: Hit): void {
  if (hit.name.includes('\0')) throw new RangeError('a NUL in a file name');
  const large = hit.size >= LARGE_FILE_BYTES;
  writer.u32(hit.index);
  writer.u32(large ? 0xffffffff : hit.size);
  writer.text(hit.name);
  writer.u8(0);

  const items: GgepItem[] = [];
  if (hit.tigerRoot !== null) items.push({ id: 'TT', payload: hit.tigerRoot });
  if (hit.alternates.length > 0) pushEndpoints(items, 'ALT', hit.alternates, ALTERNATES_MAX);
  if (large) items.push({ id: 'LF', payload: encodeGgepUint(hit.size) });
  if (hit.createdAt !== null) items.push({ id: 'CT', payload: encodeGgepUint(hit.createdAt) });
  items.push(...hit.ggep);
  writeExtensions(writer, hit.sha1 === null ? [] : [{ sha1: hit.sha1, tigerRoot: null }], items);
  writer.u8(0);
}
