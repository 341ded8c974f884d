// Reply headers with byte ranges: Content-Range, X-Available-Ranges, X-Available.
import { type ByteRange, RangeSet } from './range-set.ts';

export interface ContentRange {
  /** Null where a star stands for it, as in a 416. */
  readonly range: ByteRange | null;
  /** Of the whole file; null where a star stands for it. */
  readonly size: number | null;
}

/** gtk-gnutella cuts its lists at about 512 bytes. */
const AVAILABLE_RANGES_MAX = 256;

/** `bytes A-B/T`, a star for A-B or for T, and = for the blank as old servents write. Null when it is none of these. */
export function parseContentRange(text: string): ContentRange | null {
  const [, first, last, total] =
    /^bytes[\s=]+(?:(\d{1,16})\s*-\s*(\d{1,16})|\*)\s*\/\s*(\d{1,16}|\*)$/i.exec(text.trim()) ?? [];
  if (total === undefined) return null;
  const size = total === '*' ? null : Number(total);
  if (first === undefined || last === undefined) return size === null ? null : { range: null, size };
  const range = { start: Number(first), end: Number(last) + 1 };
  if (range.start >= range.end || range.end > (size ?? Number.MAX_SAFE_INTEGER)) return null;
  return { range, size };
}

export function formatContentRange({ start, end }: ByteRange, size: number): string {
  return `bytes ${start}-${end - 1}/${size}`;
}

/** X-Available-Ranges of a partial file; bad items are left out, offsets beyond `size` cut. `bytes` alone is an empty set. */
export function parseAvailableRanges(text: string, size: number | null): RangeSet | null {
  const list = /^bytes(?:[\s=]+(.*))?$/is.exec(text.trim());
  if (list === null) return null;
  const set = RangeSet.of();
  for (const item of (list[1] ?? '').split(',', AVAILABLE_RANGES_MAX)) {
    const [, first, last] = /^\s*(\d{1,15})\s*-\s*(\d{1,15})\s*$/.exec(item) ?? [];
    if (first === undefined || last === undefined) continue;
    const end = Math.min(Number(last) + 1, size ?? Number.MAX_SAFE_INTEGER);
    if (Number(first) < end) set.add(Number(first), end);
  }
  return set;
}

export function formatAvailableRanges(set: RangeSet): string {
  const items = [...set].map(({ start, end }) => `${start}-${end - 1}`);
  return items.length === 0 ? 'bytes' : `bytes ${items.join(', ')}`;
}

/**
 * X-Available-Ranges of at most `bytesMax` characters: ranges from the one of index `from` on, round to the first. `next`: with which
 * the next list goes on; null: all are in this one.
 */
export function formatSomeRanges(set: RangeSet, from: number, bytesMax: number): { text: string; next: number | null } {
  const all = formatAvailableRanges(set);
  if (all.length <= bytesMax) return { text: all, next: null };
  const items = [...set].map(({ start, end }) => `${start}-${end - 1}`);
  let text = 'bytes';
  let at = from % items.length;
  for (; text.length + 2 + (items[at] ?? '').length <= bytesMax; at = (at + 1) % items.length)
    text += `${text === 'bytes' ? ' ' : ', '}${items[at]}`;
  return { text, next: at };
}

export function formatAvailable(bytes: number): string {
  return `bytes ${bytes}`;
}

/** X-Available: how many bytes of a partial file are there. */
export function parseAvailable(text: string): number | null {
  const [, digits] = /^bytes\s+(\d{1,15})$/i.exec(text.trim()) ?? [];
  return digits === undefined ? null : Number(digits);
}
