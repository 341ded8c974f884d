// Encodes a QRP table, or its changes, as a RESET and PATCH sequence, and applies received sequences.
import { constants, deflateSync, inflateSync } from 'node:zlib';
import { ProtocolError } from '../errors.ts';
import type { EntryBits, RouteTableUpdate, TablePatch } from '../wire/route-table-update.ts';
import { QrpTable } from './table.ts';

/** Present is distance 1, an entry of -6: LimeWire's values, which it requires. */
const INFINITY = 7;
const PRESENT_NIBBLE = 0x10 + 1 - INFINITY;
const ABSENT_NIBBLE = INFINITY - 1;
/** Data bytes of a message, as in LimeWire; more when the data would not fit in PIECES_MAX messages. */
const PIECE_BYTES = 4096;
const PIECES_MAX = 255;
/** Deflated data held of an incomplete sequence. The fullest useful table, 2^21 slots at 10 %, takes half of it. */
const DEFLATED_BYTES_MAX = 512 * 1024;

/** Larger data is deflated at level 1: 2^21 slots take 6 ms instead of 32, and half as many bytes again. */
const QUICK_BYTES = 256 * 1024;

export interface PatchStyle {
  /** False for links that are compressed themselves, and for tests. */
  readonly deflate: boolean;
  readonly pieceBytes: number;
}

const STYLE: PatchStyle = { deflate: true, pieceBytes: PIECE_BYTES };

/**
 * Encodes the messages that change a peer's table from `before` (null: none) to `after`: none when equal, patches for the same
 * size, else RESET and the whole table. The first sequence is sent even for an empty table.
 */
export function encodeTable(
  before: QrpTable | null,
  after: QrpTable,
  style: Partial<PatchStyle> = {},
): RouteTableUpdate[] {
  const { deflate, pieceBytes } = { ...STYLE, ...style };
  if (before !== null && before.slots === after.slots) {
    return before.equals(after) ? [] : pieces(differences(before, after), deflate, pieceBytes);
  }
  const reset: RouteTableUpdate = { kind: 'reset', slots: after.slots, infinity: INFINITY };
  return [reset, ...pieces(differences(new QrpTable(after.slots), after), deflate, pieceBytes)];
}

/** A nibble a slot, the lower index in the high one. */
function differences(before: QrpTable, after: QrpTable): Buffer {
  const data = Buffer.alloc((after.slots + 1) >>> 1);
  for (let cell = 0; cell < after.cells.length; cell++) {
    const now = after.cells[cell] ?? 0;
    for (let left = now ^ (before.cells[cell] ?? 0); left !== 0; left &= left - 1) {
      const bit = 31 - Math.clz32(left & -left);
      const slot = (cell << 5) + bit;
      const nibble = ((now >>> bit) & 1) === 1 ? PRESENT_NIBBLE : ABSENT_NIBBLE;
      data[slot >>> 1] = (data[slot >>> 1] ?? 0) | ((slot & 1) === 0 ? nibble << 4 : nibble);
    }
  }
  return data;
}

function pieces(raw: Buffer, deflate: boolean, pieceBytes: number): TablePatch[] {
  const packed = deflate ? deflateSync(raw, { level: raw.length > QUICK_BYTES ? 1 : 6 }) : raw;
  const deflated = packed.length < raw.length;
  const data = deflated ? packed : raw;
  const bytes = Math.max(pieceBytes, Math.ceil(data.length / PIECES_MAX));
  const count = Math.ceil(data.length / bytes);
  return Array.from({ length: count }, (_, i) => ({
    kind: 'patch',
    sequence: i + 1,
    count,
    deflated,
    entryBits: 4,
    data: data.subarray(i * bytes, (i + 1) * bytes),
  }));
}

/**
 * Builds the table that one peer sends. Throws QRP_SEQUENCE for a bad sequence; close the link with Bye 413 then, as gtk-gnutella
 * does. Deflated sequences are applied when complete, others message by message.
 */
export class TableReceiver {
  #table: QrpTable | null = null;
  /** Slots of the last RESET, whose table is not allocated yet. */
  #resetSlots = 0;
  #whole = false;
  /** The first message of the running sequence; null between sequences. */
  #first: TablePatch | null = null;
  #received = 0;
  /** Bytes of entries applied of the running sequence. */
  #applied = 0;
  #held: Buffer[] = [];
  #heldBytes = 0;

  /** `table`: the peer's table so far, which is changed in place. */
  constructor(table: QrpTable | null = null) {
    this.#table = table;
    this.#whole = table !== null;
  }

  /** A sequence is incomplete. */
  get midway(): boolean {
    return this.#first !== null;
  }

