// Chooses the form of the answer to a browse: query hits for servents, a page for web browsers.
import { keepsAlive, listOf, type RequestHead } from '../http-head.ts';

export const PACKETS_MEDIA_TYPE = 'application/x-gnutella-packets';

export type BrowseForm = 'packets' | 'page';

/**
 * Gives the form that an Accept header asks for; null: neither is accepted. A client that names the packets reads them, whatever else it
 * names and prefers; no web browser names them. Null for `accept`: anything is accepted.
 */
export function browseFormOf(accept: string | null): BrowseForm | null {
  const ranges = listOf(accept).map(parseRange);
  if (ranges.length === 0) return 'page';
  if (ranges.some(({ type, accepted }) => type === PACKETS_MEDIA_TYPE && accepted)) return 'packets';
  // the most specific range decides: RFC 9110 section 12.5.1
  for (const wanted of ['text/html', 'text/*', '*/*']) {
    const range = ranges.find(({ type }) => type === wanted);
    if (range !== undefined) return range.accepted ? 'page' : null;
  }
  return null;
}

/** How the list goes out. Not in chunks: the end of the connection ends it. */
export interface BrowseCoding {
  /** As a zlib stream. */
  readonly deflated: boolean;
  readonly chunked: boolean;
}

/** These name codings of content, but read no chunks (gtk-gnutella keeps the same list). */
const NO_CHUNKS = /^(limewire|bearshare|frostwire)/i;

/** Chunks only where they keep the connection for another request. */
export function browseCodingOf(request: RequestHead): BrowseCoding {
  const { minor, headers } = request;
  const codings = listOf(headers.get('Accept-Encoding')).map(parseRange);
  const deflated = codings.some(({ type, accepted }) => type === 'deflate' && accepted);
  const reads = minor >= 1 && codings.length > 0 && !NO_CHUNKS.test(headers.get('User-Agent') ?? '');
  return { deflated, chunked: reads && keepsAlive(request) };
}

/** A weight of 0 means "not this one". */
function parseRange(element: string): { type: string; accepted: boolean } {
  const [type = '', ...parameters] = element.split(';').map(part => part.trim());
  return { type, accepted: !parameters.some(parameter => /^q\s*=\s*0(\.0{0,3})?$/.test(parameter)) };
}
