// Numbers the distinct words of a library and finds them by prefix.

/** Numbers in a block, so the most that an insertion moves; a full block is split. */
const BLOCK_MAX = 512;

export class WordList {
  readonly #numbers = new Map<string, number>();
  readonly #words: (string | undefined)[] = [];
  readonly #freed: number[] = [];
  /** Numbers in order of their words; only the last remaining block may be empty. */
  readonly #blocks: number[][] = [[]];

  get size(): number {
    return this.#numbers.size;
  }

  words(): IterableIterator<string> {
    return this.#numbers.keys();
  }

  /** Upper bound of all numbers. */
  get numbersEnd(): number {
    return this.#words.length;
  }

  /** The word's number, assigned if new. */
  add(word: string): number {
    const known = this.#numbers.get(word);
    if (known !== undefined) return known;
    const number = this.#freed.pop() ?? this.#words.length;
    this.#words[number] = word;
    this.#numbers.set(word, number);
    const at = this.#blockOf(word);
    const block = this.#block(at);
    block.splice(this.#lowerBound(block, word), 0, number);
    if (block.length > BLOCK_MAX) this.#blocks.splice(at + 1, 0, block.splice(BLOCK_MAX / 2));
    return number;
  }

  /** Deletes a word; its number is reused. */
  delete(number: number): void {
    const word = this.#words[number];
    if (word === undefined) return;
    const at = this.#blockOf(word);
    const block = this.#block(at);
    block.splice(this.#lowerBound(block, word), 1);
    if (block.length === 0 && this.#blocks.length > 1) this.#blocks.splice(at, 1);
    this.#numbers.delete(word);
    this.#words[number] = undefined;
    this.#freed.push(number);
  }

  /** The number of exactly this word, or -1. */
  find(word: string): number {
    return this.#numbers.get(word) ?? -1;
  }

  /** Numbers of the words with this prefix, in order, so the word itself first; at most `max`. */
  findPrefixed(prefix: string, max: number): number[] {
    const found: number[] = [];
    let at = this.#blockOf(prefix);
    let position = this.#lowerBound(this.#block(at), prefix);
    while (at < this.#blocks.length && found.length < max) {
      const block = this.#block(at);
      for (; position < block.length && found.length < max; position++) {
        const number = block[position] ?? 0;
        if (!this.#word(number).startsWith(prefix)) return found;
        found.push(number);
      }
      at++;
      position = 0;
    }
    return found;
  }

  #word(number: number): string {
    return this.#words[number] ?? '';
  }

  #block(at: number): number[] {
    return this.#blocks[at] ?? [];
  }

  /** The block of the word: the last one that begins at or before it. */
  #blockOf(word: string): number {
    let low = 0;
    let high = this.#blocks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#word(this.#block(middle)[0] ?? 0) <= word) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #lowerBound(block: readonly number[], word: string): number {
    let low = 0;
    let high = block.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#word(block[middle] ?? 0) < word) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
