// A set of byte offsets as sorted, disjoint, non-adjacent ranges: what of a file is there.
import { ProtocolError } from '../errors.ts';

/** Offsets from `start` up to, not including, `end`. Never empty inside a set. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export class RangeSet implements Iterable<ByteRange> {
  #ranges: ByteRange[];
  #bytes: number;

  private constructor(ranges: ByteRange[]) {
    this.#ranges = ranges;
    this.#bytes = ranges.reduce((sum, { start, end }) => sum + (end - start), 0);
  }

  static of(ranges: Iterable<ByteRange> = []): RangeSet {
    const set = new RangeSet([]);
    for (const { start, end } of ranges) set.add(start, end);
    return set;
  }

  /** Reads what toPairs wrote. Throws RANGE_MALFORMED: a stored record may be damaged. */
  static fromPairs(pairs: unknown): RangeSet {
    if (!Array.isArray(pairs)) throw new ProtocolError('RANGE_MALFORMED', 'not a list of ranges');
    const set = new RangeSet([]);
    for (const pair of pairs as unknown[]) {
      const [start, end] = Array.isArray(pair) ? (pair as unknown[]) : [];
      if (typeof start !== 'number' || typeof end !== 'number' || !isRange(start, end)) {
        throw new ProtocolError('RANGE_MALFORMED', `not a range: ${JSON.stringify(pair)?.slice(0, 60)}`);
      }
      set.add(start, end);
    }
    return set;
  }

  /** [start, end), … for JSON. */
  toPairs(): [start: number, end: number][] {
    return this.#ranges.map(({ start, end }) => [start, end]);
  }

  [Symbol.iterator](): Iterator<ByteRange> {
    return this.#ranges[Symbol.iterator]();
  }

  /** Offsets in the set. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Ranges in the set. */
  get length(): number {
    return this.#ranges.length;
  }

  add(start: number, end: number): void {
    if (!isRange(start, end)) throw new RangeError(`not a range: [${start}, ${end})`);
    if (start === end) return;
    // downloads mostly append: look from the back
    const last = this.#ranges.at(-1);
    if (last === undefined || start > last.end) {
      this.#ranges.push({ start, end });
      this.#bytes += end - start;
      return;
    }
    const first = this.#firstEndingFrom(start);
    let after = first;
    let from = start;
    let to = end;
    let absorbed = 0;
    for (let next = this.#ranges[after]; next !== undefined && next.start <= end; next = this.#ranges[++after]) {
      from = Math.min(from, next.start);
      to = Math.max(to, next.end);
      absorbed += next.end - next.start;
    }
    this.#ranges.splice(first, after - first, { start: from, end: to });
    this.#bytes += to - from - absorbed;
  }

  remove(start: number, end: number): void {
    if (!isRange(start, end)) throw new RangeError(`not a range: [${start}, ${end})`);
    if (start === end) return;
    const first = this.#firstEndingFrom(start + 1);
    let after = first;
    let removed = 0;
    const kept: ByteRange[] = [];
    for (let next = this.#ranges[after]; next !== undefined && next.start < end; next = this.#ranges[++after]) {
      removed += Math.min(end, next.end) - Math.max(start, next.start);
      if (next.start < start) kept.push({ start: next.start, end: start });
      if (next.end > end) kept.push({ start: end, end: next.end });
    }
    if (after === first) return;
    this.#ranges.splice(first, after - first, ...kept);
    this.#bytes -= removed;
  }

  clear(): void {
    this.#ranges = [];
    this.#bytes = 0;
  }

  clone(): RangeSet {
    return new RangeSet([...this.#ranges]);
  }

  covers(start: number, end: number): boolean {
    if (start >= end) return true;
    const range = this.#ranges[this.#firstEndingFrom(start + 1)];
    return range !== undefined && range.start <= start && range.end >= end;
  }

  /** The range that holds this offset. */
  at(offset: number): ByteRange | null {
    const range = this.#ranges[this.#firstEndingFrom(offset + 1)];
    return range !== undefined && range.start <= offset ? range : null;
  }

  /** The lowest run of offsets in [start, end) that are not in the set, or null. */
  gapWithin(start: number, end: number): ByteRange | null {
    let from = start;
    for (let i = this.#firstEndingFrom(start + 1); i < this.#ranges.length; i++) {
      const range = this.#ranges[i];
      if (range === undefined || range.start >= end) break;
      if (range.start > from) return { start: from, end: range.start };
      from = range.end;
    }
    return from < end ? { start: from, end } : null;
  }

  /** The lowest run of offsets in [start, end) that are in the set, or null. */
  rangeWithin(start: number, end: number): ByteRange | null {
    const range = this.#ranges[this.#firstEndingFrom(start + 1)];
    if (range === undefined || range.start >= end || start >= end) return null;
    return { start: Math.max(start, range.start), end: Math.min(end, range.end) };
  }

  /** Index of the first range whose end is at or after `offset`. */
  #firstEndingFrom(offset: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ranges[middle]?.end ?? 0) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function isRange(start: number, end: number): boolean {
  return Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start <= end;
}
