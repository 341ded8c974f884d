// Who may call: a Bearer token, and a Host header that a hostile web page cannot have made.
import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import { ApiError } from './errors.ts';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Says whether an Authorization header carries the token; takes the same time wherever they differ. */
export function tokenChecker(token: string): (header: string) => boolean {
  if (token.length < 16) throw new Error('the API token is too short to protect anything');
  const expected = digest(token);
  return header => {
    const match = /^Bearer +([\x21-\x7e]+) *$/i.exec(header);
    return match?.[1] !== undefined && timingSafeEqual(digest(match[1]), expected);
  };
}

/**
 * DNS rebinding: a page on evil.example lets its name point to 127.0.0.1 and talks to us as its own origin. It cannot do so under a literal
 * address or `localhost`, which is what everybody else uses.
 */
export function checkHost(header: string, allowed: ReadonlySet<string>): void {
  const name = hostName(header);
  if (name === null || name === 'localhost' || name.endsWith('.localhost') || isIP(name) !== 0 || allowed.has(name))
    return;
  throw new ApiError('FORBIDDEN_HOST', `call the API by its address or as localhost, not as ${JSON.stringify(name)}`);
}

/** Lower case, without port and brackets; null when there is no header at all, as in HTTP/1.0. */
function hostName(header: string): string | null {
  if (header === '') return null;
  const literal = /^\[([0-9a-f:.]+)\](?::\d+)?$/i.exec(header);
  if (literal?.[1] !== undefined) return literal[1].toLowerCase();
  return header.replace(/:\d*$/, '').replace(/\.$/, '').toLowerCase();
}
