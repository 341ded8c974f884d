// GGEP extension blocks: the byte C3, then items with flags, id and length. Read by offset.
import { deflateSync, inflateSync } from 'node:zlib';
import { ProtocolError } from '../errors.ts';
import { ByteWriter } from './byte-writer.ts';

export interface GgepItem {
  /** 1 to 15 printable ASCII characters. */
  readonly id: string;
  /** Decoded from COBS and deflate; a view of the message when neither was used. */
  readonly payload: Buffer;
}

export interface GgepBlock {
  items: GgepItem[];
  /** Offset after the block. */
  end: number;
}

export const GGEP_MAGIC = 0xc3;
/** Items in one block; gtk-gnutella stops at 32 extensions for a whole message. */
export const GGEP_ITEMS_MAX = 32;
/** The length field has three groups of six bits. */
const GGEP_PAYLOAD_BYTES_MAX = 0x3ffff;

const LAST = 0x80;
const COBS = 0x40;
const DEFLATE = 0x20;
const RESERVED = 0x10;
/** Size of zlib's header (2) and checksum (4); gtk-gnutella and LimeWire refuse less. */
const DEFLATED_BYTES_MIN = 6;

/** Limits the inflation done for one message: 64 KiB could otherwise hold thousands of streams. */
export class InflateBudget {
  /** zlib streams still allowed; each costs some 20 µs to set up. */
  streams: number;
  /** Bytes they may still produce together. */
  bytes: number;

  constructor(streams = 8, bytes = 65_536) {
    this.streams = streams;
    this.bytes = bytes;
  }

  /** The inflated bytes, or null: bad stream or budget spent. */
  inflate(deflated: Buffer): Buffer | null {
    if (this.streams <= 0 || this.bytes <= 0) return null;
    this.streams--;
    try {
      const plain = inflateSync(deflated, { maxOutputLength: this.bytes });
      this.bytes -= plain.length;
      return plain;
    } catch (error) {
      // zlib's errors (Z_DATA_ERROR, ERR_BUFFER_TOO_LARGE …) mean bad input
      if (error instanceof Error && 'code' in error) return null;
      throw error;
    }
  }
}

/** Errors of readGgep, as negative numbers for callers that must not throw. */
const GgepFault = { Malformed: -1, TooLong: -2 } as const;

/**
 * Appends the items of the block at `start` to `items` and returns the offset after it, or a GgepFault, which leaves
 * `items` unchanged.
 */
export function readGgep(
  bytes: Buffer,
  start: number,
  end: number,
  items: GgepItem[],
  budget: InflateBudget,
  payloadBytesMax = GGEP_PAYLOAD_BYTES_MAX,
): number {
  const before = items.length;
  const at = readItems(bytes, start, end, items, budget, payloadBytesMax);
  if (at < 0) items.length = before;
  return at;
}

function readItems(
  bytes: Buffer,
  start: number,
  end: number,
  items: GgepItem[],
  budget: InflateBudget,
  payloadBytesMax: number,
): number {
  if (start >= end || bytes[start] !== GGEP_MAGIC) return GgepFault.Malformed;
  let at = start + 1;
  for (let count = 0; count < GGEP_ITEMS_MAX; count++) {
    if (at >= end) return GgepFault.Malformed;
    const flags = bytes.readUInt8(at++);
    const idBytes = flags & 0x0f;
    if ((flags & RESERVED) !== 0 || idBytes === 0 || at + idBytes > end) return GgepFault.Malformed;
    for (let i = at; i < at + idBytes; i++) {
      const c = bytes.readUInt8(i);
      if (c <= 0x20 || c > 0x7e) return GgepFault.Malformed;
    }
    const id = bytes.toString('latin1', at, at + idBytes);
    at += idBytes;

    let payloadBytes = 0;
    for (let group = 1; ; group++) {
      if (at >= end || group > 3) return GgepFault.Malformed;
      const c = bytes.readUInt8(at++);
      payloadBytes = (payloadBytes << 6) | (c & 0x3f);
      if ((c & 0xc0) === 0x40) break;
      if ((c & 0xc0) !== 0x80) return GgepFault.Malformed;
    }
    if (at + payloadBytes > end) return GgepFault.Malformed;
    if (payloadBytes > payloadBytesMax) return GgepFault.TooLong;

    let payload: Buffer | null = bytes.subarray(at, at + payloadBytes);
    at += payloadBytes;
    if ((flags & COBS) !== 0) payload = decodeCobs(payload);
    if (payload !== null && (flags & DEFLATE) !== 0) {
      payload = payload.length < DEFLATED_BYTES_MIN ? null : budget.inflate(payload);
    }
    if (payload === null) return GgepFault.Malformed;
    items.push({ id, payload });
    if ((flags & LAST) !== 0) return at;
  }
  return GgepFault.TooLong;
}

