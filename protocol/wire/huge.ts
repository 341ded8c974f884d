// The extension area between the two NULs of a query or hit record (HUGE, GEM): URNs, XML and GGEP split by 1C.
import { encodeGgep, GGEP_MAGIC, type GgepItem, InflateBudget, readGgep } from './ggep.ts';
import { decodeText } from './text.ts';
import { formatUrn, type Urn, urnOrNull } from './urn.ts';

export const SEPARATOR = 0x1c;
/** Fields looked at in one area; the rest is skipped and counted unknown. */
export const EXTENSIONS_MAX = 32;

export interface Extensions {
  readonly urns: Urn[];
  /** Items of all GGEP blocks, in order. */
  readonly ggep: GgepItem[];
  /** Offsets of the blocks that could be read: start and end of each. */
  readonly ggepBlocks: { start: number; end: number }[];
  /** The first field that looks like XML. */
  xml: string | null;
  /** Fields of no known kind: old servents put bit rates and playing times here. */
  unknown: number;
  /** Blocks and URNs that start as such and then are not. */
  malformed: number;
  /** Offset after the area, its final NUL included if there is one. */
  end: number;
}

/**
 * Walks bytes[start, end) by offset. A field that starts with C3 is a GGEP block and carries its own lengths, so a C3
 * inside a text (the first byte of "é") means nothing; any other field ends at 1C or NUL. With `endsAtNul` the area
 * ends at the first NUL between fields, as in hit records; `end` stays -1 if there is none. Elsewhere NULs separate.
 * Never throws: what is broken is counted.
 */
export function parseExtensions(
  bytes: Buffer,
  start: number,
  end: number,
  endsAtNul = false,
  budget = new InflateBudget(),
): Extensions {
  const found: Extensions = {
    urns: [],
    ggep: [],
    ggepBlocks: [],
    xml: null,
    unknown: 0,
    malformed: 0,
    end: endsAtNul ? -1 : end,
  };
  let fields = 0;
  for (let at = start; at < end; ) {
    const first = bytes.readUInt8(at);
    if (first === 0 && endsAtNul) {
      found.end = at + 1;
      break;
    }
    if (first === 0 || first === SEPARATOR) {
      at++;
      continue;
    }
    const skipped = ++fields > EXTENSIONS_MAX;
    if (first === GGEP_MAGIC && !skipped) {
      const after = readGgep(bytes, at, end, found.ggep, budget);
      if (after >= 0) {
        found.ggepBlocks.push({ start: at, end: after });
        at = after;
        continue;
      }
      found.malformed++;
    }
    let fieldEnd = at;
    while (fieldEnd < end && bytes[fieldEnd] !== SEPARATOR && bytes[fieldEnd] !== 0) fieldEnd++;
    if (skipped) found.unknown++;
    else if (first !== GGEP_MAGIC) takeText(found, bytes, at, fieldEnd);
    at = fieldEnd;
  }
  return found;
}

function takeText(found: Extensions, bytes: Buffer, start: number, end: number): void {
  const first = bytes.readUInt8(start);
  if (first === 0x3c || first === 0x7b) {
    // "<?xml", or LimeWire's "{plaintext}"
    found.xml ??= decodeText(bytes, start, end);
    return;
  }
  const text = bytes.toString('latin1', start, end);
  if (!/^urn:/i.test(text)) {
    found.unknown++;
    return;
  }
  const urn = urnOrNull(text);
  if (urn !== null) found.urns.push(urn);
  else if (/^urn:sha1:/i.test(text) ? text.length > 9 : /^urn:(?:bitprint|tree):/i.test(text)) found.malformed++;
  else if (!/^urn:(?:sha1:)?$/i.test(text)) found.unknown++; // the bare prefixes ask for URNs in hits: all send them today
}

/**
 * URNs, XML, then one GGEP block, split by single separators (gtk-gnutella drops runs of them). No NUL inside:
 * GGEP payloads that have one are COBS encoded. The caller adds the final NUL.
 */
export function encodeExtensions(urns: readonly Urn[], ggep: readonly GgepItem[], xml: string | null = null): Buffer {
  const fields: Buffer[] = [];
  for (const urn of urns) fields.push(Buffer.from(formatUrn(urn), 'latin1'));
  if (xml !== null) fields.push(Buffer.from(xml, 'utf8'));
  if (ggep.length > 0) fields.push(encodeGgep(ggep, { cobs: true }));
  const parts: Buffer[] = [];
  for (const field of fields) {
    if (parts.length > 0) parts.push(Buffer.of(SEPARATOR));
    parts.push(field);
  }
  return Buffer.concat(parts);
}
