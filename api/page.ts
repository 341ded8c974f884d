// Cuts one page out of a list and makes the cursor that leads to the next.
import type { Page, PageRequest } from './control.ts';
import { ApiError } from './errors.ts';

interface Cursor {
  /** Where the last item given stood, and its key, in case the list has moved since. */
  at: number;
  key: string;
}

/**
 * The rows after `cursor`, at most `limit`, shown through `view`. A list may change between two pages: the last row given is looked for by
 * its key, first where it stood, then everywhere; when it has gone, the page starts where it stood.
 */
export function pageOf<R, T>(
  rows: readonly R[],
  { limit, cursor }: PageRequest,
  keyOf: (row: R) => string,
  view: (row: R) => T,
): Page<T> {
  const start = cursor === undefined ? 0 : startAfter(rows, parseCursor(cursor), keyOf);
  const page = rows.slice(start, start + limit);
  const last = page.at(-1);
  const more = last !== undefined && start + page.length < rows.length;
  return {
    items: page.map(view),
    next: more ? encodeCursor({ at: start + page.length - 1, key: keyOf(last) }) : null,
  };
}

function startAfter<R>(rows: readonly R[], { at, key }: Cursor, keyOf: (row: R) => string): number {
  const there = rows[at];
  if (there !== undefined && keyOf(there) === key) return at + 1;
  const found = rows.findIndex(row => keyOf(row) === key);
  return found >= 0 ? found + 1 : Math.min(at, rows.length);
}

function encodeCursor({ at, key }: Cursor): string {
  return Buffer.from(`${at} ${key}`).toString('base64url');
}

function parseCursor(text: string): Cursor {
  const match = /^(\d{1,10}) (.+)$/s.exec(Buffer.from(text, 'base64url').toString());
  if (match?.[1] === undefined || match[2] === undefined) {
    const detail = 'not a cursor of this list: take it from `next`, or leave it out to start over';
    throw new ApiError('INVALID', `cursor: ${detail}`, { faults: [{ in: 'query', field: 'cursor', detail }] });
  }
  return { at: Number(match[1]), key: match[2] };
}
