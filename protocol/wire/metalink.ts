// Metalink descriptions, versions 3 and 4 (RFC 5854): names, sizes, hashes and addresses of files. Document types, and with them entities
// of one's own, are refused.
import { SaxesParser, type SaxesTagNS } from 'saxes';
import { ProtocolError } from '../errors.ts';
import { urnOrNull } from './urn.ts';

export const METALINK_CHARACTERS_MAX = 1024 * 1024;
const FILES_MAX = 1000;
/** Of one file; those after them are counted. */
const URLS_MAX = 64;
const DEPTH_MAX = 16;
/** Of one element; a longer one says nothing. */
const TEXT_CHARACTERS_MAX = 4096;
/** Kinds of hash of one file that are remembered, to be named. */
const STRANGE_MAX = 8;

export interface MetalinkFile {
  /** As written: not sanitised for a file system. */
  readonly name: string;
  readonly size: number | null;
  readonly sha1: Buffer | null;
  readonly tigerRoot: Buffer | null;
  /** As written, the preferred ones first. */
  readonly urls: readonly string[];
  /** Addresses beyond URLS_MAX, and those of torrents and other descriptions. */
  readonly urlsLeftOut: number;
  /** Kinds of hash that say nothing here, such as `sha-256`; each once. */
  readonly strangeHashes: readonly string[];
}

/** By namespace: where files, and what is said of one, are found. Only version 4 orders addresses from 1 up. */
const VERSIONS: Readonly<Record<string, Version>> = {
  'urn:ietf:params:xml:ns:metalink': { file: 'metalink/file', hash: 'hash', url: 'url', rank: 'priority', sign: 1 },
  'http://www.metalinker.org/': {
    ...{ file: 'metalink/files/file', hash: 'verification/hash', url: 'resources/url' },
    ...{ rank: 'preference', sign: -1 },
  },
};

interface Version {
  readonly file: string;
  readonly hash: string;
  readonly url: string;
  /** The attribute that orders addresses. */
  readonly rank: string;
  readonly sign: 1 | -1;
}

/** Parses a description with at least one file. Throws METALINK_MALFORMED, with the line. */
export function parseMetalink(text: string): MetalinkFile[] {
  if (text.length > METALINK_CHARACTERS_MAX)
    throw new ProtocolError(
      'METALINK_MALFORMED',
      `a Metalink description has at most ${METALINK_CHARACTERS_MAX} characters`,
    );
  const files = new MetalinkReader().read(text);
  if (files.length === 0) throw new ProtocolError('METALINK_MALFORMED', 'the Metalink description names no file');
  return files;
}

class MetalinkReader {
  readonly #parser = new SaxesParser({ xmlns: true });
  readonly #files: FileReader[] = [];
  /** Local names of the open elements; empty for those of other namespaces. */
  readonly #open: string[] = [];
  #namespace = '';
  #version: Version | null = null;
  #text = '';
  #attributes: Readonly<Record<string, string>> = {};

