// What is asked, counted from the queries seen here: words, hops, TTL, answers. Pure and bounded.
import type { QueryView } from '../api/control.ts';

/** Words counted at once; when there are more, those seen least are forgotten. */
const WORDS_MAX = 2000;
const HOPS_MAX = 8;

export interface QueryTally {
  readonly total: number;
  readonly answered: number;
  readonly byUrn: number;
  readonly words: ReadonlyMap<string, number>;
  /** By hops and by TTL on arrival; the last one is "that or more". */
  readonly hops: readonly number[];
  readonly ttl: readonly number[];
}

const zeroes = new Array<number>(HOPS_MAX).fill(0);
export const noTally: QueryTally = { total: 0, answered: 0, byUrn: 0, words: new Map(), hops: zeroes, ttl: zeroes };

export function tallied(before: QueryTally, queries: readonly QueryView[]): QueryTally {
  if (queries.length === 0) return before;
  let { total, answered, byUrn } = before;
  const words = new Map(before.words);
  const hops = [...before.hops];
  const ttl = [...before.ttl];
  for (const query of queries) {
    total++;
    if (query.hits > 0) answered++;
    if (query.urns.length > 0) byUrn++;
    count(hops, query.hops);
    count(ttl, query.ttl);
    for (const word of new Set(query.text.toLowerCase().split(/[^\p{L}\p{N}\p{M}]+/u)))
      if (word.length > 1) words.set(word, (words.get(word) ?? 0) + 1);
  }
  return { total, answered, byUrn, hops, ttl, words: words.size > WORDS_MAX ? mostSeen(words, WORDS_MAX / 2) : words };
}

function count(counts: number[], at: number): void {
  const i = Math.min(HOPS_MAX - 1, Math.max(0, at));
  counts[i] = (counts[i] ?? 0) + 1;
}

function mostSeen(words: ReadonlyMap<string, number>, max: number): Map<string, number> {
  return new Map(topWords(words, max));
}

/** Most asked first, by the alphabet where they are level. */
export function topWords(words: ReadonlyMap<string, number>, max: number): [word: string, times: number][] {
  return [...words].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, max);
}