  /** Bytes of the table and of held messages. */
  get memoryBytes(): number {
    return (this.#table?.cells.byteLength ?? 0) + this.#heldBytes;
  }

  /** Null before the first RESET; empty after a RESET until a sequence is complete. */
  get table(): QrpTable | null {
    if (this.#resetSlots > 0) {
      this.#table = new QrpTable(this.#resetSlots);
      this.#resetSlots = 0;
    }
    return this.#table;
  }

  /** Slots of the table; 0 before the first RESET. */
  get slots(): number {
    return this.#resetSlots > 0 ? this.#resetSlots : (this.#table?.slots ?? 0);
  }

  /** A sequence has been completed since the last RESET. LimeWire sends no patch for an empty table. */
  get whole(): boolean {
    return this.#whole;
  }

  /** Applies a message. True when the table changed: after a RESET, or the last message of a sequence. */
  receive(update: RouteTableUpdate): boolean {
    if (update.kind === 'patch') return this.#patch(update);
    this.#table = null;
    this.#resetSlots = update.slots;
    this.#whole = false;
    this.#forget();
    return true;
  }

  #patch(patch: TablePatch): boolean {
    const { table } = this;
    if (table === null) throw broken('a PATCH before any RESET');
    const first = this.#first ?? patch;
    if (patch.sequence !== this.#received + 1) throw broken(`PATCH ${patch.sequence}, expected ${this.#received + 1}`);
    if (patch.count !== first.count) throw broken(`${patch.count} messages, ${first.count} at first`);
    if (patch.entryBits !== first.entryBits)
      throw broken(`entries of ${patch.entryBits} bits, ${first.entryBits} at first`);
    if (patch.deflated !== first.deflated) throw broken('compressed in part');
    this.#first = first;
    this.#received = patch.sequence;
    const rawBytes = Math.ceil((table.slots * first.entryBits) / 8);
    if (first.deflated) this.#hold(patch, table, rawBytes);
    else this.#applyRaw(patch.data, table, rawBytes, first.entryBits);
    if (patch.sequence < patch.count) return false;
    if (this.#applied < rawBytes) throw broken(`${this.#applied} of ${rawBytes} bytes are covered`);
    this.#forget();
    this.#whole = true;
    return true;
  }

  /** Holds deflated messages until the last: node:zlib can inflate only complete data synchronously. */
  #hold(patch: TablePatch, table: QrpTable, rawBytes: number): void {
    this.#heldBytes += patch.data.length;
    // deflate may lengthen incompressible data a little
    if (this.#heldBytes > Math.min(rawBytes + 1024, DEFLATED_BYTES_MAX)) {
      throw broken(`more than a table of ${table.slots} slots`);
    }
    this.#held.push(Buffer.from(patch.data));
    if (patch.sequence < patch.count) return;
    const data = Buffer.concat(this.#held, this.#heldBytes);
    this.#applyRaw(inflated(data, data.length - patch.data.length, rawBytes), table, rawBytes, patch.entryBits);
  }

  #applyRaw(raw: Buffer, table: QrpTable, rawBytes: number, bits: EntryBits): void {
    if (this.#applied + raw.length > rawBytes) throw broken(`more than a table of ${table.slots} slots`);
    apply(table, raw, (this.#applied * 8) / bits, bits);
    this.#applied += raw.length;
  }

  #forget(): void {
    this.#first = null;
    this.#received = 0;
    this.#applied = 0;
    this.#held = [];
    this.#heldBytes = 0;
  }
}

/** Inflates a stream, which must end in the last message, whose data begins at `lastPiece`. */
function inflated(data: Buffer, lastPiece: number, rawBytes: number): Buffer {
  let result: { buffer: Buffer; engine: { bytesWritten: number } };
  try {
    // `info` returns how much was read (missing in the types). A missing end is allowed: the caller checks the length.
    result = inflateSync(data, {
      info: true,
      maxOutputLength: rawBytes,
      finishFlush: constants.Z_SYNC_FLUSH,
    }) as unknown as typeof result;
  } catch (error) {
    throw broken(`bad deflate data: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (result.engine.bytesWritten < lastPiece) throw broken('the deflate stream ends before the last message');
  return result.buffer;
}

/** Applies entries to slots from `first` on, higher bits first: negative is present, positive absent, zero unchanged; a 1-bit entry flips. */
function apply(table: QrpTable, raw: Buffer, first: number, bits: EntryBits): void {
  const perByte = 8 / bits;
  const mask = (1 << bits) - 1;
  const sign = 1 << (bits - 1);
  for (let at = 0; at < raw.length; at++) {
    const byte = raw[at] ?? 0;
    if (byte === 0) continue; // the usual case
    for (let i = 0; i < perByte; i++) {
      const entry = (byte >>> (8 - bits * (i + 1))) & mask;
      const slot = first + at * perByte + i;
      if (entry === 0 || slot >= table.slots) continue;
      if (bits === 1 ? !table.has(slot) : (entry & sign) !== 0) table.set(slot);
      else table.clear(slot);
    }
  }
}

function broken(detail: string): ProtocolError {
  return new ProtocolError('QRP_SEQUENCE', `QRP: ${detail}`);
}
