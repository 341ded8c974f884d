// Encodes requests to GWebCaches as query strings.
import { type Endpoint, formatEndpoint } from '../wire/endpoint.ts';

export interface GwebCacheRequest {
  /** Four letters. */
  vendor: string;
  version: string;
  network: string;
  get: boolean;
  ping: boolean;
  /** Our endpoint, to register, if we are a reachable ultrapeer. */
  update: Endpoint | null;
  /** Another good cache, to register. */
  url: string | null;
}

/** The query string, `?` included. */
export function encodeGwebCacheRequest(request: GwebCacheRequest): string {
  const words: [string, string][] = [];
  if (request.get) words.push(['get', '1']);
  if (request.ping) words.push(['ping', '1']);
  if (request.update !== null || request.url !== null) words.push(['update', '1']);
  if (request.update !== null) words.push(['ip', formatEndpoint(request.update)]);
  if (request.url !== null) words.push(['url', request.url]);
  words.push(['net', request.network], ['client', request.vendor], ['version', request.version]);
  return `?${words.map(([key, value]) => `${key}=${encodeURIComponent(value)}`).join('&')}`;
}
