// Repairs a file whose SHA-1 is wrong and that has no hash tree. What one source brought is fetched again, the least trusted first, always
// from the same other source, until the SHA-1 is right. If it never is, all is from that one in the end: it is the liar. Digests of what was
// there before tell which of the others lied.
import type { ByteRange, RangeSet } from '../range-set.ts';

/** What a source brought of the file; `source` is null for bytes from before a restart. */
export interface Provenance {
  readonly source: number | null;
  readonly ranges: RangeSet;
  /** Lower goes first. */
  readonly trust: number;
}

export interface Round {
  /** Whose bytes are fetched again. */
  readonly source: number | null;
  /** Blocks of BLOCK_BYTES at most, to be hashed before they are dropped. */
  readonly blocks: readonly ByteRange[];
}

interface Testimony extends ByteRange {
  readonly source: number | null;
  readonly digest: Buffer;
}

const BLOCK_BYTES = 1 << 20;
/** After so many the file is fetched anew. */
const ROUNDS_MAX = 8;
/** 20 bytes of digest for each: 2 TiB of blocks. */
const TESTIMONIES_MAX = 1 << 21;

export class SecondOpinions {
  #testimonies: Testimony[] = [];
  readonly #heard = new Set<number | null>();
  #round: Round | null = null;
  #rounds = 0;

  /** The round that goes on. */
  get round(): Round | null {
    return this.#round;
  }

  /**
   * Begins the next round: with the least trusted source that was not heard and is not `second`, from which its bytes are fetched. Null:
   * there is none, or too many rounds were made.
   */
  next(contributors: readonly Provenance[], second: number): Round | null {
    this.#round = null;
    if (this.#rounds >= ROUNDS_MAX) return null;
    let least: Provenance | null = null;
    for (const each of contributors) {
      if (this.#heard.has(each.source) || each.source === second || each.ranges.bytes === 0) continue;
      if (least === null || each.trust < least.trust) least = each;
    }
    if (least === null) return null;
    const blocks = blocksOf(least.ranges);
    if (this.#testimonies.length + blocks.length > TESTIMONIES_MAX) return null;
    this.#rounds++;
    this.#heard.add(least.source);
    this.#round = { source: least.source, blocks };
    return this.#round;
  }

  /** The digests of the round's blocks as its source brought them, in their order. */
  onDigests(digests: readonly Buffer[]): void {
    const { source = null, blocks = [] } = this.#round ?? {};
    for (const [i, { start, end }] of blocks.entries()) {
      const digest = digests[i];
      if (digest !== undefined) this.#testimonies.push({ start, end, source, digest });
    }
  }

  /** All blocks that were dropped: to be hashed once the SHA-1 is right. */
  get blocks(): ByteRange[] {
    return this.#testimonies.map(({ start, end }) => ({ start, end }));
  }

  /** Gives the sources that brought other bytes than the file has, and how many, by the digests of `blocks` in the right file. */
  liars(digests: readonly Buffer[]): Map<number, number> {
    const wrong = new Map<number, number>();
    for (const [i, { source, start, end, digest }] of this.#testimonies.entries()) {
      if (source === null || digests[i]?.equals(digest) !== false) continue;
      wrong.set(source, (wrong.get(source) ?? 0) + end - start);
    }
    return wrong;
  }
}

function blocksOf(ranges: RangeSet): ByteRange[] {
  const blocks: ByteRange[] = [];
  for (const { start, end } of ranges)
    for (let at = start; at < end; at += BLOCK_BYTES) blocks.push({ start: at, end: Math.min(end, at + BLOCK_BYTES) });
  return blocks;
}
