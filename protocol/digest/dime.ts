// Reads and writes DIME messages (draft-nielsen-dime-02): records with a type, an identifier and data. Hash trees travel in them over HTTP.
import { ProtocolError } from '../errors.ts';

/** TYPE_T: what the type of a record is. */
export const DimeType = { Unchanged: 0, MediaType: 1, Uri: 2, Unknown: 3, None: 4 } as const;
export type DimeType = (typeof DimeType)[keyof typeof DimeType];

export interface DimeRecord {
  readonly typeFormat: number;
  readonly type: string;
  readonly id: string;
  readonly data: Buffer;
}

const HEADER_BYTES = 12;
const VERSION = 1;
const FIRST = 0x04;
const LAST = 0x02;
const CHUNKED = 0x01;
/** A hash tree takes two. */
const RECORDS_MAX = 8;

const padded = (bytes: number): number => 4 * Math.ceil(bytes / 4);

/** Writes records without options. A type or an id of more than 65,535 characters is a RangeError. */
export function encodeDime(records: readonly DimeRecord[]): Buffer {
  return Buffer.concat(
    records.map(({ typeFormat, type, id, data }, i) => {
      const idAt = HEADER_BYTES;
      const typeAt = idAt + padded(id.length);
      const dataAt = typeAt + padded(type.length);
      const record = Buffer.alloc(dataAt + padded(data.length));
      record[0] = (VERSION << 3) | (i === 0 ? FIRST : 0) | (i === records.length - 1 ? LAST : 0);
      record[1] = typeFormat << 4;
      record.writeUInt16BE(id.length, 4);
      record.writeUInt16BE(type.length, 6);
      record.writeUInt32BE(data.length, 8);
      record.write(id, idAt, 'latin1');
      record.write(type, typeAt, 'latin1');
      record.set(data, dataAt);
      return record;
    }),
  );
}

/** Reads one message, which must take all the bytes; data are views of them. Skips options, refuses chunked records. Throws DIME_MALFORMED. */
export function parseDime(bytes: Buffer): DimeRecord[] {
  const records: DimeRecord[] = [];
  let at = 0;
  /** A field and its padding. */
  const field = (length: number): Buffer => {
    if (padded(length) > bytes.length - at) throw malformed(`${length} bytes announced, ${bytes.length - at} there`);
    const value = bytes.subarray(at, at + length);
    at += padded(length);
    return value;
  };
  for (let isLast = false; !isLast; ) {
    if (records.length === RECORDS_MAX) throw malformed(`more than ${RECORDS_MAX} records`);
    const header = field(HEADER_BYTES);
    const flags = header.readUInt8(0);
    if (flags >> 3 !== VERSION) throw malformed(`version ${flags >> 3}`);
    if ((flags & CHUNKED) !== 0) throw malformed('a record in chunks');
    if (((flags & FIRST) !== 0) !== (records.length === 0))
      throw malformed('the mark of the first record is misplaced');
    isLast = (flags & LAST) !== 0;
    field(header.readUInt16BE(2));
    const id = field(header.readUInt16BE(4)).toString('latin1');
    const type = field(header.readUInt16BE(6)).toString('latin1');
    records.push({ typeFormat: header.readUInt8(1) >> 4, type, id, data: field(header.readUInt32BE(8)) });
  }
  if (at < bytes.length) throw malformed(`${bytes.length - at} bytes after the last record`);
  return records;
}

function malformed(what: string): ProtocolError {
  return new ProtocolError('DIME_MALFORMED', `not a DIME message: ${what}`);
}
