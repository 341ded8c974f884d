// Query payloads: BE16 flags, text, NUL, extensions.
import { ProtocolError } from '../errors.ts';
import { encodeGgep, encodeGgepUint, type GgepItem, readGgepUint, withGgepItems, withoutGgepItems } from './ggep.ts';
import { encodeExtensions, parseExtensions, SEPARATOR } from './huge.ts';
import { decodeText } from './text.ts';
import { type Urn, urnOfGgepH, urnOrNull } from './urn.ts';

/** Bits in the high byte of the former "minimum speed" field; the low byte is the largest number of hits wanted. */
export const QueryFlag = {
  /** The others are valid. gtk-gnutella drops queries without it. */
  Marked: 0x8000,
  Firewalled: 0x4000,
  Xml: 0x2000,
  LeafGuided: 0x1000,
  GgepH: 0x0800,
  /** Hits by UDP to the address in the GUID. */
  OutOfBand: 0x0400,
  FirewalledTransfer: 0x0200,
  /** Semi-reliable UDP: never set it, gtk-gnutella would use it. */
  ReliableUdp: 0x0100,
} as const;

/** gtk-gnutella drops longer queries, and closes the link over one of 1024 bytes. */
export const QUERY_PAYLOAD_BYTES_MAX = 256;
export const QUERY_PAYLOAD_BYTES_MIN = 4;
/** Text of a query by URN only, as LimeWire expects it. */
export const URN_QUERY_TEXT = '\\';
export const WHATS_NEW_TEXT = 'WhatIsNewXOXO';

export interface Query {
  /** QueryFlag bits; 0 when not marked (the field is a speed then). */
  readonly flags: number;
  /** 0: no limit. */
  readonly maxHits: number;
  /** From GGEP XQ when present: LimeWire cuts long texts in the field. */
  readonly text: string;
  /** HUGE URNs and those of GGEP H and u, alternatives. */
  readonly urns: readonly Urn[];
  /** Items not folded into the other fields. */
  readonly ggep: readonly GgepItem[];
  readonly xml: string | null;
  /** Number of malformed extensions. */
  readonly malformed: number;
}

export interface QueryDraft {
  readonly text: string;
  readonly urns?: readonly Urn[];
  /** Marked by default. */
  readonly flags?: number;
  readonly maxHits?: number;
  readonly ggep?: readonly GgepItem[];
  readonly xml?: string | null;
}

/** Offset of the NUL after the text, which starts at 2; -1 without one. */
export function queryTextEnd(payload: Buffer): number {
  return payload.indexOf(0, 2);
}

/** QueryFlag bits and maxHits together, 0 when not marked. The payload has at least two bytes. */
export function queryFlags(payload: Buffer): number {
  const field = payload.readUInt16BE(0);
  return (field & QueryFlag.Marked) === 0 ? 0 : field;
}

/** Whether hits may go by UDP to the address in the GUID. The payload has a NUL after the text. */
export function wantsOutOfBand(payload: Buffer): boolean {
  if ((queryFlags(payload) & QueryFlag.OutOfBand) !== 0) return true;
  if (!payload.includes('SO')) return false; // the usual case, without parsing
  const { ggep } = parseExtensions(payload, queryTextEnd(payload) + 1, payload.length);
  return ggep.some(({ id }) => id === 'SO');
}

/** Whether hits should carry metadata as XML: asked for by flag, or by metadata in the query. */
export function wantsXml({ flags, xml }: Pick<Query, 'flags' | 'xml'>): boolean {
  return (flags & QueryFlag.Xml) !== 0 || xml !== null;
}

/** Parses text as UTF-8 or else Latin-1. Throws WIRE_TRUNCATED, or WIRE_MALFORMED for a text without a NUL. */
export function parseQuery(payload: Buffer): Query {
  if (payload.length < 3) throw new ProtocolError('WIRE_TRUNCATED', `a query of ${payload.length} bytes`);
  const textEnd = queryTextEnd(payload);
  if (textEnd < 0) throw new ProtocolError('WIRE_MALFORMED', 'a query without end of text');
  const field = queryFlags(payload);
  let text = decodeText(payload, 2, textEnd);
  const urns: Urn[] = [];
  const ggep: GgepItem[] = [];
  let xml: string | null = null;
  let malformed = 0;
  if (textEnd + 1 < payload.length) {
    const found = parseExtensions(payload, textEnd + 1, payload.length);
    xml = found.xml;
    malformed = found.malformed;
    urns.push(...found.urns);
    for (const item of found.ggep) {
      if (item.id === 'H' || item.id === 'u') {
        const urn = item.id === 'H' ? urnOfGgepH(item.payload) : urnOfU(item.payload);
        if (urn !== null) urns.push(urn);
        else malformed++;
      } else if (item.id === 'XQ') text = decodeText(item.payload, 0, item.payload.length);
      else ggep.push(item);
    }
  }
  return { flags: field & 0xff00, maxHits: field & 0xff, text, urns, ggep, xml, malformed };
}

