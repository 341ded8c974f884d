// The extension area between the two NULs of a query or hit record (HUGE, GEM): URNs, XML and GGEP split by 1C.
import { ByteWriter } from './byte-writer.ts';
import { GGEP_MAGIC, type GgepItem, InflateBudget, readGgep, writeGgep } from './ggep.ts';
import { decodeText } from './text.ts';
import { formatUrn, type Urn, urnOrNull } from './urn.ts';

export const SEPARATOR = 0x1c;
/** Fields parsed in one area; the rest is counted as unknown. */
export const EXTENSIONS_MAX = 32;

const NOTE_BYTES_MAX = 128;

export interface Extensions {
  readonly urns: Urn[];
  /** Items of all GGEP blocks, in order. */
  readonly ggep: GgepItem[];
  /** Start and end offsets of the well-formed blocks. */
  readonly ggepBlocks: { start: number; end: number }[];
  /** The first field that looks like XML. */
  xml: string | null;
  /** Number of fields of no known kind. */
  unknown: number;
  /** The first of them that is a short text, such as the bit rate and playing time of old servents. */
  note: string | null;
  /** Number of malformed blocks and URNs. */
  malformed: number;
  /** Offset after the area, its final NUL included if there is one. */
  end: number;
}

/**
 * Parses bytes[start, end) by offset. A field that starts with C3 is a GGEP block and carries its own lengths (a C3 inside
 * text may be the first byte of "é"); any other field ends at 1C or NUL. With `endsAtNul` the area ends at the first NUL
 * between fields, as in hit records, and `end` is -1 without one; else NULs separate. Counts malformed fields, never throws.
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
    note: null,
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
    if (text.length <= NOTE_BYTES_MAX) found.note ??= text;
    return;
  }
  const urn = urnOrNull(text);
  if (urn !== null) found.urns.push(urn);
  else if (/^urn:sha1:/i.test(text) ? text.length > 9 : /^urn:(?:bitprint|tree):/i.test(text)) found.malformed++;
  else if (!/^urn:(?:sha1:)?$/i.test(text)) found.unknown++; // the bare prefixes ask for URNs in hits, which are always sent
}

const area = new ByteWriter();

/**
 * Encodes URNs, XML and one GGEP block, split by single separators (gtk-gnutella drops queries with runs of them). COBS
 * keeps NULs out. The caller adds the final NUL.
 */
export function encodeExtensions(urns: readonly Urn[], ggep: readonly GgepItem[], xml: string | null = null): Buffer {
  area.clear();
  writeExtensions(area, urns, ggep, xml);
  return area.copy();
}

/** As encodeExtensions(), appended to a message. */
export function writeExtensions(
  writer: ByteWriter,
  urns: readonly Urn[],
  ggep: readonly GgepItem[],
  xml: string | null = null,
): void {
  let fields = 0;
  for (const urn of urns) {
    if (fields++ > 0) writer.u8(SEPARATOR);
    writeUrn(writer, urn);
  }
  if (xml !== null) {
    if (fields++ > 0) writer.u8(SEPARATOR);
    writer.text(xml);
  }
  if (ggep.length === 0) return;
  if (fields > 0) writer.u8(SEPARATOR);
  writeGgep(writer, ggep, { cobs: true });
}

function writeUrn(writer: ByteWriter, urn: Urn): void {
  if (urn.sha1 === null || urn.tigerRoot !== null) {
    writer.text(formatUrn(urn));
    return;
  }
  writer.text('urn:sha1:');
  writer.base32(urn.sha1);
}
