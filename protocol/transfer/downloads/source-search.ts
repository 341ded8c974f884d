// Decides when the network is asked who else has the file of a download: by its hash with words of its name, then by the hash alone. Pure.
// Leaves of gtk-gnutella are asked only by words, as their tables have no hashes, and answer by the hash; those of LimeWire are asked by either.
import type { Random } from '../../ports.ts';
import { queryWords } from '../../search/tokenizer.ts';

export interface SourceSearchTimes {
  /** From a download's start to its first question when it has some sources: a short one ends without. */
  readonly fewMs: number;
  /** From the question with words to the one without, when nothing came: neighbours stop asking when enough files fit the words. */
  readonly aloneMs: number;
  /** From the first question of a round to that of the next; doubled after each, at most `againMaxMs`, up to a tenth longer. */
  readonly againMs: number;
  readonly againMaxMs: number;
  /** Questions of all downloads: so many at once, then one each `budgetMs`. */
  readonly budget: number;
  readonly budgetMs: number;
}

/**
 * Neighbours ignore the same question for up to 1,700 s, so the second is asked after half an hour. All downloads together: 6
 * questions at once, then 180 an hour, as one person does who searches every 20 s.
 */
export const SOURCE_SEARCH_TIMES: SourceSearchTimes = {
  fewMs: 10_000,
  aloneMs: 60_000,
  againMs: 1_800_000,
  againMaxMs: 14_400_000,
  budget: 6,
  budgetMs: 20_000,
};

/** Loopback carries more, and servents of the profile `local` answer repeats. */
export const LOCAL_SOURCE_SEARCH_TIMES: SourceSearchTimes = {
  fewMs: 2_000,
  aloneMs: 2_000,
  againMs: 10_000,
  againMaxMs: 60_000,
  budget: 20,
  budgetMs: 500,
};

/** With so many usable sources a download asks for no more (gtk-gnutella stops asking its DHT with 5). */
export const SOURCES_ENOUGH = 5;

/** What a download lacks. */
export interface SourceWish {
  readonly id: string;
  readonly sha1: Buffer;
  /** Its name, or words for it; null: unknown. */
  readonly name: string | null;
  /** Its sources that were not dropped. */
  readonly usable: number;
}

export interface SourceQuestion {
  readonly id: string;
  readonly sha1: Buffer;
  /** Of names that it may have; null: by hash alone. */
  readonly words: string | null;
  /** It begins a round: answers to those of the round before are of no use any more. */
  readonly isFirst: boolean;
}

/** How far the search for a download's sources is. Times are of the clock that `now` is of. */
export interface SourceSearchState {
  /** Questions so far. */
  readonly asked: number;
  /** When the next one is due; null: none, it has sources enough or is paused. */
  readonly nextAt: number | null;
}

interface Wish extends SourceWish {
  usable: number;
  name: string | null;
  asked: number;
  rounds: number;
  /** When the last round began, and how many usable sources there were. */
  last: { readonly at: number; readonly usable: number } | null;
  /** When the next round begins. */
  roundAt: number;
  /** When the hash alone is asked for; null: not in this round. */
  aloneAt: number | null;
  /** False: paused, or it has sources enough. */
  open: boolean;
}

/** Words of one question, in the first round; each later one has two less, as others may have named the file otherwise. */
const WORDS_MAX = 6;
const WORDS_MIN = 2;
/** Letters of the shortest word that is asked for: shorter ones are in no table. */
const WORD_LETTERS_MIN = 3;

export class SourceSearch {
  readonly #random: Random;
  readonly #times: SourceSearchTimes;
  /** By id; one for each download that is not over. */
  readonly #wishes = new Map<string, Wish>();
  /** When the budget is full again. */
  #fullAt = 0;

  constructor(random: Random, times: SourceSearchTimes = SOURCE_SEARCH_TIMES) {
    this.#random = random;
    this.#times = times;
  }

  get size(): number {
    return this.#wishes.size;
  }

