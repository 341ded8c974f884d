// The Range header of a request. Of several ranges the first is used, as in gtk-gnutella.
import type { ByteRange, RangeSet } from './range-set.ts';

export const RangeVerdict = { Malformed: 'malformed', Unsatisfiable: 'unsatisfiable' } as const;
export type RangeVerdict = (typeof RangeVerdict)[keyof typeof RangeVerdict];

/** `bytes=A-B`, `bytes A-`, blanks and all, as gtk-gnutella takes it. */
const RANGES = /^bytes\s*[=\s]\s*([^,]*)(?:,|$)/i;
const BOUNDS = /^(\d*)\s*-\s*(\d*)$/;

/**
 * The bytes to send of a file of `size` bytes; null when all of it is to be sent with status 200 (no header, or nothing to cut).
 * Last offsets beyond the end are clamped; a first one beyond it is unsatisfiable, however many digits they have.
 */
export function parseRange(header: string | null, size: number): ByteRange | RangeVerdict | null {
  if (header === null) return null;
  const [, first = '', last = ''] = BOUNDS.exec(RANGES.exec(header.trim())?.[1]?.trim() ?? '') ?? [];
  if (first === '' && last === '') return RangeVerdict.Malformed;
  if (first !== '' && last !== '' && BigInt(first) > BigInt(last)) return RangeVerdict.Malformed;
  if (size === 0) return null; // nothing to cut: any range of an empty file is all of it
  // beyond what a number holds exactly both are far beyond every file
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size : Math.min(Number(last) + 1, size);
  return start >= size ? RangeVerdict.Unsatisfiable : { start, end };
}

/** The part of `wanted` that an incomplete file can serve: up to the end of the range that holds its first byte. */
export function servedOf(wanted: ByteRange, available: RangeSet): ByteRange | null {
  const chunk = available.at(wanted.start);
  return chunk === null ? null : { start: wanted.start, end: Math.min(wanted.end, chunk.end) };
}

/** The value of a Range header, with both bounds: open and suffix ranges are answered wrongly by some servents. */
export function formatRange({ start, end }: ByteRange): string {
  return `bytes=${start}-${end - 1}`;
}