  read(text: string): MetalinkFile[] {
    const parser = this.#parser;
    parser.on('error', ({ message }) => this.#refuse(message.replace(/^\d+:\d+: /, '').replace(/\.$/, '')));
    parser.on('doctype', () => this.#refuse('a document type is not taken'));
    parser.on('opentag', tag => this.#onOpen(tag));
    parser.on('text', part => this.#onText(part));
    parser.on('cdata', part => this.#onText(part));
    parser.on('closetag', () => this.#onClose());
    parser.write(text).close();
    return this.#files.map(file => file.end());
  }

  #onOpen({ local, uri, attributes }: SaxesTagNS): void {
    if (this.#open.length >= DEPTH_MAX) this.#refuse(`elements are nested at most ${DEPTH_MAX} deep`);
    if (this.#open.length === 0) {
      const version = Object.hasOwn(VERSIONS, uri) ? VERSIONS[uri] : undefined;
      if (local !== 'metalink' || version === undefined)
        this.#refuse('expected a Metalink description of version 3 or 4: <metalink xmlns="…">');
      this.#version = version;
      this.#namespace = uri;
    }
    this.#open.push(uri === this.#namespace ? local : '');
    this.#text = '';
    this.#attributes = Object.fromEntries(Object.values(attributes).map(({ local, value }) => [local, value]));
    if (this.#version === null || this.#open.join('/') !== this.#version.file) return;
    const name = this.#attributes['name']?.trim() ?? '';
    if (name === '' || name.length > TEXT_CHARACTERS_MAX)
      this.#refuse('expected the name of the file: <file name="…">');
    if (this.#files.length >= FILES_MAX) this.#refuse(`a description has at most ${FILES_MAX} files`);
    this.#files.push(new FileReader(name, this.#version));
  }

  #onText(part: string): void {
    if (this.#text.length <= TEXT_CHARACTERS_MAX) this.#text += part;
  }

  #onClose(): void {
    const path = this.#open.join('/');
    this.#open.pop();
    const file = this.#version?.file ?? '';
    const text = this.#text.length > TEXT_CHARACTERS_MAX ? '' : this.#text.trim();
    if (path.startsWith(`${file}/`)) this.#files.at(-1)?.take(path.slice(file.length + 1), text, this.#attributes);
    this.#text = '';
    this.#attributes = {};
  }

  #refuse(reason: string): never {
    throw new ProtocolError('METALINK_MALFORMED', `line ${this.#parser.line}: ${reason}`);
  }
}

class FileReader {
  readonly #name: string;
  readonly #version: Version;
  readonly #urls: { readonly url: string; readonly rank: number }[] = [];
  readonly #strange = new Set<string>();
  #size: number | null = null;
  #sha1: Buffer | null = null;
  #tigerRoot: Buffer | null = null;
  #leftOut = 0;

  constructor(name: string, version: Version) {
    this.#name = name;
    this.#version = version;
  }

  /** An element below that of the file, and its text. */
  take(path: string, text: string, attributes: Readonly<Record<string, string>>): void {
    if (text === '') return;
    const { hash, url, rank, sign } = this.#version;
    if (path === hash) this.#takeHash(attributes['type']?.trim().toLowerCase() ?? '', text);
    else if (path === 'metaurl' || (path === url && this.#urls.length >= URLS_MAX)) this.#leftOut++;
    else if (path === url) this.#urls.push({ url: text, rank: rankIn(attributes[rank], sign) });
    else if (path === 'size' && /^\d{1,16}$/.test(text) && Number.isSafeInteger(Number(text)))
      this.#size ??= Number(text);
  }

  end(): MetalinkFile {
    return {
      name: this.#name,
      size: this.#size,
      sha1: this.#sha1,
      tigerRoot: this.#tigerRoot,
      urls: this.#urls.sort((a, b) => a.rank - b.rank).map(({ url }) => url),
      urlsLeftOut: this.#leftOut,
      strangeHashes: [...this.#strange],
    };
  }

  #takeHash(type: string, text: string): void {
    if (/^sha-?1$/.test(type)) this.#sha1 ??= urnOrNull(`urn:sha1:${text}`)?.sha1 ?? null;
    else if (/^(?:tth|tiger-?tree|tree:tiger)$/.test(type))
      this.#tigerRoot ??= urnOrNull(`urn:tree:tiger:${text}`)?.tigerRoot ?? null;
    else if (/^[a-z0-9-]{1,32}$/.test(type) && this.#strange.size < STRANGE_MAX) this.#strange.add(type);
  }
}

/** The least is preferred most; without a number an address comes last. */
function rankIn(text: string | undefined, sign: 1 | -1): number {
  return text !== undefined && /^\d{1,6}$/.test(text) ? sign * Number(text) : Number.MAX_SAFE_INTEGER;
}
