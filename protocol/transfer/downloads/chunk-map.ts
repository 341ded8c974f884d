// What of a file is there: each byte is in exactly one state. Assigned and received bytes know their source.
import { type ByteRange, RangeSet } from '../range-set.ts';

/**
 * `missing` → `assigned` (a source was asked) → `received` → `verified` (by the hash tree). Back to `missing` leads `release` from
 * assigned, and `reject` from received and verified.
 */
export type ChunkState = 'missing' | 'assigned' | 'received' | 'verified';

/** The longest run of bytes with the same state and source. */
export interface Chunk extends ByteRange {
  readonly state: ChunkState;
  /** SwarmSource.number of who was asked or who brought it. Null: missing, verified, or from before a restart. */
  readonly source: number | null;
}

/** Bytes that one source brought; `source` as in Chunk. */
export interface Contribution {
  readonly source: number | null;
  readonly bytes: number;
}

/** End of a file whose size is unknown. */
const OPEN_END = Number.MAX_SAFE_INTEGER;

export class ChunkMap implements Iterable<Chunk> {
  /** In order, without holes, up to the end; neighbours differ in state or source. */
  readonly #chunks: Chunk[] = [];
  /** The missing ones among them, where a search must be quick. */
  readonly #missing: RangeSet = RangeSet.of();
  readonly #bytes: Record<ChunkState, number> = { missing: 0, assigned: 0, received: 0, verified: 0 };
  #size: number | null;

  /** All of it is missing. Null: the size is unknown until `settle`. */
  constructor(size: number | null) {
    this.#size = size;
    this.#append(this.#end);
  }

  /** From a record, which may say more than the file has: what lies beyond its end does not count. */
  static restore(size: number | null, received: RangeSet, verified: RangeSet): ChunkMap {
    const map = new ChunkMap(size);
    const end = map.#end;
    for (const [state, ranges] of [
      ['received', received],
      ['verified', verified],
    ] as const) {
      for (const range of ranges) if (range.start < end) map.#paint(range.start, Math.min(range.end, end), state, null);
    }
    return map;
  }

  get size(): number | null {
    return this.#size;
  }

  /** All bytes are received or verified. */
  get complete(): boolean {
    return this.#size !== null && this.#bytes.received + this.#bytes.verified === this.#size;
  }

  get allVerified(): boolean {
    return this.#size !== null && this.#bytes.verified === this.#size;
  }

  /** In order, without holes. While the size is unknown the last one ends at Number.MAX_SAFE_INTEGER. */
  [Symbol.iterator](): Iterator<Chunk> {
    return this.#chunks[Symbol.iterator]();
  }

  /** How many chunks there are. */
  get length(): number {
    return this.#chunks.length;
  }

  bytes(state: ChunkState): number {
    return this.#bytes[state];
  }

