// The metadata of one shared media file: LimeWire's fields, checked and cut, as they are stored, packed in memory and sent.
import { type EncodedElement, encodeFields, LIME_SCHEMAS, type LimeSchema } from '../wire/lime-xml.ts';

/** Bytes of the encoded fields of one file, so that ten fit into a hit; further fields are left out. */
const ATTRIBUTES_BYTES_MAX = 480;
/** Characters of one value. */
const VALUE_CHARACTERS_MAX = 120;

/** JSON: the form of the store. */
export interface MediaRecord {
  readonly schema: LimeSchema;
  /** By LimeWire's names, most important first. */
  readonly fields: Readonly<Record<string, string>>;
}

/** Cleans values and cuts them to the bounds; null without any value. */
export function mediaRecord(schema: LimeSchema, given: Readonly<Record<string, unknown>>): MediaRecord | null {
  const fields: Record<string, string> = {};
  let bytes = 0;
  for (const [name, value] of Object.entries(given)) {
    const text = cleaned(value);
    if (text === '' || !/^[a-z]{1,16}$/.test(name)) continue;
    const more = Buffer.byteLength(encodeFields(new Map([[name, text]])));
    if (bytes + more > ATTRIBUTES_BYTES_MAX) continue;
    bytes += more;
    fields[name] = text;
  }
  return bytes === 0 ? null : { schema, fields };
}

function cleaned(value: unknown): string {
  if (typeof value === 'number') return Number.isFinite(value) && value > 0 ? String(Math.round(value)) : '';
  if (typeof value !== 'string') return '';
  const text = value
    .slice(0, 4 * VALUE_CHARACTERS_MAX)
    .replace(/[\p{C}\p{Z}\ufffd]+/gu, ' ')
    .trim();
  return Array.from(text).slice(0, VALUE_CHARACTERS_MAX).join('').trim();
}

/** Names that packed records hold as one character: U+0001 and on. Other names are written out. */
const CODED = ['seconds', 'length', 'bitrate', 'title', 'artist', 'album', 'genre', 'year', 'track', 'width', 'height'];
/** Begins a field whose name is written out, before `=`. */
const NAMED = '\u001f';
/** Before each field: values hold no such characters. */
const FIELD_START = /(?=\p{Cc})/u;

/** One text: the number of the schema, then for each field its code and its value. */
export function packMedia({ schema, fields }: MediaRecord): string {
  let text = String(LIME_SCHEMAS.indexOf(schema));
  for (const [name, value] of Object.entries(fields)) {
    const code = CODED.indexOf(name) + 1;
    text += code > 0 ? `${String.fromCharCode(code)}${value}` : `${NAMED}${name}=${value}`;
  }
  return text;
}

export interface Unpacked {
  readonly schema: LimeSchema;
  readonly fields: ReadonlyMap<string, string>;
}

/** Null for a text that packMedia() does not make. */
export function unpackMedia(packed: string): Unpacked | null {
  const schema = packed === '' ? undefined : LIME_SCHEMAS[Number(packed.charAt(0))];
  if (schema === undefined) return null;
  const fields = new Map<string, string>();
  for (const field of packed.slice(1).split(FIELD_START)) {
    const name = CODED[field.charCodeAt(0) - 1];
    const nameEnd = field.indexOf('=');
    if (name !== undefined) fields.set(name, field.slice(1));
    else if (nameEnd > 1) fields.set(field.slice(1, nameEnd), field.slice(nameEnd + 1));
  }
  return { schema, fields };
}

/** The element of a hit, with the position of the file among its records. */
export function elementOf({ schema, fields }: Unpacked, index: number): EncodedElement {
  return { schema, index, attributes: encodeFields(fields) };
}
