// Extracts words of queries and, for privacy, replaces them by hashes with a random salt that is not stored.
import { createHmac, randomBytes } from 'node:crypto';
import { queryWords } from '../../protocol/search/tokenizer.ts';

/** What is kept of queries: nothing, counts, words as salted hashes, everything. */
export type Privacy = 'off' | 'counts' | 'hashed' | 'full';

const HASH_CHARACTERS = 12;

export class WordHasher {
  readonly #salt: Buffer;

  constructor(salt: Buffer = randomBytes(16)) {
    this.#salt = salt;
  }

  word(word: string): string {
    return createHmac('sha1', this.#salt).update(word).digest('hex').slice(0, HASH_CHARACTERS);
  }

  /** Replaces each word; equal words give equal hashes. */
  text(text: string): string {
    return queryWords(text)
      .map(word => this.word(word))
      .join(' ');
  }
}