  /** A copy. */
  rangesOf(state: ChunkState): RangeSet {
    if (state === 'missing') return this.#missing.clone();
    return RangeSet.of(this.#chunks.filter(chunk => chunk.state === state));
  }

  /** The first run of bytes within [start, end) whose states are among these. */
  gap(start: number, end: number, ...states: readonly ChunkState[]): ByteRange | null {
    if (states.length === 1 && states[0] === 'missing') return this.#missing.rangeWithin(start, end);
    let from: number | null = null;
    for (const part of this.#within(start, end)) {
      if (states.includes(part.state)) from ??= part.start;
      else if (from !== null) return { start: from, end: part.start };
    }
    return from === null ? null : { start: from, end: Math.min(end, this.#end) };
  }

  /** The size is known now. What lies beyond is forgotten. */
  settle(size: number): void {
    if (!Number.isSafeInteger(size) || size < 0) throw new RangeError(`not a size: ${size}`);
    if (this.#size !== null && this.#size !== size) throw new RangeError(`has ${this.#size} bytes, not ${size}`);
    if (this.#size !== null) return;
    this.#paint(size, OPEN_END, 'missing', null);
    this.#size = size;
    this.#cut(size);
  }

  /** The size is unknown again: who told it lied. */
  unsettle(): void {
    if (this.#size === null) return;
    this.#size = null;
    this.#append(OPEN_END);
  }

  /** Asks a source for missing bytes. Throws when any of them is not missing: who steals a range releases it first. */
  assign(start: number, end: number, source: number): void {
    if (!this.#missing.covers(start, end)) throw new RangeError(`not all of [${start}, ${end}) is missing`);
    this.#paint(start, end, 'assigned', source);
  }

  /** What is assigned to the source within [start, end) becomes missing: gives those ranges. */
  release(source: number, start = 0, end = this.#end): ByteRange[] {
    return this.#change(start, end, 'missing', null, chunk => chunk.state === 'assigned' && chunk.source === source);
  }

  /** The source brought these bytes. Gives the parts that are new: missing before, or assigned to anybody. */
  receive(start: number, end: number, source: number): ByteRange[] {
    if (start < 0 || end > this.#end) throw new RangeError(`[${start}, ${end}) is not within the file`);
    if (this.#extend(start, end, source)) return [{ start, end }];
    return this.#change(start, end, 'received', source, ({ state }) => state === 'missing' || state === 'assigned');
  }

  /** These bytes are on the disk, and nobody knows who brought them: what is missing of them counts as received. */
  found(start: number, end: number): void {
    this.#change(start, end, 'received', null, ({ state }) => state === 'missing');
  }

  /** The usual case of `receive`, at once: the bytes follow those that the source brought, within what it was asked for. */
  #extend(start: number, end: number, source: number): boolean {
    const index = this.#indexOf(start);
    const asked = this.#chunks[index];
    const brought = this.#chunks[index - 1];
    if (asked?.state !== 'assigned' || asked.source !== source || asked.start !== start || end >= asked.end)
      return false;
    if (brought?.state !== 'received' || brought.source !== source || start >= end) return false;
    this.#chunks[index - 1] = { ...brought, end };
    this.#chunks[index] = { ...asked, start: end };
    this.#bytes.assigned -= end - start;
    this.#bytes.received += end - start;
    return true;
  }

  /** The hash tree agrees with what was received. */
  verify(start: number, end: number): void {
    this.#change(start, end, 'verified', null, ({ state }) => state === 'received');
  }

  /** What was verified is only received: the hash tree was a lie. */
  unverify(start: number, end: number): void {
    this.#change(start, end, 'received', null, ({ state }) => state === 'verified');
  }

  /** Received and verified bytes become missing: gives who brought how many. */
  reject(start: number, end: number): Contribution[] {
    const blamed = new Map<number | null, number>();
    this.#change(start, end, 'missing', null, chunk => {
      if (chunk.state !== 'received' && chunk.state !== 'verified') return false;
      blamed.set(chunk.source, (blamed.get(chunk.source) ?? 0) + (chunk.end - chunk.start));
      return true;
    });
    return [...blamed].map(([source, bytes]) => ({ source, bytes }));
  }

  /** Who brought the received bytes within [start, end), and how many. */
  contributions(start: number, end: number): Contribution[] {
    const brought = new Map<number | null, number>();
    for (const { state, source, ...part } of this.#within(start, end))
      if (state === 'received') brought.set(source, (brought.get(source) ?? 0) + (part.end - part.start));
    return [...brought].map(([source, bytes]) => ({ source, bytes }));
  }

  get #end(): number {
    return this.#size ?? OPEN_END;
  }

  /** Changes the chosen parts of [start, end), and gives them, joined where they touch. */
  #change(
    start: number,
    end: number,
    state: ChunkState,
    source: number | null,
    chosen: (part: Chunk) => boolean,
  ): ByteRange[] {
    const changed: { start: number; end: number }[] = [];
    for (const part of this.#within(start, end)) {
      if (!chosen(part)) continue;
      const last = changed.at(-1);
      if (last?.end === part.start) last.end = part.end;
      else changed.push({ start: part.start, end: part.end });
    }
    for (const range of changed) this.#paint(range.start, range.end, state, source);
    return changed;
  }

  /** The chunks within [start, end), clipped to it. */
  *#within(start: number, end: number): Generator<Chunk> {
    if (start >= end) return;
    for (let i = this.#indexOf(start); ; i++) {
      const chunk = this.#chunks[i];
      if (chunk === undefined || chunk.start >= end) return;
      if (chunk.start >= start && chunk.end <= end) yield chunk;
      else yield { ...chunk, start: Math.max(start, chunk.start), end: Math.min(end, chunk.end) };
    }
  }

  /** Gives [start, end), which lies within the file, this state, whatever it was. */
  #paint(start: number, end: number, state: ChunkState, source: number | null): void {
    if (start >= end) return;
    let first = this.#indexOf(start);
    let after = first;
    for (let chunk = this.#chunks[after]; chunk !== undefined && chunk.start < end; chunk = this.#chunks[++after]) {
      this.#bytes[chunk.state] -= Math.min(end, chunk.end) - Math.max(start, chunk.start);
    }
    this.#bytes[state] += end - start;
    if (state === 'missing') this.#missing.add(start, end);
    else this.#missing.remove(start, end);

    // what stays of the chunks at both ends, or the neighbours there: joined with the new one when they are alike
    if (this.#chunks[first]?.start === start && first > 0) first--;
    const before = this.#chunks[first];
    const behind = this.#chunks[after - 1]?.end === end ? this.#chunks[after++] : this.#chunks[after - 1];
    const parts: Chunk[] = [];
    let from = start;
    let to = end;
    if (before !== undefined && before.start < start) {
      if (before.state === state && before.source === source) from = before.start;
      else parts.push({ ...before, end: start });
    }
    const joined = behind !== undefined && behind.state === state && behind.source === source;
    if (joined && behind.end > end) to = behind.end;
    parts.push({ start: from, end: to, state, source });
    if (behind !== undefined && behind.end > end && !joined) parts.push({ ...behind, start: end });
    this.#chunks.splice(first, after - first, ...parts);
  }

  /** More missing bytes at the end. */
  #append(end: number): void {
    const last = this.#chunks.at(-1);
    const start = last?.end ?? 0;
    if (start === end) return;
    if (last?.state === 'missing') this.#chunks[this.#chunks.length - 1] = { ...last, end };
    else this.#chunks.push({ start, end, state: 'missing', source: null });
    this.#missing.add(start, end);
    this.#bytes.missing += end - start;
  }

  /** The missing bytes from `size` on do not exist. */
  #cut(size: number): void {
    const last = this.#chunks.pop();
    if (last !== undefined && last.start < size) this.#chunks.push({ ...last, end: size });
    this.#missing.remove(size, OPEN_END);
    this.#bytes.missing -= OPEN_END - size;
  }

  /** Index of the chunk that holds this offset; how many there are, beyond the end. */
  #indexOf(offset: number): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#chunks[middle]?.end ?? 0) <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
