// What a magnet link or a Metalink description says of a file: what can be used here, and what cannot, in words.
import { parseMagnet, strangeHashesIn } from '../../wire/magnet.ts';
import { parseMetalink } from '../../wire/metalink.ts';
import { urnOrNull } from '../../wire/urn.ts';
import { safeFileName } from '../file-name.ts';
import { ofContent, type Source, sourceFromUrl } from './source.ts';

export interface LinkedFile {
  readonly name: string | null;
  readonly size: number | null;
  readonly sha1: Buffer | null;
  readonly tigerRoot: Buffer | null;
  /** Words to search for. */
  readonly words: string | null;
  readonly sources: readonly Source[];
  /** What is not used, and why: at most UNUSED_MAX. */
  readonly unused: readonly string[];
}

const UNUSED_MAX = 32;
const QUOTED_CHARACTERS_MAX = 100;
/** Kinds of hashes that files are fetched by: one that cannot be read is malformed. */
const OUR_HASHES: readonly string[] = ['urn:sha1', 'urn:bitprint'];

/** Throws ProtocolError for a text without a magnet link. */
export function fileOfMagnet(text: string): LinkedFile {
  const { keywords, sources: urls, ...plain } = parseMagnet(text);
  const { sha1, tigerRoot } = plain;
  const words = keywords.join(' ') || null;
  const { sources, unused } = sorted(urls, { sha1, tigerRoot });
  const strange = strangeHashesIn(text).map(strangeHash);
  return { ...plain, words, sources, unused: bounded([...strange, ...unused]) };
}

/** Throws ProtocolError for a text that is no Metalink description. */
export function filesOfMetalink(text: string): LinkedFile[] {
  return parseMetalink(text).map(({ name, size, sha1, tigerRoot, urls, urlsLeftOut, strangeHashes }) => {
    const { sources, unused } = sorted(urls, { sha1, tigerRoot });
    const hashes = strangeHashes.map(kind => `${kind}: files are checked by SHA-1 and tiger tree`);
    const rest = urlsLeftOut === 0 ? [] : [`${urlsLeftOut} more addresses: too many, or of other descriptions`];
    const plain = { name: safeFileName(name), size, sha1, tigerRoot, words: null, sources };
    return { ...plain, unused: bounded([...hashes, ...rest, ...unused]) };
  });
}

/** Why nothing can be fetched by the link, and what can be done with it. */
export function unusableLink({ name, words, tigerRoot, unused }: LinkedFile): string {
  const text = words ?? name;
  return [
    'the magnet link has neither xt=urn:sha1:… nor a usable source (xs=, as=)',
    ...(tigerRoot === null ? [] : ['by the root of a hash tree alone no servent is asked']),
    ...unused,
    ...(text === null ? [] : [`search for its words: ${JSON.stringify(text.slice(0, 80))}`]),
  ].join('; ');
}

/** The addresses that can be fetched from, and why the others cannot. Hashes among them are those of the file, or said to be others. */
function sorted(
  urls: readonly string[],
  { sha1, tigerRoot }: Pick<LinkedFile, 'sha1' | 'tigerRoot'>,
): { sources: Source[]; unused: string[] } {
  const sources: Source[] = [];
  const unused: string[] = [];
  for (const url of urls) {
    const source = sourceFromUrl(url);
    if (source !== null) sources.push(ofContent(source, sha1));
    else {
      const urn = urnOrNull(url);
      const isOurs = urn !== null && (urn.sha1 === null || sha1?.equals(urn.sha1)) && isSame(urn.tigerRoot, tigerRoot);
      if (!isOurs) unused.push(`${quoted(url)}: ${urn === null ? refusal(url) : 'is another content'}`);
    }
  }
  return { sources, unused };
}

/** True when one of them is not known. */
function isSame(root: Buffer | null, other: Buffer | null): boolean {
  return root === null || other === null || root.equals(other);
}

function refusal(url: string): string {
  const [, scheme = ''] = /^([a-z][a-z0-9+.-]*):/i.exec(url) ?? [];
  if (scheme.toLowerCase() !== 'http') return 'only http:// is fetched';
  if (!URL.canParse(url)) return 'is no address';
  const { username, password } = new URL(url);
  return username !== '' || password !== '' ? 'asks for a password' : 'names of hosts are not looked up';
}

/** A hash that cannot be read, or of a kind that is not used here. */
function strangeHash(kind: string): string {
  return OUR_HASHES.includes(kind.toLowerCase()) ? `the hash in ${kind} is malformed` : `${kind} is of another network`;
}

function bounded(unused: readonly string[]): string[] {
  const more = unused.length - UNUSED_MAX + 1;
  return more <= 1 ? [...unused] : [...unused.slice(0, UNUSED_MAX - 1), `${more} more`];
}

/** Text of others, for people: short, printable. */
function quoted(text: string): string {
  const plain = text.replace(/[^\x20-\x7e]/g, '?');
  return plain.length > QUOTED_CHARACTERS_MAX ? `${plain.slice(0, QUOTED_CHARACTERS_MAX)}…` : plain;
}
