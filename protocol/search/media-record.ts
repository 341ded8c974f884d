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

/** One text: the number of the schema, then the fields as attributes. */
export function packMedia({ schema, fields }: MediaRecord): string {
  return `${LIME_SCHEMAS.indexOf(schema)}${encodeFields(new Map(Object.entries(fields)))}`;
}

/** The element of a packed record for a hit or, with index null, for reading; null for a text that packMedia() does not make. */
export function unpackElement(packed: string, index: number | null): EncodedElement | null {
  const schema = LIME_SCHEMAS[Number(packed.charAt(0))];
  return schema === undefined || packed === '' ? null : { schema, index, attributes: packed.slice(1) };
}

const UNESCAPED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** Reads what encodeFields() wrote. */
export function fieldsOf({ attributes }: EncodedElement): Map<string, string> {
  const fields = new Map<string, string>();
  for (const [, name = '', value = ''] of attributes.matchAll(/ ([a-z]+)="([^"]*)"/g))
    fields.set(
      name,
      value.replace(/&([a-z]+);/g, (_, entity: string) => UNESCAPED[entity] ?? ''),
    );
  return fields;
}
