// What we have asked lately: whether a search repeats another, and when the same may be asked again.
import { LazyMap } from '../../lazy-map.ts';
import type { Search } from './search.ts';

/**
 * Neighbours ignore a repeat for at most this long. A gtk-gnutella ultrapeer drops the same text (or SHA-1) from one leaf for
 * 1,700 s after it took it (search.c, property node_requery_threshold: 1,200 to 1,800 s); LimeWire while it is among the last
 * queries of the link. Both forget it with the link.
 */
export const REPEAT_MS = 1_700_000;

/** The question started longest ago is forgotten first; asked again, it counts as new. */
const QUESTIONS_MAX = 256;

/** From when neighbours take the question of `search` as new again; null when nobody was asked it. */
export function askAgainAt({ lastAskedAt }: Pick<Search, 'lastAskedAt'>): number | null {
  return lastAskedAt === null ? null : lastAskedAt + REPEAT_MS;
}

export class PastSearches {
  /** By question the latest search for it, over or not; oldest first, at most QUESTIONS_MAX. */
  readonly #latest = new LazyMap<string, Search>();

  /** The latest search for the same of which a neighbour may still know; null when asking is new to all of them. */
  earlier(question: string, now: number): Search | null {
    const search = this.#latest.get(question);
    return search !== undefined && (askAgainAt(search) ?? now) > now ? search : null;
  }

  add(search: Search): void {
    this.#latest.delete(search.question);
    this.#latest.set(search.question, search);
    if (this.#latest.size <= QUESTIONS_MAX) return;
    const [oldest = ''] = this.#latest.keys();
    this.#latest.delete(oldest);
  }
}
