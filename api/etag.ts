// Entity tags of JSON answers, and the conditions callers make with them.
import { createHash } from 'node:crypto';
import { ApiError } from './errors.ts';

/** Strong: the same bytes, the same tag. */
export function etagOf(content: string | Buffer): string {
  return `"${createHash('sha1').update(content).digest('base64url')}"`;
}

/** If-None-Match: the caller has it already. Compares weakly, as it should. */
export function hasAlready(header: string, etag: string): boolean {
  if (header === '') return false;
  return tagsOf(header).some(tag => tag === '*' || tag.replace(/^W\//, '') === etag);
}

/** If-Match: throws STALE unless the caller has seen what is there now. */
export function requireMatch(header: string, etag: string): void {
  if (tagsOf(header).some(tag => tag === '*' || tag === etag)) return;
  throw new ApiError('STALE', 'get it again and decide anew: what you have seen is no longer what is there');
}

const tagsOf = (header: string): string[] => header.split(',').map(tag => tag.trim());
