// A source of a file: a servent of a query hit, or an HTTP URL of a magnet link.
import { DEFAULT_PORT } from '../../constants.ts';
import { type Endpoint, endpointOrNull, formatEndpoint } from '../../wire/endpoint.ts';
import { urnOrNull } from '../../wire/urn.ts';

export interface Source {
  readonly endpoint: Endpoint;
  /** 16 bytes; needed for a push. */
  readonly serventGuid: Buffer | null;
  /** Firewalled: needs a push. */
  readonly push: boolean;
  /** Push proxies in its hit; not stored, since they change. */
  readonly pushProxies?: readonly Endpoint[];
  /** Where it takes streams by UDP, though it is firewalled; not stored either. Null or absent: nowhere that we know. */
  readonly rudp?: Endpoint | null;
  /** Relays at which it can be met; not stored either. */
  readonly relays?: readonly Endpoint[];
  /** The content that it is wanted for; not stored either. */
  readonly sha1?: Buffer | null;
  /** The file's index and name there. */
  readonly index: number;
  readonly name: string;
  /** Path and query to ask for, of an HTTP address; null: made from the hash, or from index and name. */
  readonly target: string | null;
}

export const PLAIN_SOURCE = { serventGuid: null, push: false, index: 0, name: '', target: null } as const;

const HTTP_PORT = 80;

/** Identifies a source. */
export function keyOf(source: Source): string {
  const { endpoint, serventGuid, target } = source;
  // behind one firewall's address may be several servents
  const who = source.push && serventGuid !== null ? serventGuid.toString('hex') : formatEndpoint(endpoint);
  return target === null ? who : `${who} ${target}`;
}

/** A plain web server, as far as its address says: not the ones that servents give out. */
export function isWebServer({ target }: Source): boolean {
  return target !== null && !/^\/(?:uri-res|get)\//i.test(target);
}

/** `http://ADDRESS[:PORT]/…`. Null for names, which would have to be looked up outside, and for any other scheme. */
export function sourceFromUrl(text: string): Source | null {
  if (!/^http:\/\//i.test(text) || !URL.canParse(text)) return null;
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') return null;
  const host = url.hostname === 'localhost' ? '127.0.0.1' : url.hostname;
  const endpoint = endpointOrNull(url.port === '' ? host : `${host}:${url.port}`, HTTP_PORT);
  return endpoint === null ? null : { ...PLAIN_SOURCE, endpoint, target: url.pathname + url.search };
}

/**
 * The source itself, or, where its address is that of this content at a servent (`/uri-res/N2R?urn:sha1:…`), the servent: it may be
 * known from a hit or another source too, and one connection to it is enough.
 */
export function ofContent(source: Source, sha1: Buffer | null): Source {
  const [, urn = ''] = /^\/uri-res\/N2R\?(.+)$/i.exec(source.target ?? '') ?? [];
  if (sha1 === null || urnOrNull(urn)?.sha1?.equals(sha1) !== true) return source;
  return { ...source, target: null };
}

/** `ADDRESS[:PORT]`, where 6346 is left out. Null for names. */
export function sourceFromAddress(text: string): Source | null {
  const endpoint = endpointOrNull(text, DEFAULT_PORT);
  return endpoint === null ? null : { ...PLAIN_SOURCE, endpoint };
}