  /** A download is looked for, or has other sources than before. */
  want(wish: SourceWish, now: number): void {
    const known = this.#wishes.get(wish.id);
    const open = wish.usable < SOURCES_ENOUGH;
    if (known === undefined) {
      const roundAt = wish.usable === 0 ? now : now + this.#times.fewMs;
      this.#wishes.set(wish.id, { ...wish, asked: 0, rounds: 0, last: null, roundAt, aloneAt: null, open });
      return;
    }
    known.open = open;
    known.name = wish.name;
    known.usable = wish.usable;
    if (known.asked === 0 && wish.usable === 0) known.roundAt = Math.min(known.roundAt, now);
  }

  /** A running download could use more. If it has lost sources since it asked, it asks again as soon as neighbours take the same question. */
  hurry(id: string, now: number): void {
    const wish = this.#wishes.get(id);
    if (wish === undefined || wish.last === null || wish.usable >= wish.last.usable) return;
    wish.roundAt = Math.min(wish.roundAt, Math.max(now, wish.last.at + this.#times.againMs));
  }

  /** It is paused: when it goes on, the times hold that were set. */
  rest(id: string): void {
    const wish = this.#wishes.get(id);
    if (wish !== undefined) wish.open = false;
  }

  /** It is over. */
  forget(id: string): void {
    this.#wishes.delete(id);
  }

  /** The question to ask now, one at a time; null: none is due, or the budget is used up. Those without a source come first. */
  next(now: number): SourceQuestion | null {
    if (this.#budgetAt > now) return null;
    let first: Wish | null = null;
    for (const wish of this.#wishes.values())
      if (wish.open && dueAt(wish) <= now && (first === null || order(wish, first) < 0)) first = wish;
    if (first === null) return null;
    this.#fullAt = Math.max(this.#fullAt, now) + this.#times.budgetMs;
    return this.#ask(first, now);
  }

  /** When `next` may have one; Infinity: not before a call. */
  nextAt(): number {
    let at = Number.POSITIVE_INFINITY;
    for (const wish of this.#wishes.values()) if (wish.open) at = Math.min(at, dueAt(wish));
    return Math.max(at, this.#budgetAt);
  }

  /** Null: it is not looked for. */
  stateOf(id: string): SourceSearchState | null {
    const wish = this.#wishes.get(id);
    return wish === undefined ? null : { asked: wish.asked, nextAt: wish.open ? dueAt(wish) : null };
  }

  #ask(wish: Wish, now: number): SourceQuestion {
    const { id, sha1 } = wish;
    wish.asked++;
    if (wish.roundAt > now) {
      wish.aloneAt = null;
      return { id, sha1, words: null, isFirst: false };
    }
    const { againMs, againMaxMs, aloneMs } = this.#times;
    const ms = Math.min(againMaxMs, againMs * 2 ** wish.rounds++);
    const words = wordsOf(wish);
    wish.last = { at: now, usable: wish.usable };
    wish.roundAt = now + ms + this.#random.below(Math.ceil(ms / 10));
    wish.aloneAt = words === null ? null : now + aloneMs;
    return { id, sha1, words, isFirst: true };
  }

  get #budgetAt(): number {
    return this.#fullAt - (this.#times.budget - 1) * this.#times.budgetMs;
  }
}

function dueAt(wish: Wish): number {
  // a second question only where nothing came
  return wish.aloneAt === null || wish.usable > 0 ? wish.roundAt : Math.min(wish.roundAt, wish.aloneAt);
}

/** Who has no source comes first, then who has asked the least, then who waits the longest. */
function order(a: Wish, b: Wish): number {
  return Math.min(a.usable, 1) - Math.min(b.usable, 1) || a.asked - b.asked || dueAt(a) - dueAt(b);
}

/** The longest words of the name in its order, without its extension; null: it has none that could be found. */
export function wordsOf({ name, rounds }: { name: string | null; rounds: number }): string | null {
  if (name === null) return null;
  const words = [...new Set(queryWords(name.replace(/\.[a-z0-9]{1,5}$/i, '')))].filter(
    word => Array.from(word).length >= WORD_LETTERS_MIN,
  );
  const count = Math.max(WORDS_MIN, WORDS_MAX - 2 * Math.max(0, rounds - 1));
  const longest = new Set(words.toSorted((a, b) => b.length - a.length).slice(0, count));
  return longest.size === 0 ? null : words.filter(word => longest.has(word)).join(' ');
}
