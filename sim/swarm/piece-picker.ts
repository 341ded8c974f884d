// Which block a peer of a swarm asks for next (Cohen 2003, section 2.4): the rest of the piece that the neighbour is at; a random
// piece as long as none is complete; then the rarest among the neighbours; and in the end game all that is missing from all.
import type { SeededRandom } from '../seeded-random.ts';

export interface FileShape {
  readonly pieces: number;
  readonly blocksPerPiece: number;
}

export interface PickerOptions extends FileShape {
  readonly random: SeededRandom;
  readonly rarestFirst: boolean;
  readonly endGame: boolean;
}

export class PiecePicker {
  /** 1 for each complete piece. */
  readonly has: Uint8Array;
  /** Neighbours that have the piece. */
  readonly copies: Uint16Array;
  complete = 0;
  readonly #perPiece: number;
  /** 1 for each block that has come. */
  readonly #come: Uint8Array;
  /** Neighbours that were asked for the block and have not sent it. */
  readonly #asked: Uint8Array;
  readonly #left: Uint16Array;
  /** Pieces with a block that was asked for, each with the neighbour that is at it, or null. */
  readonly #begun = new Map<number, number | null>();
  readonly #random: SeededRandom;
  readonly #rarestFirst: boolean;
  readonly #endGame: boolean;

  constructor({ pieces, blocksPerPiece, random, rarestFirst, endGame }: PickerOptions) {
    this.has = new Uint8Array(pieces);
    this.copies = new Uint16Array(pieces);
    this.#perPiece = blocksPerPiece;
    this.#come = new Uint8Array(pieces * blocksPerPiece);
    this.#asked = new Uint8Array(pieces * blocksPerPiece);
    this.#left = new Uint16Array(pieces).fill(blocksPerPiece);
    this.#random = random;
    this.#rarestFirst = rarestFirst;
    this.#endGame = endGame;
  }

  get isComplete(): boolean {
    return this.complete === this.has.length;
  }

  /** Everything is there: a seed. */
  fill(): void {
    this.has.fill(1);
    this.#come.fill(1);
    this.#left.fill(0);
    this.complete = this.has.length;
  }

  hasBlock(block: number): boolean {
    return this.#come[block] === 1;
  }

  pieceOf(block: number): number {
    return Math.floor(block / this.#perPiece);
  }

  /** Whether the neighbour has a piece that is missing here. */
  wants(theirs: Uint8Array): boolean {
    return theirs.some((has, piece) => has === 1 && this.has[piece] === 0);
  }

  /** The block to ask for of the neighbour, which has `theirs` and was asked for `asked` already; null: none. */
  pick(neighbour: number, theirs: Uint8Array, asked: ReadonlyMap<number, unknown>): number | null {
    const isFree = (block: number): boolean => this.#asked[block] === 0;
    const own = this.#ofBegun(theirs, isFree, by => by === neighbour);
    if (own !== null) return own;
    const next = this.#nextPiece(theirs);
    if (next !== null) return this.#blockIn(next, isFree);
    const shared = this.#ofBegun(theirs, isFree, () => true);
    if (shared !== null || !this.#endGame || !this.#allAsked()) return shared;
    return this.#ofBegun(
      theirs,
      block => !asked.has(block),
      () => true,
    );
  }

  #ofBegun(
    theirs: Uint8Array,
    fits: (block: number) => boolean,
    isBy: (neighbour: number | null) => boolean,
  ): number | null {
    for (const [piece, by] of this.#begun) {
      if (theirs[piece] === 0 || !isBy(by)) continue;
      const block = this.#blockIn(piece, fits);
      if (block !== null) return block;
    }
    return null;
  }

  /** The first missing block of the piece that fits. */
  #blockIn(piece: number, fits: (block: number) => boolean): number | null {
    const first = piece * this.#perPiece;
    for (let block = first; block < first + this.#perPiece; block++)
      if (this.#come[block] === 0 && fits(block)) return block;
    return null;
  }

  /** One that the neighbour has and that no other is at; of those that are as rare, one that is begun. */
  #nextPiece(theirs: Uint8Array): number | null {
    const byRarity = this.#rarestFirst && this.complete > 0;
    let best: number | null = null;
    let least = Number.POSITIVE_INFINITY;
    let alike = 0;
    for (let piece = 0; piece < theirs.length; piece++) {
      if (theirs[piece] === 0 || this.has[piece] === 1) continue;
      const isBegun = this.#begun.has(piece);
      if (isBegun && !this.#isLeft(piece)) continue;
      const rank = (byRarity ? 2 * (this.copies[piece] ?? 0) : 0) + (isBegun ? 0 : 1);
      if (rank > least) continue;
      alike = rank < least ? 1 : alike + 1;
      least = rank;
      if (this.#random.below(alike) === 0) best = piece;
    }
    return best;
  }

  /** No neighbour is at it, and a block is to be asked for. */
  #isLeft(piece: number): boolean {
    return this.#begun.get(piece) === null && this.#blockIn(piece, block => this.#asked[block] === 0) !== null;
  }

  #allAsked(): boolean {
    return this.#come.every((come, block) => come === 1 || (this.#asked[block] ?? 0) > 0);
  }

  onAsked(block: number, neighbour: number): void {
    const piece = this.pieceOf(block);
    this.#asked[block] = (this.#asked[block] ?? 0) + 1;
    this.#begun.set(piece, this.#begun.get(piece) ?? neighbour);
  }

  /** The neighbour goes on with no piece: it chokes us, or is gone. */
  onChoked(neighbour: number): void {
    for (const [piece, by] of this.#begun) if (by === neighbour) this.#begun.set(piece, null);
  }

  /** The neighbour will not send it any more. */
  onReleased(block: number): void {
    this.#asked[block] = Math.max(0, (this.#asked[block] ?? 0) - 1);
  }

  /** True when the piece is complete by it. */
  onBlock(block: number): boolean {
    const piece = this.pieceOf(block);
    this.#come[block] = 1;
    this.#left[piece] = (this.#left[piece] ?? 0) - 1;
    if ((this.#left[piece] ?? 0) > 0) return false;
    this.has[piece] = 1;
    this.#begun.delete(piece);
    this.complete++;
    return true;
  }
}
