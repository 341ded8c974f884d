// Holds the metadata of shared media files, packed, for hits and for queries with XML. Files without metadata take no memory.
import {
  type EncodedElement,
  encodeLimeXml,
  LIME_SCHEMAS,
  type LimeElement,
  NO_PLAY_FACTS,
  type PlayFacts,
  parseLimeXml,
  playFactsOf,
  schemaUri,
} from '../wire/lime-xml.ts';
import { fieldsOf, type MediaRecord, packMedia, unpackElement } from './media-record.ts';
import { Records } from './records.ts';
import { SearchIndex } from './search-index.ts';
import type { SharedFile } from './shared-file.ts';
import { nameWords, queryWords } from './tokenizer.ts';

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
  readonly #words = new SearchIndex();
  /** By schema: number of files. */
  readonly #counts = LIME_SCHEMAS.map(() => 0);

  /** Increases with each change. */
  revision = 0;

  /** Number of files with metadata. */
  get files(): number {
    return this.#words.files;
  }

  set({ index, sha1 }: Pick<SharedFile, 'index' | 'sha1'>, record: MediaRecord): void {
    this.delete(index);
    const bytes = Buffer.from(packMedia(record), 'utf8');
    this.#records.set(index, bytes, bytes.length);
    const texts = Object.values(record.fields).filter(value => !isNumber(value));
    this.#words.add({ index, name: texts.join(' '), size: 0, sha1, tigerRoot: null, modifiedAt: 0 });
    this.#count(index, 1);
  }

  delete(index: number): void {
    if (!this.#records.has(index)) return;
    this.#count(index, -1);
    this.#records.delete(index);
    this.#words.remove(index);
  }

  /** Null: the file has none, or it is not read yet. */
  fieldsOf(index: number): ReadonlyMap<string, string> | null {
    const element = this.#element(index, null);
    return element === null ? null : fieldsOf(element);
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
      const element = this.#element(index, at);
      if (element === null) continue;
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
      for (const index of this.#candidates(wanted)) {
        if (found.length >= hitsMax) return found;
        if (!found.includes(index) && this.#matches(index, wanted)) found.push(index);
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
  #candidates({ fields }: LimeElement): number[] {
    for (const value of fields.values()) {
      const files = isNumber(value) ? [] : this.#words.match({ text: value, urns: [] }, CANDIDATES_MAX);
      if (files.length > 0) return files.map(({ index }) => index);
    }
    return [];
  }

  #matches(index: number, { schema, fields: wanted }: LimeElement): boolean {
    const element = this.#element(index, null);
    if (element?.schema !== schema) return false;
    const own = fieldsOf(element);
    let matched = 0;
    for (const [name, value] of wanted) {
      const has = own.get(name);
      if (has === undefined) continue;
      if (!valueMatches(value, has)) return false;
      if (name !== 'bitrate') matched++;
    }
    return matched > 0;
  }

  #element(index: number, at: number | null): EncodedElement | null {
    return unpackElement(this.#records.text(index), at);
  }

  #count(index: number, by: number): void {
    this.revision++;
    const schema = LIME_SCHEMAS.indexOf(this.#element(index, null)?.schema ?? 'audio');
    this.#counts[schema] = (this.#counts[schema] ?? 0) + by;
  }
}

const isNumber = (text: string): boolean => /^\d+$/.test(text);

/** Numbers must be equal; of texts every word must begin a word of the file's. */
function valueMatches(wanted: string, has: string): boolean {
  if (isNumber(wanted) && isNumber(has)) return Number(wanted) === Number(has);
  const words = nameWords(has);
  return queryWords(wanted).every(word => words.some(own => own.startsWith(word)));
}
