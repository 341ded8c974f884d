// What one search costs a network of 60 servents: flat and flooding as Gnutella 0.4, and two-tier with query routing and
// dynamic querying. In memory, on a virtual clock: messages are counted, not timed.
import { contentOf, type SearchCost, searchCost, type TwoTierSpec, twoTier } from '../test/support/two-tier.ts';

export const about = 'search-cost: messages per search in 60 servents, flooding against query routing, in memory';

const ULTRAPEERS = 12;
const LEAVES = 48;
const SERVENTS = ULTRAPEERS + LEAVES;
const SEEDS = 5;
const SEARCHES = 8;
const POPULAR = 'popular holiday song.mp3';

/** Half of all have the popular file, half an album of twelve; each has one of its own. */
function shares(index: number): string[] {
  const names = [`rare${index}x thing.txt`, `common words of ${index}.txt`];
  if (index % 2 === 1) names.push(POPULAR);
  if (index % 2 === 0)
    for (let track = 0; track < 12; track++) names.push(`famous album track${track} by ${index}.ogg`);
  return names;
}

const QUESTIONS = {
  popularByHash: { text: '', urns: [contentOf(POPULAR)] },
  popularByHashAndWords: { text: 'popular holiday', urns: [contentOf(POPULAR)] },
  albumByWords: { text: 'famous album' },
  oneCopyEachByWords: { text: 'popular holiday' },
  rareByWords: { text: 'rare37x thing' },
  nowhere: { text: 'nothing like it' },
} as const;

const NETWORK: Omit<TwoTierSpec, 'shares'> = {
  ultrapeers: ULTRAPEERS,
  leaves: LEAVES,
  degree: 6,
  ultrapeersPerLeaf: 3,
};

function mean(costs: readonly SearchCost[], of: (cost: SearchCost) => number): number {
  return Math.round((10 * costs.reduce((sum, cost) => sum + of(cost), 0)) / costs.length) / 10;
}

export async function run(): Promise<Record<string, unknown>> {
  const rows: Record<string, unknown> = {};
  for (const [name, question] of Object.entries(QUESTIONS)) {
    const costs = { flooding: [] as SearchCost[], leaf: [] as SearchCost[], ultrapeer: [] as SearchCost[] };
    for (let seed = 1; seed <= SEEDS; seed++) {
      const flat = twoTier({ ...NETWORK, seed, shares, flat: true, limits: { ttlMax: 7 } });
      const tiers = twoTier({ ...NETWORK, seed, shares });
      for (let n = 0; n < SEARCHES; n++) {
        const [leaf, ultrapeer, anybody] = [
          tiers.leaves[(n * 5 + 1) % LEAVES], // never the one with the rare file
          tiers.ultrapeers[n % ULTRAPEERS],
          flat.network.servents[(n * 7) % SERVENTS],
        ];
        if (!leaf || !ultrapeer || !anybody) throw new Error('a smaller network than said');
        costs.leaf.push(searchCost(tiers.network, leaf, question));
        costs.ultrapeer.push(searchCost(tiers.network, ultrapeer, question));
        costs.flooding.push(searchCost(flat.network, anybody, question));
      }
    }
    const queries = mean(costs.flooding, cost => cost.queries);
    rows[name] = Object.fromEntries(
      Object.entries(costs).map(([how, list]) => [
        how,
        {
          queries: mean(list, cost => cost.queries),
          hits: mean(list, cost => cost.hits),
          found: mean(list, cost => cost.found),
          records: mean(list, cost => cost.records),
          foundNothing: list.filter(cost => cost.found === 0).length,
          timesFewer: Math.round((10 * queries) / mean(list, cost => cost.queries)) / 10,
        },
      ]),
    );
  }
  return { servents: SERVENTS, ultrapeers: ULTRAPEERS, searchesEach: SEEDS * SEARCHES, ...rows };
}
