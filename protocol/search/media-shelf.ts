// Holds the metadata of shared media files, packed, for hits and for queries with XML. Files without metadata take no memory.
import {
  type EncodedElement,
  encodeLimeXml,
  LIME_SCHEMAS,
  type LimeSchema,
  NO_PLAY_FACTS,
  type PlayFacts,
  parseLimeXml,
  playFactsOf,
  schemaUri,
} from '../wire/lime-xml.ts';
import { elementOf, type MediaRecord, packMedia, type Unpacked, unpackMedia } from './media-record.ts';
import { Records } from './records.ts';
import type { SharedFile } from './shared-file.ts';
import { nameWords, queryWords } from './tokenizer.ts';
import { WordIndex } from './word-index.ts';

/** LimeWire's bound for the XML of a query. */
const QUERY_XML_CHARACTERS_MAX = 500;
/** Files compared with a query, found by the words of one of its fields. */
const CANDIDATES_MAX = 256;
/** Bytes of the XML of one hit; records beyond have none. */
export const HIT_XML_BYTES_MAX = 8_192;

export class MediaShelf {
  /** By file index. */
  readonly #records = new Records();
  /** The words of all values, by file index. */
  readonly #words = new WordIndex();
  /** By schema: number of files. */
  readonly #counts = LIME_SCHEMAS.map(() => 0);

  #files = 0;
  /** Increases with each change. */
  revision = 0;

  /** Number of files with metadata. */
  get files(): number {
    return this.#files;
  }

  set(index: number, record: MediaRecord): void {
    this.delete(index);
    const bytes = Buffer.from(packMedia(record), 'utf8');
    this.#records.set(index, bytes, bytes.length);
    const texts = Object.values(record.fields).filter(value => !isNumber(value));
    this.#words.add(index, nameWords(texts.join(' ')));
    this.#count(index, 1);
  }

  delete(index: number): void {
    if (!this.#records.has(index)) return;
    this.#count(index, -1);
    this.#records.delete(index);
    this.#words.delete(index);
  }

  /** Null: the file has none, or it is not read yet. */
  fieldsOf(index: number): ReadonlyMap<string, string> | null {
    return this.#unpacked(index)?.fields ?? null;
  }

  /** Playing time and bit rate of a file. */
  playFactsOf(index: number): PlayFacts {
    const fields = this.fieldsOf(index);
    return fields === null ? NO_PLAY_FACTS : playFactsOf(fields);
  }

  /** The XML of a hit whose records are these files; null when none has metadata. */
  xmlOf(files: readonly Pick<SharedFile, 'index'>[]): string | null {
    const elements: EncodedElement[] = [];
    if (this.files === 0) return null;
    let bytes = 0;
    for (const [at, { index }] of files.entries()) {
      const unpacked = this.#unpacked(index);
      if (unpacked === null) continue;
      const element = elementOf(unpacked, at);
      bytes += Buffer.byteLength(element.attributes) + element.schema.length + 20;
      if (bytes > HIT_XML_BYTES_MAX) break;
      elements.push(element);
    }
    return elements.length === 0 ? null : encodeLimeXml(elements);
  }

  /**
   * Indices of at most `hitsMax` files that match the XML of a query as in LimeWire: same schema, every field that the file has matches,
   * and at least one besides the bit rate does.
   */
  match(xml: string, hitsMax: number): number[] {
    const found: number[] = [];
    if (this.files === 0 || xml.length > QUERY_XML_CHARACTERS_MAX) return found;
    for (const wanted of parseLimeXml(xml)) {
      const fields = [...wanted.fields].map(([name, value]) => ({ name, value, words: queryWords(value) }));
      for (const index of this.#candidates(fields)) {
        if (found.length >= hitsMax) return found;
        if (!found.includes(index) && this.#matches(index, wanted.schema, fields)) found.push(index);
      }
    }
    return found;
  }

  /** Words for QRP tables: those of the values, and the schemas whole, as in LimeWire. */
  *words(): IterableIterator<string> {
    yield* this.#words.words();
    for (const [i, schema] of LIME_SCHEMAS.entries()) if ((this.#counts[i] ?? 0) > 0) yield schemaUri(schema);
  }

  /** Files with the words of the first field that any file matches; a field that a file lacks does not exclude it. */
  #candidates(fields: readonly WantedField[]): number[] {
    for (const { value, words } of fields) {
      const indices = isNumber(value) ? [] : this.#words.match(words, CANDIDATES_MAX);
      if (indices.length > 0) return indices;
    }
    return [];
  }

  #matches(index: number, schema: LimeSchema, fields: readonly WantedField[]): boolean {
    const own = this.#unpacked(index);
    if (own?.schema !== schema) return false;
    let matched = 0;
    for (const field of fields) {
      const has = own.fields.get(field.name);
      if (has === undefined) continue;
      if (!valueMatches(field, has)) return false;
      if (field.name !== 'bitrate') matched++;
    }
    return matched > 0;
  }

  #unpacked(index: number): Unpacked | null {
    return unpackMedia(this.#records.text(index));
  }

  #count(index: number, by: number): void {
    this.revision++;
    this.#files += by;
    const schema = LIME_SCHEMAS.indexOf(this.#unpacked(index)?.schema ?? 'audio');
    this.#counts[schema] = (this.#counts[schema] ?? 0) + by;
  }
}

/** A field of a query, and the words of its value. */
interface WantedField {
  readonly name: string;
  readonly value: string;
  readonly words: readonly string[];
}

const isNumber = (text: string): boolean => /^\d+$/.test(text);

/** Numbers must be equal; of texts every word must begin a word of the file's. */
function valueMatches({ value, words }: WantedField, has: string): boolean {
  if (isNumber(value) && isNumber(has)) return Number(value) === Number(has);
  const own = nameWords(has);
  return words.every(word => own.some(one => one.startsWith(word)));
}
