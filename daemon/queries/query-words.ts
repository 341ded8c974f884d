// Words of queries, and what stands for them when they are not to be known: hashes with a salt that dies with the process.
import { createHmac, randomBytes } from 'node:crypto';
import { queryWords } from '../../protocol/search/tokenizer.ts';

/** What is remembered of queries: nothing, numbers, words as salted hashes, everything. */
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

  /** The same words give the same hashes in any query. */
  text(text: string): string {
    return queryWords(text)
      .map(word => this.word(word))
      .join(' ');
  }
}
