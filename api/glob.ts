// Globs without a regular expression: `*` is any run of characters, `?` any one; no case, no classes, nothing to blow up.

/** Of a text that is looked through: strangers choose names, and no file system has longer ones. */
export const TEXT_CHARACTERS_MAX = 1024;

/** Finds a piece in a text at `from` or later: -1, or where it begins. */
interface Piece {
  readonly length: number;
  find(text: string, from: number): number;
  isAt(text: string, at: number): boolean;
}

/**
 * Whole texts only: `*moon*` looks for a part. What lies between two stars is taken where it comes first, and never looked for again, so that
 * a text is read once: time goes with its length, and for pieces with `?` with length times a 32nd of the piece.
 */
export function globMatcher(pattern: string): (value: unknown) => boolean {
  const pieces = pattern.toLowerCase().split('*').map(pieceOf);
  const holds = pieces.length === 1 ? wholeOf(pieces) : partsOf(pieces);
  return value => typeof value === 'string' && holds(value.slice(0, TEXT_CHARACTERS_MAX).toLowerCase());
}

function wholeOf([piece]: readonly Piece[]): (text: string) => boolean {
  return text => piece !== undefined && text.length === piece.length && piece.isAt(text, 0);
}

/** The first piece begins the text and the last one ends it; the others come between, in turn. */
function partsOf(pieces: readonly Piece[]): (text: string) => boolean {
  const first = pieces.at(0);
  const last = pieces.at(-1);
  const between = pieces.slice(1, -1).filter(({ length }) => length > 0);
  return text => {
    if (first === undefined || last === undefined) return false;
    const end = text.length - last.length;
    if (first.length > end || !first.isAt(text, 0) || !last.isAt(text, end)) return false;
    let at = first.length;
    for (const piece of between) {
      const found = piece.find(text, at);
      if (found < 0 || found + piece.length > end) return false;
      at = found + piece.length;
    }
    return true;
  };
}

function pieceOf(wanted: string): Piece {
  if (wanted.includes('?')) return new GappedPiece(wanted);
  return {
    length: wanted.length,
    find: (text, from) => text.indexOf(wanted, from),
    isAt: (text, at) => text.startsWith(wanted, at),
  };
}

const WORD_BITS = 32;

/** A piece with `?` in it, looked for in one pass: bit `i` says that its first `i + 1` characters end here (Baeza-Yates and Gonnet, 1992). */
class GappedPiece implements Piece {
  readonly length: number;
  readonly #wanted: string;
  readonly #words: number;
  /** Bit `i`: this character may stand at `i`. */
  readonly #masks = new Map<string, Int32Array>();
  /** The same for characters that the piece does not name: the gaps. */
  readonly #gaps: Int32Array;

  constructor(wanted: string) {
    this.length = wanted.length;
    this.#wanted = wanted;
    this.#words = Math.ceil(wanted.length / WORD_BITS);
    this.#gaps = this.#maskOf('?');
    for (const character of wanted.split(''))
      if (character !== '?' && !this.#masks.has(character)) this.#masks.set(character, this.#maskOf(character));
  }

  find(text: string, from: number): number {
    const words = this.#words;
    const state = new Int32Array(words);
    const done = 1 << ((this.length - 1) % WORD_BITS);
    for (let at = from; at < text.length; at++) {
      const mask = this.#masks.get(text[at] as string) ?? this.#gaps;
      let carried = 1; // a piece may begin anywhere
      for (let i = 0; i < words; i++) {
        const word = state[i] as number;
        state[i] = ((word << 1) | carried) & (mask[i] as number);
        carried = word >>> (WORD_BITS - 1);
      }
      if (((state[words - 1] as number) & done) !== 0) return at + 1 - this.length;
    }
    return -1;
  }

  isAt(text: string, at: number): boolean {
    if (at + this.length > text.length) return false;
    for (let i = 0; i < this.length; i++) if (this.#wanted[i] !== '?' && this.#wanted[i] !== text[at + i]) return false;
    return true;
  }

  #maskOf(character: string): Int32Array {
    const mask = new Int32Array(this.#words);
    for (let i = 0; i < this.length; i++)
      if (this.#wanted[i] === '?' || this.#wanted[i] === character)
        mask[Math.floor(i / WORD_BITS)] = (mask[Math.floor(i / WORD_BITS)] as number) | (1 << (i % WORD_BITS));
    return mask;
  }
}
