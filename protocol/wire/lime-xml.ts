// LimeWire's XML metadata in queries and query hits: one document a schema, one element a file, fields as attributes.
import { SaxesParser } from 'saxes';

export const LIME_SCHEMAS = ['audio', 'video', 'image', 'document', 'application'] as const;
export type LimeSchema = (typeof LIME_SCHEMAS)[number];

/** LimeWire's own limit; a longer text is not parsed. */
export const LIME_XML_CHARACTERS_MAX = 32_768;
/** Elements taken from one text: a hit has at most 10 records, and LimeWire sends one element for each. */
const ELEMENTS_MAX = 32;
const FIELDS_MAX = 32;
/** Characters kept of one value. */
const VALUE_CHARACTERS_MAX = 512;

/** The metadata of one file, or what a query asks for. */
export interface LimeElement {
  readonly schema: LimeSchema;
  /** Position of the file among the records of the hit; null in queries. */
  readonly index: number | null;
  /** By LimeWire's names, such as `artist` and `seconds`; no empty values. */
  readonly fields: ReadonlyMap<string, string>;
}

/** As LimeWire adds it to the keywords of its QRP table. */
export function schemaUri(schema: LimeSchema): string {
  return `http://www.limewire.com/schemas/${schema}.xsd`;
}

/**
 * Parses documents that follow each other, as LimeWire sends one a schema, and leaves out what it does not know. Empty when the text
 * is too long, is not well-formed, or declares a document type.
 */
export function parseLimeXml(text: string): LimeElement[] {
  const elements: LimeElement[] = [];
  if (text.length > LIME_XML_CHARACTERS_MAX) return elements;
  const starts = [...text.matchAll(/<\?xml/g)].map(({ index }) => index);
  if (starts.length === 0) starts.push(0);
  for (const [i, start] of starts.slice(0, ELEMENTS_MAX).entries())
    if (!parseDocument(text.slice(start, starts[i + 1]).replace(/\0+\s*$/, ''), elements)) return [];
  return elements;
}

function parseDocument(text: string, elements: LimeElement[]): boolean {
  const parser = new SaxesParser({ xmlns: false, position: false, fragment: false });
  let depth = 0;
  let schema: LimeSchema | null = null;
  let sound = true;
  const refuse = (): void => {
    sound = false;
  };
  parser.on('error', refuse);
  parser.on('doctype', refuse);
  parser.on('opentag', ({ name, attributes }) => {
    depth++;
    if (depth === 1) schema = LIME_SCHEMAS.find(known => name === `${known}s`) ?? null;
    else if (depth === 2 && name === schema && elements.length < ELEMENTS_MAX)
      elements.push(elementOf(name, attributes as Readonly<Record<string, string>>));
  });
  parser.on('closetag', () => {
    depth--;
  });
  parser.write(text).close();
  return sound;
}

function elementOf(schema: LimeSchema, attributes: Readonly<Record<string, string>>): LimeElement {
  const fields = new Map<string, string>();
  let index: number | null = null;
  for (const [name, given] of Object.entries(attributes).slice(0, FIELDS_MAX)) {
    const value = given.trim();
    if (name === 'index') index = /^\d{1,3}$/.test(value) ? Number(value) : null;
    else if (value !== '' && /^[A-Za-z]{1,32}$/.test(name)) fields.set(name, value.slice(0, VALUE_CHARACTERS_MAX));
  }
  return { schema, index, fields };
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** Nothing to escape, the usual case. */
const PLAIN = /^[\w .,()-]*$/;

/** Escapes an attribute value; characters that XML cannot hold, and lone surrogates, become blanks. */
export function escapeXml(text: string): string {
  if (PLAIN.test(text)) return text;
  return text.replace(/[\p{Cc}\p{Cs}\ufffe\uffff]/gu, ' ').replace(/[&<>"']/g, sign => ESCAPES[sign] ?? '');
}

/** The fields as attributes, each after a blank. */
export function encodeFields(fields: ReadonlyMap<string, string>): string {
  let text = '';
  for (const [name, value] of fields) text += ` ${name}="${escapeXml(value)}"`;
  return text;
}

/** One element whose fields are encoded already: encodeFields(). */
export interface EncodedElement {
  readonly schema: LimeSchema;
  readonly index: number | null;
  readonly attributes: string;
}

/** Encodes one document a schema, in the order of LIME_SCHEMAS; empty without elements. */
export function encodeLimeXml(elements: readonly EncodedElement[]): string {
  let text = '';
  for (const schema of LIME_SCHEMAS) {
    let inner = '';
    for (const element of elements) {
      if (element.schema !== schema) continue;
      const index = element.index === null ? '' : ` index="${element.index}"`;
      inner += `<${schema}${element.attributes}${index}/>`;
    }
    if (inner !== '')
      text += `<?xml version="1.0"?><${schema}s xsi:noNamespaceSchemaLocation="${schemaUri(schema)}">${inner}</${schema}s>`;
  }
  return text;
}

/** What lists of results show of a file. */
export interface PlayFacts {
  readonly seconds: number | null;
  readonly kbps: number | null;
}

export const NO_PLAY_FACTS: PlayFacts = { seconds: null, kbps: null };

const SECONDS_MAX = 10_000_000;
const KBPS_MAX = 10_000_000;

/** Playing time and bit rate: LimeWire's `seconds`, `length` and `bitrate`, and Shareaza's `minutes`. */
export function playFactsOf(fields: ReadonlyMap<string, string>): PlayFacts {
  const minutes = numberIn(fields.get('minutes'), SECONDS_MAX / 60);
  return {
    seconds:
      numberIn(fields.get('seconds'), SECONDS_MAX) ??
      numberIn(fields.get('length'), SECONDS_MAX) ??
      (minutes === null ? null : Math.round(minutes * 60)),
    kbps: numberIn(fields.get('bitrate'), KBPS_MAX),
  };
}

function numberIn(text: string | undefined, max: number): number | null {
  const digits = /^\d{1,9}(?:\.\d{1,6})?/.exec(text ?? '')?.[0];
  const value = digits === undefined ? 0 : Number(digits);
  return value > 0 && value <= max ? Math.round(value * 1000) / 1000 : null;
}

/** The free text of old servents in a hit record, such as `192 kbps 44 kHz 3:25` (Gnotella, BearShare, gtk-gnutella's tag). */
export function playFactsOfNote(note: string): PlayFacts {
  const kbps = /(\d{1,7}) ?kbps/i.exec(note)?.[1];
  const time = /(?:^|\s)(\d{1,4}):([0-5]\d)(?!\S)/.exec(note);
  return {
    seconds: time === null ? null : Number(time[1]) * 60 + Number(time[2]) || null,
    kbps: Number(kbps ?? 0) || null,
  };
}
