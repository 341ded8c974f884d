// Magnet links: name, size, hashes and sources of a file.
import { ProtocolError } from '../errors.ts';
import { linkIn, withoutEnd } from './pasted-link.ts';
import { unescapeOctets } from './percent.ts';
import { decodeText } from './text.ts';
import { formatUrn, urnOrNull } from './urn.ts';

export const MAGNET_CHARACTERS_MAX = 10_240;
/** Hashes of other networks that are remembered, to be named. */
const STRANGE_MAX = 8;
const PARAMETERS_MAX = 100;
/** Longest search text taken from a link. */
const WORDS_CHARS_MAX = 256;

export interface Magnet {
  /** dn, not sanitised for a file system. */
  readonly name: string | null;
  /** xl in bytes. */
  readonly size: number | null;
  readonly sha1: Buffer | null;
  readonly tigerRoot: Buffer | null;
  /** xs and as in order, as written: http URLs, gtk-gnutella's push:// … */
  readonly sources: readonly string[];
  /** kt: words to search for. */
  readonly keywords: readonly string[];
}

/** The kinds of hash in a link that say nothing here, such as `urn:btih` and `urn:ed2k`; each once, at most STRANGE_MAX. */
export function strangeHashesIn(text: string): string[] {
  const link = linkIn(text.slice(0, MAGNET_CHARACTERS_MAX)) ?? '';
  const kinds = new Set<string>();
  for (const [, value = ''] of link.matchAll(/[?&]xt(?:\.\d+)?=([^&]*)/gi)) {
    const urn = firstWord(decodeParameter(value));
    const [kind] = /^urn:[a-z0-9-]{1,32}/i.exec(urn) ?? [];
    if (kind !== undefined && urnOrNull(urn) === null && kinds.size < STRANGE_MAX) kinds.add(kind.toLowerCase());
  }
  return [...kinds];
}

/**
 * Parses the magnet link in a pasted text. Keys may be in any case and numbered (`xt.1`). Ignores unreadable parameters.
 * Takes the SHA-1 of a source when no xt has one. Throws MAGNET_MALFORMED for a text without a magnet link.
 */
export function parseMagnet(text: string): Magnet {
  if (text.length > MAGNET_CHARACTERS_MAX)
    throw new ProtocolError('MAGNET_MALFORMED', `a magnet link has at most ${MAGNET_CHARACTERS_MAX} characters`);
  const link = linkIn(text);
  if (link?.startsWith('magnet:') !== true) {
    throw new ProtocolError('MAGNET_MALFORMED', 'a magnet link starts with "magnet:?"');
  }
  let name: string | null = null;
  let size: number | null = null;
  let sha1: Buffer | null = null;
  let tigerRoot: Buffer | null = null;
  const sources: string[] = [];
  const keywords: string[] = [];
  for (const parameter of link.slice('magnet:?'.length).split('&', PARAMETERS_MAX)) {
    const equals = parameter.indexOf('=');
    if (equals < 0) continue;
    const key = parameter
      .slice(0, equals)
      .trim()
      .toLowerCase()
      .replace(/\.\d+$/, '');
    const value = decodeParameter(parameter.slice(equals + 1));
    const word = firstWord(value);
    if (value === '') continue;
    if (key === 'xt') {
      const urn = urnOrNull(word);
      sha1 ??= urn?.sha1 ?? null;
      tigerRoot ??= urn?.tigerRoot ?? null;
    } else if (key === 'xs' || key === 'as') sources.push(value);
    else if (key === 'kt') keywords.push(value);
    else if (key === 'dn') name ??= value;
    else if (key === 'xl' && /^\d{1,16}$/.test(word) && Number.isSafeInteger(Number(word))) size ??= Number(word);
  }
  for (const source of sources) {
    const found = /urn:(?:sha1|bitprint):[a-z0-9.]+/i.exec(source);
    if (found !== null) sha1 ??= urnOrNull(found[0])?.sha1 ?? null;
  }
  return { name, size, sha1, tigerRoot, sources, keywords };
}

/**
 * Derives a search from pasted text: the URN in it, or the hash, keywords or name (in this order) of a magnet link; null when it has no
 * link. Throws MAGNET_MALFORMED for a link with none of them.
 */
export function searchIn(pasted: string): { readonly urn: string } | { readonly text: string } | null {
  const link = linkIn(pasted);
  if (link?.startsWith('magnet:') !== true) return link === null ? null : { urn: link };
  const magnet = parseMagnet(link);
  if (magnet.sha1 !== null) return { urn: formatUrn(magnet) };
  const text = magnet.keywords.join(' ') || magnet.name;
  if (text === null || text.length > WORDS_CHARS_MAX)
    throw new ProtocolError(
      'MAGNET_MALFORMED',
      `expected a magnet link with xt=urn:sha1:… or with at most ${WORDS_CHARS_MAX} characters of words`,
    );
  return { text };
}

/** Decodes percent escapes and `+`, as UTF-8 or else Latin-1; keeps a percent sign without two hex digits. */
function decodeParameter(text: string): string {
  const bytes = unescapeOctets(Buffer.from(text.replaceAll('+', ' '), 'utf8'));
  return decodeText(bytes, 0, bytes.length);
}

/** Cuts text that follows the link: hashes and sizes have no blanks. */
function firstWord(text: string): string {
  return withoutEnd(/\S+/.exec(text)?.[0] ?? '');
}

/** Formats with a single xt, a bitprint when both hashes are known: gtk-gnutella does not read numbered keys. */
export function formatMagnet(magnet: Magnet): string {
  const parameters: string[] = [];
  if (magnet.name !== null) parameters.push(`dn=${percentEncode(magnet.name)}`);
  if (magnet.size !== null) parameters.push(`xl=${magnet.size}`);
  if (magnet.sha1 !== null || magnet.tigerRoot !== null) parameters.push(`xt=${formatUrn(magnet)}`);
  for (const source of magnet.sources) parameters.push(`xs=${percentEncode(source)}`);
  for (const words of magnet.keywords) parameters.push(`kt=${percentEncode(words)}`);
  return `magnet:?${parameters.join('&')}`;
}

function percentEncode(text: string): string {
  return encodeURIComponent(Buffer.from(text, 'utf8').toString('utf8')); // a lone surrogate would throw
}
