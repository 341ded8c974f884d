// A source of a file: a servent of a query hit, or an HTTP URL of a magnet link.
import { DEFAULT_PORT } from '../../constants.ts';
import { type Endpoint, endpointOrNull, formatEndpoint } from '../../wire/endpoint.ts';

export interface Source {
  readonly endpoint: Endpoint;
  /** 16 bytes; needed for a push. */
  readonly serventGuid: Buffer | null;
  /** Firewalled: needs a push. */
  readonly push: boolean;
  /** Push proxies in its hit; not stored, since they change. */
  readonly pushProxies?: readonly Endpoint[];
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

/** `http://ADDRESS[:PORT]/…`. Null for names, which would have to be looked up outside, and for any other scheme. */
export function sourceFromUrl(text: string): Source | null {
  if (!/^http:\/\//i.test(text) || !URL.canParse(text)) return null;
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') return null;
  const host = url.hostname === 'localhost' ? '127.0.0.1' : url.hostname;
  const endpoint = endpointOrNull(url.port === '' ? host : `${host}:${url.port}`, HTTP_PORT);
  return endpoint === null ? null : { ...PLAIN_SOURCE, endpoint, target: url.pathname + url.search };
}

/** `ADDRESS[:PORT]`, where 6346 is left out. Null for names. */
export function sourceFromAddress(text: string): Source | null {
  const endpoint = endpointOrNull(text, DEFAULT_PORT);
  return endpoint === null ? null : { ...PLAIN_SOURCE, endpoint };
}