/** GGEP u: a URN without its "urn:". */
function urnOfU(payload: Buffer): Urn | null {
  const text = payload.toString('latin1');
  return urnOrNull(/^urn:/i.test(text) ? text : `urn:${text}`);
}

/** Encodes with a NUL after extensions, as LimeWire does. An empty text with URNs becomes URN_QUERY_TEXT. Throws RangeError for a NUL in the text. */
export function encodeQuery(query: QueryDraft): Buffer {
  const urns = query.urns ?? [];
  const text = query.text === '' && urns.length > 0 ? URN_QUERY_TEXT : query.text;
  if (text.includes('\0')) throw new RangeError('a NUL in a query text');
  const head = Buffer.alloc(2);
  head.writeUInt16BE(((query.flags ?? QueryFlag.Marked) & 0xff00) | ((query.maxHits ?? 0) & 0xff));
  const extensions = encodeExtensions(urns, query.ggep ?? [], query.xml ?? null);
  const nul = Buffer.alloc(1);
  const parts: Buffer[] = [head, Buffer.from(text, 'utf8'), nul];
  if (extensions.length > 0) parts.push(extensions, nul);
  return Buffer.concat(parts);
}

/**
 * Copies a payload without the GGEP items of these ids. Copies the rest as encoded, since re-encoding parsed values could
 * make it longer.
 */
export function queryWithout(payload: Buffer, ids: ReadonlySet<string>): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  for (const { start, end } of parseExtensions(payload, queryTextEnd(payload) + 1, payload.length).ggepBlocks) {
    const rest = withoutGgepItems(payload.subarray(start, end), ids);
    // removes the separator of an emptied block: gtk-gnutella drops queries with runs of them
    const separated = rest.length === 0 && payload[start - 1] === SEPARATOR;
    parts.push(payload.subarray(at, Math.max(at, separated ? start - 1 : start)), rest);
    at = end + (rest.length === 0 && !separated && payload[end] === SEPARATOR ? 1 : 0);
  }
  return Buffer.concat([...parts, payload.subarray(at)]);
}

/** Copies a payload with further GGEP items, in its last block or in one of their own. Copies the rest as encoded. */
export function queryWith(payload: Buffer, items: readonly GgepItem[]): Buffer {
  const start = queryTextEnd(payload) + 1;
  const block = parseExtensions(payload, start, payload.length).ggepBlocks.at(-1);
  if (block !== undefined) {
    const more = withGgepItems(payload.subarray(block.start, block.end), items);
    return Buffer.concat([payload.subarray(0, block.start), more, payload.subarray(block.end)]);
  }
  let end = payload.length;
  while (end > start && (payload[end - 1] === 0 || payload[end - 1] === SEPARATOR)) end--;
  const parts = [payload.subarray(0, end), encodeGgep(items, { cobs: true }), Buffer.alloc(1)];
  if (end > start) parts.splice(1, 0, Buffer.of(SEPARATOR));
  return Buffer.concat(parts);
}

/** GGEP of a What's New query, whose text is WHATS_NEW_TEXT. */
export const WHATS_NEW_GGEP: GgepItem = { id: 'WH', payload: encodeGgepUint(1) };

/** Whether bytes[start, end) is the text of a What's New query. Enough for relaying. */
export function isWhatsNewText(bytes: Buffer, start: number, end: number): boolean {
  if (end - start !== WHATS_NEW_TEXT.length) return false;
  return bytes.latin1Slice(start, end).toLowerCase() === WHATS_NEW_TEXT.toLowerCase();
}

/** Whether the query asks for new files: GGEP WH = 1 and no URN. */
export function isWhatsNew({ ggep, urns }: Pick<Query, 'ggep' | 'urns'>): boolean {
  return urns.length === 0 && ggep.some(({ id, payload }) => id === 'WH' && readGgepUint(payload) === 1);
}
