// RESET and PATCH sequences: a table, or what changed in it, to messages and back.
import { constants, deflateSync, inflateSync } from 'node:zlib';
import { ProtocolError } from '../errors.ts';
import type { EntryBits, RouteTableUpdate, TablePatch } from '../wire/route-table-update.ts';
import { QrpTable } from './table.ts';

/** Present is 1, that is -6 from infinity: LimeWire's numbers, which it expects of others. */
const INFINITY = 7;
const PRESENT_NIBBLE = 0x10 + 1 - INFINITY;
const ABSENT_NIBBLE = INFINITY - 1;
/** Data bytes of a message, LimeWire's; more when the whole would not fit into 255 messages. */
const PIECE_BYTES = 4096;
const PIECES_MAX = 255;
/** Deflated data held of a sequence that is not whole yet. The fullest useful table, 2^21 slots at 10 %, takes half of it. */
const DEFLATED_BYTES_MAX = 512 * 1024;

/** Larger ones are deflated in a hurry: a table of 2^21 slots takes 6 ms instead of 32, for half as much again to send. */
const QUICK_BYTES = 256 * 1024;

export interface PatchStyle {
  /** False: as it is, for tests and for peers that cannot inflate. */
  readonly deflate: boolean;
  readonly pieceBytes: number;
}

const STYLE: PatchStyle = { deflate: true, pieceBytes: PIECE_BYTES };

/**
 * What brings a peer that has `before` (null: nothing) to `after`: nothing when they are alike, patches when only slots changed,
 * RESET and the whole table otherwise. The first sequence is sent even for an empty table: without one a leaf has no table.
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
 * The table that one peer sends us. Breaking the rules throws QRP_SEQUENCE, what gtk-gnutella answers with Bye 413:
 * the link should be closed with it. Deflated sequences are applied when they are whole, others as they come.
 */
export class TableReceiver {
  #table: QrpTable | null = null;
  /** Of the last RESET, whose table is not made yet: a RESET alone takes no memory. */
  #resetSlots = 0;
  #whole = false;
  /** The first message of the running sequence; null between sequences. */
  #first: TablePatch | null = null;
  #received = 0;
  /** Bytes of entries applied of the running sequence. */
  #applied = 0;
  #held: Buffer[] = [];
  #heldBytes = 0;

  /** `table`: what the peer has sent already, changed in place by what follows. */
  constructor(table: QrpTable | null = null) {
    this.#table = table;
    this.#whole = table !== null;
  }

  /** A sequence has begun and is not whole. */
  get midway(): boolean {
    return this.#first !== null;
  }

  /** Of the table and of what is held of a running sequence. */
  get memoryBytes(): number {
    return (this.#table?.cells.byteLength ?? 0) + this.#heldBytes;
  }

  /** Null before the first RESET; empty from a RESET on until a sequence is whole. */
  get table(): QrpTable | null {
    if (this.#resetSlots > 0) {
      this.#table = new QrpTable(this.#resetSlots);
      this.#resetSlots = 0;
    }
    return this.#table;
  }

  /** Of the table; 0 before the first RESET. */
  get slots(): number {
    return this.#resetSlots > 0 ? this.#resetSlots : (this.#table?.slots ?? 0);
  }

  /** Whether a sequence has been whole since the last RESET. LimeWire sends no patch for an empty table. */
  get whole(): boolean {
    return this.#whole;
  }

  /** True when the table changed: a RESET, or the last message of a sequence. */
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

  /** node:zlib inflates synchronously only what is all there. */
  #hold(patch: TablePatch, table: QrpTable, rawBytes: number): void {
    this.#heldBytes += patch.data.length;
    // Deflate may add a little to what it cannot shrink.
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

/** The stream has to end in the last piece, which begins at `lastPiece`. */
function inflated(data: Buffer, lastPiece: number, rawBytes: number): Buffer {
  let result: { buffer: Buffer; engine: { bytesWritten: number } };
  try {
    // `info` makes Node tell how much it read; its types do not know that. A missing end is harmless: what counts is what it covers.
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

/** To slots from `first` on. Negative entries are present, positive ones absent, zeros as before; a 1-bit entry flips. The lower index is in the higher bits. */
function apply(table: QrpTable, raw: Buffer, first: number, bits: EntryBits): void {
  const perByte = 8 / bits;
  const mask = (1 << bits) - 1;
  const sign = 1 << (bits - 1);
  for (let at = 0; at < raw.length; at++) {
    const byte = raw[at] ?? 0;
    if (byte === 0) continue; // nearly all
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
