// Matches globs in bounded time: `*` is any run of characters, `?` any one; case is ignored; there are no classes.

/** Most characters of a text that are compared; no file system has longer names. */
export const TEXT_CHARACTERS_MAX = 1024;

const WORD_BITS = 32;

/** Returns a matcher of whole texts. Time: length of the text times 1/32 of the length of the pattern. */
export function globMatcher(pattern: string): (value: unknown) => boolean {
  const glob = new Glob(pattern.toLowerCase());
  return value => typeof value === 'string' && glob.holds(value.slice(0, TEXT_CHARACTERS_MAX).toLowerCase());
}

/**
 * Bit-parallel matcher that reads a text once (Baeza-Yates and Gonnet, 1992). Bit `i` of a set: the text read so far matches the first `i`
 * characters of the pattern, without stars.
 */
class Glob {
  readonly #length: number;
  readonly #words: number;
  /** Positions of stars: any character may follow. */
  readonly #stars: Int32Array;
  /** Positions at which a character may follow, by character of the pattern. */
  readonly #masks = new Map<string, Int32Array>();
  /** Positions of `?`, at which a character that is not in the pattern may follow. */
  readonly #any: Int32Array;

  constructor(pattern: string) {
    const characters = pattern.split('').filter(character => character !== '*');
    this.#length = characters.length;
    this.#words = Math.floor(this.#length / WORD_BITS) + 1;
    const setOf = (holds: (at: number) => boolean): Int32Array => {
      const set = new Int32Array(this.#words);
      for (let at = 0; at <= this.#length; at++) if (holds(at)) set[at >>> 5] = (set[at >>> 5] ?? 0) | (1 << at);
      return set;
    };
    const starred = new Set<number>();
    let before = 0;
    for (const character of pattern.split('')) character === '*' ? starred.add(before) : before++;
    this.#stars = setOf(at => starred.has(at));
    this.#any = setOf(at => characters[at] === '?');
    for (const known of new Set(characters))
      this.#masks.set(
        known,
        setOf(at => characters[at] === known || characters[at] === '?'),
      );
  }

  holds(text: string): boolean {
    const state = new Int32Array(this.#words);
    state[0] = 1;
    for (let at = 0; at < text.length; at++) {
      const mask = this.#masks.get(text[at] as string) ?? this.#any;
      let carried = 0;
      let left = 0;
      for (let i = 0; i < state.length; i++) {
        const word = state[i] as number;
        const followed = word & (mask[i] as number);
        state[i] = (followed << 1) | carried | (word & (this.#stars[i] as number));
        carried = followed >>> (WORD_BITS - 1);
        left |= state[i] as number;
      }
      if (left === 0) return false;
    }
    return (((state[this.#words - 1] as number) >>> (this.#length % WORD_BITS)) & 1) === 1;
  }
}
