// Magnet links: what a file is called, how long it is, its hashes, and where it may be fetched.
import { ProtocolError } from '../errors.ts';
import { linkIn, withoutEnd } from './pasted.ts';
import { unescapeOctets } from './percent.ts';
import { decodeText } from './text.ts';
import { formatUrn, urnOrNull } from './urn.ts';

/** Longer text is no magnet; a source is at most a URL. */
const MAGNET_CHARS_MAX = 16_384;
const PARAMETERS_MAX = 100;
/** To be searched for. */
const WORDS_CHARS_MAX = 256;

export interface Magnet {
  /** dn; nothing is made safe for a file system here. */
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

/**
 * As pasted. Keys in any case, numbered (`xt.1`) or not. A parameter that cannot be read is left out: the rest may do.
 * A SHA-1 named in a source counts when no xt has one. Throws MAGNET_MALFORMED for what has no magnet link in it at all.
 */
export function parseMagnet(text: string): Magnet {
  const link = text.length > MAGNET_CHARS_MAX ? null : linkIn(text);
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
 * What somebody who pastes this as a search means: the content of the URN or magnet link in it or, of a link without a hash, its words or
 * its name; null: it has no link in it. Throws MAGNET_MALFORMED for a link with none of them.
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

/** Percent and plus, UTF-8 or else Latin-1; a percent sign that starts no octet stays. */
function decodeParameter(text: string): string {
  const bytes = unescapeOctets(Buffer.from(text.replaceAll('+', ' '), 'utf8'));
  return decodeText(bytes, 0, bytes.length);
}

/** Hashes and sizes have no blanks in them; a sentence may go on after the link. */
function firstWord(text: string): string {
  return withoutEnd(/\S+/.exec(text)?.[0] ?? '');
}

/** One plain xt, a bitprint where both hashes are known: gtk-gnutella does not read numbered keys. */
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