export interface GgepLimits {
  /** Offset after the last byte that may belong to the block; the buffer's end by default. */
  readonly end?: number;
  /** Longest payload on the wire. */
  readonly payloadBytesMax?: number;
  readonly budget?: InflateBudget;
}

/** Parses the block at `start`. Throws GGEP_TOO_LONG, or GGEP_MALFORMED (also for inflation over budget). */
export function parseGgep(bytes: Buffer, start: number, limits: GgepLimits = {}): GgepBlock {
  const items: GgepItem[] = [];
  const end = readGgep(
    bytes,
    start,
    limits.end ?? bytes.length,
    items,
    limits.budget ?? new InflateBudget(),
    limits.payloadBytesMax,
  );
  if (end === GgepFault.TooLong) throw new ProtocolError('GGEP_TOO_LONG', `GGEP block at ${start}`);
  if (end < 0) throw new ProtocolError('GGEP_MALFORMED', `GGEP block at ${start}`);
  return { items, end };
}

/**
 * Copies a block without the items of these ids; empty when none is left. The others are copied as encoded. The block must
 * have passed readGgep().
 */
export function withoutGgepItems(block: Buffer, ids: ReadonlySet<string>): Buffer {
  return blockOf(
    encodedItems(block).filter(item => !ids.has(item.toString('latin1', 1, 1 + (item.readUInt8(0) & 0x0f)))),
  );
}

/** Copies a block with further items at its end; the others are copied as encoded. The block must have passed readGgep(). */
export function withGgepItems(block: Buffer, items: readonly GgepItem[]): Buffer {
  return blockOf([...encodedItems(block), ...encodedItems(encodeGgep(items, { cobs: true }))]);
}

/** Copies of the items of a block. */
function encodedItems(block: Buffer): Buffer[] {
  const items: Buffer[] = [];
  for (let at = 1; at < block.length; ) {
    const start = at;
    at += 1 + (block.readUInt8(at) & 0x0f);
    let payloadBytes = 0;
    let more = true;
    while (more) {
      const c = block.readUInt8(at++);
      payloadBytes = (payloadBytes << 6) | (c & 0x3f);
      more = (c & 0x80) !== 0;
    }
    at += payloadBytes;
    items.push(Buffer.from(block.subarray(start, at)));
  }
  return items;
}

function blockOf(items: readonly Buffer[]): Buffer {
  if (items.length === 0) return Buffer.alloc(0);
  for (const [i, item] of items.entries()) item[0] = (item.readUInt8(0) & ~LAST) | (i === items.length - 1 ? LAST : 0);
  return Buffer.concat([Buffer.of(GGEP_MAGIC), ...items]);
}

export interface GgepEncoding {
  /** Encode payloads that have a NUL with COBS: inside queries and hit records no NUL may appear. */
  readonly cobs: boolean;
  /** Deflate payloads that get shorter by it. */
  readonly deflate?: boolean;
}

const block = new ByteWriter();

/** Encodes one block; empty for no items. Throws RangeError over GGEP_ITEMS_MAX or for a bad id. */
export function encodeGgep(items: readonly GgepItem[], encoding: GgepEncoding): Buffer {
  block.clear();
  writeGgep(block, items, encoding);
  return block.copy();
}

