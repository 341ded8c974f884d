// Checks Host and Origin and answers CORS, so that a hostile web page cannot call the API through its visitor's browser.
import { isIP } from 'node:net';
import type { Context } from 'koa';
import { ApiError } from './errors.ts';

/**
 * Rejects unknown host names. Prevents DNS rebinding, in which a web page lets its own name resolve to 127.0.0.1; this does not work with
 * a literal address or `localhost`, which are accepted.
 */
export function checkHost(ctx: Context, allowed: ReadonlySet<string>): void {
  const name = hostName(ctx.get('Host'));
  if (name === null && ctx.req.httpVersion === '1.1') {
    const detail = 'HTTP/1.1 wants one';
    throw new ApiError('INVALID', `Host: ${detail}`, { faults: [{ in: 'header', field: 'Host', detail }] });
  }
  if (name === null || name === 'localhost' || name.endsWith('.localhost') || isIP(name) !== 0 || allowed.has(name))
    return;
  throw new ApiError(
    'FORBIDDEN_HOST',
    `call the API by its address or as localhost, not as ${JSON.stringify(name)}; api.hostNames in the configuration allows more names`,
  );
}

/** Returns the host in lower case without port and brackets; null without a header, as in HTTP/1.0. */
function hostName(header: string): string | null {
  if (header === '') return null;
  const literal = /^\[([0-9a-f:.]+)\](?::\d+)?$/i.exec(header);
  if (literal?.[1] !== undefined) return literal[1].toLowerCase();
  return header.replace(/:\d*$/, '').replace(/\.$/, '').toLowerCase();
}

const EXPOSED = 'ETag, Location, Retry-After, Idempotency-Replayed';
const ALLOWED_HEADERS =
  'Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, Cache-Control';
const PREFLIGHT_SECONDS = '600';

/**
 * Rejects calls of web pages other than our own and those of `allowed` (`https://HOST:PORT`). Returns true for a preflight, which is
 * answered.
 */
export function checkOrigin(ctx: Context, allowed: ReadonlySet<string>): boolean {
  const origin = ctx.get('Origin');
  if (origin === '') return false;
  // Without a list no CORS header is sent.
  if (allowed.has(origin)) {
    ctx.set('Access-Control-Allow-Origin', origin);
    ctx.set('Access-Control-Expose-Headers', EXPOSED);
    ctx.set('Cross-Origin-Resource-Policy', 'cross-origin');
    ctx.vary('Origin');
  } else if (!isOwn(origin, ctx.get('Host'))) {
    throw new ApiError(
      'FORBIDDEN_ORIGIN',
      `pages of ${origin.slice(0, 100)} may not call the API; api.corsOrigins in the configuration allows them`,
    );
  }
  if (ctx.method !== 'OPTIONS' || ctx.get('Access-Control-Request-Method') === '') return false;
  ctx.set('Access-Control-Allow-Methods', 'GET, HEAD, POST, PATCH, DELETE');
  ctx.set('Access-Control-Allow-Headers', ALLOWED_HEADERS);
  ctx.set('Access-Control-Max-Age', PREFLIGHT_SECONDS);
  ctx.status = 204;
  return true;
}

/** Whether the origin is our own page; `host` is already checked. */
function isOwn(origin: string, host: string): boolean {
  return host !== '' && (origin === `http://${host}` || origin === `https://${host}`);
}

const HEADERS = {
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
} as const;

/** Sets headers that forbid to run or frame an answer. */
export function setSafeHeaders(ctx: Context): void {
  ctx.set(HEADERS);
  ctx.set('Cache-Control', 'no-store');
}
