// Entity tags of JSON answers, If-None-Match and If-Match.
import { createHash } from 'node:crypto';
import { ApiError } from './errors.ts';

/** Makes a strong tag from the content. */
export function etagOf(content: string | Buffer): string {
  return `"${createHash('sha1').update(content).digest('base64url')}"`;
}

/** If-None-Match: whether the caller has this version. Weak comparison (RFC 9110 section 13.1.2). */
export function hasAlready(header: string, etag: string): boolean {
  if (header === '') return false;
  return tagsOf(header).some(tag => tag === '*' || tag.replace(/^W\//, '') === etag);
}

/** If-Match: throws STALE unless the header has the current tag. */
export function requireMatch(header: string, etag: string): void {
  if (tagsOf(header).some(tag => tag === '*' || tag === etag)) return;
  throw new ApiError('STALE', 'the object has changed since you read it: read it again and repeat the change');
}

const tagsOf = (header: string): string[] => header.split(',').map(tag => tag.trim());
