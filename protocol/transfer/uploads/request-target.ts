// Parses request targets. They are never used as paths on a disk.
import { ProtocolError } from '../../errors.ts';
import { unescapeOctets } from '../../wire/percent.ts';
import { decodeText } from '../../wire/text.ts';
import { type Urn, urnOrNull } from '../../wire/urn.ts';

export type Target =
  /** GET /get/<index>/<name>; the name as sent, for `namesFile` to read */
  | { readonly kind: 'index'; readonly index: number; readonly asked: string }
  /** GET /uri-res/N2R?urn:sha1:… or another name of the content: the file; N2X: its hash tree */
  | { readonly kind: 'file' | 'tree'; readonly urn: Urn }
  /** GET /: browse host */
  | { readonly kind: 'root' }
  | { readonly kind: 'other'; readonly path: string };

const INDEX_MAX = 0xffff_ffff;

/**
 * Origin form or absolute URI (whose host is not looked at). The path is unescaped once, after the query is split off.
 * Throws HTTP_MALFORMED: no path, a NUL, a step upwards, a URN that is none.
 */
export function parseTarget(text: string): Target {
  const origin = text.replace(/^https?:\/\/[^/?#]*/i, '');
  const question = origin.indexOf('?');
  const path = unescapePath(question < 0 ? origin : origin.slice(0, question));
  const query = question < 0 ? '' : origin.slice(question + 1);
  if (path === '/' && question < 0) return { kind: 'root' };
  const [, service] = /^\/uri-res\/N2([RX])$/i.exec(path) ?? [];
  if (service !== undefined) return { kind: /r/i.test(service) ? 'file' : 'tree', urn: urnIn(query) };
  const [, digits, asked] = /^\/get\/(\d{1,10})(?:\/(.*))?$/s.exec(origin) ?? [];
  if (digits === undefined || Number(digits) > INDEX_MAX) return { kind: 'other', path };
  return { kind: 'index', index: Number(digits), asked: asked ?? '' };
}

function urnIn(query: string): Urn {
  // some clients escape the colons, or ask with all of X-Thex-URI, its root too
  const urn = urnOrNull(query.replace(/%3a/gi, ':').replace(/;.*$/s, ''));
  if (urn === null) throw new ProtocolError('HTTP_MALFORMED', 'a name of no content that we know');
  return urn;
}

function unescapePath(text: string): string {
  const bytes = unescapeOctets(Buffer.from(text, 'latin1'));
  const path = decodeText(bytes, 0, bytes.length);
  if (!path.startsWith('/') || path.includes('\0') || path.split(/[/\\]/).includes('..')) {
    throw new ProtocolError('HTTP_MALFORMED', 'not a path');
  }
  return path;
}

/** The SHA-1 that a request names; `wanted`: in its X-Gnutella-Content-URN. Null: none. */
export function sha1Asked(target: Target, wanted: Urn | null): Buffer | null {
  return target.kind === 'file' || target.kind === 'tree' ? target.urn.sha1 : (wanted?.sha1 ?? null);
}

/** A file name as one path segment. */
export function escapeSegment(name: string): string {
  // a lone surrogate would throw: through UTF-8 it becomes U+FFFD
  return encodeURIComponent(Buffer.from(name, 'utf8').toString('utf8'));
}