/** As encodeGgep(), appended to a message. */
export function writeGgep(writer: ByteWriter, items: readonly GgepItem[], encoding: GgepEncoding): void {
  if (items.length === 0) return;
  if (items.length > GGEP_ITEMS_MAX) throw new RangeError(`${items.length} GGEP items`);
  writer.u8(GGEP_MAGIC);
  for (let i = 0; i < items.length; i++) {
    const item = items[i];
    if (item === undefined) break;
    if (!isGgepId(item.id)) throw new RangeError(`not a GGEP id: ${item.id}`);
    let flags = item.id.length | (i === items.length - 1 ? LAST : 0);
    let payload = item.payload;
    if (encoding.deflate === true && payload.length > DEFLATED_BYTES_MIN) {
      const deflated = deflateSync(payload);
      if (deflated.length < payload.length) {
        flags |= DEFLATE;
        payload = deflated;
      }
    }
    if (encoding.cobs && hasNul(payload)) {
      flags |= COBS;
      payload = encodeCobs(payload);
    }
    writer.u8(flags);
    writer.text(item.id);
    writeGgepLength(writer, payload.length);
    writer.bytes(payload);
  }
}

function isGgepId(id: string): boolean {
  for (let i = 0; i < id.length; i++) {
    const unit = id.charCodeAt(i);
    if (unit <= 0x20 || unit > 0x7e) return false;
  }
  return id.length >= 1 && id.length <= 15;
}

/** Faster than includes() for the short payloads of hits. */
function hasNul(payload: Uint8Array): boolean {
  for (let i = 0; i < payload.length; i++) if (payload[i] === 0) return true;
  return false;
}

/** 1 to 3 bytes, high group first: 10 = more, 01 = last. */
export function writeGgepLength(writer: ByteWriter, payloadBytes: number): void {
  if (payloadBytes > GGEP_PAYLOAD_BYTES_MAX) throw new RangeError(`a GGEP payload of ${payloadBytes} bytes`);
  const high = payloadBytes >> 12;
  const middle = (payloadBytes >> 6) & 0x3f;
  if (high > 0) writer.u8(0x80 | high);
  if (high > 0 || middle > 0) writer.u8(0x80 | middle);
  writer.u8(0x40 | (payloadBytes & 0x3f));
}

/** Consistent overhead byte stuffing: the result has no NUL. A run of 254 is always followed by another code. */
export function encodeCobs(plain: Buffer): Buffer {
  const out = Buffer.alloc(plain.length + Math.floor(plain.length / 254) + 1);
  let code = 0; // where the code of the open run goes
  let at = 1;
  for (let i = 0; i < plain.length; i++) {
    const c = plain.readUInt8(i);
    if (c !== 0) out[at++] = c;
    if (c === 0 || at - code === 255) {
      out[code] = at - code;
      code = at++;
    }
  }
  out[code] = at - code;
  return out.subarray(0, at);
}

/** Decodes COBS; null for malformed input. */
export function decodeCobs(stuffed: Buffer): Buffer | null {
  if (stuffed.length === 0) return null;
  const out = Buffer.alloc(stuffed.length);
  let length = 0;
  for (let at = 0; at < stuffed.length; ) {
    const code = stuffed.readUInt8(at++);
    if (code === 0 || at + code - 1 > stuffed.length) return null;
    for (let i = 1; i < code; i++) {
      const c = stuffed.readUInt8(at++);
      if (c === 0) return null;
      out[length++] = c;
    }
    if (code !== 0xff && at < stuffed.length) out[length++] = 0;
  }
  return out.subarray(0, length);
}

/** Payload of the first item called `id`, or null. */
export function ggepPayload(items: readonly GgepItem[], id: string): Buffer | null {
  for (const item of items) if (item.id === id) return item.payload;
  return null;
}

/** Reads a little-endian number of 0 to 8 bytes; null when it is longer or no safe integer. */
export function readGgepUint(payload: Buffer): number | null {
  if (payload.length > 8) return null;
  let value = 0;
  for (let i = payload.length - 1; i >= 0; i--) value = value * 256 + payload.readUInt8(i);
  return Number.isSafeInteger(value) ? value : null;
}

/** The shortest little-endian form; empty for 0. */
export function encodeGgepUint(value: number): Buffer {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`not a GGEP number: ${value}`);
  let length = 0;
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) length++;
  const bytes = Buffer.allocUnsafe(length);
  let rest = value;
  for (let i = 0; i < length; i++) {
    bytes[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return bytes;
}
