// How many partial sources have each block of the file: what few of them have is fetched first, before they go.
import type { ByteRange, RangeSet } from '../range-set.ts';
import type { ChunkMap } from './chunk-map.ts';
import type { SwarmSource } from './swarm-source.ts';

const BLOCK_BYTES_MIN = 128 << 10;
/** Bounds what a decision and a change cost. */
const BLOCKS_MAX = 2048;
/** With fewer of them nothing is rare. */
const PARTIALS_MIN = 2;

export class Rarity {
  readonly size: number;
  readonly #blockBytes: number;
  readonly #counts: Uint16Array;
  /** 0: no byte of the block is missing, as of the last look. */
  readonly #open: Uint8Array;
  /** What is counted, by source. */
  readonly #counted = new Map<SwarmSource, RangeSet>();

  constructor(size: number) {
    this.size = size;
    const blocks = Math.ceil(size / BLOCK_BYTES_MIN);
    this.#blockBytes = BLOCK_BYTES_MIN * Math.max(1, Math.ceil(blocks / BLOCKS_MAX));
    this.#counts = new Uint16Array(Math.ceil(size / this.#blockBytes));
    this.#open = new Uint8Array(this.#counts.length).fill(1);
  }

  get matters(): boolean {
    return this.#counted.size >= PARTIALS_MIN;
  }

  /** Counts what the source has now. Costs nothing when that is what was counted. */
  update(source: SwarmSource): void {
    const after = source.state === 'dropped' ? null : source.available;
    const before = this.#counted.get(source) ?? null;
    if (after === before) return;
    if (before !== null) this.#count(before, -1);
    if (after === null) this.#counted.delete(source);
    else {
      this.#count(after, 1);
      this.#counted.set(source, after);
    }
  }

  /** Sources may have been forgotten. */
  forgetDropped(): void {
    for (const source of [...this.#counted.keys()]) if (source.state === 'dropped') this.update(source);
  }

  /** Bytes of [start, end) are missing again. */
  reopen(start: number, end: number): void {
    this.#open.fill(1, Math.floor(start / this.#blockBytes), Math.ceil(end / this.#blockBytes));
  }

  /** The first missing bytes of a block that the fewest have, and the missing bytes behind that are no less rare. */
  rarest(source: SwarmSource, offers: Iterable<ByteRange>, map: ChunkMap): ByteRange | null {
    const floor = source.available === null ? 0 : 1; // nothing can be rarer: itself counts
    let least = Number.POSITIVE_INFINITY;
    let rarest: ByteRange | null = null;
    let limit = 0;
    for (const { start, end } of offers) {
      const last = Math.min(this.#counts.length, Math.ceil(end / this.#blockBytes));
      for (let block = Math.floor(start / this.#blockBytes); block < last; block++) {
        const count = this.#counts[block] ?? 0;
        if (count >= least || this.#open[block] === 0) continue;
        const gap = this.#gap(block, start, end, map);
        if (gap === null) continue;
        least = count;
        rarest = gap;
        limit = end;
        if (count <= floor) return this.#extend(gap, end, count, map);
      }
    }
    return rarest === null ? null : this.#extend(rarest, limit, least, map);
  }

  #gap(block: number, start: number, end: number, map: ChunkMap): ByteRange | null {
    const from = block * this.#blockBytes;
    const to = from + this.#blockBytes;
    const gap = map.gap(Math.max(start, from), Math.min(end, to), 'missing');
    if (gap === null && map.gap(from, to, 'missing') === null) this.#open[block] = 0;
    return gap;
  }

  #extend({ start, end }: ByteRange, limit: number, count: number, map: ChunkMap): ByteRange {
    let to = end;
    while (to < limit && to % this.#blockBytes === 0 && (this.#counts[to / this.#blockBytes] ?? 0) <= count)
      to = Math.min(limit, to + this.#blockBytes);
    return map.gap(start, to, 'missing') ?? { start, end };
  }

  #count(ranges: RangeSet, by: number): void {
    for (const { start, end } of ranges) {
      const last = Math.min(this.#counts.length, Math.ceil(end / this.#blockBytes));
      for (let block = Math.floor(start / this.#blockBytes); block < last; block++)
        this.#counts[block] = (this.#counts[block] ?? 0) + by;
    }
  }
}
