// Query statistics of the demo network, in the form of the API.
import type { QueryStatsView, QueryView } from '../../api/control.ts';

const PLACES = 8;
const SECONDS = { minute: 60, hour: 3600, day: 86_400 } as const;

export function statsOf(queries: readonly QueryView[], span: QueryStatsView['span'], top: number): QueryStatsView {
  const words = new Map<string, number>();
  const peers = new Map<string, number>();
  const byHops = new Array<number>(PLACES).fill(0);
  const byTtl = new Array<number>(PLACES).fill(0);
  const add = (counts: Map<string, number>, key: string) => counts.set(key, (counts.get(key) ?? 0) + 1);
  const count = (counts: number[], at: number): void => {
    const place = Math.min(PLACES - 1, at);
    counts[place] = (counts[place] ?? 0) + 1;
  };
  for (const query of queries) {
    for (const word of new Set(query.text.toLowerCase().split(/[^\p{L}\p{N}\p{M}]+/u)))
      if (word.length > 1) add(words, word);
    add(peers, query.from);
    count(byHops, query.hops);
    count(byTtl, query.ttl);
  }
  const answered = queries.filter(({ hits }) => hits > 0).length;
  const ranked = (counts: Map<string, number>) =>
    [...counts]
      .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
      .slice(0, top)
      .map(([key, amount]) => ({ key, count: amount, error: 0 }));
  return {
    privacy: 'full',
    span,
    seconds: SECONDS[span],
    queries: queries.length,
    answered,
    answerRate: queries.length === 0 ? 0 : answered / queries.length,
    hits: queries.reduce((sum, { hits }) => sum + hits, 0),
    duplicates: Math.round(queries.length * 0.21),
    byHops,
    byTtl,
    words: ranked(words),
    peers: ranked(peers),
    sampled: 1,
    series: [],
  };
}
